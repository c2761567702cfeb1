/* SPDX-License-Identifier: MIT
 *
 * The budget of an idle cluster: packets, wake-ups and bytes per node and second.
 */
#include "lib/story.h"

STORY(an_idle_hundred_says_little_and_sleeps_well)
{
    start(c, 100);
    advance(c, seconds(30));
    struct host_traffic before[100];
    for (unsigned i = 0; i < 100; i++) {
        before[i] = story_world(c)->hosts[i]->traffic;
    }
    advance(c, seconds(60));
    double packets = 0, wakes = 0, bytes = 0, most = 0;
    for (unsigned i = 0; i < 100; i++) {
        const struct host_traffic *after = &story_world(c)->hosts[i]->traffic;
        double own = (double)(after->wakes - before[i].wakes) / 60;
        packets += (double)(after->packets_out - before[i].packets_out) / 6000;
        bytes += (double)(after->packet_bytes_out - before[i].packet_bytes_out) / 6000;
        wakes += own / 100;
        most = own > most ? own : most;
    }
    expect(c, packets >= 1.9 && packets <= 2.2, "about two packets per node and second: a ping and an ack (%.2f)", packets);
    expect(c, wakes <= 5, "at most five wake-ups per node and second on average (%.2f)", wakes);
    expect(c, most <= 8, "at most eight at any node (%.2f)", most);
    expect(c, bytes <= 300, "at most 300 bytes per node and second (%.0f)", bytes);
}

STORY(one_node_alone_sleeps)
{
    start_apart(c, 1);
    advance(c, seconds(10));
    uint64_t before = host_of(c, n1)->traffic.wakes;
    advance(c, seconds(60));
    double wakes = (double)(host_of(c, n1)->traffic.wakes - before) / 60;
    expect(c, wakes <= 1.2, "it wakes for its probe rounds only (%.2f)", wakes);
    expect(c, host_of(c, n1)->traffic.packets_out == 0, "and says nothing");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
