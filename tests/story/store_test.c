/* SPDX-License-Identifier: MIT
 *
 * The shared store among several nodes: writes reach everybody in every mode; what gossip missed is found and moved, and nothing else;
 * deletes and expiry hold everywhere; who does not hold the store is left alone.
 */
#include "../lib/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words about stores ---------------------------------------------------------------------------------------------------- */

static struct hearsay_bytes text(const char *s)
{
    return (struct hearsay_bytes){(const uint8_t *)s, strlen(s)};
}

static void with_store(struct story *c, struct hearsay_options *o, unsigned number)
{
    (void)c;
    (void)number;
    o->store = 1;
    o->store_secret[0] = 7;
}

static unsigned index_of(nodes who)
{
    unsigned i = 0;
    while ((who >> i & 1) == 0) {
        i++;
    }
    return i;
}

static struct hearsay_node *at(struct story *c, nodes who)
{
    return host_of(c, who)->node;
}

static uint32_t put_ttl(struct story *c, nodes who, const char *key, struct hearsay_bytes value, uint64_t ttl_ms, uint32_t copies)
{
    struct host *host = host_of(c, who);
    uint32_t ticket = 0;
    hearsay_err err = hearsay_put(host->node, host_now(host), text(key), value, ttl_ms, copies, &ticket);
    expect(c, err == HEARSAY_OK, "n%u can put %s: %s", index_of(who) + 1, key, hearsay_err_text(err));
    host_drain(host);
    return ticket;
}

static void put(struct story *c, nodes who, const char *key, const char *value)
{
    (void)put_ttl(c, who, key, text(value), 0, 1);
}

static void put_many(struct story *c, nodes who, const char *prefix, unsigned count)
{
    char key[32], value[65];
    memset(value, 'v', sizeof value);
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(key, sizeof key, "%s/%08u", prefix, i);
        (void)snprintf(value, sizeof value, "%s %08u %043u", prefix, i, i * 7);
        put(c, who, key, value);
    }
}

static void erase(struct story *c, nodes who, const char *key)
{
    struct host *host = host_of(c, who);
    hearsay_err err = hearsay_delete(host->node, host_now(host), text(key), 1, NULL);
    expect(c, err == HEARSAY_OK, "n%u can delete %s: %s", index_of(who) + 1, key, hearsay_err_text(err));
    host_drain(host);
}

static bool has(struct story *c, nodes who, const char *key, const char *value)
{
    struct hearsay_entry entry;
    return hearsay_get(at(c, who), text(key), &entry) &&
           (value == NULL || (entry.value.size == strlen(value) && memcmp(entry.value.data, value, entry.value.size) == 0));
}

static bool all_have(struct story *c, unsigned first, unsigned last, const char *key, const char *value)
{
    for (unsigned i = first; i <= last; i++) {
        if (!has(c, n(i), key, value)) {
            return false;
        }
    }
    return true;
}

static span expect_all_have_within(struct story *c, span time, unsigned first, unsigned last, const char *key, const char *value)
{
    span began = time_of(c);
    while (!all_have(c, first, last, key, value) && time_of(c) - began < time) {
        advance(c, ms(1));
    }
    for (unsigned i = first; i <= last; i++) {
        expect(c, has(c, n(i), key, value), "n%u has %s within %.1f s", i, key, (double)time / 1e6);
    }
    return time_of(c) - began;
}

/* A hash over keys, values, versions and expiries, in order. */
static uint64_t content(struct story *c, nodes who)
{
    struct hearsay_bytes after = {NULL, 0}, all = {NULL, 0};
    struct hearsay_entry e;
    uint64_t h = 0xcbf29ce484222325u;
    while (hearsay_next_entry(at(c, who), all, &after, &e)) {
        for (size_t i = 0; i < e.key.size; i++) {
            h = (h ^ e.key.data[i]) * 0x100000001b3u;
        }
        for (size_t i = 0; i < e.value.size; i++) {
            h = (h ^ e.value.data[i]) * 0x100000001b3u;
        }
        h = ((h ^ e.version.hlc) * 0x100000001b3u ^ e.version.origin) * 0x100000001b3u ^ e.expires_hlc;
    }
    return h;
}

static struct hearsay_store_stats store_of(struct story *c, nodes who)
{
    struct hearsay_store_stats stats;
    hearsay_get_store_stats(at(c, who), &stats);
    return stats;
}

static bool are_equal(struct story *c, unsigned first, unsigned last)
{
    for (unsigned i = first + 1; i <= last; i++) {
        struct hearsay_store_stats a = store_of(c, n(first)), b = store_of(c, n(i));
        if (a.entries != b.entries || a.tombstones != b.tombstones || content(c, n(first)) != content(c, n(i))) {
            return false;
        }
    }
    return true;
}

static span expect_equal_within(struct story *c, span time, unsigned first, unsigned last)
{
    span began = time_of(c);
    while (!are_equal(c, first, last) && time_of(c) - began < time) {
        advance(c, ms(100));
    }
    for (unsigned i = first; i <= last; i++) {
        struct hearsay_store_stats s = store_of(c, n(i));
        expect(c, content(c, n(i)) == content(c, n(first)), "n%u holds what n%u holds (%" PRIu64 " and %" PRIu64 " entries) within %.1f s", i,
               first, s.entries, store_of(c, n(first)).entries, (double)time / 1e6);
    }
    return time_of(c) - began;
}

static uint64_t sum_of(struct story *c, unsigned first, unsigned last, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = first; i <= last; i++) {
        uint64_t value;
        memcpy(&value, (const char *)counters_of(c, n(i)) + offset, sizeof value);
        sum += value;
    }
    return sum;
}
#define SUM(c, first, last, counter) sum_of(c, first, last, offsetof(struct hearsay_counters, counter))

/* Everybody has met everybody as a holder of the store, and is at the same epoch. */
static void settle(struct story *c, unsigned first, unsigned last)
{
    span began = time_of(c);
    bool is_done = false;
    while (!is_done && time_of(c) - began < seconds(60)) {
        is_done = true;
        for (unsigned i = first; i <= last; i++) {
            struct hearsay_store_peer peer;
            unsigned up = 0;
            for (size_t position = 0; hearsay_next_store_peer(at(c, n(i)), &position, &peer);) {
                up += peer.is_up;
            }
            is_done = is_done && up == last - first;
        }
        advance(c, ms(100));
    }
    expect(c, is_done, "all holders of the store know each other within a minute");
}

/* ---- gossip ------------------------------------------------------------------------------------------------------------------ */

STORY(a_write_reaches_everybody_within_a_few_milliseconds)
{
    start_with(c, 20, with_store);
    settle(c, 1, 20);
    put(c, n3, "motto", "reliable knowledge from unreliable rumours");
    span took = expect_all_have_within(c, seconds(3), 1, 20, "motto", "reliable knowledge from unreliable rumours");
    expect(c, took <= ms(100), "eager copies are there after 100 ms at most, not %.0f", (double)took / 1e3);
    advance(c, seconds(6));
    expect_equal_within(c, seconds(1), 1, 20);
    expect(c, SUM(c, 1, 20, repairs) == 0, "nothing had to be repaired, but %" PRIu64 " repairs began", SUM(c, 1, 20, repairs));
}

static void rounds_only(struct story *c, struct hearsay_options *o, unsigned number)
{
    with_store(c, o, number);
    o->eager = 0;
    o->store_mode = 1 + (uint32_t)(story_seed(c) % 3);
}

STORY(rounds_alone_reach_everybody_in_every_mode)
{
    start_with(c, 20, rounds_only);
    settle(c, 1, 20);
    for (uint32_t mode = HEARSAY_PUSH; mode <= HEARSAY_PUSH_PULL; mode++) {
        char key[16];
        (void)snprintf(key, sizeof key, "mode %u", mode);
        for (unsigned i = 1; i <= 20; i++) { /* switched while running */
            hearsay_err err = hearsay_store_tune(at(c, n(i)), host_now(host_of(c, n(i))), (enum hearsay_store_mode)mode, 3, 500);
            expect(c, err == HEARSAY_OK, "the mode can be switched: %s", hearsay_err_text(err));
            host_drain(host_of(c, n(i)));
        }
        put(c, n5, key, "x");
        (void)expect_all_have_within(c, seconds(8), 1, 20, key, "x");
        advance(c, seconds(2));
    }
    advance(c, seconds(8));
    expect_equal_within(c, seconds(1), 1, 20);
}

STORY(equal_nodes_say_31_bytes_to_each_other_and_nobody_answers)
{
    start_with(c, 2, with_store);
    settle(c, 1, 2);
    put_many(c, n1, "k", 200);
    advance(c, seconds(40)); /* all is cold */
    expect_equal_within(c, seconds(1), 1, 2);
    uint64_t repairs = SUM(c, 1, 2, repairs), out = SUM(c, 1, 2, repair_bytes_out);
    advance(c, seconds(30));
    expect(c, SUM(c, 1, 2, repairs) == repairs && SUM(c, 1, 2, repair_bytes_out) == out, "no repair where nothing differs");
    struct hearsay_store_peer peer;
    size_t position = 0;
    expect(c, hearsay_next_store_peer(at(c, n1), &position, &peer) && peer.equal_epoch + 5 >= store_of(c, n1).root_epoch,
           "n1 saw lately that it is equal with n2");
}

/* ---- repair ------------------------------------------------------------------------------------------------------------------ */

STORY(one_lost_write_is_found_and_costs_little)
{
    start_with(c, 2, with_store);
    settle(c, 1, 2);
    put_many(c, n1, "base", 3000);
    advance(c, seconds(45));
    expect_equal_within(c, seconds(5), 1, 2);
    uint64_t before = SUM(c, 1, 2, repair_bytes_out), told = SUM(c, 1, 2, repair_entries_out);
    cut(c, n1, n2);
    put(c, n1, "base/00000007", "changed while n2 did not hear");
    advance(c, seconds(40)); /* it is no longer hot */
    mend(c);
    (void)expect_converged_within(c, seconds(60));
    expect_all_have_within(c, seconds(3), 1, 2, "base/00000007", "changed while n2 did not hear");
    advance(c, seconds(8));
    uint64_t bytes = SUM(c, 1, 2, repair_bytes_out) - before, moved = SUM(c, 1, 2, repair_entries_out) - told;
    expect(c, moved == 1, "the one entry was moved, not %" PRIu64, moved);
    expect(c, bytes <= 1100, "repair took at most 1,100 bytes, not %" PRIu64, bytes);
}

#define ENTRY_BYTES 98 /* as put_many's move, with a prefix of six letters: doc/store-wire.md */

/* What was sent by these nodes so far. */
struct sent {
    uint64_t repair_bytes, all_bytes, entries, taken;
};

static struct sent sent_by(struct story *c, unsigned first, unsigned last)
{
    struct sent s = {.repair_bytes = SUM(c, first, last, repair_bytes_out), .entries = SUM(c, first, last, repair_entries_out),
                     .taken = SUM(c, first, last, entries_received)};
    for (unsigned i = first; i <= last; i++) {
        s.all_bytes += host_of(c, n(i))->traffic.packet_bytes_out + host_of(c, n(i))->traffic.stream_bytes_out;
    }
    return s;
}

static struct sent sent_since(struct story *c, unsigned first, unsigned last, const struct sent *before)
{
    struct sent s = sent_by(c, first, last);
    return (struct sent){s.repair_bytes - before->repair_bytes, s.all_bytes - before->all_bytes, s.entries - before->entries,
                         s.taken - before->taken};
}

static void with_disk(struct story *c, struct hearsay_options *o, unsigned number)
{
    with_store(c, o, number);
    o->store_durable = 1;
}

/* Ten nodes in two halves, each of which writes; a disk of these may fail to write now and then. */
static void heal(struct story *c, unsigned each, bool has_disks)
{
    uint64_t lacking = 10 * (uint64_t)each;
    settle(c, 1, 10);
    put_many(c, n1, "common", 300);
    advance(c, seconds(30));
    expect_equal_within(c, seconds(5), 1, 10);
    partition(c, from_to(1, 5), from_to(6, 10));
    advance(c, seconds(40));
    put_many(c, n2, "left-2", each);
    put_many(c, n7, "right7", each);
    advance(c, seconds(60));
    expect_equal_within(c, seconds(20), 1, 5);
    expect_equal_within(c, seconds(20), 6, 10);
    struct sent sent = sent_by(c, 1, 10);
    mend(c);
    (void)expect_converged_within(c, seconds(60)); /* membership heals in its own time */
    expect_equal_within(c, seconds(10), 1, 10);
    advance(c, seconds(5));
    sent = sent_since(c, 1, 10, &sent);
    double most = has_disks ? 1.3 : 1.2, told = (double)sent.entries / (double)lacking;
    expect(c, has_disks || sent.taken == lacking, "every node took what it lacked once: %" PRIu64 ", not %" PRIu64, lacking, sent.taken);
    expect(c, told <= most - 0.15, "no entry was sent twice: %" PRIu64 " of %" PRIu64 " that were lacking", sent.entries, lacking);
    expect(c, (double)sent.repair_bytes <= most * (double)(lacking * ENTRY_BYTES), "repair sent at most %.2f times what was lacking, not %.3f",
           most, (double)sent.repair_bytes / (double)(lacking * ENTRY_BYTES));
    expect(c, (double)sent.all_bytes <= (most + 0.1) * (double)(lacking * ENTRY_BYTES) + 200000, "nor did anything else: all in all %.3f times",
           (double)sent.all_bytes / (double)(lacking * ENTRY_BYTES));
}

STORY(after_a_partition_in_which_both_sides_wrote_all_are_equal_within_ten_seconds)
{
    start_with(c, 10, with_store);
    heal(c, 1500, false);
}

STORY(after_a_partition_slow_disks_make_nothing_move_twice)
{
    start_with(c, 10, with_disk);
    heal(c, 1500, true);
}

STORY(two_nodes_that_repair_each_other_move_what_differs_once)
{
    unsigned all = 8000, changed = 800;
    start_with(c, 2, with_disk);
    settle(c, 1, 2);
    put_many(c, n1, "common", all);
    advance(c, seconds(60));
    expect_equal_within(c, seconds(20), 1, 2);
    cut(c, n1, n2);
    advance(c, seconds(40));
    put_many(c, n2, "common", changed);
    advance(c, seconds(60)); /* it is no longer hot */
    struct sent sent = sent_by(c, 1, 2);
    uint64_t before = SUM(c, 1, 2, drop_not_durable);
    mend(c);
    (void)expect_converged_within(c, seconds(60));
    expect_equal_within(c, seconds(10), 1, 2);
    advance(c, seconds(5));
    sent = sent_since(c, 1, 2, &sent);
    uint64_t named = sent.repair_bytes - sent.entries * ENTRY_BYTES, lost = SUM(c, 1, 2, drop_not_durable) - before;
    if (lost > 0) {
        return; /* a disk of these fails to write now and then: then all that it lost comes again */
    }
    expect(c, sent.entries <= changed + changed / 10, "what differed was moved once: %" PRIu64 " of %u", sent.entries, changed);
    expect(c, named <= (uint64_t)changed * 180, "to name it took at most 180 bytes for each, not %" PRIu64, named / changed);
}

STORY(a_newcomer_with_an_empty_store_is_filled)
{
    start_with(c, 3, with_store);
    settle(c, 1, 3);
    put_many(c, n1, "k", 5000);
    advance(c, seconds(45));
    expect_equal_within(c, seconds(5), 1, 3);
    uint64_t told = SUM(c, 1, 3, repair_entries_out);
    start_apart_with(c, 1, with_store);
    join(c, n4, n1);
    (void)expect_joined_within(c, seconds(10), n4);
    expect_equal_within(c, seconds(15), 1, 4);
    told = SUM(c, 1, 4, repair_entries_out) - told;
    expect(c, told < 5500, "it was sent once: %" PRIu64 " entries", told);
    expect(c, SUM(c, 1, 4, suspicions) == 0, "nobody was suspected because of it");
}

static void with_patience(struct story *c, struct hearsay_options *o, unsigned number)
{
    with_store(c, o, number);
    o->repair_bytes_per_second = 200000;
}

STORY(several_fill_a_newcomer_at_once_and_send_nothing_twice)
{
    unsigned all = 6000, who = 0;
    start_with(c, 4, with_store);
    settle(c, 1, 4);
    put_many(c, n1, "common", all);
    advance(c, seconds(60));
    expect_equal_within(c, seconds(20), 1, 4);
    struct sent sent = sent_by(c, 1, 4);
    uint64_t before[5] = {0};
    for (unsigned i = 1; i <= 4; i++) {
        before[i] = counters_of(c, n(i))->repair_entries_out;
    }
    start_apart_with(c, 1, with_patience);
    join(c, n5, n1);
    (void)expect_joined_within(c, seconds(10), n5);
    expect_equal_within(c, seconds(20), 1, 5);
    sent = sent_since(c, 1, 4, &sent);
    for (unsigned i = 1; i <= 4; i++) {
        who += counters_of(c, n(i))->repair_entries_out - before[i] > all / 20;
    }
    expect(c, who >= 2, "more than one sent a share, not %u", who);
    expect(c, sent.entries <= all + all / 50, "nothing was sent twice: %" PRIu64 " entries, %u lacked", sent.entries, all);
}

STORY(a_stream_that_breaks_costs_only_what_was_under_way)
{
    start_with(c, 2, with_store);
    settle(c, 1, 2);
    put_many(c, n1, "k", 20000);
    advance(c, seconds(60));
    expect_equal_within(c, seconds(5), 1, 2);
    start_apart_with(c, 1, with_store);
    join(c, n3, n1);
    (void)expect_joined_within(c, seconds(10), n3);
    for (int i = 0; i < 3; i++) { /* all its streams are reset again and again */
        advance(c, ms(150));
        cut(c, n3, n1 | n2);
        advance(c, ms(400));
        mend(c);
    }
    expect_equal_within(c, seconds(40), 1, 3);
}

STORY(lost_packets_do_not_stop_repair)
{
    start_with(c, 4, with_store);
    settle(c, 1, 4);
    put_many(c, n1, "base", 1000);
    advance(c, seconds(40));
    partition(c, n1 | n2, n3 | n4);
    put_many(c, n1, "left", 60);
    put_many(c, n3, "right", 60);
    advance(c, seconds(5));
    lose(c, 0.3);
    mend(c);
    expect_equal_within(c, seconds(30), 1, 4);

}

STORY(a_write_may_ask_for_as_many_copies_as_there_are_nodes)
{
    start_with(c, 30, with_store);
    settle(c, 1, 30);
    (void)put_ttl(c, n1, "everywhere", text("x"), 0, 30);
    (void)expect_told_within(c, seconds(5), n1, HEARSAY_PUT_DONE, nobody);
    for (unsigned i = 1; i <= 30; i++) {
        expect(c, has(c, n(i), "everywhere", "x"), "n%u has what all confirmed", i);
    }
}

/* ---- deletes and expiry --------------------------------------------------------------------------------------------------------- */

STORY(a_deleted_key_does_not_come_back_from_who_was_away)
{
    start_with(c, 5, with_store);
    settle(c, 1, 5);
    put(c, n1, "doomed", "soon gone");
    expect_all_have_within(c, seconds(3), 1, 5, "doomed", NULL);
    advance(c, seconds(20));
    freeze(c, n5);
    erase(c, n2, "doomed");
    advance(c, seconds(120));
    thaw(c, n5);
    advance(c, seconds(40));
    for (unsigned i = 1; i <= 5; i++) {
        expect(c, !has(c, n(i), "doomed", NULL), "n%u does not show the deleted key", i);
    }
    expect_equal_within(c, seconds(5), 1, 5);
}

/* Little patience, so that a story need not last for days. */
static void with_short_memory(struct story *c, struct hearsay_options *o, unsigned number)
{
    with_store(c, o, number);
    o->tombstone_grace_ms = 10000;
    o->forget_after_ms = 300000;
}

STORY(tombstones_are_forgotten_by_all_once_all_have_them)
{
    start_with(c, 5, with_short_memory);
    settle(c, 1, 5);
    put_many(c, n1, "a", 50);
    expect_all_have_within(c, seconds(3), 1, 5, "a/00000049", NULL);
    for (unsigned i = 0; i < 50; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "a/%08u", i);
        erase(c, n(i % 5 + 1), key);
    }
    advance(c, seconds(10));
    expect(c, store_of(c, n3).tombstones == 50, "tombstones are kept at first");
    advance(c, seconds(240));
    expect_equal_within(c, seconds(1), 1, 5);
    for (unsigned i = 1; i <= 5; i++) {
        expect(c, store_of(c, n(i)).tombstones == 0, "n%u has forgotten its tombstones", i);
    }
    put(c, n4, "a/00000007", "anew");
    expect_all_have_within(c, seconds(3), 1, 5, "a/00000007", "anew");
}

/* Both sides of a partition that outlasts everybody's patience delete what both had, forget the tombstones, and write. */
STORY(two_sides_that_forgot_each_other_bring_back_nothing_and_lose_nothing)
{
    start_with(c, 6, with_short_memory);
    settle(c, 1, 6);
    put_many(c, n1, "both", 20);
    expect_all_have_within(c, seconds(3), 1, 6, "both/00000019", NULL);
    advance(c, seconds(20));
    partition(c, from_to(1, 4), from_to(5, 6));
    erase(c, n1, "both/00000003");
    erase(c, n6, "both/00000005");
    advance(c, seconds(30));
    put(c, n5, "news", "of the smaller side");
    advance(c, seconds(700));
    expect(c, store_of(c, n2).tombstones == 0 && store_of(c, n5).tombstones == 0, "both sides have forgotten their tombstones");
    mend(c);
    advance(c, seconds(60));
    expect_equal_within(c, seconds(30), 1, 6);
    for (unsigned i = 1; i <= 6; i++) {
        expect(c, !has(c, n(i), "both/00000003", NULL) && !has(c, n(i), "both/00000005", NULL), "n%u brings nothing back", i);
        expect(c, has(c, n(i), "news", NULL) && has(c, n(i), "both/00000004", NULL), "n%u has lost nothing", i);
    }
    expect(c, store_of(c, n1).entries == 19, "18 of both, and the news");
}

STORY(an_expired_key_vanishes_everywhere_at_the_same_moment)
{
    start_with(c, 5, with_store);
    settle(c, 1, 5);
    (void)put_ttl(c, n4, "lease", text("held"), 30000, 1);
    expect_all_have_within(c, seconds(3), 1, 5, "lease", "held");
    advance(c, seconds(26));
    bool is_there = true;
    while (is_there) {
        advance(c, ms(1));
        is_there = has(c, n1, "lease", NULL);
        advance(c, ms(2));
    }
    for (unsigned i = 1; i <= 5; i++) {
        expect(c, !has(c, n(i), "lease", NULL), "n%u does not show the expired key", i);
    }
    advance(c, seconds(30));
    expect_equal_within(c, seconds(1), 1, 5);
    expect(c, store_of(c, n1).entries == 0, "no live entry is left");
}

/* ---- others ------------------------------------------------------------------------------------------------------------------------ */

static void every_other(struct story *c, struct hearsay_options *o, unsigned number)
{
    if (number % 2 == 1) {
        with_store(c, o, number);
    } else {
        o->announce_abilities = number % 4 == 0; /* as Serf, or as hearsay without a store */
    }
}

STORY(who_holds_no_store_hears_nothing_of_it)
{
    start_with(c, 8, every_other);
    put(c, n1, "a", "1");
    advance(c, seconds(20));
    for (unsigned i = 1; i <= 8; i += 2) {
        expect(c, has(c, n(i), "a", "1"), "n%u has what n1 wrote", i);
    }
    for (unsigned i = 2; i <= 8; i += 2) {
        const struct hearsay_counters *k = counters_of(c, n(i));
        expect(c, k->drop_store_stranger == 0 && k->drop_unknown_type == 0 && k->drop_malformed == 0, "n%u got no message of the store", i);
    }
}

STORY(copies_are_confirmed_by_those_who_have_them)
{
    start_with(c, 5, with_store);
    settle(c, 1, 5);
    (void)put_ttl(c, n2, "safe", text("thrice"), 0, 3);
    (void)expect_told_within(c, seconds(2), n2, HEARSAY_PUT_DONE, nobody);
    unsigned holders = 0;
    for (unsigned i = 1; i <= 5; i++) {
        holders += has(c, n(i), "safe", "thrice");
    }
    expect(c, holders >= 3, "three have it when it is reported, not %u", holders);
    cut(c, n2, except(n2));
    (void)put_ttl(c, n2, "lonely", text("x"), 0, 2);
    advance(c, seconds(2));
    expect(c, times_told(c, n2, HEARSAY_PUT_DONE, nobody) == 1, "cut off, n2 does not claim copies");
    advance(c, seconds(10));
    expect(c, times_told(c, n2, HEARSAY_PUT_DONE, nobody) == 2, "and says in the end that there are none");
}

/* ---- what is larger than a packet ---------------------------------------------------------------------------------------------------- */

STORY(values_larger_than_a_packet_reach_everybody)
{
    static uint8_t large[1 << 20];
    static const size_t sizes[] = {1300, 5000, 70000, sizeof large};
    static const char *const keys[] = {"1300", "5000", "70000", "1 MiB"};
    struct hearsay_entry e;
    memset(large, 'L', sizeof large);
    start_with(c, 8, with_store);
    settle(c, 1, 8);
    for (unsigned i = 0; i < 4; i++) {
        (void)put_ttl(c, n(1 + i), keys[i], (struct hearsay_bytes){large, sizes[i]}, 0, i == 1 ? 3 : 1);
    }
    for (unsigned i = 0; i < 4; i++) {
        (void)expect_all_have_within(c, seconds(15), 1, 8, keys[i], NULL);
        for (unsigned k = 1; k <= 8; k++) {
            expect(c, hearsay_get(at(c, n(k)), text(keys[i]), &e) && e.value.size == sizes[i] && memcmp(e.value.data, large, sizes[i]) == 0,
                   "n%u has all bytes of %s", k, keys[i]);
        }
    }
    (void)expect_told_within(c, seconds(10), n2, HEARSAY_PUT_DONE, nobody);
    advance(c, seconds(10));
    expect_equal_within(c, seconds(5), 1, 8);
    uint64_t bytes = 0;
    for (unsigned i = 1; i <= 8; i++) {
        bytes += host_of(c, n(i))->traffic.stream_bytes_out;
    }
    expect(c, bytes < 7 * (sizeof large + 80000) * 11 / 10 + 400000, "each node fetched each value once: %" PRIu64 " bytes", bytes);
}

STORY(large_values_are_repaired_too)
{
    static uint8_t large[200000];
    memset(large, 'R', sizeof large);
    start_with(c, 4, with_store);
    settle(c, 1, 4);
    partition(c, n1 | n2, n3 | n4);
    (void)put_ttl(c, n1, "image", (struct hearsay_bytes){large, sizeof large}, 0, 1);
    (void)put_ttl(c, n4, "page", (struct hearsay_bytes){large, 3000}, 0, 1);
    advance(c, seconds(60));
    mend(c);
    (void)expect_converged_within(c, seconds(60));
    expect_equal_within(c, seconds(15), 1, 4);
    expect(c, has(c, n4, "image", NULL) && has(c, n1, "page", NULL), "both values are on the other side");
}

STORY(a_large_event_is_delivered_once_everywhere_and_fetched_once)
{
    static uint8_t large[1 << 20];
    memset(large, 'E', sizeof large);
    start_with(c, 12, with_store);
    settle(c, 1, 12);
    uint64_t before = 0, bytes = 0;
    for (unsigned i = 1; i <= 12; i++) {
        before += host_of(c, n(i))->traffic.stream_bytes_out;
    }
    struct host *host = host_of(c, n5);
    hearsay_err err = hearsay_send_large_event(host->node, host_now(host), "release", large, sizeof large);
    expect(c, err == HEARSAY_OK, "a large event can be sent: %s", hearsay_err_text(err));
    expect(c, hearsay_send_large_event(host->node, host_now(host), "x", large, sizeof large + 1) == HEARSAY_ERR_TOO_LARGE, "but not a larger one");
    host_drain(host);
    (void)expect_told_within(c, seconds(20), from_to(1, 12), HEARSAY_LARGE_EVENT, nobody);
    advance(c, seconds(90));
    for (unsigned i = 1; i <= 12; i++) {
        bytes += host_of(c, n(i))->traffic.stream_bytes_out;
        expect(c, times_told(c, n(i), HEARSAY_LARGE_EVENT, nobody) == 1, "n%u is told once", i);
    }
    expect(c, bytes - before < 11 * sizeof large * 11 / 10 + 400000, "fetched once by each: %" PRIu64 " bytes", bytes - before);
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
