/* SPDX-License-Identifier: MIT
 *
 * See order.h.
 */
#include "sync/order.h"

#include "base/check.h"
#include "base/fetch.h"

#define ASIDE_LEAST 16
#define FEW 16 /* are put into their places one by one */

struct order_chunk {
    uint32_t count, capacity;
    uint32_t common;         /* bytes with which all keys here begin */
    struct entry *entries[]; /* capacity of them, then as many heads: the four bytes behind what is common, so that hardly any entry is looked at */
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

static size_t common_bytes(struct hearsay_bytes a, struct hearsay_bytes b)
{
    size_t most = a.size < b.size ? a.size : b.size, same = 0;
    while (same < most && a.data[same] == b.data[same]) {
        same++;
    }
    return same;
}

/* So many bytes of a key from there on, as a number that grows with them. */
static uint64_t head_of(struct hearsay_bytes key, size_t from, size_t size)
{
    uint64_t head = 0;
    for (size_t i = from; i < from + size; i++) {
        head = head << 8 | (i < key.size ? key.data[i] : 0);
    }
    return head;
}

static uint32_t *heads_of(struct order_chunk *chunk)
{
    return (uint32_t *)(chunk->entries + chunk->capacity);
}

static void set_common(struct order_chunk *chunk, size_t common)
{
    chunk->common = (uint32_t)common;
    for (uint32_t i = 0; i < chunk->count; i++) {
        heads_of(chunk)[i] = (uint32_t)head_of(entry_key(chunk->entries[i]), common, 4);
    }
}

/* After many came or went: more may be common now. */
static void renew_heads(struct order_chunk *chunk)
{
    if (chunk->count > 0) {
        set_common(chunk, common_bytes(entry_key(chunk->entries[0]), entry_key(chunk->entries[chunk->count - 1])));
    }
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
    memory_free(o->memory, o->aside);
    *o = (struct order){.memory = o->memory};
}

/* Within one chunk. */
static struct position find_in(const struct order *o, size_t number, struct hearsay_bytes key)
{
    struct position p = {number, 0};
    struct order_chunk *chunk = o->count == 0 ? NULL : o->chunks[number];
    if (chunk == NULL || chunk->count == 0) {
        return p;
    }
    struct hearsay_bytes first = entry_key(chunk->entries[0]);
    if (common_bytes(first, key) < chunk->common) { /* below all of them, or above */
        p.at = compare(key, first) < 0 ? 0 : chunk->count;
        return p;
    }
    const uint32_t *heads = heads_of(chunk), head = (uint32_t)head_of(key, chunk->common, 4);
    for (uint32_t end = chunk->count; p.at < end;) {
        uint32_t middle = (p.at + end) / 2;
        if (heads[middle] < head || (heads[middle] == head && compare(entry_key(chunk->entries[middle]), key) < 0)) {
            p.at = middle + 1;
        } else {
            end = middle;
        }
    }
    return p;
}

/* The first entry in its place whose key is not below key; at the end of the last chunk when there is none. */
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
    return find_in(o, low, key);
}

static bool has_key(const struct order *o, struct position p, struct hearsay_bytes key)
{
    return p.chunk < o->count && p.at < o->chunks[p.chunk]->count && compare(entry_key(o->chunks[p.chunk]->entries[p.at]), key) == 0;
}

static size_t chunk_bytes(uint32_t capacity)
{
    return sizeof(struct order_chunk) + capacity * (sizeof(struct entry *) + sizeof(uint32_t));
}

static struct order_chunk *grow_chunk(struct order *o, struct order_chunk *chunk, uint32_t capacity)
{
    chunk = memory_resize(o->memory, chunk, chunk_bytes(capacity));
    if (chunk != NULL) {
        chunk->capacity = capacity;
        renew_heads(chunk);
    }
    return chunk;
}

static struct order_chunk *create_chunk(struct order *o, uint32_t capacity)
{
    struct order_chunk *chunk = memory_zeros(o->memory, chunk_bytes(capacity));
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
    struct order_chunk *next = create_chunk(o, ORDER_CHUNK);
    if (next == NULL) {
        return false;
    }
    next->count = moved;
    memcpy(next->entries, chunk->entries + at, moved * sizeof chunk->entries[0]);
    chunk->count = at;
    renew_heads(chunk);
    renew_heads(next);
    memmove(o->chunks + number + 2, o->chunks + number + 1, (o->count - number - 1) * sizeof *o->chunks);
    o->chunks[number + 1] = next;
    o->count++;
    return true;
}

/* Makes room for one more at p, which may lie in another chunk then. False when memory is out. */
static bool make_room(struct order *o, struct position *p)
{
    struct order_chunk *chunk = o->chunks[p->chunk];
    if (chunk->count < chunk->capacity) {
        return true;
    }
    if (chunk->capacity < ORDER_CHUNK) {
        chunk = grow_chunk(o, chunk, chunk->capacity * 2);
        o->chunks[p->chunk] = chunk == NULL ? o->chunks[p->chunk] : chunk;
        return chunk != NULL;
    }
    bool is_at_end = p->chunk + 1 == o->count && p->at == chunk->count;
    uint32_t at = is_at_end ? ORDER_CHUNK - ORDER_CHUNK / 16 : ORDER_CHUNK / 2;
    if (!split(o, p->chunk, at)) {
        return false;
    }
    p->chunk += p->at > at;
    p->at -= p->at > at ? at : 0;
    return true;
}

static bool put(struct order *o, struct position p, struct entry *entry)
{
    struct hearsay_bytes key = entry_key(entry);
    if (!make_room(o, &p)) {
        return false;
    }
    struct order_chunk *chunk = o->chunks[p.chunk];
    size_t common = chunk->count == 0 ? 0 : common_bytes(entry_key(chunk->entries[0]), key);
    if (common < chunk->common) {
        set_common(chunk, common);
    }
    uint32_t *heads = heads_of(chunk);
    memmove(chunk->entries + p.at + 1, chunk->entries + p.at, (chunk->count - p.at) * sizeof chunk->entries[0]);
    memmove(heads + p.at + 1, heads + p.at, (chunk->count - p.at) * sizeof *heads);
    chunk->entries[p.at] = entry;
    heads[p.at] = (uint32_t)head_of(key, chunk->common, 4);
    chunk->count++;
    return true;
}

/* ---- those aside ---------------------------------------------------------------------------------------------------------- */

struct sorted {
    uint64_t head; /* eight bytes of the key, behind what all have in common */
    struct entry *entry;
};

/* Bytes with which all keys aside begin. */
static size_t common_aside(const struct order *o)
{
    struct hearsay_bytes first = entry_key(o->aside[0]);
    size_t common = first.size;
    for (uint32_t i = 1; i < o->aside_count; i++) {
        common = common_bytes(bytes_of(first.data, common), entry_key(o->aside[i]));
    }
    return common;
}

static bool is_before(const struct sorted *a, const struct sorted *b)
{
    return a->head != b->head ? a->head < b->head : compare(entry_key(a->entry), entry_key(b->entry)) < 0;
}

/* Merges runs of one, two, four, … ; answers which of the two holds the result. */
static struct sorted *sort(struct sorted *from, struct sorted *to, size_t count)
{
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t a = at, end_a = at + run < count ? at + run : count, b = end_a, end_b = end_a + run < count ? end_a + run : count;
            for (size_t i = at; i < end_b; i++) {
                bool is_a = a < end_a && (b == end_b || !is_before(&from[b], &from[a]));
                to[i] = from[is_a ? a++ : b++];
            }
        }
        struct sorted *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* The chunk for this key, at or behind this one. */
static size_t walk_to(const struct order *o, size_t chunk, struct hearsay_bytes key)
{
    while (chunk + 1 < o->count && compare(entry_key(o->chunks[chunk + 1]->entries[0]), key) <= 0) {
        chunk++;
    }
    return chunk;
}

/* Puts them into their places in order; answers how many before memory was out. */
static uint32_t put_sorted(struct order *o, const struct sorted *list, uint32_t count)
{
    size_t chunk = 0;
    for (uint32_t i = 0; i < count; i++) {
        fetch(list[i + FETCH_AHEAD < count ? i + FETCH_AHEAD : i].entry->data);
        struct hearsay_bytes key = entry_key(list[i].entry);
        chunk = walk_to(o, chunk, key);
        if (!put(o, find_in(o, chunk, key), list[i].entry)) {
            return i;
        }
    }
    return count;
}

static uint32_t put_each(struct order *o)
{
    uint32_t done = 0;
    while (done < o->aside_count && put(o, find(o, entry_key(o->aside[done])), o->aside[done])) {
        done++;
    }
    return done;
}

static uint32_t put_many(struct order *o)
{
    struct sorted *room = memory_resize(o->memory, NULL, 2 * (size_t)o->aside_count * sizeof *room);
    if (room == NULL) {
        return put_each(o);
    }
    size_t common = common_aside(o);
    for (uint32_t i = 0; i < o->aside_count; i++) {
        room[i] = (struct sorted){head_of(entry_key(o->aside[i]), common, 8), o->aside[i]};
    }
    const struct sorted *list = sort(room, room + o->aside_count, o->aside_count);
    uint32_t done = put_sorted(o, list, o->aside_count);
    for (uint32_t i = 0; i < o->aside_count; i++) {
        o->aside[i] = list[i].entry;
    }
    memory_free(o->memory, room);
    return done;
}

/* All into their places. False when memory is out: some stay aside. */
static bool settle(struct order *o)
{
    if (o->aside_count == 0) {
        return true;
    }
    if (o->count == 0) {
        struct order_chunk *first = reserve_chunk(o) ? create_chunk(o, 8) : NULL;
        if (first == NULL) {
            return false;
        }
        o->chunks[o->count++] = first;
    }
    uint32_t done = o->aside_count <= FEW ? put_each(o) : put_many(o);
    o->aside_count -= done;
    memmove(o->aside, o->aside + done, o->aside_count * sizeof *o->aside);
    if (o->aside_count == 0 && o->aside_capacity > ASIDE_LEAST) {
        memory_free(o->memory, o->aside);
        o->aside = NULL;
        o->aside_capacity = 0;
    }
    return o->aside_count == 0;
}

bool order_reserve(struct order *o)
{
    if (o->aside_count >= ORDER_ASIDE) {
        (void)settle(o);
    }
    if (o->aside_count < o->aside_capacity) {
        return true;
    }
    uint32_t capacity = o->aside_capacity == 0 ? ASIDE_LEAST : o->aside_capacity * 2;
    struct entry **aside = memory_resize(o->memory, o->aside, capacity * sizeof *aside);
    if (aside == NULL) {
        return false;
    }
    o->aside = aside;
    o->aside_capacity = capacity;
    return true;
}

void order_insert(struct order *o, struct entry *entry)
{
    CHECK(o->aside_count < o->aside_capacity);
    o->aside[o->aside_count++] = entry;
}

/* Where this key stands, aside or not. */
static struct entry **slot_of(struct order *o, struct hearsay_bytes key, struct position *p)
{
    (void)settle(o);
    for (uint32_t i = 0; i < o->aside_count; i++) { /* memory is out */
        if (compare(entry_key(o->aside[i]), key) == 0) {
            return &o->aside[i];
        }
    }
    *p = find(o, key);
    CHECK(has_key(o, *p, key));
    return &o->chunks[p->chunk]->entries[p->at];
}

void order_remove(struct order *o, struct hearsay_bytes key)
{
    struct position p = {0, 0};
    struct entry **slot = slot_of(o, key, &p);
    if (slot >= o->aside && slot < o->aside + o->aside_count) {
        *slot = o->aside[--o->aside_count];
        return;
    }
    struct order_chunk *chunk = o->chunks[p.chunk];
    uint32_t *heads = heads_of(chunk);
    memmove(slot, slot + 1, (chunk->count - p.at - 1) * sizeof *slot);
    memmove(heads + p.at, heads + p.at + 1, (chunk->count - p.at - 1) * sizeof *heads);
    if (--chunk->count == 0) {
        memory_free(o->memory, chunk);
        memmove(o->chunks + p.chunk, o->chunks + p.chunk + 1, (o->count - p.chunk - 1) * sizeof *o->chunks);
        o->count--;
    }
}

void order_replace(struct order *o, struct entry *entry)
{
    struct position p;
    *slot_of(o, entry_key(entry), &p) = entry;
}

/* The lower of two keys, whose first may be none. */
static struct entry *lower(struct entry *a, struct entry *b)
{
    return a == NULL || compare(entry_key(b), entry_key(a)) < 0 ? b : a;
}

struct entry *order_find(struct order *o, struct hearsay_bytes key, bool is_after)
{
    (void)settle(o);
    struct position p = find(o, key);
    p.at += is_after && has_key(o, p, key);
    if (p.chunk < o->count && p.at == o->chunks[p.chunk]->count) {
        p = (struct position){p.chunk + 1, 0};
    }
    struct entry *found = p.chunk < o->count ? o->chunks[p.chunk]->entries[p.at] : NULL;
    for (uint32_t i = 0; i < o->aside_count; i++) { /* memory is out */
        int order = compare(entry_key(o->aside[i]), key);
        found = order > 0 || (order == 0 && !is_after) ? lower(found, o->aside[i]) : found;
    }
    return found;
}

uint64_t order_memory(const struct order *o)
{
    uint64_t bytes = o->capacity * sizeof *o->chunks + o->aside_capacity * sizeof *o->aside;
    for (size_t i = 0; i < o->count; i++) {
        bytes += chunk_bytes(o->chunks[i]->capacity);
    }
    return bytes;
}
