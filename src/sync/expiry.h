/* SPDX-License-Identifier: MIT
 *
 * Entries to which something will happen, soonest first: live ones that expire, or tombstones that will be purged. A binary heap of pointers;
 * each entry remembers its place in it. It owns no entry.
 */
#ifndef HEARSAY_SYNC_EXPIRY_H
#define HEARSAY_SYNC_EXPIRY_H

#include "sync/entry.h"

struct expiry {
    const struct hearsay_allocator *memory;
    struct entry **heap;
    uint32_t count, capacity;
};

void expiry_init(struct expiry *x, const struct hearsay_allocator *memory);
void expiry_deinit(struct expiry *x);
/* Makes room for one more. False when memory is out. */
bool expiry_reserve(struct expiry *x);
/* Room is reserved. */
void expiry_insert(struct expiry *x, struct entry *entry);
void expiry_remove(struct expiry *x, const struct entry *entry);
/* The one that is due first, or NULL. */
struct entry *expiry_first(const struct expiry *x);

#endif
