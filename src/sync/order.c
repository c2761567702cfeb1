/* SPDX-License-Identifier: MIT
 *
 * See order.h.
 */
#include "sync/order.h"

#include "base/check.h"

struct order_chunk {
    uint32_t count, capacity;
    struct entry *entries[];
};

struct position {
    size_t chunk;
    uint32_t at;
};

static int compare(struct hearsay_bytes a, struct hearsay_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

void order_init(struct order *o, const struct hearsay_allocator *memory)
{
    *o = (struct order){.memory = memory};
}

void order_deinit(struct order *o)
{
    for (size_t i = 0; i < o->count; i++) {
        memory_free(o->memory, o->chunks[i]);
    }
    memory_free(o->memory, o->chunks);
    *o = (struct order){.memory = o->memory};
}

/* The first entry whose key is not below key; at the end of the last chunk when there is none. */
static struct position find(const struct order *o, struct hearsay_bytes key)
{
    size_t low = 0, high = o->count; /* the last chunk whose first key is not above key */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (compare(entry_key(o->chunks[middle]->entries[0]), key) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    struct position p = {low, 0};
    uint32_t end = o->count == 0 ? 0 : o->chunks[low]->count;
    while (p.at < end) {
        uint32_t middle = (p.at + end) / 2;
        if (compare(entry_key(o->chunks[low]->entries[middle]), key) < 0) {
            p.at = middle + 1;
        } else {
            end = middle;
        }
    }
    return p;
}

static bool has_key(const struct order *o, struct position p, struct hearsay_bytes key)
{
    return p.chunk < o->count && p.at < o->chunks[p.chunk]->count && compare(entry_key(o->chunks[p.chunk]->entries[p.at]), key) == 0;
}

static struct order_chunk *resize(struct order *o, struct order_chunk *chunk, uint32_t capacity)
{
    chunk = memory_resize(o->memory, chunk, sizeof *chunk + capacity * sizeof chunk->entries[0]);
    if (chunk != NULL) {
        chunk->capacity = capacity;
    }
    return chunk;
}

static bool reserve_chunk(struct order *o)
{
    if (o->count < o->capacity) {
        return true;
    }
    size_t capacity = o->capacity == 0 ? 4 : o->capacity * 2;
    struct order_chunk **chunks = memory_resize(o->memory, o->chunks, capacity * sizeof *chunks);
    if (chunks == NULL) {
        return false;
    }
    o->chunks = chunks;
    o->capacity = capacity;
    return true;
}

/* Puts a new chunk with the entries from at on behind this one. at may be the end: keys that come in order fill chunks. */
static bool split(struct order *o, size_t number, uint32_t at)
{
    struct order_chunk *chunk = o->chunks[number];
    uint32_t moved = chunk->count - at;
    if (moved == 0 || !reserve_chunk(o)) {
        return false;
    }
    struct order_chunk *next = resize(o, NULL, ORDER_CHUNK);
    if (next == NULL) {
        return false;
    }
    next->count = moved;
    memcpy(next->entries, chunk->entries + at, moved * sizeof chunk->entries[0]);
    chunk->count = at;
    memmove(o->chunks + number + 2, o->chunks + number + 1, (o->count - number - 1) * sizeof *o->chunks);
    o->chunks[number + 1] = next;
    o->count++;
    return true;
}

bool order_reserve(struct order *o, struct hearsay_bytes key)
{
    if (o->count == 0) {
        struct order_chunk *first = reserve_chunk(o) ? resize(o, NULL, 8) : NULL;
        if (first == NULL) {
            return false;
        }
        first->count = 0;
        o->chunks[o->count++] = first;
        o->found_chunk = o->found_at = 0;
        return true;
    }
    struct position p = find(o, key);
    struct order_chunk *chunk = o->chunks[p.chunk];
    o->found_chunk = p.chunk;
    o->found_at = p.at;
    if (chunk->count < chunk->capacity) {
        return true;
    }
    if (chunk->capacity < ORDER_CHUNK) {
        chunk = resize(o, chunk, chunk->capacity * 2);
        o->chunks[p.chunk] = chunk == NULL ? o->chunks[p.chunk] : chunk;
        return chunk != NULL;
    }
    bool is_at_end = p.chunk + 1 == o->count && p.at == chunk->count;
    uint32_t at = is_at_end ? ORDER_CHUNK - ORDER_CHUNK / 16 : ORDER_CHUNK / 2;
    if (!split(o, p.chunk, at)) {
        return false;
    }
    o->found_chunk += p.at > at;
    o->found_at -= p.at > at ? at : 0;
    return true;
}

void order_insert(struct order *o, struct entry *entry)
{
    struct order_chunk *chunk = o->chunks[o->found_chunk];
    uint32_t at = o->found_at;
    CHECK(chunk->count < chunk->capacity && at <= chunk->count);
    memmove(chunk->entries + at + 1, chunk->entries + at, (chunk->count - at) * sizeof chunk->entries[0]);
    chunk->entries[at] = entry;
    chunk->count++;
}

void order_remove(struct order *o, struct hearsay_bytes key)
{
    struct position p = find(o, key);
    CHECK(has_key(o, p, key));
    struct order_chunk *chunk = o->chunks[p.chunk];
    memmove(chunk->entries + p.at, chunk->entries + p.at + 1, (chunk->count - p.at - 1) * sizeof chunk->entries[0]);
    if (--chunk->count == 0) {
        memory_free(o->memory, chunk);
        memmove(o->chunks + p.chunk, o->chunks + p.chunk + 1, (o->count - p.chunk - 1) * sizeof *o->chunks);
        o->count--;
    }
}

void order_replace(struct order *o, struct entry *entry)
{
    struct hearsay_bytes key = entry_key(entry);
    struct position p = find(o, key);
    CHECK(has_key(o, p, key));
    o->chunks[p.chunk]->entries[p.at] = entry;
}

struct entry *order_find(const struct order *o, struct hearsay_bytes key, bool is_after)
{
    struct position p = find(o, key);
    p.at += is_after && has_key(o, p, key);
    if (p.chunk < o->count && p.at == o->chunks[p.chunk]->count) {
        p = (struct position){p.chunk + 1, 0};
    }
    return p.chunk < o->count ? o->chunks[p.chunk]->entries[p.at] : NULL;
}

uint64_t order_memory(const struct order *o)
{
    uint64_t bytes = o->capacity * sizeof *o->chunks;
    for (size_t i = 0; i < o->count; i++) {
        bytes += sizeof *o->chunks[i] + o->chunks[i]->capacity * sizeof o->chunks[i]->entries[0];
    }
    return bytes;
}
