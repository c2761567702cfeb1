/* SPDX-License-Identifier: MIT
 *
 * See siphash.h.
 */
#include "base/siphash.h"

static inline uint64_t rotated(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    mix(v);
    v[0] ^= word;
}

static inline uint64_t squeeze(uint64_t v[4])
{
    mix(v);
    mix(v);
    mix(v);
    mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline void start(uint64_t v[4], const struct siphash_key *key)
{
    v[0] = key->k[0] ^ 0x736f6d6570736575u;
    v[1] = key->k[1] ^ 0x646f72616e646f6du;
    v[2] = key->k[0] ^ 0x6c7967656e657261u;
    v[3] = key->k[1] ^ 0x7465646279746573u;
}

static inline uint64_t load(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

struct siphash_key siphash_key_of(const uint8_t bytes[16])
{
    return (struct siphash_key){{load(bytes), load(bytes + 8)}};
}

void siphash_begin(struct siphash *s, const struct siphash_key *key, bool is_wide)
{
    *s = (struct siphash){0};
    start(s->v, key);
    s->v[1] ^= is_wide ? 0xee : 0;
}

void siphash_add(struct siphash *s, const void *data, size_t size)
{
    const uint8_t *at = data;
    unsigned fill = s->size & 7;
    s->size += size;
    for (; size > 0 && fill > 0; size--) {
        s->tail |= (uint64_t)*at++ << 8 * fill;
        fill = (fill + 1) & 7;
        if (fill == 0) {
            absorb(s->v, s->tail);
            s->tail = 0;
        }
    }
    for (; size >= 8; size -= 8, at += 8) {
        absorb(s->v, load(at));
    }
    for (; size > 0; size--) {
        s->tail |= (uint64_t)*at++ << 8 * fill++;
    }
}

uint64_t siphash_end(struct siphash *s)
{
    absorb(s->v, s->tail | s->size << 56);
    s->v[2] ^= 0xff;
    return squeeze(s->v);
}

struct digest siphash_end_wide(struct siphash *s)
{
    struct digest digest;
    absorb(s->v, s->tail | s->size << 56);
    s->v[2] ^= 0xee;
    digest.lo = squeeze(s->v);
    s->v[1] ^= 0xdd;
    digest.hi = squeeze(s->v);
    return digest;
}

uint64_t siphash_of(const struct siphash_key *key, struct hearsay_bytes bytes)
{
    struct siphash s;
    siphash_begin(&s, key, false);
    siphash_add(&s, bytes.data, bytes.size);
    return siphash_end(&s);
}

struct digest siphash_of_four(const struct siphash_key *key, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct digest digest;
    uint64_t v[4];
    start(v, key);
    v[1] ^= 0xee;
    absorb(v, a);
    absorb(v, b);
    absorb(v, c);
    absorb(v, d);
    absorb(v, (uint64_t)32 << 56);
    v[2] ^= 0xee;
    digest.lo = squeeze(v);
    v[1] ^= 0xdd;
    digest.hi = squeeze(v);
    return digest;
}
