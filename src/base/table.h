/* SPDX-License-Identifier: MIT
 *
 * A hash table from keys to small numbers (slots of an array that the owner keeps). It stores only the numbers, 4 bytes
 * each; the owner says how to hash and compare. Open addressing with linear probing, at most 3/4 full.
 */
#ifndef HEARSAY_BASE_TABLE_H
#define HEARSAY_BASE_TABLE_H

#include "base/memory.h"

#define TABLE_NONE UINT32_MAX
#define TABLE_MOST 0x3fffffeu /* numbers are smaller; what is above them in an entry saves looking at most other keys */

struct table {
    const struct hearsay_allocator *memory;
    uint32_t *slots; /* number + 1 and a piece of the hash, or 0 */
    uint32_t capacity, count;
    /* The key of a stored number. */
    struct hearsay_bytes (*key)(const void *owner, uint32_t number);
    const void *owner;
    uint64_t seed;
};

void table_init(struct table *t, const struct hearsay_allocator *memory, uint64_t seed,
                struct hearsay_bytes (*key)(const void *owner, uint32_t number), const void *owner);
void table_deinit(struct table *t);
/* TABLE_NONE when absent. */
uint32_t table_find(const struct table *t, struct hearsay_bytes key);
/* Two steps of looking ahead, for many keys at once: brings near where the search for a key begins; then tells the number it would look at
 * first (or TABLE_NONE), for the owner to bring near. */
void table_fetch(const struct table *t, struct hearsay_bytes key);
uint32_t table_guess(const struct table *t, struct hearsay_bytes key);
/* Makes room for one more, or for `more`. False when memory is out. */
bool table_reserve(struct table *t);
bool table_reserve_many(struct table *t, uint32_t more);
/* The key must be absent and room reserved. */
void table_insert(struct table *t, uint32_t number);
void table_remove(struct table *t, uint32_t number);

#endif
