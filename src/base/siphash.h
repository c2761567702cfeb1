/* SPDX-License-Identifier: MIT
 *
 * SipHash-2-4 with 64 and 128 bits (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012, and the 128-bit variant of
 * its reference code). A keyed hash: who does not know the key can neither predict nor collide it. Same result on every machine.
 */
#ifndef HEARSAY_BASE_SIPHASH_H
#define HEARSAY_BASE_SIPHASH_H

#include "base/bytes.h"

struct siphash_key {
    uint64_t k[2];
};

struct digest {
    uint64_t lo, hi;
};

/* < 0, 0, > 0. */
static inline int digest_compare(struct digest a, struct digest b)
{
    return a.hi != b.hi ? (a.hi > b.hi) - (a.hi < b.hi) : (a.lo > b.lo) - (a.lo < b.lo);
}

/* A hash over several pieces, as over their concatenation. */
struct siphash {
    uint64_t v[4];
    uint64_t tail; /* bytes that do not fill a word yet */
    uint64_t size;
};

struct siphash_key siphash_key_of(const uint8_t bytes[16]);

/* is_wide: 128 bits are wanted. */
void siphash_begin(struct siphash *s, const struct siphash_key *key, bool is_wide);
void siphash_add(struct siphash *s, const void *data, size_t size);
uint64_t siphash_end(struct siphash *s);
struct digest siphash_end_wide(struct siphash *s);

uint64_t siphash_of(const struct siphash_key *key, struct hearsay_bytes bytes);
/* The 128 bits of four words, as over their 32 bytes in little-endian order; the fast path of the Merkle tree. */
struct digest siphash_of_four(const struct siphash_key *key, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#endif
