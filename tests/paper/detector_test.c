/* SPDX-License-Identifier: MIT
 *
 * What is published about the failure detector, held against ours: A. Das et al., "SWIM" (2002), and A. Dadgar et al., "Lifeguard" (2017).
 * Each test's name is the claim.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parts.h"
#include "swim/probe.h"

#include <stdio.h>

#define OTHERS 12

static void meet(struct parts *p, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%u", i);
        parts_alive(p, name, 1);
    }
}

static const struct identity *next_round(struct parts *p, struct probe *probe)
{
    p->turn.now = p->turn.host_now = probe->round.at;
    timers_cancel(&p->timers, &probe->round);
    probe_on_round(probe, &p->beliefs, &p->turn);
    return probe->target;
}

/* SWIM, section 4.3: "successive selections of the same target are at most (2 n_i - 1) apart", so the time of detection is bounded. */
static void successive_probes_of_a_member_are_at_most_2n_minus_1_rounds_apart(void **state)
{
    struct parts *p = *state;
    struct probe probe;
    unsigned last[OTHERS] = {0}, seen[OTHERS] = {0}, widest = 0;
    meet(p, OTHERS);
    probe_init(&probe, &p->turn);
    for (unsigned round = 1; round <= 200 * OTHERS; round++) {
        const struct identity *target = next_round(p, &probe);
        assert_non_null(target);
        unsigned i;
        assert_int_equal(sscanf(target->name, "m%u", &i), 1);
        unsigned gap = round - last[i];
        assert_true(gap <= 2 * OTHERS - 1);
        widest = gap > widest ? gap : widest;
        last[i] = round;
        seen[i]++;
        assert_true(probe_on_ack(&probe, &p->beliefs, &p->turn, probe.sequence, NULL));
    }
    assert_true(widest > OTHERS); /* the order does change between the passes */
    for (unsigned i = 0; i < OTHERS; i++) {
        assert_int_equal(seen[i], 200); /* each once per pass */
    }
    probe_deinit(&probe, &p->beliefs);
}

/* Lifeguard, section IV.B: timeout = max(Min, Max - (Max - Min) log(C + 1) / log(K + 1)), here K = 3, Min = 5 s, Max = 30 s. */
static void the_suspicion_timeout_falls_with_the_logarithm_of_the_confirmations(void **state)
{
    struct parts *p = *state;
    static const uint64_t timeout_ms[] = {30000, 17500, 10187, 5000};
    static const char *const accusers[] = {"m2", "m3", "m4", "m5"};
    p->options.suspicion_mult = 5;
    meet(p, 9);
    uint64_t start = p->turn.now;
    for (unsigned c = 0; c < 4; c++) {
        parts_suspect(p, "m1", 1, accusers[c]);
        assert_int_equal(p->beliefs.suspicions.first->timer.at - start, timeout_ms[c] * 1000);
    }
    parts_suspect(p, "m1", 1, "m6"); /* more than K change nothing */
    assert_int_equal(p->beliefs.suspicions.first->timer.at - start, 5000000);
}

/* Lifeguard, section IV.A: ProbeInterval = BaseProbeInterval (LHM(S) + 1), with S = 8. */
static void a_probe_is_given_the_local_health_multiplier_plus_one_intervals(void **state)
{
    struct parts *p = *state;
    struct probe probe;
    meet(p, 9);
    for (uint8_t score = 0; score < 8; score++) {
        probe_init(&probe, &p->turn);
        p->beliefs.health.score = score;
        assert_non_null(next_round(p, &probe));
        assert_int_equal(probe.end.at - p->turn.now, 1000000u * (score + 1u));
        timers_cancel(&p->timers, &probe.round);
        timers_cancel(&p->timers, &probe.timeout);
        timers_cancel(&p->timers, &probe.end);
        probe_deinit(&probe, &p->beliefs);
    }
}

/* Lifeguard, section IV.A: the counter saturates at 0 and S; a successful probe counts -1, a refutation +1. */
static void the_local_health_multiplier_stays_between_0_and_s(void **state)
{
    struct parts *p = *state;
    for (uint32_t i = 0; i < 20; i++) {
        parts_suspect(p, "me", 1000 * (i + 1), "x"); /* each must be refuted */
    }
    assert_int_equal(p->beliefs.health.score, 7);
    for (unsigned i = 0; i < 20; i++) {
        health_change(&p->beliefs.health, &p->turn, -1);
    }
    assert_int_equal(p->beliefs.health.score, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(successive_probes_of_a_member_are_at_most_2n_minus_1_rounds_apart),
        TEST(the_suspicion_timeout_falls_with_the_logarithm_of_the_confirmations),
        TEST(a_probe_is_given_the_local_health_multiplier_plus_one_intervals),
        TEST(the_local_health_multiplier_stays_between_0_and_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
