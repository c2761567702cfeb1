/* SPDX-License-Identifier: MIT
 *
 * Stories of user events and tags: everybody hears, soon, and once.
 */
#include "lib/story.h"

#include <stdio.h>

STORY(a_hundred_hear_an_event_within_a_twentieth_of_a_second)
{
    start(c, 100);
    send_event(c, n7, "deploy", "version 7");
    span half = 0;
    unsigned all = 0;
    uint64_t began = story_world(c)->now;
    while (all < 100 && story_world(c)->now - began < ms(50)) {
        advance(c, ms(1));
        all = times_told(c, everyone, HEARSAY_USER_EVENT, nobody);
        half = half == 0 && all >= 50 ? story_world(c)->now - began : half;
    }
    expect(c, half > 0 && half <= ms(25), "half have heard within 25 ms (it took %.0f)", (double)half / 1e3);
    expect(c, all >= 98, "all but a straggler or two have heard within 50 ms (%u have)", all);
    expect_heard_within(c, ms(350), everyone, "deploy");
    advance(c, seconds(10));
    expect_heard_times(c, everyone, "deploy", 1);
}

static void ticks_only(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->eager = 0;
}

STORY(without_eager_copies_ticks_bring_it_to_all)
{
    start_with(c, 50, ticks_only);
    send_event(c, n7, "deploy", "");
    span all = expect_heard_within(c, seconds(3), everyone, "deploy");
    expect(c, all > ms(150), "ticks of 200 ms are slower (it took %.0f ms)", (double)all / 1e3);
    advance(c, seconds(10));
    expect_heard_times(c, everyone, "deploy", 1);
}

STORY(many_send_at_once_and_each_event_is_heard_once_by_all)
{
    start(c, 20);
    char name[16];
    for (unsigned i = 1; i <= 20; i++) {
        (void)snprintf(name, sizeof name, "from-%u", i);
        send_event(c, n(i), name, "payload");
    }
    for (unsigned i = 1; i <= 20; i++) {
        (void)snprintf(name, sizeof name, "from-%u", i);
        expect_heard_within(c, seconds(2), everyone, name);
    }
    advance(c, seconds(60));
    for (unsigned i = 1; i <= 20; i++) {
        (void)snprintf(name, sizeof name, "from-%u", i);
        expect_heard_times(c, everyone, name, 1);
    }
}

STORY(who_joins_later_does_not_hear_old_events)
{
    start(c, 5);
    crash(c, n5);
    expect_sees_within(c, seconds(40), except(n5), n5, DEAD);
    send_event(c, n1, "old", "");
    expect_heard_within(c, seconds(1), except(n5), "old");
    advance(c, seconds(10));
    restart(c, n5);
    join(c, n5, n1);
    expect_converged_within(c, seconds(2));
    advance(c, seconds(60));
    expect_heard_times(c, n5, "old", 0);
    send_event(c, n1, "new", "");
    expect_heard_within(c, seconds(1), everyone, "new");
}

static void curious(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    options->replay_on_join = number == 5;
}

STORY(who_asks_for_it_hears_the_old_events_once)
{
    start_with(c, 5, curious);
    crash(c, n5);
    expect_sees_within(c, seconds(40), except(n5), n5, DEAD);
    send_event(c, n1, "old", "");
    advance(c, seconds(10));
    restart(c, n5);
    join(c, n5, n1);
    expect_heard_within(c, seconds(2), n5, "old");
    advance(c, seconds(60));
    expect_heard_times(c, everyone, "old", 1);
}

STORY(who_missed_an_event_gets_it_by_push_pull)
{
    start(c, 6);
    cut(c, n5, everyone);
    send_event(c, n1, "missed", "");
    advance(c, seconds(3));
    expect_heard_times(c, n5, "missed", 0);
    mend(c);
    expect_heard_within(c, seconds(60), n5, "missed");
    advance(c, seconds(60));
    expect_heard_times(c, everyone, "missed", 1);
}

STORY(new_tags_are_soon_seen_by_all)
{
    start(c, 20);
    set_tag(c, n3, "role", "web");
    expect_tag_within(c, ms(500), everyone, n3, "role", "web");
    expect_told_within(c, 0, except(n3), HEARSAY_MEMBER_UPDATE, n3);
    set_tag(c, n3, "role", "database");
    expect_tag_within(c, ms(500), everyone, n3, "role", "database");
}

STORY(tags_changed_behind_a_partition_arrive_when_it_heals)
{
    start(c, 8);
    partition(c, from_to(1, 4), from_to(5, 8));
    advance(c, seconds(60));
    set_tag(c, n3, "role", "web");
    advance(c, seconds(5));
    mend(c);
    expect_tag_within(c, seconds(60), everyone, n3, "role", "web");
    expect_converged_within(c, seconds(10));
}

STORY(an_event_that_is_too_large_is_refused)
{
    static char payload[1000];
    start(c, 2);
    hearsay_err err = hearsay_send_event(host_of(c, n1)->node, story_world(c)->now, "big", payload, sizeof payload, false);
    expect(c, err == HEARSAY_ERR_TOO_LARGE, "it is refused");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
