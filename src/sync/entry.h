/* SPDX-License-Identifier: MIT
 *
 * One entry of the shared store, packed into one allocation: head, expiry if it has one, key, value. Its digest is what the Merkle tree
 * sums: SipHash-2-4-128 over the keyed hash of the key, the version and a keyed hash of everything else (key, value, expiry, tombstone or
 * not), so that whoever does not know the cluster's secret can neither fill one leaf nor make two sums equal.
 *
 * The moment of an entry is the moment from which it counts in its present form: its version's, or that of its expiry once it has expired.
 */
#ifndef HEARSAY_SYNC_ENTRY_H
#define HEARSAY_SYNC_ENTRY_H

#include "base/memory.h"
#include "base/siphash.h"
#include <hearsay/store.h>

struct entry_keys {
    struct siphash_key place, value, digest;
};

enum entry_flags {
    ENTRY_TOMBSTONE = 1,
    ENTRY_PURGED = 4, /* a tombstone that is out of the tree and will be swept from memory */
    ENTRY_EXPIRES = 2 /* with either: eight bytes of the moment (0 = none) and four of its place in a heap come before the key */
};

struct entry {
    uint64_t hlc, origin;
    struct digest digest; /* what the tree sums */
    uint32_t value_size;
    uint32_t journal; /* of merkle.c: number of its newest record + 1, 0 = settled */
    uint16_t key_size;
    uint8_t flags;
    uint8_t data[];
};

void entry_keys_init(struct entry_keys *keys, const uint8_t secret[16]);

/* The place of a key in index and tree. */
static inline uint64_t entry_place(const struct entry_keys *keys, struct hearsay_bytes key)
{
    return siphash_of(&keys->place, key);
}

/* Packs an entry; place is its key's. NULL when memory is out. */
struct entry *entry_create(const struct hearsay_allocator *memory, const struct entry_keys *keys, uint64_t place,
                           const struct hearsay_entry *from);
/* Bytes of the allocation. */
size_t entry_size(const struct entry *e);
/* Borrows. */
struct hearsay_entry entry_view(const struct entry *e);
struct hearsay_bytes entry_key(const struct entry *e);

uint64_t entry_expires(const struct entry *e); /* 0 = never */
uint64_t entry_moment(const struct entry *e);
uint32_t entry_heap_place(const struct entry *e);
void entry_set_heap_place(struct entry *e, uint32_t place);
static inline bool entry_is_live(const struct entry *e)
{
    return (e->flags & ENTRY_TOMBSTONE) == 0;
}

/* The form that a version has after expiry? */
static inline bool entry_is_expired_form(const struct entry *e)
{
    return (e->flags & (ENTRY_EXPIRES | ENTRY_TOMBSTONE)) == (ENTRY_EXPIRES | ENTRY_TOMBSTONE);
}

/* When something becomes of it: a live one expires, a tombstone may be purged. */
static inline uint64_t entry_due(const struct entry *e)
{
    return entry_is_live(e) ? entry_expires(e) : entry_moment(e);
}

/* Packs the tombstone that a live entry becomes when it expires. NULL when memory is out. */
struct entry *entry_create_expired(const struct hearsay_allocator *memory, const struct entry_keys *keys, uint64_t place,
                                   const struct entry *e);

/* Eight bytes that name an entry in packets: half its place, half its digest. */
static inline uint64_t entry_id(uint64_t place, struct digest digest)
{
    return (place & 0xffffffff00000000u) | (digest.lo & 0xffffffffu);
}

/* < 0, 0, > 0: which version is newer? */
static inline int entry_compare_versions(uint64_t hlc_a, uint64_t origin_a, uint64_t hlc_b, uint64_t origin_b)
{
    return hlc_a != hlc_b ? (hlc_a > hlc_b) - (hlc_a < hlc_b) : (origin_a > origin_b) - (origin_a < origin_b);
}

/* Which of two entries of one key wins? Newer version; then the tombstone, which a live entry of that version has become; then, as two values of
 * one version are corruption, the larger digest. 0: they are the same. */
int entry_compare(const struct entry *a, const struct entry *b);
/* Two values of one version? */
bool entry_is_conflict(const struct entry *a, const struct entry *b);

#endif
