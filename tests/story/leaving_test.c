/* SPDX-License-Identifier: MIT
 *
 * Stories of leaving, by oneself and by order.
 */
#include "lib/story.h"

STORY(who_leaves_is_shown_as_left_and_may_stop)
{
    start(c, 8);
    leave(c, n3);
    expect_told_within(c, seconds(12), n3, HEARSAY_LEAVE_DONE, nobody);
    expect_sees(c, except(n3), n3, LEFT);
    crash(c, n3);
    advance(c, seconds(60));
    expect_sees(c, except(n3), n3, LEFT);
    expect_never_told(c, except(n3), HEARSAY_MEMBER_FAILED, n3);
    expect_never_told(c, except(n3), HEARSAY_MEMBER_SUSPECT, n3);
}

STORY(leaving_is_first_an_intent)
{
    start(c, 5);
    leave(c, n3);
    expect_sees_within(c, seconds(3), n1, n3, LEAVING);
    expect_sees_within(c, seconds(10), except(n3), n3, LEFT);
    struct hearsay_cause cause = last_cause(c, n1, HEARSAY_MEMBER_LEAVE, n3);
    expect(c, cause.reason == HEARSAY_BECAUSE_SAID_GOODBYE, "it said goodbye itself");
}

STORY(who_left_returns_by_joining)
{
    start(c, 5);
    leave(c, n3);
    expect_told_within(c, seconds(12), n3, HEARSAY_LEAVE_DONE, nobody);
    crash(c, n3);
    advance(c, seconds(5));
    restart(c, n3);
    join(c, n3, n1);
    expect_converged_within(c, seconds(3));
}

STORY(who_left_long_ago_returns_by_joining)
{
    start(c, 5);
    leave(c, n3);
    expect_told_within(c, seconds(12), n3, HEARSAY_LEAVE_DONE, nobody);
    crash(c, n3);
    advance(c, seconds(120)); /* memberlist has forgotten it */
    restart(c, n3);
    join(c, n3, n1);
    expect_converged_within(c, seconds(3));
}

STORY(all_but_one_leave_together)
{
    start(c, 8);
    leave(c, except(n1));
    expect_told_within(c, seconds(15), except(n1), HEARSAY_LEAVE_DONE, nobody);
    crash(c, except(n1));
    expect_sees_within(c, seconds(2), n1, except(n1), LEFT);
}

STORY(who_is_alone_leaves_at_once)
{
    start_apart(c, 1);
    leave(c, n1);
    expect_told_within(c, seconds(1), n1, HEARSAY_LEAVE_DONE, nobody);
}

STORY(leaving_gets_through_lossy_air)
{
    start(c, 10);
    lose(c, 0.2);
    leave(c, n3);
    expect_told_within(c, seconds(15), n3, HEARSAY_LEAVE_DONE, nobody);
    expect_sees_within(c, seconds(5), except(n3), n3, LEFT);
}

STORY(a_failed_member_is_sent_off_by_order)
{
    start(c, 6);
    crash(c, n3);
    expect_sees_within(c, seconds(40), except(n3), n3, DEAD);
    force_leave(c, n1, n3);
    expect_sees_within(c, seconds(2), except(n3), n3, LEFT);
}

STORY(a_pruned_member_is_forgotten)
{
    start(c, 6);
    crash(c, n3);
    expect_sees_within(c, seconds(40), except(n3), n3, DEAD);
    forget_for_good(c, n1, n3);
    expect_sees_within(c, seconds(2), except(n3), n3, NONE);
    advance(c, seconds(120));
    expect_sees(c, except(n3), n3, NONE);
}

STORY(a_live_member_denies_an_order_to_leave)
{
    start(c, 6);
    force_leave(c, n1, n3);
    expect_converged_within(c, seconds(5));
    advance(c, seconds(30));
    expect_converged_within(c, 0);
}

static void with_short_memories(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->reconnect_timeout_ms = 120000;
    options->tombstone_timeout_ms = 300000;
    options->reap_interval_ms = 5000;
}

/* Serf's two timers: who failed is forgotten after one, who left after the other, and each is told as reaped, once. */
STORY(who_failed_and_who_left_are_reaped_each_in_its_time)
{
    start_with(c, 6, with_short_memories);
    switch_off(c, n5);
    leave(c, n6);
    expect_told_within(c, seconds(20), n6, HEARSAY_LEAVE_DONE, nobody);
    switch_off(c, n6);
    expect_sees_within(c, seconds(60), from_to(1, 4), n5, DEAD);
    expect_sees_within(c, seconds(60), from_to(1, 4), n6, LEFT);
    expect_never_sees_for(c, seconds(55), from_to(1, 4), n5, NONE);
    expect_sees_within(c, seconds(90), from_to(1, 4), n5, NONE);
    expect_told_within(c, seconds(1), from_to(1, 4), HEARSAY_MEMBER_REAP, n5);
    expect_sees(c, from_to(1, 4), n6, LEFT);
    expect_sees_within(c, seconds(240), from_to(1, 4), n6, NONE);
    expect_told_within(c, seconds(1), from_to(1, 4), HEARSAY_MEMBER_REAP, n6);
    advance(c, seconds(60));
    expect(c, times_told(c, from_to(1, 4), HEARSAY_MEMBER_REAP, nobody) == 8, "each of four reaps two, once");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
