/* SPDX-License-Identifier: MIT
 *
 * The core alone, on bare epoll: no libuv, no threads.    epoll NAME IP [PEER_IP]    (everybody on port 7946) */
#include "plain_sockets.h"
#include <hearsay/hearsay.h>

static void carry_out(const struct hearsay_output *out)
{
    const char *name = out->event.member.name;
    switch (out->type) {
    case HEARSAY_SEND_PACKET: send_packet(&out->address, out->bytes); break;
    case HEARSAY_OPEN_STREAM: watch(open_socket(SOCK_STREAM, connect, &out->address), EPOLLOUT, out->stream); break;
    case HEARSAY_SEND_STREAM: send(find_stream(out->stream), out->bytes.data, out->bytes.size, MSG_NOSIGNAL); break;
    case HEARSAY_CLOSE_STREAM: close(find_stream(out->stream)); break;
    case HEARSAY_PERSIST: /* only with a store, which this has not */
    case HEARSAY_NOTIFY: printf("%s %s\n", hearsay_event_text(out->event.type), name != NULL ? name : ""); break;
    }
}

static void take_in(struct hearsay_node *node, int fd, uint32_t stream, uint32_t events)
{
    struct hearsay_address from;
    ssize_t size = receive(fd, &from); /* of the listening socket: a new descriptor */
    if (fd == udp && size >= 0) {
        hearsay_receive_packet(node, now(), &from, buffer, (size_t)size);
    } else if (fd == tcp && size >= 0) {
        watch((int)size, EPOLLIN, hearsay_stream_accepted(node, now(), &from));
    } else if (events == EPOLLOUT) {
        watch(fd, EPOLLIN, stream);
        hearsay_stream_connected(node, now(), stream);
    } else if (size > 0) {
        hearsay_receive_stream(node, now(), stream, buffer, (size_t)size);
    } else if (stream != 0) {
        close(fd);
        hearsay_stream_closed(node, now(), stream, HEARSAY_CLOSE_END);
    }
}

int main(int argc, char **argv)
{
    struct hearsay_options options;
    struct hearsay_output output;
    struct hearsay_target peer = {.address = address_of(argv[argc - 1])};
    uint32_t ticket;
    hearsay_options_lan(&options);
    options.name = argv[1];
    options.advertise = address_of(argv[2]);
    open_sockets(&options.advertise);
    struct hearsay_node *node = hearsay_create(&options, now(), NULL);
    hearsay_err err = argc > 3 ? hearsay_join(node, now(), &peer, 1, false, &ticket) : HEARSAY_OK;
    for (struct epoll_event event; err == HEARSAY_OK;) {
        for (; hearsay_next_output(node, &output); carry_out(&output)) {
        }
        if (wait_until(hearsay_next_deadline(node), &event)) {
            take_in(node, (int)event.data.u64, (uint32_t)(event.data.u64 >> 32), event.events);
        } else {
            hearsay_tick(node, now()); /* only when nothing is left to read */
        }
    }
}
