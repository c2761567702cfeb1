/* SPDX-License-Identifier: MIT
 *
 * What is told first, how often, and to whom never: memberlist's transmit-limited queue (queue.go) and our eager copies.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parts.h"

#include <stdio.h>
#include <string.h>

static void add(struct parts *p, const char *text, const char *subject, const struct hearsay_address *from)
{
    struct rumor_source source = {.subject = bytes_of_string(subject), .from = from};
    rumors_add(&p->turn, RUMOR_MEMBER, bytes_of_string(text), source);
}

/* The first bytes of what goes into a packet of so many bytes. */
static const char *take(struct parts *p, size_t space)
{
    static char firsts[32];
    struct hearsay_bytes parts[31];
    unsigned count = rumors_take(&p->turn, space, parts, 31);
    for (unsigned i = 0; i < count; i++) {
        firsts[i] = (char)parts[i].data[0];
    }
    firsts[count] = 0;
    rumors_settle(&p->turn);
    return firsts;
}

static void each_rumor_is_told_four_times_per_power_of_ten(void **state)
{
    struct parts *p = *state;
    static const struct { uint32_t n, limit; } values[] = {{1, 4}, {9, 4}, {10, 8}, {99, 8}, {100, 12}, {1000, 16}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        p->turn.population = values[i].n;
        assert_int_equal(rumors_limit(&p->turn), values[i].limit);
    }
    p->turn.population = 9;
    add(p, "a", "", NULL);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(take(p, 1000), "a");
    }
    assert_string_equal(take(p, 1000), "");
    assert_false(rumors_any(&p->rumors));
}

static void the_least_told_go_first(void **state)
{
    struct parts *p = *state;
    add(p, "old", "", NULL);
    assert_string_equal(take(p, 1000), "o");
    add(p, "new", "", NULL);
    assert_string_equal(take(p, 6), "n"); /* both fit alone, one fits at all */
    assert_string_equal(take(p, 1000), "no");
}

static void among_equals_the_largest_that_fits_then_the_newest(void **state)
{
    struct parts *p = *state;
    add(p, "1234567890", "", NULL);
    add(p, "abc", "", NULL);
    add(p, "xyz", "", NULL);
    assert_string_equal(take(p, 1000), "1xa");
    add(p, "0123456789012345", "", NULL);
    assert_string_equal(take(p, 12), "1"); /* the newest is too large: what fits of the next tier goes */
}

static void a_newer_rumor_about_the_same_member_replaces_the_older(void **state)
{
    struct parts *p = *state;
    add(p, "suspect", "x", NULL);
    add(p, "refuted", "x", NULL);
    add(p, "another", "y", NULL);
    assert_string_equal(take(p, 1000), "ar");
}

static void a_full_queue_drops_the_most_told(void **state)
{
    struct parts *p = *state;
    p->options.queue_max = 2;
    add(p, "old", "", NULL);
    assert_string_equal(take(p, 1000), "o");
    add(p, "new", "", NULL);
    add(p, "fresh", "", NULL);
    assert_string_equal(take(p, 1000), "fn");
    assert_int_equal(p->counters.drop_queue_full, 1);
}

static void eager_copies_are_half_the_limit_and_never_go_back(void **state)
{
    struct parts *p = *state;
    struct hearsay_address sender = {.bytes = {127, 0, 0, 2}, .size = 4, .port = 7946}, other = sender;
    struct hearsay_bytes parts[8];
    other.port = 7947;
    p->options.eager = 1;
    p->turn.population = 9;
    add(p, "news", "", &sender);
    assert_int_equal(rumors_eager_most(&p->rumors), 2);
    assert_int_equal(rumors_take_eager(&p->turn, &sender, 1000, parts, 8), 0);
    assert_int_equal(rumors_take_eager(&p->turn, &other, 1000, parts, 8), 1);
    assert_int_equal(rumors_take_eager(&p->turn, &other, 1000, parts, 8), 1);
    assert_int_equal(rumors_take_eager(&p->turn, &other, 1000, parts, 8), 0);
    assert_string_equal(take(p, 1000), "n"); /* the ticks' own copies are not touched */
}

/* Two members: whoever told us is the only other one. Three: one of the two copies has nobody left to go to. */
static void nobody_is_owed_two_eager_copies(void **state)
{
    struct parts *p = *state;
    struct hearsay_address sender = {.bytes = {127, 0, 0, 2}, .size = 4, .port = 7946};
    p->options.eager = 1;
    p->turn.population = 2;
    add(p, "heard", "", &sender);
    assert_int_equal(rumors_eager_most(&p->rumors), 0);
    add(p, "ours", "", NULL);
    assert_int_equal(rumors_eager_most(&p->rumors), 1);
    p->turn.population = 3;
    add(p, "heard too", "", &sender);
    assert_int_equal(rumors_eager_most(&p->rumors), 1);
}

static void a_long_queue_about_many_members_replaces_the_right_one(void **state)
{
    struct parts *p = *state;
    char name[16], text[32];
    for (unsigned k = 0; k < 3; k++) {
        for (unsigned i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "m%u", i);
            snprintf(text, sizeof text, "%u says %u", i, k);
            add(p, text, name, NULL);
        }
        assert_int_equal(p->rumors.queues[RUMOR_MEMBER].count, 1000);
        (void)take(p, 300);
    }
    add(p, "a very long rumour about a single member", "m500", NULL);
    assert_int_equal(p->rumors.queues[RUMOR_MEMBER].count, 1000);
    assert_string_equal(take(p, 45), "a");
}

static void eager_copies_leave_within_one_to_five_milliseconds(void **state)
{
    struct parts *p = *state;
    p->options.eager = 1;
    p->turn.population = 9;
    add(p, "news", "", NULL);
    assert_true(p->rumors.eager.is_armed);
    assert_in_range(p->rumors.eager.at - p->turn.now, 1000, 5000);
}

static void above_the_eager_rate_there_are_only_ticks(void **state)
{
    struct parts *p = *state;
    unsigned granted = 0;
    while (rumors_eager_token(&p->turn) && granted < 1000000) {
        granted++;
    }
    assert_in_range(granted, p->options.eager_packets_per_second / 5, p->options.eager_packets_per_second / 3);
    parts_advance(p, 1000000);
    assert_true(rumors_eager_token(&p->turn));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_rumor_is_told_four_times_per_power_of_ten),
        TEST(the_least_told_go_first),
        TEST(among_equals_the_largest_that_fits_then_the_newest),
        TEST(a_newer_rumor_about_the_same_member_replaces_the_older),
        TEST(a_full_queue_drops_the_most_told),
        TEST(eager_copies_are_half_the_limit_and_never_go_back),
        TEST(nobody_is_owed_two_eager_copies),
        TEST(a_long_queue_about_many_members_replaces_the_right_one),
        TEST(eager_copies_leave_within_one_to_five_milliseconds),
        TEST(above_the_eager_rate_there_are_only_ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
