/* SPDX-License-Identifier: MIT
 *
 * Joins: from what people write ("host", "host:port", "[v6]:port", "name/host:port") to addresses, off the loop where a name server must be
 * asked; then hearsay_join, its results, and another try later if that is wished. Addresses written as numbers need no thread.
 */
#ifndef HEARSAY_DRIVER_JOINS_H
#define HEARSAY_DRIVER_JOINS_H

#include "door.h"

struct join;

struct joins {
    struct door *door;
    struct hearsay_uv *uv;   /* only to be handed to callbacks */
    struct join *first;
    uint32_t retry_ms;       /* 0 = do not */
    uint64_t deadline;       /* UINT64_MAX = none */
};

void joins_init(struct joins *j, struct door *door, struct hearsay_uv *uv, uint32_t retry_ms);
/* Ends all joins and says so to those who wait. Requests under way keep a hold on the door. */
void joins_stop(struct joins *j);
void joins_begin(struct joins *j, const char *const *peers, size_t count, bool replay, hearsay_uv_joined done, void *user);
/* A HEARSAY_JOIN_RESULT. */
void joins_on_result(struct joins *j, const struct hearsay_event *event);
/* Call at joins->deadline. */
void joins_expire(struct joins *j, uint64_t now);

#endif
