/* SPDX-License-Identifier: MIT
 *
 * See index.h.
 */
#include "sync/index.h"

#include "base/check.h"
#include "base/fetch.h"

#define BUCKET_SPLIT 24 /* keys a bucket on average when the directory doubles */
#define BUCKET_STEP 4   /* items by which a bucket grows */
#define BUCKET_MAX 60000
#define MOVES_PER_INSERT 2
#define ENTRY_NEAR 64 /* bytes of an entry behind its head that are worth asking for */

bool index_init(struct index *ix, const struct hearsay_allocator *memory,
                bool (*digest_of)(void *context, const struct index_item *item, struct digest *digest), void *context)
{
    *ix = (struct index){.memory = memory, .digest_of = digest_of, .context = context};
    ix->old = memory_zeros(memory, sizeof *ix->old);
    return ix->old != NULL;
}

static void free_buckets(struct index *ix, struct bucket *buckets, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        for (unsigned k = 0; k < buckets[i].count; k++) {
            memory_free(ix->memory, buckets[i].items[k].entry);
        }
        memory_free(ix->memory, buckets[i].items);
    }
}

void index_deinit(struct index *ix)
{
    if (ix->old != NULL) {
        free_buckets(ix, ix->old, ix->moved, (uint64_t)1 << ix->bits);
    }
    if (ix->new != NULL) {
        free_buckets(ix, ix->new, 0, 2 * ix->moved);
    }
    memory_free(ix->memory, ix->old);
    memory_free(ix->memory, ix->new);
    for (unsigned i = 0; i < INDEX_LEVELS; i++) {
        memory_free(ix->memory, ix->inner[i]);
    }
    *ix = (struct index){0};
}

/* The top bits of place. */
static uint64_t prefix(uint64_t place, unsigned depth)
{
    return depth == 0 ? 0 : place >> (64 - depth);
}

/* The last place that begins like this. */
static uint64_t last_of(uint64_t place, unsigned depth)
{
    return depth == 64 ? place : place | UINT64_MAX >> depth;
}

struct bucket *index_bucket(const struct index *ix, uint64_t place, uint64_t *last)
{
    uint64_t number = prefix(place, ix->bits);
    bool is_moved = number < ix->moved;
    *last = last_of(place, ix->bits + is_moved);
    return is_moved ? &ix->new[prefix(place, ix->bits + 1)] : &ix->old[number];
}

static struct bucket *bucket_of(const struct index *ix, uint64_t place)
{
    uint64_t last;
    return index_bucket(ix, place, &last);
}

/* The first item at or after place. */
static unsigned position_in(const struct bucket *b, uint64_t place)
{
    unsigned low = 0, high = b->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (b->items[middle].place < place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct index_item *index_find(const struct index *ix, uint64_t place, struct hearsay_bytes key)
{
    struct bucket *b = bucket_of(ix, place);
    for (unsigned i = position_in(b, place); i < b->count && b->items[i].place == place; i++) {
        if (bytes_equal(entry_key(b->items[i].entry), key)) {
            return &b->items[i];
        }
    }
    return NULL;
}

/* ---- doubling ---------------------------------------------------------------------------------------------------------- */

static void start_doubling(struct index *ix)
{
    uint64_t count = (uint64_t)1 << ix->bits;
    unsigned level = ix->bits / 4;
    if (ix->bits % 4 == 0) { /* what is the leaf level now becomes an inner one */
        if (level == INDEX_LEVELS) {
            return;
        }
        struct digest *sums = memory_resize(ix->memory, NULL, count * sizeof *sums);
        if (sums == NULL) {
            return;
        }
        for (uint64_t i = 0; i < count; i++) {
            sums[i] = ix->old[i].sum;
        }
        ix->inner[level] = sums;
    }
    ix->new = memory_zeros(ix->memory, 2 * count * sizeof *ix->new);
    if (ix->new == NULL && ix->bits % 4 == 0) {
        memory_free(ix->memory, ix->inner[level]);
        ix->inner[level] = NULL;
    }
    ix->moved = 0;
}

/* Splits the next bucket. False when memory is out. */
static bool move_one(struct index *ix)
{
    struct bucket *b = &ix->old[ix->moved], *low = &ix->new[2 * ix->moved], *high = low + 1;
    unsigned middle = position_in(b, (ix->moved << (64 - ix->bits) % 64) | (uint64_t)1 << (63 - ix->bits));
    unsigned upper = b->count - middle;
    if (upper > 0) {
        unsigned capacity = (upper + BUCKET_STEP - 1) / BUCKET_STEP * BUCKET_STEP;
        high->items = memory_resize(ix->memory, NULL, capacity * sizeof *high->items);
        if (high->items == NULL) {
            return false;
        }
        memcpy(high->items, b->items + middle, upper * sizeof *high->items);
        high->capacity = (uint16_t)capacity;
        high->count = (uint16_t)upper;
        for (unsigned i = 0; i < upper; i++) {
            struct digest digest;
            if (ix->digest_of(ix->context, &high->items[i], &digest)) {
                high->sum = digest_add(high->sum, digest);
            }
        }
    }
    low->items = b->items;
    low->count = (uint16_t)middle;
    low->capacity = b->capacity;
    low->sum = digest_subtract(b->sum, high->sum);
    unsigned fitting = (middle + BUCKET_STEP - 1) / BUCKET_STEP * BUCKET_STEP;
    if (fitting < low->capacity && fitting > 0) {
        struct index_item *smaller = memory_resize(ix->memory, low->items, fitting * sizeof *smaller);
        low->items = smaller == NULL ? low->items : smaller;
        low->capacity = smaller == NULL ? low->capacity : (uint16_t)fitting;
    }
    ix->moved++;
    return true;
}

static void grow(struct index *ix)
{
    if (ix->new == NULL) {
        if (ix->count >> ix->bits < BUCKET_SPLIT) {
            return;
        }
        start_doubling(ix);
    }
    for (int i = 0; ix->new != NULL &&i < MOVES_PER_INSERT &&move_one(ix); i++) {
        if (ix->moved == (uint64_t)1 << ix->bits) {
            memory_free(ix->memory, ix->old);
            ix->old = ix->new;
            ix->new = NULL;
            ix->moved = 0;
            ix->bits++;
        }
    }
}

/* ---- change ------------------------------------------------------------------------------------------------------------- */

bool index_reserve(struct index *ix, uint64_t place)
{
    grow(ix);
    struct bucket *b = bucket_of(ix, place);
    if (b->count < b->capacity) {
        return true;
    }
    unsigned capacity = b->capacity + BUCKET_STEP + b->capacity / 8 / BUCKET_STEP * BUCKET_STEP;
    struct index_item *items = capacity > BUCKET_MAX ? NULL : memory_resize(ix->memory, b->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    b->items = items;
    b->capacity = (uint16_t)capacity;
    return true;
}

void index_insert(struct index *ix, uint64_t place, struct entry *entry)
{
    struct bucket *b = bucket_of(ix, place);
    CHECK(b->count < b->capacity);
    unsigned at = position_in(b, place);
    memmove(b->items + at + 1, b->items + at, (b->count - at) * sizeof *b->items);
    b->items[at] = (struct index_item){place, entry};
    b->count++;
    ix->count++;
}

void index_remove(struct index *ix, struct index_item *item)
{
    struct bucket *b = bucket_of(ix, item->place);
    unsigned at = (unsigned)(item - b->items);
    memmove(b->items + at, b->items + at + 1, (b->count - at - 1u) * sizeof *b->items);
    b->count--;
    ix->count--;
}

/* ---- sums --------------------------------------------------------------------------------------------------------------- */

void index_add(struct index *ix, uint64_t place, struct digest delta)
{
    struct bucket *b = bucket_of(ix, place);
    b->sum = digest_add(b->sum, delta);
    for (unsigned level = 0; level < INDEX_LEVELS && ix->inner[level] != NULL; level++) {
        struct digest *sum = &ix->inner[level][prefix(place, 4 * level)];
        *sum = digest_add(*sum, delta);
    }
}

static struct digest sum_of_items(const struct index *ix, const struct bucket *b, uint64_t first, uint64_t last)
{
    struct digest sum = {0, 0}, digest;
    for (unsigned i = position_in(b, first); i < b->count && b->items[i].place <= last; i++) {
        if (ix->digest_of(ix->context, &b->items[i], &digest)) {
            sum = digest_add(sum, digest);
        }
    }
    return sum;
}

struct digest index_sum(const struct index *ix, uint64_t place, unsigned depth)
{
    uint64_t first = depth == 0 ? 0 : prefix(place, depth) << (64 - depth), end = last_of(first, depth);
    if (depth % 4 == 0 && depth / 4 < INDEX_LEVELS && ix->inner[depth / 4] != NULL) {
        return ix->inner[depth / 4][prefix(place, depth)];
    }
    if (depth > ix->bits + (prefix(first, ix->bits) < ix->moved ? 1u : 0u)) { /* deeper than our leaves */
        return sum_of_items(ix, bucket_of(ix, first), first, end);
    }
    struct digest sum = {0, 0};
    for (uint64_t at = first, last;; at = last + 1) {
        const struct bucket *b = index_bucket(ix, at, &last);
        sum = digest_add(sum, b->sum);
        if (last == end) {
            return sum;
        }
    }
}

/* ---- walking ------------------------------------------------------------------------------------------------------------- */

bool index_next(const struct index *ix, uint64_t *place, unsigned *rank, struct index_item *item)
{
    for (uint64_t at = *place, last;; at = last + 1) {
        const struct bucket *b = index_bucket(ix, at, &last);
        unsigned i = position_in(b, at) + (at == *place ? *rank : 0);
        if (i < b->count) {
            *item = b->items[i];
            *rank = item->place == *place ? *rank + 1 : 1;
            *place = item->place;
            return true;
        }
        if (last == UINT64_MAX) {
            return false;
        }
    }
}

void index_fetch(const struct index *ix, uint64_t place, uint64_t *last)
{
    const struct bucket *b = index_bucket(ix, place, last);
    for (unsigned i = 0; i < b->count; i++) {
        fetch(b->items[i].entry);
        fetch(b->items[i].entry->data + ENTRY_NEAR);
    }
}

uint64_t index_memory(const struct index *ix)
{
    uint64_t buckets = (uint64_t)1 << ix->bits, bytes = (buckets + (ix->new == NULL ? 0 : 2 * buckets)) * sizeof(struct bucket);
    for (unsigned level = 0; level < INDEX_LEVELS && ix->inner[level] != NULL; level++) {
        bytes += ((uint64_t)1 << 4 * level) * sizeof(struct digest);
    }
    for (uint64_t at = 0, last;; at = last + 1) {
        bytes += index_bucket(ix, at, &last)->capacity * sizeof(struct index_item);
        if (last == UINT64_MAX) {
            return bytes;
        }
    }
}
