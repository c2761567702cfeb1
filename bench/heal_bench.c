/* SPDX-License-Identifier: MIT
 *
 * A partition heals: two halves of a cluster, each with keys that the other has not heard of, meet. How long until all agents hold the
 * same, and what repair sends for it, beside the floor: every agent must be sent once each entry that it lacks.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/report.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_BYTES 16
#define VALUE_BYTES 64
#define ENTRY_BYTES (1 + 1 + 1 + 8 + 8 + KEY_BYTES + VALUE_BYTES) /* as it moves: doc/store-wire.md */

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench heal: %s\n", text);
    exit(1);
}

static struct hearsay_bytes ask(struct rpc *rpc, const char *command, struct hearsay_bytes body)
{
    struct hearsay_bytes answer;
    if (!rpc_ask(rpc, command, body, &answer)) {
        die("an agent does not answer, or refused");
    }
    return answer;
}

static void put(struct rpc *rpc, char side, unsigned i)
{
    uint8_t room[256];
    char key[KEY_BYTES + 1], value[VALUE_BYTES + 1];
    struct writer w = writer_of(room, sizeof room);
    snprintf(key, sizeof key, "%c-%014u", side, i);
    snprintf(value, sizeof value, "%-64u", i);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Key");
    msgpack_put_text(&w, key);
    msgpack_put_text(&w, "Value");
    msgpack_put_str(&w, bytes_of_string(value));
    ask(rpc, "kv-put", writer_bytes(&w));
}

static bool find(struct reader *r, const char *key)
{
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        if (msgpack_is(msgpack_get_raw(r), key)) {
            return true;
        }
        msgpack_skip(r);
    }
    return false;
}

static uint64_t counter(struct rpc *rpc, const char *name)
{
    struct reader r = reader_of(ask(rpc, "health", bytes_of(NULL, 0)));
    if (!find(&r, "Counters") || !find(&r, name)) {
        die("an agent has no such counter");
    }
    return msgpack_get_uint(&r, UINT64_MAX);
}

static uint64_t sum(struct agents *sides, const char *name)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < sides[0].count; i++) {
        all += counter(&sides[0].at[i].rpc, name) + counter(&sides[1].at[i].rpc, name);
    }
    return all;
}

/* The root of an agent that holds so many entries, all settled; else "". */
static void read_root(struct rpc *rpc, uint64_t entries, char out[40])
{
    struct reader r = reader_of(ask(rpc, "kv-status", bytes_of(NULL, 0)));
    if (!find(&r, "store")) {
        die("an agent has no store");
    }
    struct reader count = r, text = r;
    bool is_whole = find(&count, "root_entries") && msgpack_get_uint(&count, UINT64_MAX) == entries && find(&text, "root");
    struct hearsay_bytes word = is_whole ? msgpack_get_raw(&text) : bytes_of(NULL, 0);
    snprintf(out, 40, "%.*s", (int)word.size, (const char *)word.data);
}

/* Do all of these hold so many entries, the same? */
static bool is_equal(struct agents *sides, unsigned count, uint64_t entries)
{
    char first[40] = "", text[40];
    for (unsigned s = 0; s < count; s++) {
        for (unsigned i = 0; i < sides[s].count; i++) {
            read_root(&sides[s].at[i].rpc, entries, text);
            if (text[0] == '\0' || (first[0] != '\0' && strcmp(first, text) != 0)) {
                return false;
            }
            memcpy(first, text, sizeof first);
        }
    }
    return true;
}

static double wait_until_equal(struct agents *sides, unsigned count, uint64_t entries, double seconds)
{
    uint64_t begun = clock_us(), deadline = clock_seconds(seconds);
    while (!is_equal(sides, count, entries)) {
        if (clock_us() > deadline) {
            die("the stores did not become equal in time");
        }
        usleep(20000);
    }
    return (double)(clock_us() - begun) / 1e6;
}

static void join(struct agents *sides)
{
    uint8_t room[128];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Existing");
    msgpack_put_array(&w, 1);
    msgpack_put_text(&w, sides[0].at[0].address);
    msgpack_put_text(&w, "Replay");
    msgpack_put_bool(&w, false);
    ask(&sides[1].at[0].rpc, "join", writer_bytes(&w));
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("heal", argc, argv);
    unsigned half = flags.is_quick ? 3 : 5, keys = flags.is_quick ? 1000 : 10000;
    struct agents sides[2] = {{.kind = AGENTS_HEARSAY, .count = half, .has_store = true},
                              {.kind = AGENTS_HEARSAY, .count = half, .first = half, .has_store = true}};
    char what[64];
    for (unsigned s = 0; s < 2; s++) {
        report_progress("a half meets and is filled");
        agents_gather(&sides[s]);
        for (unsigned i = 0; i < keys; i++) {
            put(&sides[s].at[i % half].rpc, (char)('a' + s), i);
        }
        (void)wait_until_equal(&sides[s], 1, keys, 60);
    }
    uint64_t bytes = sum(sides, "repair_bytes_out"), moved = sum(sides, "repair_entries_out"), failed = sum(sides, "suspicions");
    report_progress("the halves meet");
    join(sides);
    double seconds = wait_until_equal(sides, 2, 2 * (uint64_t)keys, 120);
    bytes = sum(sides, "repair_bytes_out") - bytes;
    moved = sum(sides, "repair_entries_out") - moved;
    failed = sum(sides, "suspicions") - failed;
    double least = 2.0 * half * keys;
    snprintf(what, sizeof what, "%u agents, %u new keys on either side: all equal", 2 * half, keys);
    report_limit(what, "s", seconds, 10);
    report_ratio("bytes sent by repair", "MB", (double)bytes / 1e6, "floor", least * ENTRY_BYTES / 1e6, 1.3);
    report_ratio("entries sent by repair", "1", (double)moved, "lacking", least, 1.3);
    report_limit("suspicions meanwhile", "1", (double)failed, 0);
    agents_stop(&sides[0]);
    agents_stop(&sides[1]);
    return report_end();
}
