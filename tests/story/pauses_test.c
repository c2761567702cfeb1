/* SPDX-License-Identifier: MIT
 *
 * Stories of pauses: a process that was stopped neither buries others for its own absence nor stays buried.
 */
#include "lib/story.h"

STORY(a_node_that_was_stopped_for_nine_seconds_buries_nobody)
{
    start(c, 10);
    freeze(c, n4);
    advance(c, seconds(9));
    thaw(c, n4);
    expect_nobody_buried_for(c, seconds(60), except(n4));
    expect(c, times_declared_dead(c, n4, everyone) == 0, "n4 declared nobody dead");
    expect_converged_within(c, 0);
    expect(c, counters_of(c, n4)->pauses > 0 && counters_of(c, n4)->paused_ms > 7000, "n4 knows that it was away");
}

STORY(a_node_stopped_for_a_minute_is_buried_and_welcomed_back)
{
    start(c, 10);
    freeze(c, n4);
    expect_sees_within(c, seconds(60), except(n4), n4, DEAD);
    advance(c, seconds(20));
    thaw(c, n4);
    expect_converged_within(c, seconds(5));
    advance(c, seconds(60));
    expect(c, times_declared_dead(c, n4, everyone) == 0, "n4 declared nobody dead");
    expect_converged_within(c, 0);
}

STORY(all_are_stopped_together_and_nobody_is_buried)
{
    start(c, 10);
    freeze(c, everyone);
    advance(c, seconds(120));
    thaw(c, everyone);
    expect_nobody_buried_for(c, seconds(60), nobody);
    expect_converged_within(c, 0);
}

STORY(half_are_stopped_for_nine_seconds)
{
    start(c, 10);
    freeze(c, from_to(1, 5));
    advance(c, seconds(9));
    thaw(c, from_to(1, 5));
    advance(c, seconds(60));
    expect(c, times_declared_dead(c, from_to(1, 5), everyone) == 0, "who was stopped declared nobody dead");
    expect_converged_within(c, 0);
}

/* 300 ms of every two seconds: detection may take a little longer, never forever. */
STORY(a_node_that_is_often_late_still_detects)
{
    start(c, 2);
    crash(c, n2);
    for (int i = 0; i < 10; i++) {
        freeze(c, n1);
        advance(c, ms(300));
        thaw(c, n1);
        advance(c, ms(1700));
    }
    expect_sees(c, n1, n2, DEAD);
}

STORY(pauses_of_one_node_again_and_again_bury_no_healthy_one)
{
    start(c, 10);
    for (int i = 0; i < 8; i++) {
        freeze(c, n4);
        advance(c, seconds(8));
        thaw(c, n4);
        advance(c, seconds(8));
    }
    expect(c, times_told(c, everyone, HEARSAY_MEMBER_FAILED, except(n4)) == 0, "nobody who was well was declared dead");
    expect_converged_within(c, seconds(10));
}

STORY(a_suspicion_does_not_ripen_while_its_holder_is_stopped)
{
    start(c, 10);
    cut(c, n4, everyone);
    advance(c, seconds(4));
    freeze(c, n4);
    mend(c);
    advance(c, seconds(60));
    expect(c, times_told(c, n4, HEARSAY_MEMBER_SUSPECT, nobody) > 0, "n4 suspects somebody when it is stopped");
    thaw(c, n4);
    advance(c, seconds(60));
    expect(c, times_declared_dead(c, n4, everyone) == 0, "n4 declared nobody dead");
    expect_converged_within(c, 0);
}

static void memberlists_time(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->attended_time = 0;
}

STORY(without_attended_time_a_pause_is_blamed_on_others_at_first)
{
    start_with(c, 10, memberlists_time);
    freeze(c, n4);
    advance(c, seconds(9));
    thaw(c, n4);
    advance(c, seconds(60));
    expect(c, counters_of(c, n4)->pauses == 0, "the switch is off");
    expect_converged_within(c, seconds(60));
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
