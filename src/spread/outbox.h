/* SPDX-License-Identifier: MIT
 *
 * The outbox: everything a turn wants done, oldest first, in one growing piece of memory that empties between inputs.
 * Strings of events are copied in. When memory is out an output is lost, as a packet would be, and counted.
 */
#ifndef HEARSAY_SPREAD_OUTBOX_H
#define HEARSAY_SPREAD_OUTBOX_H

#include "base/memory.h"
#include <hearsay/hearsay.h>

struct outbox {
    struct buffer entries;
    size_t taken;     /* where the next output starts */
    size_t open_at;   /* start of the entry being written */
    uint64_t *lost;   /* counter of outputs lost for want of memory */
};

void outbox_init(struct outbox *o, const struct hearsay_allocator *memory, uint64_t *lost);
void outbox_deinit(struct outbox *o);

/* Starts an output whose bytes the caller appends to the buffer answered (NULL when memory is out: forget it). Exactly one of
 * outbox_end and outbox_abort follows. */
struct buffer *outbox_begin(struct outbox *o, enum hearsay_output_type type, const struct hearsay_address *address, uint32_t stream);
/* Answers the number of bytes the output carries. */
size_t outbox_end(struct outbox *o);
void outbox_abort(struct outbox *o);

void outbox_open_stream(struct outbox *o, const struct hearsay_address *address, uint32_t stream);
void outbox_close_stream(struct outbox *o, uint32_t stream);
void outbox_notify(struct outbox *o, const struct hearsay_event *event);

bool outbox_next(struct outbox *o, struct hearsay_output *output);

#endif
