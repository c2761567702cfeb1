/* SPDX-License-Identifier: MIT
 *
 * The flight recorder: a ring of what this node lately heard and decided, with the evidence. It answers "why" long after the
 * packet is gone, and costs one copy per verdict.
 */
#ifndef HEARSAY_SPREAD_RECORDER_H
#define HEARSAY_SPREAD_RECORDER_H

#include "base/memory.h"
#include <hearsay/hearsay.h>

struct recorder {
    const struct hearsay_allocator *memory;
    struct recorder_entry **entries; /* ring of separately allocated records */
    uint32_t capacity, count, oldest;
};

void recorder_init(struct recorder *r, const struct hearsay_allocator *memory, uint32_t capacity);
void recorder_deinit(struct recorder *r);
/* type HEARSAY_EVENT_COUNT = a note that was no event. Lost without harm when memory is out. */
void recorder_note(struct recorder *r, uint64_t at_us, enum hearsay_event_type type, const char *name, const struct hearsay_cause *cause);
bool recorder_next(const struct recorder *r, size_t *position, struct hearsay_record *record);

#endif
