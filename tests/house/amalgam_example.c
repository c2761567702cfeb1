/* SPDX-License-Identifier: MIT
 *
 * Two nodes in one program, without any I/O: what one sends the other receives, time is a number. Exits 0 when each sees the other. Built
 * from the two files of the amalgamation alone.
 */
#include "hearsay.h"

#include <stdio.h>

static struct hearsay_node *nodes[2];
static uint64_t now = 1000000;
static uint32_t streams[2]; /* the one stream between them, as each calls it */

static struct hearsay_address address_of(int i)
{
    return (struct hearsay_address){.bytes = {10, 0, 0, (uint8_t)(i + 1)}, .port = 7946, .size = 4};
}

static void deliver(int from)
{
    int to = 1 - from;
    struct hearsay_address source = address_of(from);
    struct hearsay_output output;
    while (hearsay_next_output(nodes[from], &output)) {
        switch (output.type) {
        case HEARSAY_SEND_PACKET:
            hearsay_receive_packet(nodes[to], now, &source, output.bytes.data, output.bytes.size);
            break;
        case HEARSAY_OPEN_STREAM:
            streams[from] = output.stream;
            streams[to] = hearsay_stream_accepted(nodes[to], now, &source);
            hearsay_stream_connected(nodes[from], now, output.stream);
            return; /* the output that was read is gone with the next call */
        case HEARSAY_SEND_STREAM:
            hearsay_receive_stream(nodes[to], now, streams[to], output.bytes.data, output.bytes.size);
            break;
        case HEARSAY_CLOSE_STREAM:
            hearsay_stream_closed(nodes[to], now, streams[to], HEARSAY_CLOSE_END);
            break;
        case HEARSAY_PERSIST: /* only with a store */
            break;
        case HEARSAY_NOTIFY:
            printf("node %d: %s %s\n", from, hearsay_event_text(output.event.type), output.event.member.name ? output.event.member.name : "");
            break;
        }
    }
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        struct hearsay_options options;
        hearsay_err err;
        hearsay_options_local(&options);
        options.name = i == 0 ? "left" : "right";
        options.advertise = address_of(i);
        options.seed = (uint64_t)i;
        nodes[i] = hearsay_create(&options, now, &err);
        if (nodes[i] == NULL) {
            puts(hearsay_err_text(err));
            return 1;
        }
    }
    struct hearsay_target target = {.address = address_of(0)};
    uint32_t ticket;
    if (hearsay_join(nodes[1], now, &target, 1, false, &ticket) != HEARSAY_OK) {
        return 1;
    }
    for (int step = 0; step < 2000; step++, now += 1000) {
        deliver(0);
        deliver(1);
        hearsay_tick(nodes[0], now);
        hearsay_tick(nodes[1], now);
    }
    struct hearsay_member member;
    int seen = hearsay_find_member(nodes[0], "right", &member) + hearsay_find_member(nodes[1], "left", &member);
    hearsay_destroy(nodes[0]);
    hearsay_destroy(nodes[1]);
    return seen == 2 ? 0 : 1;
}
