/* SPDX-License-Identifier: MIT
 *
 * Stories of accusations that turn out wrong, and of cuts that hit one member or one direction only.
 */
#include "lib/story.h"

STORY(an_isolated_node_is_suspected_then_declared_dead_then_welcomed_back)
{
    start(c, 5);
    cut(c, n3, everyone);
    expect_never_sees_for(c, seconds(0.9), except(n3), n3, SUSPECT);
    expect_sees_within(c, seconds(15), except(n3), n3, SUSPECT);
    expect_sees_within(c, seconds(30), except(n3), n3, DEAD);
    mend(c);
    expect_converged_within(c, seconds(15));
}

STORY(a_suspect_that_hears_of_it_denies_with_a_new_incarnation)
{
    start(c, 8);
    cut(c, n3, everyone);
    expect_sees_within(c, seconds(15), n1, n3, SUSPECT);
    mend(c);
    expect_sees_within(c, seconds(5), except(n3), n3, ALIVE);
    struct hearsay_member member;
    expect(c, hearsay_find_member(host_of(c, n1)->node, "n3", &member) && member.incarnation > 1, "n3 has a new incarnation");
    expect(c, counters_of(c, n3)->refutations > 0, "n3 denied");
    expect(c, times_told(c, everyone, HEARSAY_MEMBER_FAILED, n3) == 0, "nobody declared it dead");
    expect(c, times_told(c, n1, HEARSAY_MEMBER_ALIVE, n3) > 0, "n1 is told that nothing happened after all");
}

STORY(a_one_way_cut_is_survived_through_indirect_probes)
{
    start(c, 5);
    cut_one_way(c, n1, n2);
    expect_never_sees_for(c, seconds(60), everyone, n1 | n2, SUSPECT);
}

STORY(a_pair_that_cannot_talk_is_kept_alive_by_the_others)
{
    start(c, 5);
    cut(c, n1, n2);
    expect_never_sees_for(c, seconds(60), everyone, n1 | n2, SUSPECT);
}

/* What n3 says is lost, what it hears is not: it learns that it is accused, but its denials do not get out. */
STORY(a_node_that_cannot_be_heard_is_declared_dead_and_comes_back)
{
    start(c, 6);
    cut_one_way(c, n3, everyone);
    expect_sees_within(c, seconds(40), except(n3), n3, DEAD);
    mend(c);
    expect_converged_within(c, seconds(20));
}

STORY(a_flapping_link_does_no_lasting_harm)
{
    start(c, 8);
    for (int i = 0; i < 15; i++) {
        cut(c, n3, everyone);
        advance(c, seconds(2));
        mend(c);
        advance(c, seconds(4));
    }
    expect(c, times_declared_dead(c, except(n3), except(n3)) == 0, "nobody behind a good link was declared dead by another");
    expect_converged_within(c, seconds(40));
    expect_nobody_buried_for(c, seconds(60), nobody);
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
