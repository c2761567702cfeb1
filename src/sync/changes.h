/* SPDX-License-Identifier: MIT
 *
 * The change log: the places of the last `capacity` changes, in a ring that grows when used. Numbers are of this node alone; they start at
 * a moment of the clock, so that those of an earlier life are recognised as too old.
 */
#ifndef HEARSAY_SYNC_CHANGES_H
#define HEARSAY_SYNC_CHANGES_H

#include "base/memory.h"

struct changes {
    const struct hearsay_allocator *memory;
    uint64_t *places; /* ring of size, a power of two */
    uint32_t size, most;
    uint64_t newest; /* number of the newest change */
    uint64_t oldest; /* changes after this one are in the ring */
};

void changes_init(struct changes *c, const struct hearsay_allocator *memory, uint32_t most);
void changes_deinit(struct changes *c);
/* Forgets all changes; numbers go on from here. */
void changes_start_at(struct changes *c, uint64_t number);
/* When memory is out the log forgets what it had: watchers then list again. */
void changes_add(struct changes *c, uint64_t place);
/* The place of the first change after *number, which becomes its number. False when there is none. *number must not be too old. */
bool changes_next(const struct changes *c, uint64_t *number, uint64_t *place);
static inline bool changes_is_too_old(const struct changes *c, uint64_t number)
{
    return number < c->oldest || number > c->newest;
}

#endif
