/* SPDX-License-Identifier: MIT
 *
 * The shared store through the driver: the wall clock is told by itself, entries are loaded and persisted through the host, a ticket is
 * known before its report, and a tape lives all of it again.
 */
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP 32

static struct {
    uint64_t batch;          /* that waits for the disk, 0 = none */
    bool is_broken, is_slow; /* batches fail; they wait until disk_answer */
    struct hearsay_uv *uv;
    unsigned entries; /* written */
    struct {
        uint32_t ticket;
        bool is_ok;
    } done[KEEP];
    unsigned count;
} seen;

static struct hearsay_bytes bytes(const char *text)
{
    return (struct hearsay_bytes){(const uint8_t *)text, strlen(text)};
}

static void disk_answer(void)
{
    uint64_t batch = seen.batch;
    seen.batch = 0;
    hearsay_uv_persisted(seen.uv, batch, !seen.is_broken);
}

static void on_persist(struct hearsay_uv *uv, const struct hearsay_persist *persist, void *user)
{
    (void)user;
    assert_int_equal(seen.batch, 0); /* one at a time */
    assert_true(persist->hlc_mark > 0);
    for (size_t i = 0; i < persist->count; i++) {
        assert_in_range(persist->entries[i].key.size, 1, HEARSAY_KEY_MAX);
        assert_true(persist->entries[i].version.hlc <= persist->hlc_mark);
    }
    seen.uv = uv;
    seen.batch = persist->batch;
    seen.entries += seen.is_broken ? 0 : (unsigned)persist->count;
    if (!seen.is_slow) {
        disk_answer(); /* from within: an input while outputs are carried out */
    }
}

static void on_told(struct told *told, const struct hearsay_event *event)
{
    (void)told;
    if (event->type == HEARSAY_PUT_DONE && seen.count < KEEP) {
        seen.done[seen.count].ticket = event->ticket;
        seen.done[seen.count++].is_ok = event->is_ok;
        assert_int_equal(event->is_ok, event->text == NULL);
    }
}

static struct told *start(struct world *w, bool is_durable, const char *tape)
{
    struct hearsay_uv_options options;
    memset(&seen, 0, sizeof seen);
    world_options(w, 0, &options, "a", "127.44.6.1:0");
    options.node.store = 1;
    options.node.store_durable = is_durable;
    options.on_persist = on_persist;
    options.tape = tape;
    struct told *a = world_start(w, 0, &options);
    a->hook = on_told;
    return a;
}

static uint32_t put(struct told *a, const char *key, const char *value)
{
    uint32_t ticket = 0;
    assert_int_equal(hearsay_uv_put(a->uv, bytes(key), bytes(value), 0, 0, &ticket), HEARSAY_OK);
    hearsay_uv_flush(a->uv);
    return ticket;
}

static bool has(struct told *a, const char *key, const char *value)
{
    struct hearsay_entry entry;
    return hearsay_get(hearsay_uv_node(a->uv), bytes(key), &entry) && entry.value.size == strlen(value) &&
           memcmp(entry.value.data, value, entry.value.size) == 0;
}

static void a_write_before_the_loop_runs_is_fine(void **state)
{
    struct world *w = *state;
    struct told *a = start(w, false, NULL);
    uint32_t ticket = put(a, "k", "v");
    world_until(w, seen.count == 1);
    assert_int_equal(seen.done[0].ticket, ticket);
    assert_true(seen.done[0].is_ok);
    assert_true(has(a, "k", "v"));
    assert_true(a->events[HEARSAY_ENTRY_CHANGED] >= 1);
}

static void what_is_not_on_disk_does_not_count(void **state)
{
    struct world *w = *state;
    struct told *a = start(w, true, NULL);
    seen.is_slow = true;
    uint32_t first = put(a, "k", "1");
    assert_true(seen.batch > 0);
    uint32_t second = put(a, "k", "2"), third = put(a, "l", "3");
    assert_false(has(a, "k", "1"));
    assert_int_equal(seen.count, 0);
    disk_answer();
    world_until(w, seen.count == 1);
    assert_int_equal(seen.done[0].ticket, first);
    assert_true(has(a, "k", "1"));
    disk_answer(); /* the other two were collected */
    world_until(w, seen.count == 3);
    assert_int_equal(seen.done[1].ticket, second);
    assert_int_equal(seen.done[2].ticket, third);
    assert_true(has(a, "k", "2") && has(a, "l", "3"));
    assert_int_equal(seen.entries, 3);
}

static void a_broken_disk_fails_writes_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct told *a = start(w, true, NULL);
    put(a, "k", "1");
    seen.is_broken = true;
    put(a, "k", "2");
    world_until(w, seen.count == 2);
    assert_true(seen.done[0].is_ok);
    assert_false(seen.done[1].is_ok);
    assert_true(has(a, "k", "1"));
    seen.is_broken = false;
    put(a, "k", "3");
    world_until(w, seen.count == 3);
    assert_true(has(a, "k", "3"));
}

static void entries_of_a_former_life_are_there_from_the_start(void **state)
{
    struct world *w = *state;
    struct told *a = start(w, true, NULL);
    struct hearsay_entry entry = {.key = bytes("old"), .value = bytes("gold"), .version = {(uint64_t)1700000000000 << 16, 7}};
    assert_int_equal(hearsay_uv_store_load(a->uv, &entry), HEARSAY_OK);
    assert_true(has(a, "old", "gold"));
    uint32_t ticket;
    assert_int_equal(hearsay_uv_delete(a->uv, bytes("old"), 0, &ticket), HEARSAY_OK);
    hearsay_uv_flush(a->uv);
    world_until(w, seen.count == 1);
    assert_true(seen.done[0].is_ok);
    assert_false(has(a, "old", "gold"));
    assert_int_equal(hearsay_uv_put(a->uv, bytes(""), bytes("x"), 0, 0, &ticket), HEARSAY_ERR_ENTRY_KEY);
}

static void the_store_is_lived_again_from_the_tape(void **state)
{
    struct world *w = *state;
    struct hearsay_tape_result result;
    char path[] = "/tmp/hearsay-tape-XXXXXX", error[256] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct told *a = start(w, true, path);
    struct hearsay_entry entry = {.key = bytes("old"), .value = bytes("gold"), .version = {(uint64_t)1700000000000 << 16, 7}};
    assert_int_equal(hearsay_uv_store_load(a->uv, &entry), HEARSAY_OK);
    put(a, "k", "1");
    seen.is_broken = true;
    put(a, "k", "2");
    seen.is_broken = false;
    uint32_t ticket;
    assert_int_equal(hearsay_uv_put(a->uv, bytes("short"), bytes("x"), 300, 0, &ticket), HEARSAY_OK);
    assert_int_equal(hearsay_uv_delete(a->uv, bytes("old"), 0, &ticket), HEARSAY_OK);
    hearsay_uv_flush(a->uv);
    world_until(w, seen.count == 4);
    world_until(w, !has(a, "short", "x"));
    world_stop(a);
    world_until(w, a->uv == NULL);
    if (!hearsay_tape_replay(path, NULL, NULL, NULL, &result, error, sizeof error)) {
        fail_msg("%s", error);
    }
    assert_int_equal(result.diverged_at, 0);
    assert_true(result.inputs > 8);
    unlink(path);
}

int main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_write_before_the_loop_runs_is_fine),        STORE_TEST(what_is_not_on_disk_does_not_count),
        STORE_TEST(a_broken_disk_fails_writes_and_nothing_else), STORE_TEST(entries_of_a_former_life_are_there_from_the_start),
        STORE_TEST(the_store_is_lived_again_from_the_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
