/* SPDX-License-Identifier: MIT
 *
 * See expiry.h.
 */
#include "sync/expiry.h"

#include "base/check.h"

void expiry_init(struct expiry *x, const struct hearsay_allocator *memory)
{
    *x = (struct expiry){.memory = memory};
}

void expiry_deinit(struct expiry *x)
{
    memory_free(x->memory, x->heap);
    *x = (struct expiry){.memory = x->memory};
}

bool expiry_reserve(struct expiry *x)
{
    if (x->count < x->capacity) {
        return true;
    }
    uint32_t capacity = x->capacity == 0 ? 8 : x->capacity * 2;
    struct entry **heap = memory_resize(x->memory, x->heap, capacity * sizeof(struct entry *));
    if (heap == NULL) {
        return false;
    }
    x->heap = heap;
    x->capacity = capacity;
    return true;
}

static void put(struct expiry *x, uint32_t at, struct entry *entry)
{
    x->heap[at] = entry;
    entry_set_heap_place(entry, at);
}

static void rise(struct expiry *x, uint32_t at, struct entry *entry)
{
    for (; at > 0 && entry_due(x->heap[(at - 1) / 2]) > entry_due(entry); at = (at - 1) / 2) {
        put(x, at, x->heap[(at - 1) / 2]);
    }
    put(x, at, entry);
}

static void sink(struct expiry *x, uint32_t at, struct entry *entry)
{
    for (uint32_t child; (child = 2 * at + 1) < x->count; at = child) {
        child += child + 1 < x->count && entry_due(x->heap[child + 1]) < entry_due(x->heap[child]);
        if (entry_due(x->heap[child]) >= entry_due(entry)) {
            break;
        }
        put(x, at, x->heap[child]);
    }
    put(x, at, entry);
}

void expiry_insert(struct expiry *x, struct entry *entry)
{
    CHECK(x->count < x->capacity);
    rise(x, x->count++, entry);
}

void expiry_remove(struct expiry *x, const struct entry *entry)
{
    uint32_t at = entry_heap_place(entry);
    CHECK(at < x->count && x->heap[at] == entry);
    struct entry *last = x->heap[--x->count];
    if (last == entry) {
        return;
    }
    if (entry_due(last) < entry_due(entry)) {
        rise(x, at, last);
    } else {
        sink(x, at, last);
    }
}

struct entry *expiry_first(const struct expiry *x)
{
    return x->count == 0 ? NULL : x->heap[0];
}
