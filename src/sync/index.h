/* SPDX-License-Identifier: MIT
 *
 * Entries ordered by place (the keyed hash of the key), in buckets of about 16 that are the leaves of the Merkle tree: a directory of
 * 2^bits buckets by the top bits, and above it the sums of every fourth level. So a lookup is one step, a leaf is a contiguous range, and
 * the tree needs no memory per key. The directory doubles bucket by bucket as keys come, each insertion moving two; it never shrinks.
 *
 * It knows entries only as things with a digest: what counts in the tree, and when, is merkle.c's.
 */
#ifndef HEARSAY_SYNC_INDEX_H
#define HEARSAY_SYNC_INDEX_H

#include "sync/entry.h"

#define INDEX_LEVELS 9 /* of four bits each: 2^32 buckets would be enough for anybody */

struct index_item {
    uint64_t place;
    struct entry *entry;
};

struct bucket {
    struct digest sum; /* of what counts in the tree */
    struct index_item *items;
    uint16_t count, capacity;
};

struct index {
    const struct hearsay_allocator *memory;
    struct bucket *old, *new; /* 2^bits, and while doubling 2^(bits+1) of them */
    uint64_t moved;           /* buckets of old whose content is in new */
    uint8_t bits;
    uint64_t count;
    struct digest *inner[INDEX_LEVELS]; /* inner[i]: sums at depth 4 i < bits */
    /* What of this item counts in the tree now? False: nothing. */
    bool (*digest_of)(void *context, const struct index_item *item, struct digest *digest);
    void *context;
};

static inline struct digest digest_add(struct digest a, struct digest b)
{
    struct digest sum = {a.lo + b.lo, a.hi + b.hi};
    sum.hi += sum.lo < a.lo;
    return sum;
}

static inline struct digest digest_subtract(struct digest a, struct digest b)
{
    struct digest rest = {a.lo - b.lo, a.hi - b.hi};
    rest.hi -= a.lo < b.lo;
    return rest;
}

static inline bool digest_equal(struct digest a, struct digest b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

/* False when memory is out. */
bool index_init(struct index *ix, const struct hearsay_allocator *memory,
                bool (*digest_of)(void *context, const struct index_item *item, struct digest *digest), void *context);
/* Frees the entries too. */
void index_deinit(struct index *ix);

struct index_item *index_find(const struct index *ix, uint64_t place, struct hearsay_bytes key);
/* Makes room for one more at place. False when memory is out. */
bool index_reserve(struct index *ix, uint64_t place);
/* The key must be absent and room reserved. */
void index_insert(struct index *ix, uint64_t place, struct entry *entry);
/* The item must be one that index_find answered, and nothing of it count in the tree any more. Does not free the entry. */
void index_remove(struct index *ix, struct index_item *item);

/* Adds to the sums of the path to place. */
void index_add(struct index *ix, uint64_t place, struct digest delta);
/* The sum of all places whose first depth bits are those of place. depth <= 64. */
struct digest index_sum(const struct index *ix, uint64_t place, unsigned depth);
/* The bucket of place; *last is the last place of its range. */
struct bucket *index_bucket(const struct index *ix, uint64_t place, uint64_t *last);
/* Walks items in order of place: the first one at or after *place. Afterwards *place is its successor; false at the end. Start at 0.
 * Items of one place are never split: *rank, 0 at the start, tells them apart. */
bool index_next(const struct index *ix, uint64_t *place, unsigned *rank, struct index_item *item);
/* Asks for the entries of the bucket around place; *last is the last place of it. Whoever walks over many need not wait for each then. */
void index_fetch(const struct index *ix, uint64_t place, uint64_t *last);
/* Bytes of directory, sums and items. */
uint64_t index_memory(const struct index *ix);

#endif
