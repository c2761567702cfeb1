/* SPDX-License-Identifier: MIT
 *
 * Stories of the switches: SWIM without suspicion, and Lifeguard's parts one by one.
 */
#include "lib/story.h"

static void without_suspicion(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->suspicion = 0;
}

/* SWIM, section 3: the first failed probe is the verdict. */
STORY(without_suspicion_the_first_failed_probe_is_the_verdict)
{
    start_with(c, 10, without_suspicion);
    crash(c, n3);
    span noticed = expect_sees_within(c, seconds(8), except(n3), n3, DEAD);
    expect(c, noticed >= ms(990), "one whole probe lies before it");
    expect_never_told(c, everyone, HEARSAY_MEMBER_SUSPECT, n3);
}

static void fixed_suspicion(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->lha_suspicion = 0;
}

STORY(without_lha_suspicion_the_timer_is_the_least_time)
{
    start_with(c, 10, fixed_suspicion);
    crash(c, n3);
    expect_sees_within(c, seconds(30), except(n3), n3, DEAD);
    for (unsigned i = 1; i <= 10; i++) {
        struct hearsay_cause death = last_cause(c, n(i), HEARSAY_MEMBER_FAILED, n3);
        if (death.reason == HEARSAY_BECAUSE_TIMER) {
            expect(c, death.timer_ran_ms >= 4000 && death.timer_ran_ms <= 4100, "n%u waited four seconds (%u ms)", i, death.timer_ran_ms);
        }
    }
}

static void impatient_probes(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->lha_probe = 0;
    options->healing = 0;
}

static void healing_off(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->healing = 0;
}

static uint64_t probes_in_isolation(struct story *c)
{
    cut(c, n1, everyone);
    advance(c, seconds(3));
    uint64_t before = counters_of(c, n1)->probes;
    advance(c, seconds(12));
    return counters_of(c, n1)->probes - before;
}

STORY(an_isolated_node_probes_slower_while_its_health_is_bad)
{
    start_with(c, 20, healing_off);
    uint64_t probes = probes_in_isolation(c);
    expect(c, stats_of(c, n1).health_score > 0, "n1 mistrusts itself");
    expect(c, probes <= 7, "it probes at less than half of its pace (%llu probes)", (unsigned long long)probes);
}

STORY(without_lha_probe_it_keeps_its_pace)
{
    start_with(c, 20, impatient_probes);
    uint64_t probes = probes_in_isolation(c);
    expect(c, probes >= 11, "it probes every second (%llu probes)", (unsigned long long)probes);
}

static void without_buddy(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->buddy = 0;
    options->nacks = 0;
}

STORY(without_buddy_and_nacks_the_cluster_works_all_the_same)
{
    start_with(c, 10, without_buddy);
    cut(c, n3, everyone);
    expect_sees_within(c, seconds(15), n1, n3, SUSPECT);
    mend(c);
    expect_converged_within(c, seconds(60));
    crash(c, n5);
    expect_sees_within(c, seconds(40), except(n5), n5, DEAD);
}

static void no_probes(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->probe_interval_ms = 0;
}

STORY(without_probes_nobody_is_ever_accused)
{
    start_with(c, 5, no_probes);
    crash(c, n3);
    expect_never_sees_for(c, seconds(60), everyone, everyone, SUSPECT);
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
