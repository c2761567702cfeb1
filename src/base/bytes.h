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

static inline bool bytes_equal(struct hearsay_bytes a, struct hearsay_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* memcpy that takes size 0 with any pointers. */
static inline void bytes_copy(void *to, const void *from, size_t size)
{
    if (size > 0) {
        memcpy(to, from, size);
    }
}

static inline uint64_t bytes_hash(struct hearsay_bytes b, uint64_t seed)
{
    uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < b.size; i++) {
        h = (h ^ b.data[i]) * 0x100000001b3u;
    }
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

/* Equal as peers compare: byte by byte, port included. */
static inline bool address_equal(const struct hearsay_address *a, const struct hearsay_address *b)
{
    return a->size == b->size && a->port == b->port && memcmp(a->bytes, b->bytes, a->size) == 0;
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
