/* SPDX-License-Identifier: MIT
 *
 * The store: what counts, that is, what is durable. Two indexes over the same entries (by place and by key), the tree, expiry, and the log
 * of changes, kept in step. The newest version of a key wins, whatever the order of arrival. It knows neither time nor disk nor peers.
 */
#ifndef HEARSAY_SYNC_STORE_H
#define HEARSAY_SYNC_STORE_H

#include "sync/changes.h"
#include "sync/expiry.h"
#include "sync/merkle.h"
#include "sync/order.h"

struct store {
    const struct hearsay_allocator *memory;
    struct entry_keys keys;
    struct index index;
    struct order order;
    struct expiry expiry; /* of live entries */
    struct expiry graves; /* tombstones */
    struct merkle merkle;
    struct changes changes;
    uint64_t live, tombstones;
    uint64_t purged;       /* tombstones out of the tree, still in memory */
    uint64_t bytes;        /* of keys and values */
    uint64_t entry_memory; /* of the packed entries */
    uint64_t conflicts;    /* two values of one version: corruption somewhere */
};

enum store_verdict {
    STORE_NEWER, /* it wins */
    STORE_SAME,  /* it is what we have */
    STORE_OLDER, /* what we have wins */
    STORE_NO_MEMORY
};

/* False when memory is out; then store_deinit is still due. */
bool store_init(struct store *s, const struct hearsay_allocator *memory, const uint8_t secret[16], uint32_t changes_max);
void store_deinit(struct store *s);

/* NULL when the key is absent. Tombstones are found too. */
struct entry *store_find(const struct store *s, uint64_t place, struct hearsay_bytes key);
/* The entry that entry_id names, or NULL. */
struct entry *store_find_id(const struct store *s, uint64_t id);

/* Takes the entry in if it wins, frees it otherwise (with STORE_NO_MEMORY too). */
enum store_verdict store_commit(struct store *s, uint64_t place, struct entry *entry);
/* Frees an entry that lost against a newer one, here or on its way; in the tree of a past epoch it may count nevertheless. */
void store_drop_loser(struct store *s, uint64_t place, struct entry *loser);
/* The first live entry that expires not later than hlc becomes a tombstone. False when there is none, or memory is out. */
bool store_expire(struct store *s, uint64_t hlc);
/* Tombstones that are not newer than hlc leave the tree, all at once. */
void store_purge_tree(struct store *s, uint64_t hlc);
/* So many of them leave the memory. True when there are more. */
bool store_sweep(struct store *s, uint32_t most);
/* Takes an entry out of everything; nobody is told. */
void store_remove(struct store *s, uint64_t place, struct entry *entry);

uint64_t store_memory(const struct store *s);

#endif
