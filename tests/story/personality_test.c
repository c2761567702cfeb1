/* SPDX-License-Identifier: MIT
 *
 * Stories of plain memberlist clusters, and of nodes that keep strictly to memberlist's ways.
 */
#include "lib/story.h"

#include <string.h>

static void plain(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->personality = HEARSAY_MEMBERLIST;
    memset(options->delegate_versions, 0, sizeof options->delegate_versions);
}

static void strict(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    hearsay_options_memberlist(options);
}

static void half_strict(struct story *c, struct hearsay_options *options, unsigned number)
{
    if (number % 2 == 0) {
        strict(c, options, number);
    } else {
        plain(c, options, number);
    }
}

static void n3_is_plain(struct story *c, struct hearsay_options *options, unsigned number)
{
    if (number == 3) {
        plain(c, options, number);
    }
}

STORY(a_plain_cluster_meets_leaves_and_buries)
{
    start_with(c, 8, plain);
    leave(c, n2);
    expect_told_within(c, seconds(12), n2, HEARSAY_LEAVE_DONE, nobody);
    expect_sees_within(c, seconds(1), except(n2), n2, LEFT);
    crash(c, n2);
    crash(c, n3);
    expect_sees_within(c, seconds(40), except(n2 | n3), n3, DEAD);
}

STORY(a_raw_message_reaches_everybody_else_once)
{
    start_with(c, 10, plain);
    broadcast_message(c, n4, "silence");
    expect_heard_within(c, seconds(2), except(n4), "silence");
    advance(c, seconds(20));
    expect_heard_times(c, except(n4), "silence", 1);
    expect_heard_times(c, n4, "silence", 0);
}

STORY(strict_memberlist_nodes_do_what_memberlist_does)
{
    start_with(c, 10, strict);
    crash(c, n3);
    expect_sees_within(c, seconds(40), except(n3), n3, DEAD);
    restart(c, n3);
    join(c, n3, n1);
    expect_converged_within(c, seconds(5));
    expect(c, counters_of(c, n1)->pauses == 0, "nothing of our own is on");
}

STORY(a_strict_nodes_partition_stays_parted_as_memberlists_does)
{
    start_with(c, 6, strict);
    partition(c, from_to(1, 3), from_to(4, 6));
    advance(c, seconds(300));
    mend(c);
    advance(c, seconds(120));
    expect_agree_within(c, 0, from_to(1, 3));
    expect_agree_within(c, 0, from_to(4, 6));
}

STORY(strict_nodes_and_ours_live_together)
{
    start_with(c, 10, half_strict);
    broadcast_message(c, n2, "hello");
    expect_heard_within(c, seconds(3), except(n2), "hello");
    crash(c, n3 | n4);
    expect_sees_within(c, seconds(60), except(n3 | n4), n3 | n4, DEAD);
    expect_nobody_buried_for(c, seconds(30), nobody);
}

STORY(serf_and_plain_nodes_refuse_each_other)
{
    start_apart_with(c, 3, n3_is_plain);
    join(c, n2 | n3, n1);
    expect_join_fails_within(c, seconds(30), n3);
    expect_agree_within(c, seconds(2), n1 | n2);
    expect_agree_within(c, 0, n3);
}

STORY(serfs_events_are_unknown_to_plain_nodes)
{
    start_apart_with(c, 1, plain);
    hearsay_err err = hearsay_send_event(host_of(c, n1)->node, story_world(c)->now, "x", "", 0, false);
    expect(c, err == HEARSAY_ERR_PERSONALITY, "an event is refused");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
