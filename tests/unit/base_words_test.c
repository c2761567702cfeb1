/* SPDX-License-Identifier: MIT
 *
 * The words we wish C had: timers fire in order whatever happens to them, tables find what is in them and nothing else, chance is the same
 * everywhere.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/rng.h"
#include "base/table.h"
#include "base/timers.h"

#include "allocator_counting.h"

#include <string.h>

#define MANY 500

static void timers_fire_in_order_of_time_though_set_and_cancelled_at_random(void **state)
{
    (void)state;
    static struct timer timers[MANY];
    struct timers heap = {NULL};
    struct rng rng;
    unsigned armed = 0, fired = 0;
    rng_init(&rng, 1);
    for (unsigned i = 0; i < 20 * MANY; i++) {
        struct timer *t = &timers[rng_below(&rng, MANY)];
        if (rng_below(&rng, 4) == 0) {
            timers_cancel(&heap, t);
        } else {
            timers_set(&heap, t, rng_below(&rng, 1000));
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        armed += timers[i].is_armed;
    }
    assert_true(armed > MANY / 2);
    uint64_t last = 0;
    while (timers_next(&heap) != UINT64_MAX) {
        uint64_t next = timers_next(&heap);
        assert_true(next >= last);
        assert_null(next == 0 ? NULL : timers_due(&heap, next - 1)); /* not before its time */
        struct timer *t = timers_due(&heap, next);
        assert_non_null(t);
        assert_false(t->is_armed);
        last = t->at;
        fired++;
    }
    assert_int_equal(fired, armed);
}

static char names[MANY][4];

static struct hearsay_bytes name_of(const void *owner, uint32_t number)
{
    (void)owner;
    return bytes_of_string(names[number]);
}

static void a_table_finds_exactly_what_was_put_in_and_not_taken_out(void **state)
{
    (void)state;
    struct allocator_counting counting = {0};
    struct hearsay_allocator memory = allocator_counting_of(&counting);
    struct table t;
    struct rng rng;
    bool is_in[MANY] = {false};
    rng_init(&rng, 2);
    table_init(&t, &memory, 42, name_of, NULL);
    for (unsigned i = 0; i < MANY; i++) {
        memcpy(names[i], (char[4]){(char)('a' + i / 26 % 26), (char)('a' + i % 26), (char)('a' + i / 676), 0}, 4);
    }
    assert_int_equal(table_find(&t, name_of(NULL, 0)), TABLE_NONE);
    for (unsigned i = 0; i < 20 * MANY; i++) {
        uint32_t number = (uint32_t)rng_below(&rng, MANY);
        if (is_in[number]) {
            table_remove(&t, number);
        } else {
            assert_true(table_reserve(&t));
            table_insert(&t, number);
        }
        is_in[number] = !is_in[number];
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(table_find(&t, name_of(NULL, i)), is_in[i] ? i : TABLE_NONE);
        count += is_in[i];
    }
    assert_int_equal(t.count, count);
    table_deinit(&t);
    assert_int_equal(counting.blocks, 0);
}

static void a_table_that_gets_no_memory_stays_as_it_was(void **state)
{
    (void)state;
    struct allocator_counting counting = {.fail_from = 2};
    struct hearsay_allocator memory = allocator_counting_of(&counting);
    struct table t;
    table_init(&t, &memory, 1, name_of, NULL);
    uint32_t count = 0;
    memcpy(names[0], "aaa", 4);
    while (table_reserve(&t)) {
        memcpy(names[count], (char[4]){'x', (char)('a' + count), 0, 0}, 4);
        table_insert(&t, count);
        count++;
    }
    assert_int_equal(count, 6); /* three quarters of eight */
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(table_find(&t, name_of(NULL, i)), i);
    }
    table_deinit(&t);
}

/* The first values of xoshiro256** from the state 1, 2, 3, 4, as its authors' code gives them. */
static void chance_is_xoshiro256_starstar(void **state)
{
    (void)state;
    struct rng rng = {{1, 2, 3, 4}};
    assert_true(rng_next(&rng) == 11520);
    assert_true(rng_next(&rng) == 0);
    assert_true(rng_next(&rng) == 1509978240);
    assert_true(rng_next(&rng) == 1215971899390074240u);
}

static void chance_below_a_bound_favours_nobody(void **state)
{
    (void)state;
    struct rng rng;
    unsigned counts[10] = {0};
    rng_init(&rng, 7);
    for (unsigned i = 0; i < 100000; i++) {
        counts[rng_below(&rng, 10)]++;
    }
    for (unsigned i = 0; i < 10; i++) {
        assert_in_range(counts[i], 9600, 10400); /* four standard deviations */
    }
    assert_int_equal(rng_below(&rng, 0), 0);
    assert_int_equal(rng_below(&rng, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_of_time_though_set_and_cancelled_at_random),
        cmocka_unit_test(a_table_finds_exactly_what_was_put_in_and_not_taken_out),
        cmocka_unit_test(a_table_that_gets_no_memory_stays_as_it_was),
        cmocka_unit_test(chance_is_xoshiro256_starstar),
        cmocka_unit_test(chance_below_a_bound_favours_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
