/* SPDX-License-Identifier: MIT
 *
 * Which row of the database has which key, by the hash of the key: eight bytes or two per entry in memory, so that new entries are appended
 * to one table instead of being sorted into an index on disk, which for keys in no order would write a page for each. Hashes may coincide:
 * whoever looks compares the key in the row. Numbers of rows that were deleted are used again.
 */
#ifndef HEARSAY_AGENT_ROWS_H
#define HEARSAY_AGENT_ROWS_H

#include <hearsay/types.h>

struct rows {
    struct rows_slot *slots;
    uint32_t capacity, count; /* capacity: a power of two */
    uint32_t last;            /* greatest number in use; rows begin at 1 */
    uint32_t *free;           /* numbers below it that are not in use */
    uint32_t free_count, free_capacity;
    uint64_t seed;
};

void rows_init(struct rows *rows);
void rows_deinit(struct rows *rows);
uint32_t rows_hash(const struct rows *rows, struct hearsay_bytes key);
/* Candidates, one after the other: start with *at = 0; 0 at the end. */
uint32_t rows_next(const struct rows *rows, uint32_t hash, uint32_t *at);
/* A number for a new row. */
uint32_t rows_take(struct rows *rows);
void rows_add(struct rows *rows, uint32_t hash, uint32_t row);
/* A row that is on disk, in the order of numbers: those left out are free. */
void rows_add_known(struct rows *rows, uint32_t hash, uint32_t row);
/* The row is deleted. */
void rows_remove(struct rows *rows, uint32_t hash, uint32_t row);

#endif
