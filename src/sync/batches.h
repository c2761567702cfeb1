/* SPDX-License-Identifier: MIT
 *
 * Writes on their way to the disk: a queue whose front is the batch that the host is working on, one at a time, while the rest collects. So
 * the slower the disk, the larger the batches. Of each key it finds the newest waiting write, so that an older one is never queued behind
 * it.
 */
#ifndef HEARSAY_SYNC_BATCHES_H
#define HEARSAY_SYNC_BATCHES_H

#include "base/table.h"
#include "sync/entry.h"

#define BATCHES_WAITING_MAX 65536 /* writes */
#define BATCHES_BYTES_MAX ((uint64_t)64 << 20)
#define BATCHES_ONE_MAX 16384 /* writes of one batch */
#define BATCHES_ONE_BYTES ((uint64_t)8 << 20)

/* A write, waiting or just done. */
struct pending {
    struct entry *entry; /* done: the store's, NULL if it did not win */
    uint64_t place;
    struct hearsay_entry_version version; /* done */
    uint64_t source; /* of somebody else's: whatever the exchange wants to remember */
    uint32_t ticket; /* of our own; 0 for somebody else's */
    uint32_t copies;
};

struct batches {
    const struct hearsay_allocator *memory;
    struct pending *queue;
    uint32_t count, capacity;
    bool is_out;    /* a batch is at the host … */
    uint32_t out;   /* … with so many of them, from the front */
    uint32_t taken; /* of those, have been taken */
    uint32_t base;  /* number of the first in the queue */
    uint64_t gone;  /* how many were before it, ever */
    uint64_t bytes;
    uint64_t batch;              /* number of the batch that is out, or of the last */
    struct table newest;         /* key to number */
    struct hearsay_entry *views; /* of the batch that is out */
    uint32_t view_capacity;
};

void batches_init(struct batches *b, const struct hearsay_allocator *memory, uint64_t seed);
/* Frees what waits. */
void batches_deinit(struct batches *b);
static inline bool batches_is_full(const struct batches *b)
{
    return b->count >= BATCHES_WAITING_MAX || b->bytes >= BATCHES_BYTES_MAX;
}
/* How many writes ever came: the newest of those that wait is through when so many are gone. */
static inline uint64_t batches_newest(const struct batches *b)
{
    return b->gone + b->count;
}
/* The newest waiting write of a key, or NULL. */
const struct entry *batches_find(const struct batches *b, struct hearsay_bytes key);
/* Queues; the queue then owns the entry. False, and nothing changed, when memory is out. */
bool batches_add(struct batches *b, const struct pending *write);
/* Starts a batch, if none is out and something waits, or is_needed: then it may have no writes. b->views shows b->out of them. */
bool batches_start(struct batches *b, bool is_needed);
/* Takes the next write of the batch that is out; the caller owns its entry. False when it is through. */
bool batches_take(struct batches *b, struct pending *write);
/* Bytes of the queue and what waits in it. */
static inline uint64_t batches_memory(const struct batches *b)
{
    return b->bytes + b->capacity * (uint64_t)sizeof *b->queue + b->view_capacity * (uint64_t)sizeof *b->views + b->newest.capacity * 4u;
}

#endif
