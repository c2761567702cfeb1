/* SPDX-License-Identifier: MIT
 *
 * Stories of too much: events by the thousand, bounded queues, no false failures.
 */
#include "lib/story.h"

#include <stdio.h>

static void small_queues(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->queue_max = 256;
    options->compression = 0;
}

STORY(thousands_of_events_fill_queues_to_their_bound_and_harm_nobody)
{
    start_with(c, 10, small_queues);
    for (int i = 0; i < 300; i++) {
        char name[24];
        for (int k = 0; k < 10; k++) {
            (void)snprintf(name, sizeof name, "event-%d-%d", i, k);
            send_event(c, n(1 + (unsigned)k), name, "some payload of a middling size, as events have");
        }
        expect_nobody_buried_for(c, ms(10), nobody);
        expect(c, stats_of(c, n1).event_queue <= 256, "the queue of events keeps its bound");
    }
    expect(c, counters_of(c, n1)->drop_queue_full > 0, "the queue was full");
    expect_nobody_buried_for(c, seconds(20), nobody);
    expect_converged_within(c, seconds(1));
    expect(c, stats_of(c, n1).event_queue == 0, "the queue empties");
    send_event(c, n1, "afterwards", "");
    expect_heard_within(c, seconds(2), everyone, "afterwards");
}

STORY(a_crash_during_a_flood_of_events_is_still_found)
{
    start_with(c, 10, small_queues);
    crash(c, n3);
    for (int i = 0; i < 200; i++) {
        send_event(c, n1 | n2, i % 2 == 0 ? "even" : "odd", "payload");
        advance(c, ms(100));
    }
    expect_sees_within(c, seconds(10), except(n3), n3, DEAD);
    expect(c, times_told(c, everyone, HEARSAY_MEMBER_FAILED, except(n3)) == 0, "only the crashed one is declared dead");
}

STORY(eager_copies_stop_at_their_rate)
{
    start_with(c, 10, small_queues);
    uint64_t before = host_of(c, n1)->traffic.packets_out;
    for (int i = 0; i < 1000; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "e%d", i);
        send_event(c, n1, name, "");
        advance(c, ms(5));
    }
    double rate = (double)(host_of(c, n1)->traffic.packets_out - before) / 5;
    expect(c, rate < 200 + 60, "eager packets and ticks together stay below 260 a second (it is %.0f)", rate);
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
