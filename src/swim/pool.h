/* SPDX-License-Identifier: MIT
 *
 * Identities: what a member is (name, address, versions, meta), as opposed to how it is. Each distinct identity exists once
 * per pool and is counted; nodes of one simulation share a pool, so that 10,000 nodes that know each other fit into memory.
 */
#ifndef HEARSAY_SWIM_POOL_H
#define HEARSAY_SWIM_POOL_H

#include "base/fetch.h"
#include "base/table.h"

struct identity {
    uint32_t references;
    uint32_t number;       /* place in the pool */
    uint64_t fingerprint;  /* of all that follows */
    struct hearsay_address address;
    uint8_t versions[6];
    uint8_t name_size;
    uint16_t meta_size;
    char name[];           /* NUL-terminated, then meta */
};

/* A small identity fills one line of the cache, wholly its own: walks over thousands of them wait for nothing else. */
#define POOL_CELL 64

struct pool_cell;
struct pool_block;

struct hearsay_pool {
    struct hearsay_allocator memory;
    struct pool_block *blocks; /* of cells; given back with the pool */
    struct pool_cell *free_cells;
    uint32_t cells;            /* in all blocks */
    struct identity **items;
    uint32_t used, capacity, free_first; /* free_first: 1 + number of a free place, 0 = none */
    struct table table;
};

struct hearsay_pool *pool_create(const struct hearsay_allocator *memory);
void pool_destroy(struct hearsay_pool *pool);

/* The identity of this content, counted once more. NULL when memory is out. name must not contain NUL; name <= 255 bytes. */
const struct identity *pool_intern(struct hearsay_pool *pool, struct hearsay_bytes name, const struct hearsay_address *address,
                                   struct hearsay_bytes meta, const uint8_t versions[6]);
/* Is this its content? */
bool pool_is(const struct identity *i, struct hearsay_bytes name, const struct hearsay_address *address, struct hearsay_bytes meta,
             const uint8_t versions[6]);
/* Counts one more owner of an identity in hand. */
const struct identity *pool_hold(const struct identity *identity);
void pool_release(struct hearsay_pool *pool, const struct identity *identity);

static inline void pool_fetch(const struct identity *i)
{
    fetch(i);
}

static inline struct hearsay_bytes pool_name(const struct identity *i)
{
    return bytes_of(i->name, i->name_size);
}

static inline struct hearsay_bytes pool_meta(const struct identity *i)
{
    return bytes_of(i->name + i->name_size + 1, i->meta_size);
}

#endif
