/* SPDX-License-Identifier: MIT
 *
 * A copy of the event that is being told. What an event points to lives only until the next call that takes the node, and those
 * who are told may make such calls.
 */
#ifndef HEARSAY_DRIVER_EVENT_COPY_H
#define HEARSAY_DRIVER_EVENT_COPY_H

#include <hearsay/hearsay.h>

struct event_copy {
    uint8_t *memory;
    size_t capacity;
    struct hearsay_event copy; /* lives until the next event_copy_make */
};

/* NULL when memory is out. */
const struct hearsay_event *event_copy_make(struct event_copy *e, const struct hearsay_event *event);
void event_copy_deinit(struct event_copy *e);

#endif
