/* SPDX-License-Identifier: MIT
 *
 * Entries in the order of their keys, byte by byte, for listing by prefix: a sorted array of sorted chunks of at most 512 pointers. New entries
 * gather aside and are put into their places many at once, or when somebody asks: to look for the place of one key among a million others is
 * to wait for memory twenty times, for those of many keys in a row hardly ever. It owns no entry and knows nothing of hashes. Keys are any
 * bytes; a prefix need not end between two characters.
 */
#ifndef HEARSAY_SYNC_ORDER_H
#define HEARSAY_SYNC_ORDER_H

#include "sync/entry.h"

#define ORDER_CHUNK 512
#define ORDER_ASIDE 65536

struct order_chunk;

struct order {
    const struct hearsay_allocator *memory;
    struct order_chunk **chunks;
    size_t count, capacity;
    struct entry **aside; /* not in their places yet */
    uint32_t aside_count, aside_capacity;
};

void order_init(struct order *o, const struct hearsay_allocator *memory);
void order_deinit(struct order *o);
/* Makes room for one more. False when memory is out. */
bool order_reserve(struct order *o);
/* The key must be absent, and room for it reserved. */
void order_insert(struct order *o, struct entry *entry);
void order_remove(struct order *o, struct hearsay_bytes key);
/* The entry of this key lies elsewhere now; the one in its place so far must still be readable. */
void order_replace(struct order *o, struct entry *entry);
/* The first entry whose key is not below key (with is_after: above key), or NULL. */
struct entry *order_find(struct order *o, struct hearsay_bytes key, bool is_after);
uint64_t order_memory(const struct order *o);

#endif
