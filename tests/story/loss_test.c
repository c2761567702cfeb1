/* SPDX-License-Identifier: MIT
 *
 * Stories of bad air: loss, bursts of loss, doubled and overtaken packets, slow and distant links.
 */
#include "lib/story.h"

STORY(ten_percent_of_loss_bury_nobody)
{
    start(c, 20);
    lose(c, 0.10);
    expect_nobody_buried_for(c, seconds(120), nobody);
    lose(c, 0);
    expect_converged_within(c, seconds(15));
}

STORY(a_quarter_lost_buries_nobody_for_good)
{
    start(c, 20);
    lose(c, 0.25);
    advance(c, seconds(120));
    lose(c, 0);
    expect_converged_within(c, seconds(30));
}

STORY(short_bursts_of_loss_bury_nobody)
{
    start(c, 20);
    burst(c, ms(150), seconds(4), 1.0);
    expect_nobody_buried_for(c, seconds(120), nobody);
    burst(c, 0, 0, 0);
    expect_converged_within(c, seconds(30));
}

/* Who is deaf for a second or two may miss a denial and then bury somebody, until the next exchange of lists sets it right. */
STORY(long_bursts_of_loss_bury_few_and_nobody_for_good)
{
    start(c, 20);
    burst(c, ms(400), seconds(4), 1.0);
    advance(c, seconds(120));
    unsigned verdicts = times_declared_dead(c, everyone, everyone);
    expect(c, verdicts <= 12, "in 2,400 probes at most a dozen are declared dead (%u)", verdicts);
    burst(c, 0, 0, 0);
    expect_converged_within(c, seconds(90));
}

STORY(events_survive_deaf_windows)
{
    start(c, 50);
    burst(c, ms(100), seconds(1), 1.0);
    advance(c, seconds(3));
    send_event(c, n1, "hello", "");
    advance(c, seconds(2));
    unsigned heard = times_told(c, everyone, HEARSAY_USER_EVENT, nobody);
    expect(c, heard >= 48, "nearly all hear it by gossip (%u of 50)", heard);
    expect_heard_within(c, seconds(150), everyone, "hello"); /* who was deaf all that time: from a list */
    expect_heard_times(c, everyone, "hello", 1);
}

STORY(doubled_and_overtaken_packets_change_nothing)
{
    start(c, 15);
    duplicate(c, 0.3);
    reorder(c, 0.3, ms(50));
    latency(c, ms(1), ms(20));
    send_event(c, n1, "hello", "");
    expect_heard_within(c, seconds(2), everyone, "hello");
    expect_never_sees_for(c, seconds(60), everyone, everyone, SUSPECT);
    expect_heard_times(c, everyone, "hello", 1);
    set_tag(c, n2, "colour", "green");
    expect_tag_within(c, seconds(2), everyone, n2, "colour", "green");
}

STORY(joining_works_through_heavy_loss)
{
    start_apart(c, 10);
    lose(c, 0.1);
    join(c, except(n1), n1);
    expect_joined_within(c, seconds(60), except(n1));
    lose(c, 0);
    expect_converged_within(c, seconds(40));
}

static void distant(struct story *c, struct hearsay_options *options, unsigned number)
{
    const char *name = options->name;
    (void)c;
    (void)number;
    hearsay_options_wan(options);
    options->name = name;
}

STORY(the_wan_profile_lives_with_long_distances)
{
    latency(c, ms(150), ms(100));
    start_with(c, 10, distant);
    lose(c, 0.02);
    expect_nobody_buried_for(c, seconds(120), nobody);
    lose(c, 0);
    crash(c, n3);
    expect_sees_within(c, seconds(250), except(n3), n3, DEAD);
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
