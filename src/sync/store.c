/* SPDX-License-Identifier: MIT
 *
 * See store.h.
 */
#include "sync/store.h"

bool store_init(struct store *s, const struct hearsay_allocator *memory, const uint8_t secret[16], uint32_t changes_max)
{
    *s = (struct store){.memory = memory};
    entry_keys_init(&s->keys, secret);
    order_init(&s->order, memory);
    expiry_init(&s->expiry, memory);
    expiry_init(&s->graves, memory);
    changes_init(&s->changes, memory, changes_max);
    return index_init(&s->index, memory, merkle_digest_of, &s->merkle) && merkle_init(&s->merkle, &s->index, memory);
}

void store_deinit(struct store *s)
{
    changes_deinit(&s->changes);
    expiry_deinit(&s->expiry);
    expiry_deinit(&s->graves);
    order_deinit(&s->order);
    if (s->index.memory != NULL) {
        index_deinit(&s->index);
    }
    if (s->merkle.memory != NULL) {
        merkle_deinit(&s->merkle);
    }
}

struct entry *store_find(const struct store *s, uint64_t place, struct hearsay_bytes key)
{
    const struct index_item *item = index_find(&s->index, place, key);
    return item == NULL ? NULL : item->entry;
}

struct entry *store_find_id(const struct store *s, uint64_t id)
{
    uint64_t place = id & 0xffffffff00000000u, first = place;
    unsigned rank = 0;
    struct index_item item;
    while (index_next(&s->index, &place, &rank, &item) && (item.place ^ first) >> 32 == 0) {
        if (entry_id(item.place, item.entry->digest) == id) {
            return item.entry;
        }
    }
    return NULL;
}

static void count(struct store *s, const struct entry *e, uint64_t sign)
{
    *(entry_is_live(e) ? &s->live : &s->tombstones) += sign;
    s->purged += (e->flags & ENTRY_PURGED) != 0 ? sign : 0;
    s->bytes += sign * (e->key_size + (uint64_t)e->value_size);
    s->entry_memory += sign * entry_size(e);
}

/* The heap in which it waits, or NULL. */
static struct expiry *heap_of(struct store *s, const struct entry *e)
{
    return !entry_is_live(e) ? &s->graves : entry_expires(e) != 0 ? &s->expiry : NULL;
}

/* Everything that may fail, before anything changes. */
static bool reserve(struct store *s, uint64_t place, const struct entry *entry, bool is_new)
{
    return (!is_new || (index_reserve(&s->index, place) && order_reserve(&s->order))) && merkle_reserve(&s->merkle) &&
           (heap_of(s, entry) == NULL || expiry_reserve(heap_of(s, entry)));
}

static void lose(struct store *s, uint64_t place, struct entry *present, struct entry *loser)
{
    if (merkle_reserve(&s->merkle)) { /* or the tree of a past epoch differs, which mends itself with the next */
        merkle_on_loser(&s->merkle, place, present, loser);
    }
    memory_free(s->memory, loser);
}

static void enter(struct store *s, struct entry *entry, uint64_t place)
{
    count(s, entry, 1);
    if (heap_of(s, entry) != NULL) {
        expiry_insert(heap_of(s, entry), entry);
    }
    changes_add(&s->changes, place);
}

/* entry takes the place of the item's; room is reserved. */
static void replace(struct store *s, struct index_item *item, struct entry *entry)
{
    struct entry *old = item->entry;
    merkle_on_change(&s->merkle, item->place, old, entry);
    if (heap_of(s, old) != NULL) {
        expiry_remove(heap_of(s, old), old);
    }
    count(s, old, (uint64_t)-1);
    if (entry_size(old) == entry_size(entry)) { /* then the order need not be searched */
        memcpy(old, entry, entry_size(entry));
        merkle_on_move(&s->merkle, old);
        memory_free(s->memory, entry);
        entry = old;
    } else {
        order_replace(&s->order, entry);
        item->entry = entry;
        memory_free(s->memory, old);
    }
    enter(s, entry, item->place);
}

void store_drop_loser(struct store *s, uint64_t place, struct entry *loser)
{
    struct entry *present = store_find(s, place, entry_key(loser));
    if (present != NULL && entry_compare(loser, present) < 0) {
        lose(s, place, present, loser);
    } else {
        memory_free(s->memory, loser);
    }
}

enum store_verdict store_commit(struct store *s, uint64_t place, struct entry *entry)
{
    struct index_item *item = index_find(&s->index, place, entry_key(entry));
    if (item != NULL) {
        int order = entry_compare(entry, item->entry);
        s->conflicts += entry_is_conflict(entry, item->entry);
        if (order <= 0) {
            lose(s, place, item->entry, entry);
            return order == 0 ? STORE_SAME : STORE_OLDER;
        }
    }
    if (!reserve(s, place, entry, item == NULL)) {
        memory_free(s->memory, entry);
        return STORE_NO_MEMORY;
    }
    if (item != NULL) {
        replace(s, item, entry);
    } else {
        index_insert(&s->index, place, entry);
        order_insert(&s->order, entry);
        merkle_on_change(&s->merkle, place, NULL, entry);
        enter(s, entry, place);
    }
    return STORE_NEWER;
}

bool store_expire(struct store *s, uint64_t hlc)
{
    const struct entry *first = expiry_first(&s->expiry);
    if (first == NULL || entry_expires(first) > hlc) {
        return false;
    }
    uint64_t place = entry_place(&s->keys, entry_key(first));
    struct entry *tombstone = entry_create_expired(s->memory, &s->keys, place, first);
    return tombstone != NULL && store_commit(s, place, tombstone) == STORE_NEWER;
}

void store_purge_tree(struct store *s, uint64_t hlc)
{
    for (uint32_t i = 0; i < s->graves.count; i++) {
        struct entry *e = s->graves.heap[i];
        if (entry_due(e) <= hlc && (e->flags & ENTRY_PURGED) == 0) {
            merkle_on_remove(&s->merkle, entry_place(&s->keys, entry_key(e)), e);
            e->flags |= ENTRY_PURGED;
            s->purged++;
        }
    }
}

bool store_sweep(struct store *s, uint32_t most)
{
    for (uint32_t i = 0; i < s->graves.count && s->purged > 0 && most > 0;) {
        struct entry *e = s->graves.heap[i];
        if ((e->flags & ENTRY_PURGED) == 0) {
            i++; /* came since; it is for the next time */
            continue;
        }
        store_remove(s, entry_place(&s->keys, entry_key(e)), e); /* another takes its place in the heap */
        most--;
    }
    return s->purged > 0;
}

void store_remove(struct store *s, uint64_t place, struct entry *entry)
{
    merkle_on_remove(&s->merkle, place, entry);
    order_remove(&s->order, entry_key(entry));
    index_remove(&s->index, index_find(&s->index, place, entry_key(entry)));
    if (heap_of(s, entry) != NULL) {
        expiry_remove(heap_of(s, entry), entry);
    }
    count(s, entry, (uint64_t)-1);
    memory_free(s->memory, entry);
}

uint64_t store_memory(const struct store *s)
{
    return s->entry_memory + index_memory(&s->index) + order_memory(&s->order) + merkle_memory(&s->merkle) +
           (s->expiry.capacity + s->graves.capacity) * sizeof(struct entry *) + s->changes.size * sizeof(uint64_t);
}
