/* SPDX-License-Identifier: MIT
 *
 * See table.h. Removal shifts later entries back, so there are no tombstones.
 */
#include "base/table.h"

#include "base/check.h"
#include "base/fetch.h"

#define TABLE_TAG 0xfc000000u /* these bits of an entry are of its key's hash, the others are its number + 1 */

static uint32_t hash_of(const struct table *t, struct hearsay_bytes key)
{
    uint64_t hash = bytes_hash(key, t->seed);
    return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t home_of(const struct table *t, uint32_t number)
{
    return hash_of(t, t->key(t->owner, number)) & (t->capacity - 1);
}

static uint32_t number_of(uint32_t entry)
{
    return (entry & ~TABLE_TAG) - 1;
}

void table_init(struct table *t, const struct hearsay_allocator *memory, uint64_t seed,
                struct hearsay_bytes (*key)(const void *owner, uint32_t number), const void *owner)
{
    *t = (struct table){.memory = memory, .key = key, .owner = owner, .seed = seed};
}

void table_deinit(struct table *t)
{
    memory_free(t->memory, t->slots);
    t->slots = NULL;
    t->capacity = t->count = 0;
}

uint32_t table_find(const struct table *t, struct hearsay_bytes key)
{
    if (t->count == 0) {
        return TABLE_NONE;
    }
    uint32_t hash = hash_of(t, key);
    for (uint32_t i = hash & (t->capacity - 1); t->slots[i] != 0; i = (i + 1) & (t->capacity - 1)) {
        uint32_t entry = t->slots[i];
        if (((entry ^ hash) & TABLE_TAG) == 0 && bytes_equal(t->key(t->owner, number_of(entry)), key)) {
            return number_of(entry);
        }
    }
    return TABLE_NONE;
}

void table_fetch(const struct table *t, struct hearsay_bytes key)
{
    if (t->count > 0) {
        fetch(&t->slots[hash_of(t, key) & (t->capacity - 1)]);
    }
}

uint32_t table_guess(const struct table *t, struct hearsay_bytes key)
{
    if (t->count == 0) {
        return TABLE_NONE;
    }
    uint32_t hash = hash_of(t, key), i = hash & (t->capacity - 1);
    while (t->slots[i] != 0 && ((t->slots[i] ^ hash) & TABLE_TAG) != 0) {
        i = (i + 1) & (t->capacity - 1);
    }
    return t->slots[i] == 0 ? TABLE_NONE : number_of(t->slots[i]);
}

static void place(struct table *t, uint32_t number)
{
    uint32_t hash = hash_of(t, t->key(t->owner, number)), i = hash & (t->capacity - 1);
    while (t->slots[i] != 0) {
        i = (i + 1) & (t->capacity - 1);
    }
    t->slots[i] = (hash & TABLE_TAG) | (number + 1);
}

bool table_reserve(struct table *t)
{
    return table_reserve_many(t, 1);
}

bool table_reserve_many(struct table *t, uint32_t more)
{
    if (t->count + more >= TABLE_MOST) {
        return false;
    }
    if ((t->count + more) * 4 <= t->capacity * 3) {
        return true;
    }
    uint32_t old_capacity = t->capacity, *old = t->slots;
    uint32_t capacity = old_capacity == 0 ? 8 : old_capacity * 2;
    while ((t->count + more) * 4 > capacity * 3) {
        capacity *= 2;
    }
    uint32_t *slots = memory_zeros(t->memory, capacity * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    t->slots = slots;
    t->capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i] != 0) {
            place(t, number_of(old[i]));
        }
    }
    memory_free(t->memory, old);
    return true;
}

void table_insert(struct table *t, uint32_t number)
{
    CHECK((t->count + 1) * 4 <= t->capacity * 3 && number < TABLE_MOST);
    place(t, number);
    t->count++;
}

void table_remove(struct table *t, uint32_t number)
{
    uint32_t mask = t->capacity - 1;
    uint32_t hole = home_of(t, number);
    while (number_of(t->slots[hole]) != number) {
        CHECK(t->slots[hole] != 0);
        hole = (hole + 1) & mask;
    }
    t->slots[hole] = 0;
    t->count--;
    for (uint32_t i = (hole + 1) & mask; t->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t home = home_of(t, number_of(t->slots[i]));
        if (((i - home) & mask) >= ((i - hole) & mask)) { /* the hole lies between its home and where it stands */
            t->slots[hole] = t->slots[i];
            t->slots[i] = 0;
            hole = i;
        }
    }
}
