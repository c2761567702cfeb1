/* SPDX-License-Identifier: MIT
 *
 * Memory through the allocator of the node, and a buffer that grows. Allocation may fail: the caller drops what it was doing.
 */
#ifndef HEARSAY_BASE_MEMORY_H
#define HEARSAY_BASE_MEMORY_H

#include "base/bytes.h"

/* As the allocator's resize: NULL old allocates, size 0 frees and answers NULL. */
static inline void *memory_resize(const struct hearsay_allocator *memory, void *old, size_t size)
{
    return memory->resize(memory->context, old, size);
}

/* size bytes of zeros, or NULL. */
void *memory_zeros(const struct hearsay_allocator *memory, size_t size);

static inline void memory_free(const struct hearsay_allocator *memory, void *old)
{
    if (old != NULL) {
        (void)memory->resize(memory->context, old, 0);
    }
}

/* realloc and free of the C library. */
extern const struct hearsay_allocator memory_system;

/* Overwrites secrets; the compiler may not leave it out. */
void memory_wipe(void *data, size_t size);

struct buffer {
    const struct hearsay_allocator *memory;
    uint8_t *data;
    size_t size, capacity;
};

static inline struct hearsay_bytes buffer_bytes(const struct buffer *b)
{
    return (struct hearsay_bytes){b->data, b->size};
}

void buffer_init(struct buffer *b, const struct hearsay_allocator *memory);
void buffer_deinit(struct buffer *b);
/* Makes room for size more bytes without changing size. False when memory is out. May move data. */
bool buffer_reserve(struct buffer *b, size_t size);
/* Appends; false (and unchanged) when memory is out. data may be NULL to append uninitialised bytes. */
bool buffer_append(struct buffer *b, const void *data, size_t size);
/* Forgets the content, keeps the memory. */
static inline void buffer_clear(struct buffer *b)
{
    b->size = 0;
}

#endif
