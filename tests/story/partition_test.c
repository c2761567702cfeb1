/* SPDX-License-Identifier: MIT
 *
 * Stories of partitions, and how the halves find each other again without anybody's help.
 */
#include "lib/story.h"

STORY(two_halves_part_bury_each_other_and_meet_again)
{
    start(c, 10);
    partition(c, from_to(1, 5), from_to(6, 10));
    expect_sees_within(c, seconds(60), from_to(1, 5), from_to(6, 10), DEAD);
    expect_sees_within(c, seconds(60), from_to(6, 10), from_to(1, 5), DEAD);
    expect_agree_within(c, seconds(5), from_to(1, 5));
    expect_agree_within(c, seconds(5), from_to(6, 10));
    mend(c);
    expect_converged_within(c, seconds(30));
}

/* The dead are long out of the list and nobody gossips to them any more: only the address book remembers. */
STORY(a_long_partition_heals_by_the_address_book)
{
    start(c, 10);
    partition(c, from_to(1, 5), from_to(6, 10));
    advance(c, seconds(600));
    expect_agree_within(c, seconds(1), from_to(1, 5));
    expect_agree_within(c, seconds(1), from_to(6, 10));
    mend(c);
    expect_converged_within(c, seconds(120));
}

STORY(three_parts_become_one_again)
{
    start(c, 12);
    partition(c, from_to(1, 4), from_to(5, 8));
    expect_sees_within(c, seconds(90), from_to(9, 12), from_to(1, 8), DEAD);
    advance(c, seconds(120));
    mend(c);
    expect_converged_within(c, seconds(60));
}

STORY(one_node_alone_finds_back_after_a_long_time)
{
    start(c, 8);
    cut(c, n5, everyone);
    advance(c, seconds(400));
    expect_sees(c, except(n5), n5, DEAD);
    expect_sees(c, n5, except(n5), DEAD);
    mend(c);
    expect_converged_within(c, seconds(90));
}

static void without_healing(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->healing = 0;
}

static void as_serf_reconnects(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->reconnect_interval_ms = 20000;
}

static uint64_t looks_of(struct story *c, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 1; i <= count; i++) {
        sum += counters_of(c, n(i))->looks;
    }
    return sum;
}

/* One of ten is gone for long. Each of the nine looks for it with a chance of one in nine, every 20 s on average: 30 looks in ten minutes, where
 * healing of our own makes hundreds. */
STORY(serfs_reconnect_interval_decides_how_often_the_failed_are_looked_for)
{
    start_with(c, 10, as_serf_reconnects);
    cut(c, n(10), everyone);
    expect_sees_within(c, seconds(60), from_to(1, 9), n(10), DEAD);
    advance(c, seconds(60)); /* the dead are told for half a minute */
    uint64_t before = looks_of(c, 9);
    advance(c, seconds(600));
    uint64_t looks = looks_of(c, 9) - before;
    expect(c, looks >= 8 && looks <= 70, "about 30 looks in ten minutes, not %llu", (unsigned long long)looks);
    mend(c);
    expect_converged_within(c, seconds(300));
}

STORY(without_healing_a_long_partition_stays)
{
    start_with(c, 6, without_healing);
    partition(c, from_to(1, 3), from_to(4, 6));
    advance(c, seconds(300));
    mend(c);
    advance(c, seconds(300));
    expect_agree_within(c, 0, from_to(1, 3));
    expect_agree_within(c, 0, from_to(4, 6));
}

STORY(who_was_remembered_from_a_former_life_is_found)
{
    start(c, 5);
    crash(c, n5);
    expect_sees_within(c, seconds(40), except(n5), n5, DEAD);
    advance(c, seconds(60));
    restart(c, n5);
    remember(c, n5, n2 | n3);
    expect_converged_within(c, seconds(60));
}

STORY(a_whole_cluster_that_loses_power_finds_back_by_memory)
{
    start(c, 6);
    crash(c, everyone);
    advance(c, seconds(10));
    restart(c, everyone);
    remember(c, everyone, everyone);
    expect_converged_within(c, seconds(60));
}

STORY(who_left_is_not_looked_for)
{
    start(c, 5);
    leave(c, n5);
    expect_told_within(c, seconds(15), n5, HEARSAY_LEAVE_DONE, nobody);
    crash(c, n5);
    advance(c, seconds(60));
    uint64_t before = host_of(c, n5)->traffic.packets_in;
    restart(c, n5);
    advance(c, seconds(120));
    expect(c, host_of(c, n5)->traffic.packets_in == before, "nobody calls on n5");
    expect_agree_within(c, 0, except(n5));
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
