/* SPDX-License-Identifier: MIT
 *
 * Stories of joining: chains, crowds, busy and absent peers.
 */
#include "lib/story.h"

#define CROWD 50

STORY(a_chain_of_joins_makes_one_cluster)
{
    start_apart(c, 12);
    for (unsigned i = 2; i <= 12; i++) {
        join(c, n(i), n(i - 1));
    }
    expect_converged_within(c, seconds(5));
}

STORY(fifty_meet_at_once_through_one_seed)
{
    start_apart(c, CROWD);
    join(c, except(n1), n1);
    expect_joined_within(c, seconds(5), except(n1));
    expect_converged_within(c, seconds(5));
}

static void n1_talks_with_few(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    options->push_pulls_max = number == 1 ? 4 : 128;
}

STORY(a_busy_peer_is_tried_again_until_all_are_in)
{
    start_apart_with(c, 20, n1_talks_with_few);
    latency(c, ms(5), ms(5));
    join(c, except(n1), n1);
    expect_joined_within(c, seconds(10), except(n1));
    expect(c, counters_of(c, n1)->drop_stream_limit > 0, "n1 had to refuse somebody");
    expect_converged_within(c, seconds(5));
}

STORY(a_join_where_nobody_listens_fails_and_says_so)
{
    start_apart(c, 2);
    crash(c, n2);
    join(c, n1, n2);
    expect_join_fails_within(c, seconds(10), n1);
    expect_converged_within(c, 0);
}

STORY(a_join_to_a_silent_machine_times_out)
{
    start_apart(c, 2);
    switch_off(c, n2);
    join(c, n1, n2);
    span waited = expect_join_fails_within(c, seconds(11), n1);
    expect(c, waited >= seconds(9.9), "it was patient for the whole stream timeout");
}

STORY(one_address_that_answers_is_enough)
{
    start_apart(c, 4);
    crash(c, n2);
    switch_off(c, n3);
    join(c, n1, n2 | n3 | n4);
    expect_joined_within(c, seconds(15), n1);
    expect_converged_within(c, seconds(2));
}

STORY(a_peer_that_starts_a_moment_later_is_still_met)
{
    start_apart(c, 2);
    crash(c, n2);
    join(c, n1, n2);
    advance(c, ms(100));
    restart(c, n2);
    expect_joined_within(c, seconds(3), n1);
    expect_converged_within(c, seconds(1));
}

STORY(two_clusters_become_one_when_any_two_members_meet)
{
    start_apart(c, 8);
    join(c, from_to(2, 4), n1);
    join(c, from_to(6, 8), n5);
    expect_agree_within(c, seconds(5), from_to(1, 4));
    expect_agree_within(c, seconds(5), from_to(5, 8));
    join(c, n7, n2);
    expect_converged_within(c, seconds(5));
}

STORY(a_join_through_a_frozen_peer_goes_on_when_it_thaws)
{
    start_apart(c, 2);
    freeze(c, n2);
    join(c, n1, n2);
    advance(c, seconds(3));
    thaw(c, n2);
    expect_joined_within(c, seconds(1), n1);
    expect_converged_within(c, seconds(1));
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
