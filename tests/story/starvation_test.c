/* SPDX-License-Identifier: MIT
 *
 * Stories of starvation: every process runs only now and then. No false failures, and a real crash is still found.
 */
#include "lib/story.h"

STORY(all_run_20_ms_of_every_400_and_nobody_is_buried)
{
    start(c, 20);
    starve(c, everyone, ms(20), ms(400));
    expect_nobody_buried_for(c, seconds(120), nobody);
    feed(c, everyone);
    expect_converged_within(c, seconds(20));
}

STORY(all_run_20_ms_of_every_second_and_nobody_is_buried)
{
    start(c, 20);
    starve(c, everyone, ms(20), seconds(1));
    expect_nobody_buried_for(c, seconds(120), nobody);
    feed(c, everyone);
    expect_converged_within(c, seconds(20));
}

STORY(one_of_ten_starves_and_accuses_in_vain)
{
    start(c, 10);
    starve(c, n4, ms(20), seconds(2));
    expect_nobody_buried_for(c, seconds(120), n4);
    feed(c, n4);
    expect_converged_within(c, seconds(20));
}

STORY(a_crash_among_the_starving_is_found)
{
    start(c, 20);
    starve(c, everyone, ms(20), ms(400));
    advance(c, seconds(10));
    crash(c, n7);
    expect_sees_within(c, seconds(60), except(n7), n7, DEAD);
    expect(c, times_told(c, everyone, HEARSAY_MEMBER_FAILED, except(n7)) == 0, "only the crashed one is declared dead");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
