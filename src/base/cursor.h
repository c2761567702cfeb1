/* SPDX-License-Identifier: MIT
 *
 * Cursors over bytes. Read or write fields straight down and ask once at the end: the first overrun sticks, later reads
 * give zeros and later writes vanish.
 */
#ifndef HEARSAY_BASE_CURSOR_H
#define HEARSAY_BASE_CURSOR_H

#include "base/bytes.h"

struct reader {
    const uint8_t *at, *end;
    bool is_bad; /* something did not fit */
};

static inline struct reader reader_of(struct hearsay_bytes b)
{
    return (struct reader){b.data, b.size == 0 ? b.data : b.data + b.size, false};
}

static inline size_t reader_left(const struct reader *r)
{
    return r->is_bad ? 0 : (size_t)(r->end - r->at);
}

/* The next size bytes, borrowed; none and is_bad when there are fewer. */
static inline struct hearsay_bytes reader_take(struct reader *r, size_t size)
{
    if (reader_left(r) < size) {
        r->is_bad = true;
        return (struct hearsay_bytes){NULL, 0};
    }
    struct hearsay_bytes b = {r->at, size};
    if (size > 0) {
        r->at += size;
    }
    return b;
}

static inline uint8_t reader_u8(struct reader *r)
{
    struct hearsay_bytes b = reader_take(r, 1);
    return b.size == 1 ? b.data[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    struct hearsay_bytes b = reader_take(r, 2);
    return b.size == 2 ? bytes_get_u16(b.data) : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
    struct hearsay_bytes b = reader_take(r, 4);
    return b.size == 4 ? bytes_get_u32(b.data) : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
    struct hearsay_bytes b = reader_take(r, 8);
    return b.size == 8 ? bytes_get_u64(b.data) : 0;
}

/* Writes into memory of the caller. size counts what was written; is_full once something did not fit. */
struct writer {
    uint8_t *data;
    size_t size, capacity;
    bool is_full;
};

static inline struct writer writer_of(void *data, size_t capacity)
{
    return (struct writer){data, 0, capacity, false};
}

static inline struct hearsay_bytes writer_bytes(const struct writer *w)
{
    return (struct hearsay_bytes){w->data, w->size};
}

static inline void writer_put(struct writer *w, const void *data, size_t size)
{
    if (w->is_full || w->capacity - w->size < size) {
        w->is_full = true;
        return;
    }
    bytes_copy(w->data + w->size, data, size);
    w->size += size;
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
    writer_put(w, &v, 1);
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
    uint8_t b[2];
    bytes_put_u16(b, v);
    writer_put(w, b, sizeof b);
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
    uint8_t b[4];
    bytes_put_u32(b, v);
    writer_put(w, b, sizeof b);
}

#endif
