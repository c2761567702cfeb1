/* SPDX-License-Identifier: MIT
 *
 * See hot.h. The wanted ids stand in a table, each near its place, which doubles when there is none free; at its largest whoever comes later pushes
 * an earlier one out, which then may be asked for twice.
 */
#include "sync/hot.h"

#define WANTED_PLACES 8 /* tried for one */

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

/* Where this id stands, or may stand: the first of some places that is its own or that nobody needs any more, else the last of them. */
static struct hot_wanted *find_wanted(const struct hot *h, uint64_t id, uint64_t now)
{
    size_t home = (size_t)((id ^ id >> 32) * 0x9e3779b97f4a7c15u >> 40);
    struct hot_wanted *w = NULL, *idle = NULL;
    for (unsigned i = 0; i < WANTED_PLACES; i++) {
        w = &h->wanted[(home + i) & (h->wanted_capacity - 1)];
        if (w->id == id) {
            return w;
        }
        idle = idle == NULL && w->until <= now ? w : idle;
    }
    return idle == NULL ? w : idle;
}

/* Twice as many places, or the first. False when memory is out, or there are enough: then what was asked for first is forgotten. */
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
            *find_wanted(h, old[i].id, now) = old[i];
        }
    }
    memory_free(memory, old);
    return true;
}

bool hot_want(struct hot *h, const struct hearsay_allocator *memory, uint64_t id, uint32_t from, uint64_t now, uint64_t until)
{
    if (h->wanted == NULL && !grow_wanted(h, memory, now)) {
        return true; /* perhaps twice, then */
    }
    struct hot_wanted *w = find_wanted(h, id, now);
    if (w->id != id && w->until > now && grow_wanted(h, memory, now)) {
        w = find_wanted(h, id, now);
    }
    if (w->id == id && w->from != from && w->until > now) {
        return false;
    }
    *w = (struct hot_wanted){id, until, from};
    return true;
}

