/* SPDX-License-Identifier: MIT
 *
 * Stories of names and addresses: restarts elsewhere, conflicts, and addresses that went to another cluster.
 */
#include "lib/story.h"

#include <string.h>

static void names_come_free_after_five_seconds(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->dead_reclaim_ms = 5000;
}

STORY(a_dead_members_name_comes_back_from_a_new_address)
{
    start_with(c, 6, names_come_free_after_five_seconds);
    crash(c, n4);
    expect_sees_within(c, seconds(40), except(n4), n4, DEAD);
    advance(c, seconds(6));
    restart_at_new_address(c, n4);
    join(c, n4, n1);
    expect_converged_within(c, seconds(5));
    expect(c, last_cause(c, n1, HEARSAY_MEMBER_JOIN, n4).reason == HEARSAY_BECAUSE_NAME_RECLAIMED, "n1 knows that the name was reclaimed");
}

STORY(a_name_is_not_given_away_before_its_time)
{
    start_with(c, 6, names_come_free_after_five_seconds);
    crash(c, n4);
    expect_sees_within(c, seconds(40), except(n4), n4, DEAD);
    restart_at_new_address(c, n4);
    join(c, n4, n1);
    expect_told_within(c, seconds(1), n1, HEARSAY_CONFLICT, n4);
    expect_sees(c, n1, n4, DEAD);
}

STORY(by_default_a_dead_members_name_stays_with_its_address)
{
    start(c, 6);
    crash(c, n4);
    expect_sees_within(c, seconds(40), except(n4), n4, DEAD);
    restart_at_new_address(c, n4);
    join(c, n4, n1);
    expect_told_within(c, seconds(2), n1, HEARSAY_CONFLICT, n4);
    expect_sees(c, n1, n4, DEAD);
}

STORY(who_left_may_come_back_from_anywhere)
{
    start(c, 6);
    leave(c, n4);
    expect_told_within(c, seconds(15), n4, HEARSAY_LEAVE_DONE, nobody);
    crash(c, n4);
    expect_sees_within(c, seconds(2), except(n4), n4, LEFT);
    restart_at_new_address(c, n4);
    join(c, n4, n1);
    expect_converged_within(c, seconds(5));
}

STORY(two_claim_one_name_and_the_old_address_is_kept)
{
    start(c, 6);
    crash(c, n6);
    expect_sees_within(c, seconds(40), from_to(1, 5), n6, DEAD);
    struct hearsay_address old = world_address(host_of(c, n3)->place);
    restart_as(c, n6, n3);
    join(c, n6, n1);
    expect_told_within(c, seconds(2), n1, HEARSAY_CONFLICT, n3);
    advance(c, seconds(30));
    struct hearsay_member member;
    for (unsigned i = 1; i <= 5; i++) {
        bool is_known = hearsay_find_member(host_of(c, n(i))->node, "n3", &member);
        expect(c, is_known && member.status == HEARSAY_ALIVE, "n%u shows n3 alive", i);
        expect(c, memcmp(member.address.bytes, old.bytes, 4) == 0, "n%u keeps n3's address", i);
    }
    expect(c, counters_of(c, n1)->conflicts > 0, "the conflict is counted");
}

/* Two clusters; a machine of the second gets the address of a dead machine of the first. */
static void two_clusters_of_three(struct story *c)
{
    start_apart(c, 6);
    join(c, n2 | n3, n1);
    join(c, n5 | n6, n4);
    expect_agree_within(c, seconds(5), from_to(1, 3));
    expect_agree_within(c, seconds(5), from_to(4, 6));
    advance(c, seconds(5));
    crash(c, n3 | n6);
}

STORY(an_address_that_went_to_another_cluster_fuses_nothing)
{
    two_clusters_of_three(c);
    expect_sees_within(c, seconds(40), n1 | n2, n3, DEAD);
    restart_at_address_of(c, n6, n3);
    join(c, n6, n4);
    advance(c, seconds(600));
    expect_agree_within(c, 0, n1 | n2);
    expect_sees(c, n1 | n2, from_to(4, 6), NONE);
    expect_sees(c, from_to(4, 6), from_to(1, 3), NONE);
}

STORY(an_address_reused_before_the_death_is_noticed_fuses_nothing)
{
    two_clusters_of_three(c);
    restart_at_address_of(c, n6, n3);
    join(c, n6, n4);
    expect_sees_within(c, seconds(60), n1 | n2, n3, DEAD);
    advance(c, seconds(600));
    expect_sees(c, n1 | n2, from_to(4, 6), NONE);
    expect_sees(c, from_to(4, 6), from_to(1, 3), NONE);
}

/* The hardest case: another cluster's member has the very name, too. */
STORY(a_foreign_cluster_is_recognised_even_under_a_known_name)
{
    two_clusters_of_three(c);
    expect_sees_within(c, seconds(40), n1 | n2, n3, DEAD);
    struct host *stranger = host_of(c, n6);
    host_move(stranger, host_of(c, n3)->place);
    restart_as(c, n6, n3);
    join(c, n6, n4);
    advance(c, seconds(300));
    expect(c, times_told(c, n1 | n2, HEARSAY_FOREIGN_CLUSTER, nobody) > 0, "somebody is told of the foreign cluster");
    expect_sees(c, n1 | n2, n3, DEAD);
    expect_sees(c, n1 | n2, n4 | n5, NONE);
    expect_sees(c, n4 | n5, n1 | n2, NONE);
    expect_sees(c, n4 | n5, n3, ALIVE);
}

STORY(the_majority_gives_a_disputed_name_to_who_was_there_first)
{
    start(c, 9);
    start_apart(c, 1);
    crash(c, n(10));
    restart_as(c, n(10), n4);
    join(c, n(10), n1);
    expect_told_within(c, seconds(10), n(10), HEARSAY_CONFLICT, nobody);
    expect_told_within(c, seconds(10), n(10), HEARSAY_CONFLICT_RESOLVED, nobody);
    expect(c, !last_end(c, n(10)).is_ok, "the newcomer loses");
    crash(c, n(10)); /* as its host does then */
    advance(c, seconds(20));
    struct hearsay_event first = last_end(c, n4);
    expect(c, first.type == HEARSAY_EVENT_COUNT || (first.type == HEARSAY_CONFLICT_RESOLVED && first.is_ok && first.acks >= 5),
           "if n4 had to ask, it keeps its name (%u of %u agree)", first.acks, first.answers);
    expect_sees(c, from_to(1, 9), n4, ALIVE);
}

static void nobody_asks(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->name_conflicts = 0;
}

STORY(with_resolution_off_nobody_asks_and_nobody_stops)
{
    start_with(c, 5, nobody_asks);
    start_apart_with(c, 1, nobody_asks);
    crash(c, n6);
    restart_as(c, n6, n4);
    join(c, n6, n1);
    expect_told_within(c, seconds(10), n6, HEARSAY_CONFLICT, nobody);
    advance(c, seconds(20));
    expect_never_told(c, everyone, HEARSAY_CONFLICT_RESOLVED, nobody);
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
