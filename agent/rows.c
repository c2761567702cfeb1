/* SPDX-License-Identifier: MIT
 *
 * See rows.h. Open addressing with linear probing, at most three quarters full; what is removed closes its gap.
 */
#include "agent/rows.h"

#include "agent/text.h"
#include "base/bytes.h"

#include <sys/random.h>

struct rows_slot {
    uint32_t hash, row; /* row 0 = empty */
};

void rows_init(struct rows *rows)
{
    *rows = (struct rows){.capacity = 64};
    rows->slots = must(calloc(rows->capacity, sizeof *rows->slots));
    (void)!getrandom(&rows->seed, sizeof rows->seed, 0); /* so that nobody can choose keys that coincide */
}

void rows_deinit(struct rows *rows)
{
    free(rows->slots);
    free(rows->free);
    *rows = (struct rows){0};
}

uint32_t rows_hash(const struct rows *rows, struct hearsay_bytes key)
{
    return (uint32_t)(bytes_hash(key, rows->seed) >> 32);
}

static uint32_t place_of(const struct rows *rows, uint32_t hash)
{
    return hash & (rows->capacity - 1);
}

static uint32_t after(const struct rows *rows, uint32_t place)
{
    return (place + 1) & (rows->capacity - 1);
}

uint32_t rows_next(const struct rows *rows, uint32_t hash, uint32_t *at)
{
    for (;; (*at)++) {
        const struct rows_slot *slot = &rows->slots[(hash + *at) & (rows->capacity - 1)];
        if (slot->row == 0) {
            return 0;
        }
        if (slot->hash == hash) {
            (*at)++;
            return slot->row;
        }
    }
}

static void insert(struct rows *rows, struct rows_slot slot)
{
    uint32_t place = place_of(rows, slot.hash);
    while (rows->slots[place].row != 0) {
        place = after(rows, place);
    }
    rows->slots[place] = slot;
}

static void grow(struct rows *rows)
{
    struct rows_slot *old = rows->slots;
    uint32_t count = rows->capacity;
    rows->capacity *= 2;
    rows->slots = must(calloc(rows->capacity, sizeof *rows->slots));
    for (uint32_t i = 0; i < count; i++) {
        if (old[i].row != 0) {
            insert(rows, old[i]);
        }
    }
    free(old);
}

void rows_add(struct rows *rows, uint32_t hash, uint32_t row)
{
    if (rows->count >= rows->capacity / 4 * 3) {
        grow(rows);
    }
    insert(rows, (struct rows_slot){hash, row});
    rows->count++;
}

static void give_back(struct rows *rows, uint32_t row)
{
    if (rows->free_count == rows->free_capacity) {
        rows->free_capacity = rows->free_capacity == 0 ? 64 : rows->free_capacity * 2;
        rows->free = must(realloc(rows->free, rows->free_capacity * sizeof *rows->free));
    }
    rows->free[rows->free_count++] = row;
}

void rows_add_known(struct rows *rows, uint32_t hash, uint32_t row)
{
    for (uint32_t i = rows->last + 1; i < row; i++) {
        give_back(rows, i);
    }
    rows->last = row;
    rows_add(rows, hash, row);
}

uint32_t rows_take(struct rows *rows)
{
    return rows->free_count > 0 ? rows->free[--rows->free_count] : ++rows->last;
}

void rows_remove(struct rows *rows, uint32_t hash, uint32_t row)
{
    uint32_t gap = place_of(rows, hash);
    while (rows->slots[gap].row != row) {
        if (rows->slots[gap].row == 0) {
            return;
        }
        gap = after(rows, gap);
    }
    for (uint32_t at = after(rows, gap); rows->slots[at].row != 0; at = after(rows, at)) {
        uint32_t home = place_of(rows, rows->slots[at].hash);
        bool can_move = ((at - home) & (rows->capacity - 1)) >= ((at - gap) & (rows->capacity - 1));
        if (can_move) {
            rows->slots[gap] = rows->slots[at];
            gap = at;
        }
    }
    rows->slots[gap].row = 0;
    rows->count--;
    give_back(rows, row);
}
