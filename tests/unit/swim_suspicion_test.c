/* SPDX-License-Identifier: MIT
 *
 * The suspicion timer's published values (memberlist suspicion.go, Lifeguard section IV.B), purging, and the pace of exchanges.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parts.h"
#include "swim/probe.h"
#include "swim/push_pull.h"

#include <stdio.h>

static void many(struct parts *p, unsigned count)
{
    char name[16];
    for (unsigned i = 1; i < count; i++) {
        snprintf(name, sizeof name, "m%u", i);
        parts_alive(p, name, 1);
    }
    assert_int_equal(p->turn.population, count);
}

static uint64_t waits_ms(struct parts *p, const char *name)
{
    const struct suspicion *s = suspicion_find(&p->beliefs.suspicions, members_find(&p->beliefs.members, bytes_of_string(name)));
    assert_non_null(s);
    return (s->timer.at - s->started_at) / 1000;
}

static void ten_members_wait_24_s_then_11_and_4_with_confirmations(void **state)
{
    struct parts *p = *state;
    many(p, 10);
    parts_suspect(p, "m1", 1, "m2");
    assert_int_equal(waits_ms(p, "m1"), 24000);
    parts_suspect(p, "m1", 1, "m2"); /* the same accuser counts once */
    assert_int_equal(waits_ms(p, "m1"), 24000);
    parts_suspect(p, "m1", 1, "m3");
    assert_int_equal(waits_ms(p, "m1"), 11381); /* 24 - 20 ln 2 / ln 3 */
    parts_suspect(p, "m1", 1, "m4");
    assert_int_equal(waits_ms(p, "m1"), 4000);
    parts_suspect(p, "m1", 1, "m5");
    assert_int_equal(waits_ms(p, "m1"), 4000);
}

static void three_members_wait_4_s_and_no_confirmation_is_wanted(void **state)
{
    struct parts *p = *state;
    many(p, 3);
    parts_suspect(p, "m1", 1, "m2");
    assert_int_equal(waits_ms(p, "m1"), 4000);
}

static void the_least_time_grows_with_the_logarithm_of_the_cluster(void **state)
{
    struct parts *p = *state;
    static const struct { uint32_t n, ms; } values[] = {{1, 4000}, {10, 4000}, {100, 8000}, {128, 8428}, {1000, 12000}, {10000, 16000}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        p->turn.population = values[i].n;
        assert_int_equal(suspicion_least_ms(&p->turn), values[i].ms);
    }
}

static void a_late_confirmation_may_end_the_waiting_at_once(void **state)
{
    struct parts *p = *state;
    many(p, 10);
    parts_suspect(p, "m1", 1, "m2");
    parts_advance(p, 12000000);
    parts_suspect(p, "m1", 1, "m3");
    assert_true(timers_next(&p->timers) <= p->turn.now);
}

static void without_lifeguard_the_least_time_is_all_there_is(void **state)
{
    struct parts *p = *state;
    p->options.lha_suspicion = 0;
    many(p, 10);
    parts_suspect(p, "m1", 1, "m2");
    assert_int_equal(waits_ms(p, "m1"), 4000);
}

static void plain_swim_believes_the_first_accusation(void **state)
{
    struct parts *p = *state;
    p->options.suspicion = 0;
    many(p, 10);
    parts_suspect(p, "m1", 1, "m2");
    assert_int_equal(parts_member(p, "m1")->state, MESSAGE_STATE_DEAD);
}

static void exchanges_slow_down_as_the_cluster_doubles(void **state)
{
    struct parts *p = *state;
    static const struct { uint32_t n; uint64_t times; } values[] = {{1, 1}, {32, 1}, {33, 2}, {64, 2}, {65, 3}, {128, 3}, {129, 4}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        p->turn.population = values[i].n;
        assert_int_equal(push_pull_delay_us(&p->turn), 30000000 * values[i].times);
    }
}

/* The list is walked to its end and shuffled: whoever has been gone for longer than gossip_to_the_dead_ms is purged there. */
static void the_dead_are_purged_at_the_end_of_the_list_after_30_s(void **state)
{
    struct parts *p = *state;
    struct probe probe;
    many(p, 5);
    parts_dead(p, "m1", 1, "m2");
    probe_init(&probe, &p->turn);
    for (int round = 0; round < 45; round++) {
        parts_advance(p, 1000000);
        if (probe.round.at <= p->turn.now) {
            timers_cancel(&p->timers, &probe.round);
            probe_on_round(&probe, &p->beliefs, &p->turn);
            if (probe.target != NULL) {
                (void)probe_on_ack(&probe, &p->beliefs, &p->turn, probe.sequence, NULL);
            }
        }
        if (round < 29) {
            assert_int_equal(p->turn.population, 5);
        }
    }
    assert_int_equal(p->turn.population, 4);
    probe_deinit(&probe, &p->beliefs);
}

static void a_probe_that_fails_on_every_path_costs_one_point_of_health(void **state)
{
    struct parts *p = *state;
    struct probe probe;
    many(p, 2); /* nobody to ask for help, no nack to expect */
    probe_init(&probe, &p->turn);
    parts_advance(p, 1000000);
    timers_cancel(&p->timers, &probe.round);
    probe_on_round(&probe, &p->beliefs, &p->turn);
    assert_non_null(probe.target);
    (void)probe_on_timeout(&probe, &p->beliefs, &p->turn);
    parts_advance(p, 1000000);
    probe_on_end(&probe, &p->beliefs, &p->turn);
    assert_int_equal(p->beliefs.health.score, 1);
    assert_int_equal(parts_member(p, "m1")->state, MESSAGE_STATE_SUSPECT);
    probe_deinit(&probe, &p->beliefs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ten_members_wait_24_s_then_11_and_4_with_confirmations),
        TEST(three_members_wait_4_s_and_no_confirmation_is_wanted),
        TEST(the_least_time_grows_with_the_logarithm_of_the_cluster),
        TEST(a_late_confirmation_may_end_the_waiting_at_once),
        TEST(without_lifeguard_the_least_time_is_all_there_is),
        TEST(plain_swim_believes_the_first_accusation),
        TEST(exchanges_slow_down_as_the_cluster_doubles),
        TEST(the_dead_are_purged_at_the_end_of_the_list_after_30_s),
        TEST(a_probe_that_fails_on_every_path_costs_one_point_of_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
