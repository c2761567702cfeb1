/* SPDX-License-Identifier: MIT
 *
 * See hot.h. The wanted ids stand in a table of fixed size, one per place: whoever comes later pushes the earlier out, which then may be asked
 * for twice.
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

static size_t place_of(uint64_t id)
{
    return (size_t)((id ^ id >> 32) * 0x9e3779b97f4a7c15u >> 40) & (HOT_WANTED - 1);
}

bool hot_want(struct hot *h, const struct hearsay_allocator *memory, uint64_t id, uint64_t now, uint64_t until)
{
    if (h->wanted == NULL) {
        h->wanted = memory_zeros(memory, HOT_WANTED * sizeof *h->wanted);
        if (h->wanted == NULL) {
            return true; /* perhaps twice, then */
        }
    }
    size_t i = place_of(id);
    if (h->wanted[i].id == id && h->wanted[i].until > now) {
        return false;
    }
    h->wanted[i].id = id;
    h->wanted[i].until = until;
    return true;
}

void hot_unwant(struct hot *h, uint64_t id)
{
    if (h->wanted != NULL && h->wanted[place_of(id)].id == id) {
        h->wanted[place_of(id)].until = 0;
    }
}
