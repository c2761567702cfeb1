/* SPDX-License-Identifier: MIT
 *
 * Borrowed bytes, addresses compared, and integers in network order: small inline words on hearsay's plain types.
 */
#ifndef HEARSAY_BASE_BYTES_H
#define HEARSAY_BASE_BYTES_H

#include <hearsay/types.h>
#include <string.h>

static inline struct hearsay_bytes bytes_of(const void *data, size_t size)
{
    return (struct hearsay_bytes){data, size};
}

static inline struct hearsay_bytes bytes_of_string(const char *string)
{
    return (struct hearsay_bytes){(const uint8_t *)string, string == NULL ? 0 : strlen(string)};
}

/* Most of what is compared is a short name: by words, which may overlap, and without a call. */
static inline bool bytes_same(const uint8_t *a, const uint8_t *b, size_t size)
{
    if (size > 16) {
        return memcmp(a, b, size) == 0;
    }
    if (size >= 8) {
        return memcmp(a, b, 8) == 0 && memcmp(a + size - 8, b + size - 8, 8) == 0;
    }
    if (size >= 4) {
        return memcmp(a, b, 4) == 0 && memcmp(a + size - 4, b + size - 4, 4) == 0;
    }
    return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

static inline bool bytes_equal(struct hearsay_bytes a, struct hearsay_bytes b)
{
    return a.size == b.size && bytes_same(a.data, b.data, a.size);
}

/* memcpy that takes size 0 with any pointers. */
static inline void bytes_copy(void *to, const void *from, size_t size)
{
    if (size > 0) {
        memcpy(to, from, size);
    }
}

/* Equal as peers compare: byte by byte, port included. */
static inline bool address_equal(const struct hearsay_address *a, const struct hearsay_address *b)
{
    return a->size == b->size && a->port == b->port && bytes_same(a->bytes, b->bytes, a->size);
}

/* IPv4 in 4 bytes and IPv4 mapped into 16 bytes are the same place. */
static inline struct hearsay_address address_normal(const struct hearsay_address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct hearsay_address n = {.port = a->port, .size = a->size};
    if (a->size == 16 && memcmp(a->bytes, mapped, 12) == 0) {
        n.size = 4;
        memcpy(n.bytes, a->bytes + 12, 4);
    } else {
        memcpy(n.bytes, a->bytes, a->size);
    }
    return n;
}

static inline bool address_same_place(const struct hearsay_address *a, const struct hearsay_address *b)
{
    struct hearsay_address x = address_normal(a), y = address_normal(b);
    return address_equal(&x, &y);
}

static inline uint16_t bytes_get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t bytes_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t bytes_get_u64(const uint8_t *p)
{
    return (uint64_t)bytes_get_u32(p) << 32 | bytes_get_u32(p + 4);
}

static inline uint64_t bytes_mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9fb21c651e98df25u;
    return h ^ (h >> 32);
}

/* Eight bytes at a time; names are mostly shorter than two of these. The same on every machine. */
static inline uint64_t bytes_hash(struct hearsay_bytes b, uint64_t seed)
{
    const uint8_t *at = b.data;
    size_t left = b.size;
    uint64_t h = bytes_mix(seed, b.size);
    for (; left > 8; left -= 8, at += 8) {
        h = bytes_mix(h, bytes_get_u64(at));
    }
    uint64_t last = 0;
    if (left >= 4) { /* the two halves may overlap */
        last = (uint64_t)bytes_get_u32(at) << 32 | bytes_get_u32(at + left - 4);
    } else if (left > 0) {
        last = (uint64_t)at[0] << 16 | (uint64_t)at[left / 2] << 8 | at[left - 1];
    }
    h = (h ^ last) * 0xd6e8feb86659fd93u;
    h = (h ^ (h >> 32)) * 0x9fb21c651e98df25u;
    return h ^ (h >> 32);
}

static inline void bytes_put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void bytes_put_u32(uint8_t *p, uint32_t v)
{
    bytes_put_u16(p, (uint16_t)(v >> 16));
    bytes_put_u16(p + 2, (uint16_t)v);
}

static inline void bytes_put_u64(uint8_t *p, uint64_t v)
{
    bytes_put_u32(p, (uint32_t)(v >> 32));
    bytes_put_u32(p + 4, (uint32_t)v);
}

#endif
