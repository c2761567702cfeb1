/* SPDX-License-Identifier: MIT
 *
 * See hot.h. The wanted ids stand in a table, one per place, which doubles when two meet in one; at its largest whoever comes later pushes the
 * earlier out, which then may be asked for twice.
 */
#include "sync/hot.h"

void hot_deinit(struct hot *h, const struct hearsay_allocator *memory)
{
    memory_free(memory, h->list);
    memory_free(memory, h->wanted);
    *h = (struct hot){.list = NULL};
}

static bool grow(struct hot *h, const struct hearsay_allocator *memory)
{
    uint32_t capacity = h->capacity == 0 ? 64 : h->capacity * 2;
    struct hot_entry *list = memory_resize(memory, h->list, capacity * sizeof *list);
    if (list == NULL) {
        return false;
    }
    h->list = list;
    h->capacity = capacity;
    return true;
}

void hot_sweep(struct hot *h)
{
    uint32_t kept = 0;
    h->eager_count = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if (h->list[i].id != 0) {
            h->eager_count += h->list[i].eager > 0;
            h->list[kept++] = h->list[i];
        }
    }
    h->count = kept;
}

bool hot_add(struct hot *h, const struct hearsay_allocator *memory, const struct hot_entry *entry)
{
    if (h->count == HOT_MAX) { /* a quarter at once, so that it is not moved for every one */
        memset(h->list, 0, HOT_MAX / 4 * sizeof *h->list);
        hot_sweep(h);
    }
    if (h->count == h->capacity && !grow(h, memory)) {
        return false;
    }
    h->eager_count += entry->eager > 0;
    h->list[h->count++] = *entry;
    return true;
}

static size_t place_of(const struct hot *h, uint64_t id)
{
    return (size_t)((id ^ id >> 32) * 0x9e3779b97f4a7c15u >> 40) & (h->wanted_capacity - 1);
}

/* Twice as many places, or the first. False when memory is out, or it is large enough: then places are lost. */
static bool grow_wanted(struct hot *h, const struct hearsay_allocator *memory, uint64_t now)
{
    uint32_t capacity = h->wanted_capacity == 0 ? HOT_WANTED_LEAST : h->wanted_capacity * 2, before = h->wanted_capacity;
    struct hot_wanted *old = h->wanted, *wanted = capacity > HOT_WANTED_MOST ? NULL : memory_zeros(memory, capacity * sizeof *wanted);
    if (wanted == NULL) {
        return false;
    }
    h->wanted = wanted;
    h->wanted_capacity = capacity;
    for (uint32_t i = 0; i < before; i++) {
        if (old[i].until > now) {
            wanted[place_of(h, old[i].id)] = old[i];
        }
    }
    memory_free(memory, old);
    return true;
}

bool hot_want(struct hot *h, const struct hearsay_allocator *memory, uint64_t id, uint32_t from, uint64_t now, uint64_t until)
{
    struct hot_wanted *w;
    do {
        if (h->wanted == NULL && !grow_wanted(h, memory, now)) {
            return true; /* perhaps twice, then */
        }
        w = &h->wanted[place_of(h, id)];
        if (w->id == id && w->from != from && w->until > now) {
            return false;
        }
    } while (w->id != id && w->until > now && grow_wanted(h, memory, now));
    *w = (struct hot_wanted){id, until, from};
    return true;
}

void hot_unwant(struct hot *h, uint64_t id)
{
    if (h->wanted != NULL && h->wanted[place_of(h, id)].id == id) {
        h->wanted[place_of(h, id)].until = 0;
    }
}
