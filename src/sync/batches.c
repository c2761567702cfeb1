/* SPDX-License-Identifier: MIT
 *
 * See batches.h.
 */
#include "sync/batches.h"

#include "base/check.h"

#define NUMBER_MASK 0x7fffffffu

static uint32_t slot_of(const struct batches *b, uint32_t number)
{
    return (number - b->base) & NUMBER_MASK;
}

static struct hearsay_bytes key_of(const void *owner, uint32_t number)
{
    const struct batches *b = owner;
    return entry_key(b->queue[slot_of(b, number)].entry);
}

void batches_init(struct batches *b, const struct hearsay_allocator *memory, uint64_t seed)
{
    *b = (struct batches){.memory = memory};
    table_init(&b->newest, memory, seed, key_of, b);
}

void batches_deinit(struct batches *b)
{
    for (uint32_t i = b->taken; i < b->count; i++) {
        memory_free(b->memory, b->queue[i].entry);
    }
    table_deinit(&b->newest);
    memory_free(b->memory, b->queue);
    memory_free(b->memory, b->views);
    *b = (struct batches){.memory = b->memory};
}

const struct entry *batches_find(const struct batches *b, struct hearsay_bytes key)
{
    uint32_t number = table_find(&b->newest, key);
    return number == TABLE_NONE ? NULL : b->queue[slot_of(b, number)].entry;
}

static bool reserve_views(struct batches *b, uint32_t count)
{
    count = count < BATCHES_ONE_MAX ? count : BATCHES_ONE_MAX;
    if (count <= b->view_capacity) {
        return true;
    }
    struct hearsay_entry *views = memory_resize(b->memory, b->views, count * sizeof *views);
    if (views == NULL) {
        return false;
    }
    b->views = views;
    b->view_capacity = count;
    return true;
}

static bool reserve(struct batches *b)
{
    if (!table_reserve(&b->newest)) {
        return false;
    }
    if (b->count < b->capacity) {
        return true;
    }
    uint32_t capacity = b->capacity == 0 ? 16 : b->capacity * 2;
    struct pending *queue = memory_resize(b->memory, b->queue, capacity * sizeof *queue);
    if (queue == NULL) {
        return false;
    }
    b->queue = queue;
    b->capacity = capacity;
    return true;
}

bool batches_add(struct batches *b, const struct pending *write)
{
    /* While a batch is out the views are lent to the host: they grow when the next one starts. */
    if (!reserve(b) || (!b->is_out && !reserve_views(b, b->capacity))) {
        return false;
    }
    uint32_t older = table_find(&b->newest, entry_key(write->entry));
    if (older != TABLE_NONE) {
        table_remove(&b->newest, older);
    }
    b->queue[b->count] = *write;
    b->bytes += entry_size(write->entry);
    table_insert(&b->newest, (b->base + b->count++) & NUMBER_MASK);
    return true;
}

bool batches_start(struct batches *b, bool is_needed)
{
    if (b->is_out || (b->count == 0 && !is_needed)) {
        return false;
    }
    (void)reserve_views(b, b->count); /* or a smaller batch */
    uint64_t bytes = 0;
    while (b->out < b->count && b->out < b->view_capacity && bytes < BATCHES_ONE_BYTES) {
        b->views[b->out] = entry_view(b->queue[b->out].entry);
        bytes += entry_size(b->queue[b->out++].entry);
    }
    if (b->out == 0 && !is_needed) {
        return false;
    }
    b->batch++;
    b->is_out = true;
    return true;
}

/* The batch is through: the rest moves to the front. */
static void close_up(struct batches *b, uint32_t taken)
{
    b->count -= taken;
    b->base = (b->base + taken) & NUMBER_MASK;
    b->gone += taken;
    if (b->count > 0) {
        memmove(b->queue, b->queue + taken, b->count * sizeof *b->queue);
    } else if (b->capacity > BATCHES_ONE_MAX) {
        memory_free(b->memory, b->queue);
        b->queue = NULL;
        b->capacity = 0;
    }
    b->out = b->taken = 0;
    b->is_out = false;
}

bool batches_take(struct batches *b, struct pending *write)
{
    if (!b->is_out) {
        return false;
    }
    uint32_t i = b->taken;
    if (i == b->out) {
        close_up(b, i);
        return false;
    }
    *write = b->queue[i];
    uint32_t number = (b->base + i) & NUMBER_MASK;
    if (table_find(&b->newest, entry_key(write->entry)) == number) {
        table_remove(&b->newest, number);
    }
    b->bytes -= entry_size(write->entry);
    b->queue[i].entry = NULL; /* nobody looks for it any more */
    b->taken++;
    return true;
}
