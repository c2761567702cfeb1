/* SPDX-License-Identifier: MIT
 *
 * See pool.h. The table is keyed by a 64-bit fingerprint of the content; in the rare case that two contents share one, the
 * newcomer simply gets a copy of its own outside the table.
 */
#include "swim/pool.h"

#include "base/check.h"

#define UNSHARED UINT32_MAX
#define BLOCK_CELLS_LEAST 8
#define BLOCK_CELLS_MOST 1024

struct pool_cell {
    struct pool_cell *next; /* while it is free */
};

struct pool_block {
    struct pool_block *next;
};

static struct hearsay_bytes fingerprint_key(const void *owner, uint32_t number)
{
    const struct hearsay_pool *pool = owner;
    return bytes_of(&pool->items[number]->fingerprint, sizeof(uint64_t));
}

struct hearsay_pool *pool_create(const struct hearsay_allocator *memory)
{
    struct hearsay_pool *pool = memory_zeros(memory, sizeof *pool);
    if (pool != NULL) {
        pool->memory = *memory;
        table_init(&pool->table, &pool->memory, 0, fingerprint_key, pool);
    }
    return pool;
}

void pool_destroy(struct hearsay_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    CHECK(pool->table.count == 0); /* a node still lives on it */
    struct hearsay_allocator memory = pool->memory;
    while (pool->blocks != NULL) {
        struct pool_block *next = pool->blocks->next;
        memory_free(&memory, pool->blocks);
        pool->blocks = next;
    }
    table_deinit(&pool->table);
    memory_free(&memory, pool->items);
    memory_free(&memory, pool);
}

static uint64_t fingerprint_of(struct hearsay_bytes name, const struct hearsay_address *address, struct hearsay_bytes meta,
                               const uint8_t versions[6])
{
    uint64_t h = bytes_hash(name, 1);
    h = bytes_hash(bytes_of(address->bytes, address->size), h + address->port);
    h = bytes_hash(meta, h);
    return bytes_hash(bytes_of(versions, 6), h);
}

static size_t size_of(size_t name_size, size_t meta_size)
{
    return offsetof(struct identity, name) + name_size + 1 + meta_size;
}

bool pool_is(const struct identity *i, struct hearsay_bytes name, const struct hearsay_address *address, struct hearsay_bytes meta,
             const uint8_t versions[6])
{
    return bytes_equal(pool_name(i), name) && address_equal(&i->address, address) && bytes_equal(pool_meta(i), meta) &&
           memcmp(i->versions, versions, 6) == 0;
}

static bool add_cells(struct hearsay_pool *pool)
{
    uint32_t count = pool->cells < BLOCK_CELLS_LEAST ? BLOCK_CELLS_LEAST : pool->cells;
    count = count > BLOCK_CELLS_MOST ? BLOCK_CELLS_MOST : count;
    struct pool_block *block = memory_resize(&pool->memory, NULL, sizeof *block + (count + 1) * POOL_CELL);
    if (block == NULL) {
        return false;
    }
    block->next = pool->blocks;
    pool->blocks = block;
    pool->cells += count;
    uint8_t *first = (uint8_t *)(block + 1);
    first += (POOL_CELL - (uintptr_t)first % POOL_CELL) % POOL_CELL;
    while (count-- > 0) { /* the last one first: they are taken in the order in which they stand */
        struct pool_cell *cell = (struct pool_cell *)(void *)(first + (size_t)count * POOL_CELL);
        cell->next = pool->free_cells;
        pool->free_cells = cell;
    }
    return true;
}

static void *take(struct hearsay_pool *pool, size_t size)
{
    if (size > POOL_CELL) {
        return memory_resize(&pool->memory, NULL, size);
    }
    if (pool->free_cells == NULL && !add_cells(pool)) {
        return NULL;
    }
    struct pool_cell *cell = pool->free_cells;
    pool->free_cells = cell->next;
    return cell;
}

static void give_back(struct hearsay_pool *pool, struct identity *i)
{
    if (size_of(i->name_size, i->meta_size) > POOL_CELL) {
        memory_free(&pool->memory, i);
        return;
    }
    struct pool_cell *cell = (struct pool_cell *)(void *)i;
    cell->next = pool->free_cells;
    pool->free_cells = cell;
}

static struct identity *make(struct hearsay_pool *pool, struct hearsay_bytes name, const struct hearsay_address *address,
                             struct hearsay_bytes meta, const uint8_t versions[6])
{
    struct identity *i = take(pool, size_of(name.size, meta.size));
    if (i == NULL) {
        return NULL;
    }
    *i = (struct identity){.references = 1, .number = UNSHARED, .address = *address, .name_size = (uint8_t)name.size,
                           .meta_size = (uint16_t)meta.size};
    memcpy(i->versions, versions, 6);
    bytes_copy(i->name, name.data, name.size);
    i->name[name.size] = 0;
    bytes_copy(i->name + name.size + 1, meta.data, meta.size);
    return i;
}

/* Gives the identity a place in the pool; without memory for one it stays unshared, which is as good. */
static void share(struct hearsay_pool *pool, struct identity *i)
{
    if (!table_reserve(&pool->table)) {
        return;
    }
    if (pool->free_first != 0) {
        i->number = pool->free_first - 1;
        pool->free_first = (uint32_t)(uintptr_t)pool->items[i->number];
    } else {
        if (pool->used == pool->capacity) {
            uint32_t capacity = pool->capacity == 0 ? 16 : pool->capacity * 2;
            struct identity **items = memory_resize(&pool->memory, pool->items, capacity * sizeof *items);
            if (items == NULL) {
                return;
            }
            pool->items = items;
            pool->capacity = capacity;
        }
        i->number = pool->used++;
    }
    pool->items[i->number] = i;
    table_insert(&pool->table, i->number);
}

const struct identity *pool_intern(struct hearsay_pool *pool, struct hearsay_bytes name, const struct hearsay_address *address,
                                   struct hearsay_bytes meta, const uint8_t versions[6])
{
    CHECK(name.size <= HEARSAY_NAME_MAX && meta.size <= HEARSAY_META_MAX);
    uint64_t fingerprint = fingerprint_of(name, address, meta, versions);
    uint32_t number = table_find(&pool->table, bytes_of(&fingerprint, sizeof fingerprint));
    if (number != TABLE_NONE && pool_is(pool->items[number], name, address, meta, versions)) {
        pool->items[number]->references++;
        return pool->items[number];
    }
    struct identity *i = make(pool, name, address, meta, versions);
    if (i != NULL) {
        i->fingerprint = fingerprint;
        if (number == TABLE_NONE) {
            share(pool, i);
        }
    }
    return i;
}

const struct identity *pool_hold(const struct identity *identity)
{
    ((struct identity *)(uintptr_t)identity)->references++;
    return identity;
}

void pool_release(struct hearsay_pool *pool, const struct identity *identity)
{
    if (identity == NULL) {
        return;
    }
    /* Identities are handed out const; only the pool counts. */
    struct identity *i = (struct identity *)(uintptr_t)identity;
    if (--i->references > 0) {
        return;
    }
    if (i->number != UNSHARED) {
        table_remove(&pool->table, i->number);
        pool->items[i->number] = (struct identity *)(uintptr_t)pool->free_first;
        pool->free_first = i->number + 1;
    }
    give_back(pool, i);
}
