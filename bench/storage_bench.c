/* SPDX-License-Identifier: MIT
 *
 * Durable puts through the agent's storage, in batches as the agent writes them, beside the floor: the same bytes appended to a plain file
 * with one fdatasync per batch, in turn with ours in the same folder, so that both meet the same disk. Keys of 16 bytes, values of 64.
 */
#include "agent/storage.h"
#include "bench/clock.h"
#include "bench/report.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEYS 200000u
#define ENTRY_BYTES 80

static char folder[] = "./bench-storage-XXXXXX", error[400];
static struct storage *storage;
static int plain = -1;
static uint64_t hlc;

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench storage: %s\n", text);
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    return (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
}

/* Keys in no order, each written again and again. */
static void make(uint8_t bytes[ENTRY_BYTES])
{
    uint64_t key = mix(mix(++hlc) % KEYS);
    memset(bytes, (int)hlc, ENTRY_BYTES);
    memcpy(bytes, &key, sizeof key);
    memset(bytes + 8, 'k', 8);
}

static uint64_t write_ours(unsigned batch)
{
    uint64_t start = clock_ns();
    storage_begin(storage);
    for (unsigned i = 0; i < batch; i++) {
        uint8_t bytes[ENTRY_BYTES];
        make(bytes);
        storage_put(storage, &(struct hearsay_entry){.key = {bytes, 16}, .value = {bytes + 16, 64}, .version.hlc = hlc, .version.origin = 1});
    }
    if (!storage_commit(storage, hlc, 0, error, sizeof error)) {
        die(error);
    }
    return clock_ns() - start;
}

static uint64_t write_floor(unsigned batch, uint8_t *room)
{
    uint64_t start = clock_ns();
    for (unsigned i = 0; i < batch; i++) {
        make(room + i * ENTRY_BYTES);
    }
    if (write(plain, room, batch * ENTRY_BYTES) != (ssize_t)(batch * ENTRY_BYTES) || fdatasync(plain) != 0) {
        die("cannot write the plain file");
    }
    return clock_ns() - start;
}

static void compare(unsigned batch, double seconds, double least)
{
    uint64_t ours = 0, floor_ns = 0, rounds = 0, end = clock_seconds(seconds);
    uint8_t *room = malloc((size_t)batch * ENTRY_BYTES);
    char what[80];
    while (clock_us() < end) {
        ours += write_ours(batch);
        floor_ns += write_floor(batch, room);
        rounds++;
    }
    double puts = (double)rounds * batch;
    snprintf(what, sizeof what, "time per durable put, batches of %u", batch);
    report_ratio(what, "us", (double)ours / puts / 1e3, "append+fdatasync", (double)floor_ns / puts / 1e3, NAN);
    snprintf(what, sizeof what, "the same, at %.0f puts per second", puts / ((double)ours / 1e9));
    report_limit(what, "us", (double)ours / puts / 1e3, 1e6 / least);
    free(room);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("storage", argc, argv);
    double seconds = flags.is_quick ? 1 : 5;
    char path[64];
    if (mkdtemp(folder) == NULL) {
        die("cannot make a folder here");
    }
    snprintf(path, sizeof path, "%s/plain", folder);
    plain = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    storage = storage_open(folder, error, sizeof error);
    if (storage == NULL) {
        die(error);
    }
    report_progress("filling the store");
    for (unsigned i = 0; i < (flags.is_quick ? KEYS / 5 : KEYS); i += 1000) {
        (void)write_ours(1000);
    }
    static const unsigned batches[] = {1, 10, 100, 1000};
    for (unsigned i = 0; i < 4; i++) {
        report_progress("writing");
        compare(batches[i], seconds, batches[i] >= 1000 ? 20000 : 1);
    }
    storage_close(storage);
    close(plain);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/store.db", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    return report_end();
}
