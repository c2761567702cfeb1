/* SPDX-License-Identifier: MIT
 *
 * Stories of crashes: who notices, when at the earliest and at the latest, and on what evidence.
 */
#include "lib/story.h"

/* With n <= 10, four probe intervals is the least suspicion and six times that the longest; a member that is probed round robin waits at most
 * 2n - 1 intervals for its turn at one observer. */
STORY(a_crash_is_noticed_within_the_bounds_of_the_algorithm)
{
    start(c, 10);
    crash(c, n4);
    span suspected = expect_told_within(c, seconds(20), n1, HEARSAY_MEMBER_SUSPECT, n4);
    expect(c, suspected >= ms(990), "a probe runs a whole interval before anybody is suspected");
    expect_never_sees_for(c, seconds(3.5), except(n4), n4, DEAD);
    expect_sees_within(c, seconds(25), except(n4), n4, DEAD);
    expect_converged_within(c, seconds(1));
}

STORY(a_crash_is_usually_known_to_all_within_fifteen_seconds)
{
    start(c, 30);
    crash(c, n7);
    span first = expect_sees_within(c, seconds(15), except(n7), n7, DEAD);
    expect(c, first >= seconds(4), "nobody is buried before the least suspicion has passed");
}

STORY(all_hear_of_a_death_soon_after_the_first)
{
    start(c, 30);
    crash(c, n9);
    while (times_told(c, everyone, HEARSAY_MEMBER_FAILED, n9) == 0 && time_of(c) < seconds(60)) {
        advance(c, ms(10));
    }
    expect_sees_within(c, seconds(1), except(n9), n9, DEAD);
}

STORY(a_machine_that_is_switched_off_is_noticed_like_a_crash)
{
    start(c, 10);
    switch_off(c, n(10));
    expect_sees_within(c, seconds(45), from_to(1, 9), n(10), DEAD);
}

STORY(three_of_twenty_crash_at_once)
{
    start(c, 20);
    crash(c, n3 | n8 | n(15));
    expect_sees_within(c, seconds(40), except(n3 | n8 | n(15)), n3 | n8 | n(15), DEAD);
    expect_converged_within(c, seconds(1));
    expect_nobody_buried_for(c, seconds(20), nobody);
}

STORY(half_of_the_cluster_crashes_and_the_other_half_knows)
{
    start(c, 20);
    crash(c, from_to(11, 20));
    expect_sees_within(c, seconds(90), from_to(1, 10), from_to(11, 20), DEAD);
    expect_converged_within(c, seconds(5));
}

STORY(the_survivor_of_two_needs_no_confirmation)
{
    start(c, 2);
    crash(c, n2);
    span noticed = expect_sees_within(c, seconds(8), n1, n2, DEAD);
    expect(c, noticed >= seconds(4.9), "one probe and the least suspicion lie before it");
    struct hearsay_cause cause = last_cause(c, n1, HEARSAY_MEMBER_FAILED, n2);
    expect(c, cause.confirmations_wanted == 0 && cause.reason == HEARSAY_BECAUSE_TIMER, "nobody could have confirmed");
}

/* By default a relay's "no answer" comes just after the probe has ended: 500 ms until relays are asked, 500 ms that they wait. */
static void quick_relays(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->probe_timeout_ms = 300;
}

STORY(a_verdict_carries_its_evidence)
{
    start_with(c, 6, quick_relays);
    crash(c, n3);
    expect_sees_within(c, seconds(40), except(n3), n3, DEAD);
    unsigned by_own_probe = 0, by_own_timer = 0;
    for (unsigned i = 1; i <= 6; i++) {
        struct hearsay_cause suspicion = last_cause(c, n(i), HEARSAY_MEMBER_SUSPECT, n3);
        struct hearsay_cause death = last_cause(c, n(i), HEARSAY_MEMBER_FAILED, n3);
        if (suspicion.reason == HEARSAY_BECAUSE_PROBE_FAILED) {
            by_own_probe++;
            expect(c, suspicion.probe.direct == HEARSAY_PATH_SILENT && suspicion.probe.relays_asked == 3, "all paths of the probe are told");
            expect(c, suspicion.probe.stream == HEARSAY_PATH_REFUSED, "the stream was refused: the process is gone");
            expect(c, suspicion.probe.nacks == 3, "three relays said so too");
        }
        if (death.reason == HEARSAY_BECAUSE_TIMER) {
            by_own_timer++;
            expect(c, death.timer_min_ms == 4000 && death.timer_max_ms == 24000, "the timer's bounds are told");
            expect(c, death.timer_ran_ms >= 4000 && death.confirmations <= 2, "and how long it ran");
        }
    }
    expect(c, by_own_probe > 0 && by_own_timer > 0, "somebody's own probe and somebody's own timer were behind it");
}

STORY(a_process_that_restarts_at_once_is_no_failure)
{
    start(c, 8);
    crash(c, n5);
    restart(c, n5);
    join(c, n5, n1);
    expect_joined_within(c, seconds(2), n5);
    expect_nobody_buried_for(c, seconds(60), nobody);
    expect_converged_within(c, 0);
}

STORY(a_crashed_node_comes_back_under_its_name_and_address)
{
    start(c, 8);
    crash(c, n5);
    expect_sees_within(c, seconds(40), except(n5), n5, DEAD);
    restart(c, n5);
    join(c, n5, n2);
    expect_converged_within(c, seconds(2));
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
