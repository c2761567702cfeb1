/* SPDX-License-Identifier: MIT
 *
 * Identities: what a member is (name, address, versions, meta), as opposed to how it is. Each distinct identity exists once
 * per pool and is counted; nodes of one simulation share a pool, so that 10,000 nodes that know each other fit into memory.
 */
#ifndef HEARSAY_SWIM_POOL_H
#define HEARSAY_SWIM_POOL_H

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

struct hearsay_pool {
    struct hearsay_allocator memory;
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

static inline struct hearsay_bytes pool_name(const struct identity *i)
{
    return bytes_of(i->name, i->name_size);
}

static inline struct hearsay_bytes pool_meta(const struct identity *i)
{
    return bytes_of(i->name + i->name_size + 1, i->meta_size);
}

#endif
