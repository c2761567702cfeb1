/* SPDX-License-Identifier: MIT
 *
 * Streams: one listening TCP socket and the connections the node accepts or asks for. How many may be open and how long they may take
 * is the node's to say; the few rules here bound what the node no longer sees: a stream it has closed may take a while to hand over
 * its last bytes.
 */
#ifndef HEARSAY_DRIVER_CONNECTIONS_H
#define HEARSAY_DRIVER_CONNECTIONS_H

#include "door.h"

#define CONNECTIONS_BUCKETS 64 /* power of two */

struct connection;

struct connections {
    struct door *door;
    uv_poll_t poll;          /* of the listening socket */
    int listener, family;
    struct hearsay_address from; /* connections come from here, any port */
    struct connection *first;
    struct connection *buckets[CONNECTIONS_BUCKETS];
    uint32_t count, count_max;
    uint64_t linger_us;      /* for handing over last bytes */
    uint64_t accept_again_at;/* UINT64_MAX = we are accepting */
    uint64_t deadline;       /* earliest end of a lingering stream, or accept_again_at, or UINT64_MAX */
    uint64_t unaccepted;     /* refused for want of descriptors or places */
};

/* Takes over listener, which listens at bound. False when the loop does not take it; then listener stays the caller's. */
bool connections_start(struct connections *s, struct door *door, int listener, const struct hearsay_address *bound, uint32_t streams_max,
                   uint32_t linger_ms);
void connections_stop(struct connections *s);

/* Accepts whoever waits. */
void connections_accept(struct connections *s);
/* Reads, and reports connections that came about, without waiting for the loop to say so. */
void connections_drain(struct connections *s);
/* Call at connections->deadline. */
void connections_expire(struct connections *s, uint64_t now);

/* The node's outputs. */
void connections_open(struct connections *s, uint32_t id, const struct hearsay_address *to);
void connections_send(struct connections *s, uint32_t id, struct hearsay_bytes bytes);
void connections_close(struct connections *s, uint32_t id);

#endif
