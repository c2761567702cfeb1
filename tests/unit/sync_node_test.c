/* SPDX-License-Identifier: MIT
 *
 * The store of one node through the public door: writes that wait for the disk, failures of the disk, restarts, listing, watching, limits,
 * clocks.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../lib/allocator_counting.h"
#include "base/bytes.h"
#include "base/rng.h"
#include <hearsay/hearsay.h>

#include <stdio.h>
#include <stdlib.h>

#define NOON 1700000000000u /* ms */
#define SECOND 1000000u     /* us */

/* A node and what its host saw and keeps on its disk. */
struct host {
    struct hearsay_node *node;
    struct hearsay_options options;
    uint64_t now;
    bool is_disk_slow, is_disk_full;
    unsigned batches, persisted, changed, done, failed;
    uint64_t waiting; /* batch */
    struct row {
        struct hearsay_entry entry;
        uint8_t bytes[64];
    } rows[600];
    unsigned row_count;
    uint64_t mark, purge;
    unsigned empty; /* batches without entries */
};

static void write_row(struct host *h, const struct hearsay_entry *entry)
{
    unsigned i = 0;
    while (i < h->row_count && !bytes_equal(h->rows[i].entry.key, entry->key)) {
        i++;
    }
    assert_true(i < 600 && entry->key.size + entry->value.size <= sizeof h->rows[i].bytes);
    h->row_count += i == h->row_count;
    h->rows[i].entry = *entry;
    bytes_copy(h->rows[i].bytes, entry->key.data, entry->key.size);
    bytes_copy(h->rows[i].bytes + entry->key.size, entry->value.data, entry->value.size);
    h->rows[i].entry.key.data = h->rows[i].bytes;
    h->rows[i].entry.value.data = h->rows[i].bytes + entry->key.size;
}

static void drain(struct host *h)
{
    struct hearsay_output output;
    while (hearsay_next_output(h->node, &output)) {
        const struct hearsay_event *event = &output.event;
        if (output.type == HEARSAY_PERSIST) {
            assert_int_equal(h->waiting, 0); /* one at a time */
            h->batches++;
            h->empty += output.persist.count == 0;
            h->persisted += (unsigned)output.persist.count;
            for (size_t i = 0; i < output.persist.count && !h->is_disk_full; i++) {
                write_row(h, &output.persist.entries[i]);
            }
            h->mark = output.persist.hlc_mark;
            h->purge = output.persist.purge_hlc;
            if (h->is_disk_slow) {
                h->waiting = output.persist.batch;
            } else {
                hearsay_persisted(h->node, h->now, output.persist.batch, !h->is_disk_full);
            }
        } else if (output.type == HEARSAY_NOTIFY) {
            h->changed += event->type == HEARSAY_ENTRY_CHANGED;
            h->done += event->type == HEARSAY_PUT_DONE && event->is_ok;
            h->failed += event->type == HEARSAY_PUT_DONE && !event->is_ok;
        }
    }
}

static void disk_answers(struct host *h)
{
    uint64_t batch = h->waiting;
    h->waiting = 0;
    hearsay_persisted(h->node, h->now, batch, true);
    drain(h);
}

static void begin(struct host *h)
{
    hearsay_err err;
    h->node = hearsay_create(&h->options, h->now, &err);
    assert_non_null(h->node);
}

static int setup(void **state)
{
    static struct host host;
    host = (struct host){.now = SECOND};
    hearsay_options_local(&host.options);
    host.options.name = "a";
    host.options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .size = 4, .port = 7946};
    host.options.store = 1;
    host.options.probe_interval_ms = 0;
    begin(&host);
    hearsay_set_wall_clock(host.node, host.now, NOON);
    drain(&host);
    *state = &host;
    return 0;
}

static int teardown(void **state)
{
    struct host *host = *state;
    hearsay_destroy(host->node);
    return 0;
}

static void restart(struct host *h, bool has_clock)
{
    hearsay_destroy(h->node);
    h->options.store_hlc_mark = h->mark;
    begin(h);
    for (unsigned i = 0; i < h->row_count; i++) {
        assert_int_equal(hearsay_store_load(h->node, &h->rows[i].entry), HEARSAY_OK);
    }
    if (has_clock) {
        hearsay_set_wall_clock(h->node, h->now, NOON + h->now / 1000);
    }
    h->waiting = 0;
    drain(h);
}

static void wait(struct host *h, uint64_t us)
{
    uint64_t until = h->now + us;
    for (uint64_t next; (next = hearsay_next_deadline(h->node)) <= until;) {
        h->now = next;
        hearsay_tick(h->node, next);
        drain(h);
    }
    h->now = until;
}

static hearsay_err put(struct host *h, const char *key, const char *value)
{
    return hearsay_put(h->node, h->now, bytes_of_string(key), bytes_of_string(value), 0, 1, NULL);
}

static bool has(const struct host *h, const char *key, const char *value)
{
    struct hearsay_entry entry;
    return hearsay_get(h->node, bytes_of_string(key), &entry) && bytes_equal(entry.value, bytes_of_string(value));
}

static struct hearsay_store_stats stats_of(const struct host *h)
{
    struct hearsay_store_stats stats;
    hearsay_get_store_stats(h->node, &stats);
    return stats;
}

/* ---- writes ------------------------------------------------------------------------------------------------------------- */

static void a_write_is_there_at_once_and_reported(void **state)
{
    struct host *h = *state;
    uint32_t ticket = 0;
    assert_int_equal(hearsay_put(h->node, h->now, bytes_of_string("k"), bytes_of_string("v"), 0, 0, &ticket), HEARSAY_OK);
    assert_true(ticket != 0 && has(h, "k", "v"));
    drain(h);
    assert_int_equal(h->done, 1);
    assert_int_equal(h->batches, 0);
    assert_int_equal(put(h, "k", "w"), HEARSAY_OK);
    assert_true(has(h, "k", "w"));
    assert_int_equal(hearsay_delete(h->node, h->now, bytes_of_string("k"), 1, NULL), HEARSAY_OK);
    struct hearsay_entry entry;
    assert_false(hearsay_get(h->node, bytes_of_string("k"), &entry));
    struct hearsay_store_stats stats = stats_of(h);
    assert_true(stats.entries == 0 && stats.tombstones == 1 && stats.bytes == 1);
}

static void a_durable_write_counts_when_it_is_on_disk(void **state)
{
    struct host *h = *state;
    h->options.store_durable = 1;
    h->is_disk_slow = true;
    restart(h, true);
    assert_int_equal(put(h, "a", "1"), HEARSAY_OK);
    drain(h);
    assert_int_equal(h->batches, 1);
    for (unsigned i = 0; i < 100; i++) { /* these collect meanwhile */
        char key[8];
        snprintf(key, sizeof key, "b%u", i);
        assert_int_equal(put(h, key, "2"), HEARSAY_OK);
    }
    assert_int_equal(put(h, "a", "3"), HEARSAY_OK);
    drain(h);
    assert_int_equal(h->batches, 1);
    assert_false(has(h, "a", "1"));
    assert_int_equal(h->done, 0);
    disk_answers(h);
    assert_int_equal(h->batches, 2);
    assert_int_equal(h->persisted, 102);
    assert_true(has(h, "a", "1") && !has(h, "b5", "2"));
    assert_int_equal(h->done, 1);
    disk_answers(h);
    assert_true(has(h, "a", "3") && has(h, "b5", "2"));
    assert_int_equal(h->done, 102);
    assert_int_equal(stats_of(h).pending, 0);
}

static void what_a_full_disk_refuses_never_was(void **state)
{
    struct host *h = *state;
    h->options.store_durable = 1;
    restart(h, true);
    assert_int_equal(put(h, "a", "1"), HEARSAY_OK);
    drain(h);
    h->is_disk_full = true;
    assert_int_equal(put(h, "a", "2"), HEARSAY_OK);
    assert_int_equal(put(h, "b", "2"), HEARSAY_OK);
    drain(h);
    assert_int_equal(h->failed, 2);
    assert_true(has(h, "a", "1") && !has(h, "b", "2"));
    h->is_disk_full = false;
    assert_int_equal(put(h, "b", "3"), HEARSAY_OK);
    drain(h);
    assert_true(has(h, "b", "3"));
    assert_int_equal(h->done, 2);
    hearsay_persisted(h->node, h->now, 4711, true); /* of no batch: ignored */
}

static void wrong_wishes_are_refused_and_change_nothing(void **state)
{
    struct host *h = *state;
    static char large[HEARSAY_KEY_MAX + 2];
    memset(large, 'x', HEARSAY_KEY_MAX + 1);
    h->options.store_entries_max = 2;
    h->options.store_value_max = 10;
    restart(h, false);
    assert_int_equal(put(h, "k", "v"), HEARSAY_ERR_NO_CLOCK);
    hearsay_set_wall_clock(h->node, h->now, NOON);
    assert_int_equal(put(h, "", "v"), HEARSAY_ERR_ENTRY_KEY);
    assert_int_equal(put(h, large, "v"), HEARSAY_ERR_ENTRY_KEY);
    assert_int_equal(put(h, "k", "12345678901"), HEARSAY_ERR_TOO_LARGE);
    assert_int_equal(put(h, "k", "1234567890"), HEARSAY_OK);
    assert_int_equal(put(h, "l", "1"), HEARSAY_OK);
    assert_int_equal(put(h, "m", "1"), HEARSAY_ERR_STORE_FULL);
    assert_int_equal(put(h, "l", "2"), HEARSAY_OK);
    assert_int_equal(stats_of(h).entries, 2);
    assert_int_equal(hearsay_leave(h->node, h->now), HEARSAY_OK);
    assert_int_equal(put(h, "l", "3"), HEARSAY_ERR_LEFT);
    h->options.store = 0;
    restart(h, true);
    assert_int_equal(put(h, "k", "v"), HEARSAY_ERR_STORE_OFF);
    assert_false(stats_of(h).is_on);
}

static void a_lease_ends_on_time(void **state)
{
    struct host *h = *state;
    assert_int_equal(hearsay_put(h->node, h->now, bytes_of_string("lease"), bytes_of_string("mine"), 1500, 1, NULL), HEARSAY_OK);
    drain(h);
    wait(h, 1490000);
    assert_true(has(h, "lease", "mine"));
    wait(h, 20000);
    assert_false(has(h, "lease", "mine"));
    assert_int_equal(hearsay_counters(h->node)->entries_expired, 1);
    assert_int_equal(stats_of(h).tombstones, 1);
}

/* ---- epochs ---------------------------------------------------------------------------------------------------------------- */

static void an_epoch_is_sealed_two_seconds_after_its_end(void **state)
{
    struct host *h = *state;
    uint32_t epoch = NOON / 1000;
    assert_int_equal(put(h, "k", "v"), HEARSAY_OK);
    assert_int_equal(stats_of(h).root_count, 0);
    wait(h, 2990000);
    assert_int_equal(stats_of(h).root_epoch, epoch - 1);
    assert_int_equal(stats_of(h).unsettled, 1);
    wait(h, 20000);
    assert_int_equal(stats_of(h).root_epoch, epoch);
    assert_int_equal(stats_of(h).root_count, 1);
    wait(h, 10 * SECOND);
    assert_int_equal(stats_of(h).root_epoch, epoch + 10);
    assert_int_equal(stats_of(h).root_count, 1);
}

static void a_restart_has_everything_and_the_same_root(void **state)
{
    struct host *h = *state;
    h->options.store_durable = 1;
    restart(h, true);
    for (unsigned i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %u", i % 300);
        if (i % 7 == 0) {
            assert_int_equal(hearsay_delete(h->node, h->now, bytes_of_string(key), 1, NULL), HEARSAY_OK);
        } else {
            assert_int_equal(hearsay_put(h->node, h->now, bytes_of_string(key), bytes_of_string("value"), i % 5 == 0 ? 60000 : 0, 1, NULL),
                             HEARSAY_OK);
        }
        drain(h);
        wait(h, 10000);
    }
    wait(h, 5 * SECOND);
    struct hearsay_store_stats before = stats_of(h);
    assert_true(before.unsettled == 0 && before.root_count == 300);
    restart(h, true);
    wait(h, 5 * SECOND);
    struct hearsay_store_stats after = stats_of(h);
    assert_memory_equal(before.root, after.root, sizeof after.root);
    assert_int_equal(before.bytes, after.bytes);
    assert_int_equal(before.entries, after.entries);
    assert_true(after.hlc >= before.hlc);
    h->now += 100 * SECOND; /* the leases end while it is down */
    restart(h, true);
    assert_true(hearsay_counters(h->node)->entries_expired > 30);
}

/* ---- listing and watching ----------------------------------------------------------------------------------------------------- */

static void a_prefix_lists_its_keys_in_order(void **state)
{
    struct host *h = *state;
    static const char *const keys[] = {"b/2", "a/1", "b/10", "b", "b/1\xff\xfe", "b/1", "c/1", "b/3"};
    static const char *const want[] = {"b/1", "b/10", "b/1\xff\xfe", "b/2"};
    struct hearsay_bytes after = {NULL, 0};
    struct hearsay_entry entry;
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(put(h, keys[i], "v"), HEARSAY_OK);
    }
    assert_int_equal(hearsay_delete(h->node, h->now, bytes_of_string("b/3"), 1, NULL), HEARSAY_OK);
    while (hearsay_next_entry(h->node, bytes_of_string("b/"), &after, &entry)) {
        assert_true(bytes_equal(entry.key, bytes_of_string(want[count++])));
    }
    assert_int_equal(count, 4);
    after = bytes_of(NULL, 0);
    for (count = 0; hearsay_next_entry(h->node, bytes_of_string("b/1\xff"), &after, &entry); count++) {
    }
    assert_int_equal(count, 1); /* half a character is a prefix like any other */
    after = bytes_of(NULL, 0);
    for (count = 0; hearsay_next_entry(h->node, bytes_of(NULL, 0), &after, &entry); count++) {
    }
    assert_int_equal(count, 7);
}

static void a_watcher_sees_changes_and_knows_when_it_missed_some(void **state)
{
    struct host *h = *state;
    uint64_t number = UINT64_MAX;
    struct hearsay_entry entry;
    struct hearsay_bytes prefix = bytes_of_string("w/");
    h->options.store_changes = 128;
    restart(h, true);
    h->changed = 0;
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_NONE);
    assert_int_equal(put(h, "w/1", "a"), HEARSAY_OK);
    assert_int_equal(put(h, "x", "a"), HEARSAY_OK);
    assert_int_equal(put(h, "w/2", "a"), HEARSAY_OK);
    assert_int_equal(hearsay_delete(h->node, h->now, bytes_of_string("w/1"), 1, NULL), HEARSAY_OK);
    drain(h);
    assert_int_equal(h->changed, 1); /* one word for all of them */
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_FOUND);
    assert_true(entry.is_tombstone && bytes_equal(entry.key, bytes_of_string("w/1")));
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_FOUND);
    assert_true(bytes_equal(entry.key, bytes_of_string("w/2")));
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_FOUND);
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_NONE);
    uint64_t resume = number;
    for (unsigned i = 0; i < 128; i++) {
        assert_int_equal(put(h, "x", "b"), HEARSAY_OK);
    }
    drain(h);
    assert_int_equal(h->changed, 2);
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_NONE);
    assert_int_equal(put(h, "w/3", "b"), HEARSAY_OK);
    assert_int_equal(hearsay_next_change(h->node, prefix, &resume, &entry), HEARSAY_CHANGE_TOO_OLD);
    assert_int_equal(hearsay_next_change(h->node, prefix, &resume, &entry), HEARSAY_CHANGE_NONE);
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_FOUND);
    h->now += SECOND;
    restart(h, true);
    assert_int_equal(hearsay_next_change(h->node, prefix, &number, &entry), HEARSAY_CHANGE_TOO_OLD); /* another life */
}

/* ---- out of memory --------------------------------------------------------------------------------------------------------------- */

static size_t live(struct host *h, size_t fail_from)
{
    struct allocator_counting counting = {.fail_from = fail_from, .fail_once = true};
    h->options.allocator = allocator_counting_of(&counting);
    h->options.store_durable = 1;
    h->row_count = h->done = h->failed = 0;
    h->waiting = h->mark = 0;
    h->node = hearsay_create(&h->options, h->now, NULL);
    if (h->node == NULL) {
        assert_int_equal(counting.blocks, 0);
        return counting.calls;
    }
    hearsay_set_wall_clock(h->node, h->now, NOON);
    unsigned accepted = 0, present = 0;
    for (unsigned i = 0; i < 60; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %u", i);
        accepted +=
            hearsay_put(h->node, h->now, bytes_of_string(key), bytes_of_string("value"), i % 5 == 0 ? 500 : 0, 1, NULL) == HEARSAY_OK;
        if (i % 10 == 0) {
            drain(h);
        }
    }
    drain(h);
    wait(h, 100000);
    struct hearsay_bytes after = {NULL, 0};
    for (struct hearsay_entry entry; hearsay_next_entry(h->node, bytes_of(NULL, 0), &after, &entry);) {
        present++;
    }
    assert_in_range(accepted, 59, 60);
    assert_in_range(present, 59, 60); /* what was not taken in can be told from the answer, or from the report */
    assert_true(h->done + h->failed + 1 >= accepted);
    wait(h, 5 * SECOND);
    assert_true(stats_of(h).unsettled == 0 && stats_of(h).root_count == stats_of(h).entries + stats_of(h).tombstones);
    hearsay_destroy(h->node);
    assert_int_equal(counting.blocks, 0);
    return counting.calls;
}

static void any_single_allocation_may_fail(void **state)
{
    struct host *h = *state;
    hearsay_destroy(h->node);
    size_t calls = live(h, 0);
    assert_true(calls > 100);
    for (size_t n = 1; n <= calls; n++) {
        (void)live(h, n);
    }
    h->node = NULL;
}

#define HOST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* No write comes after the delete, so it must go by itself; and an idle node writes nothing more, however long it is there. */
static void a_purge_line_goes_to_the_disk_at_once(void **state)
{
    struct host *h = *state;
    hearsay_destroy(h->node);
    h->options.store_durable = 1;
    h->options.tombstone_grace_ms = 1000;
    h->options.forget_after_ms = 60000;
    begin(h);
    hearsay_set_wall_clock(h->node, h->now, NOON + h->now / 1000);
    assert_int_equal(hearsay_put(h->node, h->now, bytes_of("k", 1), bytes_of("v", 1), 0, 1, NULL), HEARSAY_OK);
    drain(h);
    assert_int_equal(hearsay_delete(h->node, h->now, bytes_of("k", 1), 1, NULL), HEARSAY_OK);
    drain(h);
    assert_int_equal(h->batches, 2);
    struct hearsay_store_stats stats = {.purge_hlc = 0};
    h->is_disk_full = true; /* a disk that says no is asked again, but not all the time */
    for (unsigned s = 0; s < 400; s++) {
        wait(h, SECOND);
        hearsay_get_store_stats(h->node, &stats);
        if (h->is_disk_full && h->empty > 0) {
            assert_int_equal(h->empty, 1);
            wait(h, 30 * SECOND);
            assert_true(h->empty >= 5 && h->empty <= 8);
            h->is_disk_full = false;
        }
    }
    assert_false(h->is_disk_full);
    assert_int_equal(stats.tombstones, 0);
    assert_true(h->purge > 0);
    assert_true(stats.purge_hlc > h->purge); /* the line goes on; but nothing goes with it */
    assert_in_range(h->empty, 6, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST(a_write_is_there_at_once_and_reported),
        HOST(a_durable_write_counts_when_it_is_on_disk),
        HOST(what_a_full_disk_refuses_never_was),
        HOST(wrong_wishes_are_refused_and_change_nothing),
        HOST(a_lease_ends_on_time),
        HOST(an_epoch_is_sealed_two_seconds_after_its_end),
        HOST(a_restart_has_everything_and_the_same_root),
        HOST(a_prefix_lists_its_keys_in_order),
        HOST(a_watcher_sees_changes_and_knows_when_it_missed_some),
        HOST(a_purge_line_goes_to_the_disk_at_once),
        HOST(any_single_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
