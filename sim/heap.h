/* SPDX-License-Identifier: MIT
 *
 * A heap of small numbers ordered by time; each number stands in it at most once, so its time can be changed. Equal times keep
 * the order in which they were set, which makes every run of a world the same run. It does not know what the numbers mean.
 */
#ifndef HEARSAY_SIM_HEAP_H
#define HEARSAY_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    uint64_t at, order;
    uint32_t number;
};

struct heap {
    struct heap_entry *entries;
    uint32_t *places; /* number -> its place + 1, or 0 */
    uint32_t count, capacity, numbers;
    uint64_t next_order;
};

void heap_deinit(struct heap *heap);
/* Enters the number, or moves it to another time. Setting the time it already has changes nothing, its order included. */
void heap_set(struct heap *heap, uint32_t number, uint64_t at);
/* Harmless when it is not in the heap. */
void heap_remove(struct heap *heap, uint32_t number);

static inline uint64_t heap_next(const struct heap *heap)
{
    return heap->count == 0 ? UINT64_MAX : heap->entries[0].at;
}

/* Takes the earliest number out. The heap must not be empty. */
uint32_t heap_take(struct heap *heap);

#endif
