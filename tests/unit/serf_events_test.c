/* SPDX-License-Identifier: MIT
 *
 * Lamport clocks and the ring that recognises events: each is delivered once, the too old not at all (serf's handleUserEvent).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parts.h"
#include "serf/events.h"

static struct events events;

static bool hear(struct parts *p, uint64_t ltime, const char *name, const char *payload)
{
    struct serf_user_event e = {.ltime = ltime, .name = bytes_of_string(name), .payload = bytes_of_string(payload)};
    return events_receive(&events, &p->turn, &e);
}

static void begin(struct parts *p)
{
    events_init(&events, &p->turn);
}

static void a_clock_that_hears_a_time_goes_beyond_it_and_never_back(void **state)
{
    (void)state;
    struct lamport clock = {1};
    lamport_witness(&clock, 1);
    assert_int_equal(clock.time, 2);
    lamport_witness(&clock, 1);
    assert_int_equal(clock.time, 2);
    lamport_witness(&clock, 40);
    assert_int_equal(clock.time, 41);
    lamport_witness(&clock, UINT64_MAX); /* a liar cannot wrap it */
    assert_int_equal(clock.time, 41);
}

static void an_event_is_new_once(void **state)
{
    struct parts *p = *state;
    begin(p);
    assert_true(hear(p, 5, "deploy", "a"));
    assert_false(hear(p, 5, "deploy", "a"));
    assert_true(hear(p, 5, "deploy", "b")); /* same time, other payload */
    assert_true(hear(p, 5, "restart", "a"));
    assert_true(hear(p, 6, "deploy", "a")); /* same event, later */
    assert_int_equal(events.clock.time, 7);
    assert_int_equal(p->counters.drop_event_duplicate, 1);
    events_deinit(&events, &p->memory);
}

static void an_event_older_than_the_ring_is_dropped(void **state)
{
    struct parts *p = *state;
    begin(p);
    assert_true(hear(p, 1000, "deploy", ""));
    assert_int_equal(events.clock.time, 1001);
    assert_false(hear(p, 488, "deploy", "")); /* 1001 - 512 = 489 is the oldest */
    assert_true(hear(p, 489, "deploy", ""));
    assert_int_equal(p->counters.drop_event_old, 1);
    events_deinit(&events, &p->memory);
}

static void a_slot_taken_over_by_a_later_time_forgets_the_earlier(void **state)
{
    struct parts *p = *state;
    begin(p);
    assert_true(hear(p, 3, "deploy", ""));
    assert_true(hear(p, 3 + 512, "deploy", "")); /* the same slot */
    assert_int_equal(events.slots[3].ltime, 515);
    assert_int_equal(events.slots[3].count, 1);
    events_deinit(&events, &p->memory);
}

static void events_from_before_a_former_life_ended_are_not_delivered_again(void **state)
{
    struct parts *p = *state;
    p->options.event_clock = 20;
    begin(p);
    assert_int_equal(events.clock.time, 21);
    assert_false(hear(p, 20, "deploy", ""));
    assert_true(hear(p, 21, "deploy", ""));
    events_deinit(&events, &p->memory);
}

static void an_event_too_large_is_refused_and_takes_no_time(void **state)
{
    struct parts *p = *state;
    static char payload[513];
    begin(p);
    assert_int_equal(events_send(&events, &p->turn, bytes_of_string("e"), bytes_of(payload, 512), false), HEARSAY_ERR_TOO_LARGE);
    assert_int_equal(events_send(&events, &p->turn, bytes_of_string("e"), bytes_of(payload, 505), false), HEARSAY_ERR_TOO_LARGE); /* encoded */
    assert_int_equal(events.clock.time, 1);
    assert_int_equal(events_send(&events, &p->turn, bytes_of_string("e"), bytes_of(payload, 400), false), HEARSAY_OK);
    assert_int_equal(events.clock.time, 2);
    assert_int_equal(p->rumors.queues[RUMOR_EVENT].count, 1);
    events_deinit(&events, &p->memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clock_that_hears_a_time_goes_beyond_it_and_never_back),
        TEST(an_event_is_new_once),
        TEST(an_event_older_than_the_ring_is_dropped),
        TEST(a_slot_taken_over_by_a_later_time_forgets_the_earlier),
        TEST(events_from_before_a_former_life_ended_are_not_delivered_again),
        TEST(an_event_too_large_is_refused_and_takes_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
