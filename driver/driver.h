/* SPDX-License-Identifier: MIT
 *
 * The whole driver, for the files that put it together: driver.c (life, outputs, the timer), wishes.c and run.c.
 */
#ifndef HEARSAY_DRIVER_DRIVER_H
#define HEARSAY_DRIVER_DRIVER_H

#include "event_copy.h"
#include "joins.h"
#include "packets.h"
#include "connections.h"

struct hearsay_uv {
    struct door door;
    struct packets packets;
    struct connections connections;
    struct joins joins;
    struct event_copy event_copy;
    uv_timer_t timer;
    uint64_t armed_for;       /* instant of the node's clock the timer is set to; UINT64_MAX = not set */
    bool is_settling;
    struct hearsay_address bound, advertised;
    struct hearsay_cipher cipher; /* nettle's, if the user gave none */
    void (*on_event)(struct hearsay_uv *uv, const struct hearsay_event *event, void *user);
    void (*on_persist)(struct hearsay_uv *uv, const struct hearsay_persist *persist, void *user);
    void *user;
    void (*on_left)(void *context); /* run.c waits for HEARSAY_LEAVE_DONE */
    void *left_context;
    void (*on_stopped)(void *user);
    void *stopped_user;
    uint8_t buffer[DOOR_BUFFER_SIZE];
};

#endif
