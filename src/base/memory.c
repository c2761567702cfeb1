/* SPDX-License-Identifier: MIT
 *
 * See memory.h.
 */
#include "base/memory.h"

#include <stdlib.h>

static void *resize_system(void *context, void *old, size_t size)
{
    (void)context;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

const struct hearsay_allocator memory_system = {NULL, resize_system};

void *memory_zeros(const struct hearsay_allocator *memory, size_t size)
{
    void *p = memory_resize(memory, NULL, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

void memory_wipe(void *data, size_t size)
{
    volatile uint8_t *p = data;
    while (size-- > 0) {
        *p++ = 0;
    }
}

void buffer_init(struct buffer *b, const struct hearsay_allocator *memory)
{
    *b = (struct buffer){.memory = memory};
}

void buffer_deinit(struct buffer *b)
{
    memory_free(b->memory, b->data);
    *b = (struct buffer){.memory = b->memory};
}

bool buffer_reserve(struct buffer *b, size_t size)
{
    if (b->capacity - b->size >= size) {
        return true;
    }
    size_t capacity = b->capacity < 64 ? 64 : b->capacity;
    while (capacity - b->size < size) {
        if (capacity > SIZE_MAX / 2) {
            return false;
        }
        capacity *= 2;
    }
    uint8_t *data = memory_resize(b->memory, b->data, capacity);
    if (data == NULL) {
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

bool buffer_append(struct buffer *b, const void *data, size_t size)
{
    if (!buffer_reserve(b, size)) {
        return false;
    }
    if (data != NULL && size > 0) {
        memcpy(b->data + b->size, data, size);
    }
    b->size += size;
    return true;
}
