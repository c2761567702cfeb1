/* SPDX-License-Identifier: MIT
 *
 * A partition heals: two halves of a cluster, each with keys that the other has not heard of, meet. How long until all agents hold the
 * same, and what repair sends for it, beside the floor: every agent must be sent once each entry that it lacks.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/report.h"
#include "bench/store_rpc.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench heal: %s\n", text);
    exit(1);
}

static void put(struct rpc *rpc, char side, unsigned i)
{
    uint8_t room[256];
    char key[STORE_KEY_BYTES + 1], value[STORE_VALUE_BYTES + 1];
    struct writer w = writer_of(room, sizeof room);
    snprintf(key, sizeof key, "%c-%014u", side, i);
    snprintf(value, sizeof value, "%-64u", i);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Key");
    msgpack_put_text(&w, key);
    msgpack_put_text(&w, "Value");
    msgpack_put_str(&w, bytes_of_string(value));
    (void)store_rpc_ask(rpc, "kv-put", writer_bytes(&w));
}

static uint64_t sum(struct agents *sides, const char *name)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < sides[0].count; i++) {
        all += store_rpc_counter(&sides[0].at[i].rpc, name) + store_rpc_counter(&sides[1].at[i].rpc, name);
    }
    return all;
}

/* Do all of these hold so many entries, the same? */
static bool is_equal(struct agents *sides, unsigned count, uint64_t entries)
{
    char first[40] = "", text[40];
    for (unsigned s = 0; s < count; s++) {
        for (unsigned i = 0; i < sides[s].count; i++) {
            store_rpc_root(&sides[s].at[i].rpc, entries, text);
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
    store_rpc_join(&sides[1].at[0].rpc, sides[0].at[0].address);
    double seconds = wait_until_equal(sides, 2, 2 * (uint64_t)keys, 120);
    bytes = sum(sides, "repair_bytes_out") - bytes;
    moved = sum(sides, "repair_entries_out") - moved;
    failed = sum(sides, "suspicions") - failed;
    double least = 2.0 * half * keys;
    snprintf(what, sizeof what, "%u agents, %u new keys on either side: all equal", 2 * half, keys);
    report_limit(what, "s", seconds, 10);
    report_ratio("bytes sent by repair", "MB", (double)bytes / 1e6, "floor", least * STORE_ENTRY_BYTES / 1e6, 1.3);
    report_ratio("entries sent by repair", "1", (double)moved, "lacking", least, 1.3);
    report_limit("suspicions meanwhile", "1", (double)failed, 0);
    agents_stop(&sides[0]);
    agents_stop(&sides[1]);
    return report_end();
}
