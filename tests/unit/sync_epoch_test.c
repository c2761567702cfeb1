/* SPDX-License-Identifier: MIT
 *
 * When an epoch is sealed, and whose clock is believed: writes on their way never look like damage, whatever their delay below two seconds and
 * though one clock is seconds ahead; a node whose clock is wrong says so instead of writing what nobody takes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "spread/outbox.h"
#include "sync/sync.h"

#include <stdio.h>
#include <stdlib.h>

#define NOON 1700000000000u /* ms */
#define EPOCH (NOON / 1000)

struct node {
    struct sync *sync;
    struct turn turn;
    struct hearsay_options options;
    struct hearsay_counters counters;
    struct timers timers;
    struct outbox outbox;
    struct rng rng;
};

static void begin(struct node *n, const char *name, uint64_t wall_ms)
{
    *n = (struct node){.timers = {0}};
    hearsay_options_local(&n->options);
    n->options.name = name;
    outbox_init(&n->outbox, &memory_system, &n->counters.drop_no_memory);
    rng_init(&n->rng, 1);
    n->turn = (struct turn){.options = &n->options, .memory = &memory_system, .counters = &n->counters, .rng = &n->rng,
                            .timers = &n->timers, .outbox = &n->outbox, .population = 2};
    n->sync = sync_create(&n->turn, &n->options);
    assert_non_null(n->sync);
    sync_set_wall_clock(n->sync, &n->turn, wall_ms);
}

static void end(struct node *n)
{
    sync_destroy(n->sync, &memory_system);
    outbox_deinit(&n->outbox);
}

/* Moves time on, with the timers. */
static void advance_to(struct node *n, uint64_t now)
{
    struct hearsay_output output;
    while (timers_next(&n->timers) <= now) {
        n->turn.now = n->turn.host_now = timers_next(&n->timers);
        assert_non_null(timers_due(&n->timers, n->turn.now));
        sync_on_timer(n->sync, &n->turn);
    }
    n->turn.now = n->turn.host_now = now;
    while (outbox_next(&n->outbox, &output)) {
        n->sync->has_told = false;
    }
}

static struct hearsay_entry put(struct node *n, const char *key, const char *value)
{
    struct hearsay_entry entry = {.key = bytes_of_string(key), .value = bytes_of_string(value)};
    assert_int_equal(sync_put(n->sync, &n->turn, &entry, 0, 1, NULL), HEARSAY_OK);
    return entry;
}

/* ---- writes on their way ------------------------------------------------------------------------------------------------- */

enum { WRITES_PER_MS = 10, SECONDS = 12, DELAY_MS = 1900, KEYS = 3000, SLOTS = 2048, PER_SLOT = 4 * WRITES_PER_MS };

struct sent {
    struct hearsay_entry entry;
    uint64_t hlc_now, wall_ms;
    char key[12];
};

static struct sent wire[2][SLOTS][PER_SLOT];
static unsigned wire_count[2][SLOTS];

static void send(struct node *from, unsigned to, unsigned ms, struct rng *rng)
{
    unsigned slot = (ms + 1 + (unsigned)rng_below(rng, DELAY_MS)) % SLOTS;
    while (wire_count[to][slot] == PER_SLOT) {
        slot = (slot + SLOTS - 1) % SLOTS; /* a little sooner */
    }
    struct sent *s = &wire[to][slot][wire_count[to][slot]++];
    snprintf(s->key, sizeof s->key, "%u", (unsigned)rng_below(rng, KEYS));
    s->entry = put(from, s->key, "value");
    s->entry.key = bytes_of_string(s->key);
    s->hlc_now = from->sync->hlc.last;
    s->wall_ms = hlc_wall_ms(&from->sync->hlc, from->turn.host_now);
}

static void deliver(struct node *to, unsigned number, unsigned ms)
{
    unsigned slot = ms % SLOTS;
    for (unsigned i = 0; i < wire_count[number][slot]; i++) {
        struct sent *s = &wire[number][slot][i];
        assert_true(sync_hear_clock(to->sync, &to->turn, 99, s->hlc_now, s->wall_ms));
        enum sync_verdict verdict = sync_receive(to->sync, &to->turn, &s->entry, 0);
        assert_true(verdict == SYNC_TAKEN || verdict == SYNC_OUTDATED);
    }
    wire_count[number][slot] = 0;
}

static void ten_thousand_writes_a_second_on_their_way_never_look_like_damage(void **state)
{
    (void)state;
    struct node nodes[2];
    struct rng rng;
    unsigned compared = 0;
    uint32_t seen = 0;
    rng_init(&rng, 3);
    begin(&nodes[0], "a", NOON + 4000); /* four seconds ahead */
    begin(&nodes[1], "b", NOON);
    assert_true(sync_hear_clock(nodes[1].sync, &nodes[1].turn, 1, hlc_of_ms(NOON + 4000), NOON + 4000)); /* they have met */
    for (unsigned ms = 1; ms < SECONDS * 1000; ms++) {
        for (unsigned i = 0; i < 2; i++) {
            advance_to(&nodes[i], (uint64_t)ms * 1000);
            deliver(&nodes[i], i, ms);
        }
        for (unsigned i = 0; i < WRITES_PER_MS && ms < (SECONDS - 4) * 1000; i++) {
            unsigned from = (unsigned)rng_below(&rng, 2);
            send(&nodes[from], 1 - from, ms, &rng);
        }
        uint32_t a = nodes[0].sync->store.merkle.horizon, b = nodes[1].sync->store.merkle.horizon, both = a < b ? a : b;
        struct merkle_root x, y;
        if (both > seen && merkle_root_of(&nodes[0].sync->store.merkle, both, &x) && merkle_root_of(&nodes[1].sync->store.merkle, both, &y)) {
            assert_true(digest_equal(x.sum, y.sum) && x.count == y.count);
            compared += x.count > 0;
        }
        seen = both > seen ? both : seen;
    }
    assert_true(compared >= SECONDS - 6);
    assert_int_equal(nodes[0].sync->store.merkle.late, 0);
    assert_int_equal(nodes[1].sync->store.merkle.late, 0);
    end(&nodes[0]);
    end(&nodes[1]);
}

/* ---- sealing ---------------------------------------------------------------------------------------------------------------- */

static void larger_clusters_and_smaller_fanouts_wait_longer(void **state)
{
    (void)state;
    struct node n;
    begin(&n, "a", NOON);
    assert_int_equal(sync_seal_delay_us(&n.turn), 2000000);
    n.options.store_interval_ms = 1000;
    n.turn.population = 50;
    uint64_t fifty = sync_seal_delay_us(&n.turn);
    n.turn.population = 1000;
    uint64_t thousand = sync_seal_delay_us(&n.turn);
    n.options.store_fanout = 1;
    assert_true(fifty > 2000000 && thousand > fifty && sync_seal_delay_us(&n.turn) > thousand);
    end(&n);
}

static void a_session_holds_the_tree_still_for_two_seconds_at_most(void **state)
{
    (void)state;
    struct node n;
    begin(&n, "a", NOON);
    (void)put(&n, "k", "v");
    advance_to(&n, 2900000);
    sync_hold(n.sync, &n.turn, 60000);
    advance_to(&n, 4800000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).epoch, EPOCH - 1);
    advance_to(&n, 4950000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).epoch, EPOCH + 1);
    sync_hold(n.sync, &n.turn, 2000);
    sync_hold(n.sync, &n.turn, 0);
    advance_to(&n, 5050000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).epoch, EPOCH + 2);
    end(&n);
}

static void a_moment_far_ahead_lets_epochs_pass_but_not_be_sealed_at_once(void **state)
{
    (void)state;
    struct node n;
    begin(&n, "a", NOON);
    (void)put(&n, "k", "v");
    advance_to(&n, 100000);
    assert_true(sync_hear_clock(n.sync, &n.turn, 1, hlc_of_ms(NOON + 9000), 0));
    (void)put(&n, "l", "v");
    advance_to(&n, 2050000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).count, 0);
    advance_to(&n, 2150000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).epoch, EPOCH + 8);
    assert_int_equal(merkle_root(&n.sync->store.merkle).count, 1);
    advance_to(&n, 13000000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).count, 2);
    end(&n);
}

/* 1970 until somebody sets the clock: what was written before and after is sealed, quickly, in its turn. */
static void a_clock_that_is_set_by_decades_costs_nothing(void **state)
{
    (void)state;
    struct node n;
    begin(&n, "a", 10000);
    (void)put(&n, "k", "v");
    sync_set_wall_clock(n.sync, &n.turn, NOON);
    (void)put(&n, "l", "v");
    advance_to(&n, 2100000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).count, 1);
    advance_to(&n, 5000000);
    assert_int_equal(merkle_root(&n.sync->store.merkle).count, 2);
    assert_int_equal(merkle_root(&n.sync->store.merkle).epoch, EPOCH + 2);
    end(&n);
}

/* ---- clocks ------------------------------------------------------------------------------------------------------------------- */

static void what_comes_from_the_future_is_refused_and_counted(void **state)
{
    (void)state;
    struct node n;
    begin(&n, "a", NOON);
    struct hearsay_entry entry = {.key = bytes_of_string("k"), .value = bytes_of_string("v"), .version = {hlc_of_ms(NOON + 10001), 1}};
    assert_int_equal(sync_receive(n.sync, &n.turn, &entry, 0), SYNC_REFUSED);
    assert_false(sync_hear_clock(n.sync, &n.turn, 1, hlc_of_ms(NOON + 10001), 0));
    assert_int_equal(n.counters.drop_entry_clock, 2);
    entry.version.hlc = hlc_of_ms(NOON + 9999);
    assert_int_equal(sync_receive(n.sync, &n.turn, &entry, 0), SYNC_TAKEN);
    entry.version.hlc++;
    entry.is_tombstone = true; /* with a value, and with an expiry in the past */
    assert_int_equal(sync_receive(n.sync, &n.turn, &entry, 0), SYNC_REFUSED);
    entry.is_tombstone = false;
    entry.expires_hlc = entry.version.hlc;
    assert_int_equal(sync_receive(n.sync, &n.turn, &entry, 0), SYNC_REFUSED);
    entry.expires_hlc = 0;
    entry.value.size = (size_t)n.options.store_value_max + 1;
    assert_int_equal(sync_receive(n.sync, &n.turn, &entry, 0), SYNC_REFUSED);
    assert_int_equal(n.counters.drop_entry_bad, 2);
    assert_int_equal(n.counters.drop_entry_large, 1);
    end(&n);
}

static void a_node_whose_clock_is_astray_writes_nothing_and_follows_the_others(void **state)
{
    (void)state;
    struct node n;
    struct hearsay_entry entry = {.key = bytes_of_string("k"), .value = bytes_of_string("v")};
    begin(&n, "a", NOON + 3600000); /* an hour ahead */
    advance_to(&n, 5000000);
    assert_true(merkle_root(&n.sync->store.merkle).epoch > EPOCH + 3000);
    for (uint64_t peer = 1; peer <= 3; peer++) {
        assert_true(sync_hear_clock(n.sync, &n.turn, peer, hlc_of_ms(NOON + 5000), NOON + 5000));
    }
    assert_int_equal(sync_put(n.sync, &n.turn, &entry, 0, 1, NULL), HEARSAY_ERR_CLOCK_ASTRAY);
    assert_true(merkle_root(&n.sync->store.merkle).epoch < EPOCH + 6);
    entry.version = (struct hearsay_entry_version){hlc_of_ms(NOON + 5000), 7};
    assert_int_equal(sync_receive(n.sync, &n.turn, &entry, 0), SYNC_TAKEN);
    advance_to(&n, 10000000);
    struct merkle_root root = merkle_root(&n.sync->store.merkle);
    assert_true(root.epoch > EPOCH + 5 && root.epoch < EPOCH + 9 && root.count == 1);
    sync_set_wall_clock(n.sync, &n.turn, NOON + 10000); /* somebody set it right */
    assert_int_equal(sync_put(n.sync, &n.turn, &entry, 0, 1, NULL), HEARSAY_OK);
    assert_true(hlc_ms(entry.version.hlc) < NOON + 20000);
    end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_writes_a_second_on_their_way_never_look_like_damage),
        cmocka_unit_test(larger_clusters_and_smaller_fanouts_wait_longer),
        cmocka_unit_test(a_session_holds_the_tree_still_for_two_seconds_at_most),
        cmocka_unit_test(a_moment_far_ahead_lets_epochs_pass_but_not_be_sealed_at_once),
        cmocka_unit_test(a_clock_that_is_set_by_decades_costs_nothing),
        cmocka_unit_test(what_comes_from_the_future_is_refused_and_counted),
        cmocka_unit_test(a_node_whose_clock_is_astray_writes_nothing_and_follows_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
