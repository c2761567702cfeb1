/* SPDX-License-Identifier: MIT
 *
 * Datagrams: one UDP socket, read until it is empty, written without waiting. Loss is normal: what the system does not take is
 * counted and dropped. It does not know what a datagram means.
 */
#ifndef HEARSAY_DRIVER_PACKETS_H
#define HEARSAY_DRIVER_PACKETS_H

#include "door.h"

struct packets {
    struct door *door;
    uv_poll_t poll;
    int fd, family;
    uint64_t unsent; /* the system refused them: no route, no buffer */
};

/* Takes over fd, bound to an address of family. False when the loop does not take it; then fd stays the caller's. */
bool packets_start(struct packets *p, struct door *door, int fd, int family);
void packets_stop(struct packets *p);
/* Receives until nothing is left, at most PACKETS_AT_ONCE. */
#define PACKETS_AT_ONCE 4096
void packets_drain(struct packets *p);
void packets_send(struct packets *p, const struct hearsay_address *to, struct hearsay_bytes bytes);

#endif
