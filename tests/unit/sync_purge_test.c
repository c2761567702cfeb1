/* SPDX-License-Identifier: MIT
 *
 * Tombstones that are forgotten, in a model of a cluster: nodes that write, delete, gossip, lose each other and meet again, with the store and the
 * rules of production and an exchange in one process. In the end every key is what its last write made of it: what was deleted did not come back,
 * what was written is there, and nobody keeps tombstones for ever.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "spread/outbox.h"
#include "sync/purge.h"

#include <stdio.h>
#include <stdlib.h>

#define NODES 6
#define KEYS 60
#define SECOND_US 1000000u
#define NOON 1700000000000u
#define FORGET_S 600u
#define GRACE_S 30u

struct node {
    struct sync *sync;
    struct turn turn;
    struct hearsay_options options;
    struct hearsay_counters counters;
    struct timers timers;
    struct outbox outbox;
    struct rng rng;
    char name[8];
    unsigned side; /* who can hear whom */
};

struct cluster {
    struct node nodes[NODES];
    struct rng rng;
    uint64_t now;
    struct last { /* the last write of a key: what must be true in the end */
        uint64_t hlc;
        bool is_deleted;
    } last[KEYS * 2];
};

static void begin(struct cluster *c, uint64_t seed)
{
    *c = (struct cluster){.now = SECOND_US};
    rng_init(&c->rng, seed);
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &c->nodes[i];
        snprintf(n->name, sizeof n->name, "n%u", i);
        hearsay_options_local(&n->options);
        n->options.name = n->name;
        n->options.forget_after_ms = FORGET_S * 1000;
        n->options.tombstone_grace_ms = GRACE_S * 1000;
        outbox_init(&n->outbox, &memory_system, &n->counters.drop_no_memory);
        rng_init(&n->rng, seed + i);
        n->turn = (struct turn){.now = c->now, .host_now = c->now, .options = &n->options, .memory = &memory_system, .counters = &n->counters,
                                .rng = &n->rng, .timers = &n->timers, .outbox = &n->outbox, .population = NODES};
        n->sync = sync_create(&n->turn, &n->options);
        assert_non_null(n->sync);
        sync_set_wall_clock(n->sync, &n->turn, NOON + rng_below(&c->rng, 1000)); /* clocks differ a little */
    }
}

static void end(struct cluster *c)
{
    for (unsigned i = 0; i < NODES; i++) {
        sync_destroy(c->nodes[i].sync, &memory_system);
        outbox_deinit(&c->nodes[i].outbox);
    }
}

/* ---- the exchange -------------------------------------------------------------------------------------------------------- */

static struct entry *find(struct node *n, const char *key)
{
    struct hearsay_bytes bytes = bytes_of_string(key);
    return store_find(&n->sync->store, entry_place(&n->sync->store.keys, bytes), bytes);
}

static void pass(struct node *from, struct node *to, const struct entry *entry)
{
    struct hearsay_entry view = entry_view(entry);
    if (purge_may_take(to->sync, &to->turn, from->sync->origin, purge_told(from->sync), &view)) {
        (void)sync_receive(to->sync, &to->turn, &view, 0);
    }
}

struct differences {
    struct {
        uint64_t place;
        bool is_in[2];
    } found[2 * KEYS];
    unsigned count;
};

static void on_found(void *context, const struct index_item *a, const struct index_item *b)
{
    struct differences *d = context;
    assert_true(d->count < 2 * KEYS);
    d->found[d->count].place = a != NULL ? a->place : b->place;
    d->found[d->count].is_in[0] = a != NULL;
    d->found[d->count++].is_in[1] = b != NULL;
}

static struct entry *at_place(struct node *n, uint64_t place)
{
    uint64_t at = place;
    unsigned rank = 0;
    struct index_item item;
    return index_next(&n->sync->store.index, &at, &rank, &item) && item.place == place ? item.entry : NULL;
}

static void repair(struct node *a, struct node *b)
{
    struct differences d = {.count = 0};
    (void)merkle_diff(&a->sync->store.merkle, &b->sync->store.merkle, on_found, &d);
    for (unsigned i = 0; i < d.count; i++) {
        for (unsigned side = 0; side < 2; side++) {
            struct node *from = side ? b : a, *to = side ? a : b;
            struct entry *entry = at_place(from, d.found[i].place);
            bool is_lacking = at_place(to, d.found[i].place) == NULL;
            if (entry != NULL && (!is_lacking || purge_may_send(from->sync, &from->turn, to->sync->origin, purge_told(to->sync),
                                                                d.found[i].place, entry))) {
                pass(from, to, entry);
            }
        }
    }
}

static void tell_rows(struct node *from, struct node *to, uint32_t equal)
{
    for (uint32_t i = 0; i < from->sync->tombstones.count; i++) {
        const struct tombstones_row *row = &from->sync->tombstones.rows[i];
        purge_on_row(to->sync, from->sync->origin, equal, row->member, row->epoch);
    }
}

static void meet(struct node *a, struct node *b)
{
    uint64_t hlc = hlc_now(&a->sync->hlc, a->turn.host_now), other = hlc_now(&b->sync->hlc, b->turn.host_now);
    (void)sync_hear_clock(a->sync, &a->turn, b->sync->origin, other, NOON + b->turn.host_now / 1000);
    (void)sync_hear_clock(b->sync, &b->turn, a->sync->origin, hlc, NOON + a->turn.host_now / 1000);
    uint64_t line_a = purge_told(a->sync), line_b = purge_told(b->sync);
    tell_rows(a, b, 0);
    tell_rows(b, a, 0);
    purge_hear(a->sync, &a->turn, b->sync->origin, line_b);
    purge_hear(b->sync, &b->turn, a->sync->origin, line_a);
    struct merkle_root x = merkle_root(&a->sync->store.merkle), y = merkle_root(&b->sync->store.merkle);
    if (x.epoch != y.epoch) {
        return;
    }
    if (digest_equal(x.sum, y.sum)) {
        purge_on_equal(a->sync, b->sync->origin, x.epoch);
        purge_on_equal(b->sync, a->sync->origin, x.epoch);
        tell_rows(a, b, x.epoch);
        tell_rows(b, a, x.epoch);
    } else {
        repair(a, b);
    }
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

static void write(struct cluster *c, struct node *n, unsigned number, bool deletes)
{
    char key[16];
    snprintf(key, sizeof key, "key %u", number);
    struct hearsay_entry entry = {.key = bytes_of_string(key), .value = deletes ? bytes_of(NULL, 0) : bytes_of_string("value"),
                                  .is_tombstone = deletes};
    assert_int_equal(sync_put(n->sync, &n->turn, &entry, 0, 1, NULL), HEARSAY_OK);
    if (entry.version.hlc >= c->last[number].hlc) {
        c->last[number].hlc = entry.version.hlc;
        c->last[number].is_deleted = deletes;
    }
    const struct entry *packed = find(n, key);
    for (unsigned i = 0; i < NODES; i++) { /* gossip reaches most of those that can be heard */
        struct node *other = &c->nodes[i];
        if (other != n && other->side == n->side && rng_below(&c->rng, 10) > 0) {
            pass(n, other, packed);
        }
    }
}

static void tick(struct cluster *c)
{
    c->now += SECOND_US;
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &c->nodes[i];
        struct hearsay_output output;
        n->turn.now = n->turn.host_now = c->now;
        for (unsigned k = 0; k < NODES; k++) {
            if (k != i && c->nodes[k].side == n->side) {
                purge_see(n->sync, &n->turn, c->nodes[k].sync->origin);
            }
        }
        sync_on_timer(n->sync, &n->turn);
        while (outbox_next(&n->outbox, &output)) {
            n->sync->has_told = false;
        }
    }
    for (unsigned i = 0; i < NODES; i++) {
        struct node *other = &c->nodes[rng_below(&c->rng, NODES)];
        if (other != &c->nodes[i] && other->side == c->nodes[i].side) {
            meet(&c->nodes[i], other);
        }
    }
}

/* Random writes for so long. On side 1 only to keys of its own, when apart is set; those no other side touches. */
static void live(struct cluster *c, unsigned seconds, bool apart)
{
    for (unsigned s = 0; s < seconds; s++) {
        tick(c);
        struct node *n = &c->nodes[rng_below(&c->rng, NODES)];
        bool is_own = apart && n->side == 1;
        write(c, n, (unsigned)rng_below(&c->rng, KEYS) + (is_own ? KEYS : 0), rng_below(&c->rng, 2) == 0);
    }
}

static void quiet(struct cluster *c, unsigned seconds)
{
    for (unsigned s = 0; s < seconds; s++) {
        tick(c);
    }
}

static void expect_truth(struct cluster *c)
{
    for (unsigned k = 0; k < 2 * KEYS; k++) {
        char key[16];
        snprintf(key, sizeof key, "key %u", k);
        for (unsigned i = 0; i < NODES; i++) {
            const struct entry *entry = find(&c->nodes[i], key);
            bool is_live = entry != NULL && entry_is_live(entry);
            assert_int_equal(is_live, c->last[k].hlc != 0 && !c->last[k].is_deleted);
            assert_true(!is_live || entry->hlc == c->last[k].hlc);
        }
    }
    struct digest sum = merkle_root(&c->nodes[0].sync->store.merkle).sum;
    for (unsigned i = 1; i < NODES; i++) {
        assert_true(digest_equal(merkle_root(&c->nodes[i].sync->store.merkle).sum, sum));
    }
}

static uint64_t count_tombstones(const struct cluster *c)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < NODES; i++) {
        count += c->nodes[i].sync->store.tombstones;
    }
    return count;
}

static void tombstones_are_forgotten_when_everybody_has_them(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct cluster c;
        begin(&c, seed);
        live(&c, 100, false);
        quiet(&c, 8);
        expect_truth(&c);
        assert_true(count_tombstones(&c) > 50);
        quiet(&c, 300);
        expect_truth(&c);
        assert_int_equal(count_tombstones(&c), 0);
        end(&c);
    }
}

static void nothing_is_forgotten_while_somebody_may_not_have_heard(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct cluster c;
        begin(&c, seed);
        live(&c, 60, false);
        quiet(&c, 10);
        c.nodes[2].side = 1;
        uint64_t line = c.nodes[0].sync->tombstones.purge_hlc;
        for (unsigned i = 0; i < 400; i++) { /* nothing is written on the side of node 2 */
            tick(&c);
            struct node *n = &c.nodes[rng_below(&c.rng, 2)];
            write(&c, n, (unsigned)rng_below(&c.rng, KEYS), true);
        }
        uint64_t cut_at = hlc_of_ms(NOON + 75 * 1000);
        assert_true(c.nodes[0].sync->tombstones.purge_hlc >= line && c.nodes[0].sync->tombstones.purge_hlc < cut_at);
        c.nodes[2].side = 0;
        quiet(&c, 10);
        expect_truth(&c);
        end(&c);
    }
}

static void partitions_shorter_than_patience_lose_nothing_and_revive_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct cluster c;
        begin(&c, seed);
        for (unsigned round = 0; round < 8; round++) {
            live(&c, 30 + (unsigned)rng_below(&c.rng, 100), false);
            for (unsigned i = 0; i < NODES; i++) {
                c.nodes[i].side = (unsigned)rng_below(&c.rng, 3);
            }
            live(&c, 30 + (unsigned)rng_below(&c.rng, 400), false);
            for (unsigned i = 0; i < NODES; i++) {
                c.nodes[i].side = 0;
            }
        }
        quiet(&c, 30);
        expect_truth(&c);
        quiet(&c, 300);
        expect_truth(&c);
        assert_int_equal(count_tombstones(&c), 0);
        end(&c);
    }
}

static void who_was_away_for_too_long_brings_back_nothing_and_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct cluster c;
        begin(&c, seed);
        live(&c, 200, false);
        quiet(&c, 15);
        unsigned away = 1 + (unsigned)rng_below(&c.rng, NODES - 1); /* so many go, together */
        for (unsigned i = 0; i < away; i++) {
            c.nodes[i].side = 1;
        }
        live(&c, FORGET_S + 400 + (unsigned)rng_below(&c.rng, 600), true);
        quiet(&c, 5);
        if (seed % 2 == 0) { /* also tombstones of the side that was away go meanwhile */
            quiet(&c, 200);
        }
        for (unsigned i = 0; i < NODES; i++) {
            c.nodes[i].side = 0;
        }
        quiet(&c, 40);
        expect_truth(&c);
        quiet(&c, 400);
        expect_truth(&c);
        assert_int_equal(count_tombstones(&c), 0);
        end(&c);
    }
}

/* Starts anew with what was on its disk: entries, the line, and meetings unless that disk does not keep them. */
static void restart(struct node *n, bool keeps_meetings)
{
    struct hearsay_persist persist = {.batch = 0};
    struct sync *old = n->sync;
    uint64_t at = 0;
    unsigned rank = 0;
    struct index_item item;
    n->options.store_hlc_mark = hlc_now(&old->hlc, n->turn.host_now);
    old->meetings.rest_until = 0;
    meetings_start(&old->meetings, &old->tombstones, &old->hlc, &n->turn, &persist);
    n->options.store_purge_hlc = persist.purge_hlc;
    n->timers = (struct timers){0};
    n->sync = sync_create(&n->turn, &n->options);
    assert_non_null(n->sync);
    while (index_next(&old->store.index, &at, &rank, &item)) {
        struct hearsay_entry view = entry_view(item.entry);
        assert_int_equal(sync_load(n->sync, &n->turn, &view), HEARSAY_OK);
    }
    sync_set_wall_clock(n->sync, &n->turn, NOON + n->turn.host_now / 1000);
    for (size_t i = 0; i < persist.meeting_count && keeps_meetings; i++) {
        assert_int_equal(meetings_load(&n->sync->tombstones, &n->sync->hlc, &n->turn, &persist.meetings[i]), HEARSAY_OK);
    }
    sync_destroy(old, &memory_system);
}

/* Everybody starts anew while two sides are apart for longer than anybody waits: nobody's memory, but the disks know when they last met.
 * Answers how many keys that were deleted came back. */
static unsigned restart_everybody_while_apart(uint64_t seed, bool keeps_meetings)
{
    struct cluster c;
    begin(&c, seed);
    live(&c, 200, false);
    quiet(&c, 15);
    unsigned away = 1 + (unsigned)rng_below(&c.rng, NODES - 1), back = 0;
    for (unsigned i = 0; i < away; i++) {
        c.nodes[i].side = 1;
    }
    quiet(&c, 10);
    for (unsigned i = 0; i < NODES; i++) {
        restart(&c.nodes[i], keeps_meetings);
    }
    live(&c, FORGET_S + 400 + (unsigned)rng_below(&c.rng, 600), true);
    quiet(&c, 200);
    for (unsigned i = 0; i < NODES; i++) {
        c.nodes[i].side = 0;
    }
    quiet(&c, 40);
    for (unsigned k = 0; k < 2 * KEYS; k++) {
        char key[16];
        snprintf(key, sizeof key, "key %u", k);
        const struct entry *entry = find(&c.nodes[0], key);
        back += c.last[k].is_deleted && entry != NULL && entry_is_live(entry);
    }
    if (keeps_meetings) {
        expect_truth(&c);
    }
    end(&c);
    return back;
}

static void nothing_comes_back_although_everybody_started_anew_meanwhile(void **state)
{
    (void)state;
    unsigned back_without = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        assert_int_equal(restart_everybody_while_apart(seed, true), 0);
        back_without += restart_everybody_while_apart(seed, false);
    }
    assert_true(back_without > 0); /* so it is the meetings that prevent it */
}

/* Who is away when we start anew still holds the purge line back, for as long as if we had been there all the time. */
static void who_was_away_at_the_start_is_waited_for(void **state)
{
    (void)state;
    struct cluster c;
    begin(&c, 5);
    live(&c, 100, false);
    quiet(&c, 15);
    c.nodes[0].side = 1;
    uint64_t cut_at = hlc_of_ms(NOON + c.now / 1000);
    quiet(&c, 10);
    for (unsigned i = 1; i < NODES; i++) {
        restart(&c.nodes[i], true);
    }
    quiet(&c, FORGET_S - 120);
    assert_true(c.nodes[1].sync->tombstones.purge_hlc < cut_at);
    quiet(&c, 400);
    assert_true(c.nodes[1].sync->tombstones.purge_hlc > cut_at);
    end(&c);
}

/* A key that all have is deleted on one side of a partition and written anew on the other, so many seconds before (negative: after) the delete.
 * Answers whether it lives in the end; all agree on it. */
static bool lives_after(int seconds_before, unsigned apart_s)
{
    struct cluster c;
    begin(&c, 9);
    write(&c, &c.nodes[0], 7, false);
    quiet(&c, 30);
    for (unsigned i = 0; i < NODES / 2; i++) {
        c.nodes[i].side = 1;
    }
    quiet(&c, 20);
    for (int second = 0; second <= 40; second++) {
        if (second == 20) {
            write(&c, &c.nodes[NODES - 1], 7, true);
        }
        if (second == 20 - seconds_before) {
            write(&c, &c.nodes[0], 7, false);
        }
        tick(&c);
    }
    quiet(&c, apart_s);
    for (unsigned i = 0; i < NODES; i++) {
        c.nodes[i].side = 0;
    }
    quiet(&c, 60);
    const struct entry *first = find(&c.nodes[0], "key 7");
    bool lives = first != NULL && entry_is_live(first);
    for (unsigned i = 1; i < NODES; i++) {
        const struct entry *entry = find(&c.nodes[i], "key 7");
        assert_int_equal(entry != NULL && entry_is_live(entry), lives);
    }
    quiet(&c, 400);
    assert_int_equal(count_tombstones(&c), 0);
    end(&c);
    return lives;
}

/* The later of the two wins. Only when the delete is the later one and nobody remembers it any more does the write win, of which who deleted could
 * not know: it was acknowledged, and nobody can tell it from one made after the delete. */
static void a_delete_against_a_write_of_the_other_side(void **state)
{
    (void)state;
    assert_false(lives_after(10, 60));
    assert_true(lives_after(-10, 60));
    assert_true(lives_after(-10, FORGET_S + 600));
    assert_true(lives_after(10, FORGET_S + 600));
}

/* It was written before the others met node 4 for the last time, but reached them only when that was gone: node 4 never had it, so that it lacks
 * it says nothing. */
static void what_came_late_is_no_deleted_value(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct cluster c;
        begin(&c, seed);
        live(&c, 60, false);
        quiet(&c, 20);
        c.nodes[5].side = 2;
        quiet(&c, 5);
        write(&c, &c.nodes[5], KEYS, false);
        quiet(&c, 30);
        c.nodes[4].side = 1;
        quiet(&c, 5);
        c.nodes[5].side = 0;
        live(&c, FORGET_S + 600, false);
        assert_non_null(find(&c.nodes[0], "key 60"));
        c.nodes[4].side = 0;
        quiet(&c, 60);
        const struct entry *entry = find(&c.nodes[4], "key 60");
        assert_true(entry != NULL && entry_is_live(entry));
        end(&c);
    }
}

/* A node whose disk was replaced holds nothing; that is no proof that anything was deleted. */
static void a_lost_disk_deletes_nothing(void **state)
{
    (void)state;
    struct cluster c;
    begin(&c, 77);
    live(&c, 200, false);
    quiet(&c, 200);
    assert_true(c.nodes[1].sync->tombstones.purge_hlc > 0);
    struct node *n = &c.nodes[3];
    sync_destroy(n->sync, &memory_system);
    n->timers = (struct timers){0};
    n->sync = sync_create(&n->turn, &n->options);
    assert_non_null(n->sync);
    sync_set_wall_clock(n->sync, &n->turn, NOON + n->turn.host_now / 1000);
    n->side = 5;
    quiet(&c, FORGET_S + 300);
    n->side = 0;
    quiet(&c, 40);
    expect_truth(&c);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tombstones_are_forgotten_when_everybody_has_them),
        cmocka_unit_test(nothing_is_forgotten_while_somebody_may_not_have_heard),
        cmocka_unit_test(partitions_shorter_than_patience_lose_nothing_and_revive_nothing),
        cmocka_unit_test(who_was_away_for_too_long_brings_back_nothing_and_loses_nothing),
        cmocka_unit_test(nothing_comes_back_although_everybody_started_anew_meanwhile),
        cmocka_unit_test(who_was_away_at_the_start_is_waited_for),
        cmocka_unit_test(a_delete_against_a_write_of_the_other_side),
        cmocka_unit_test(what_came_late_is_no_deleted_value),
        cmocka_unit_test(a_lost_disk_deletes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
