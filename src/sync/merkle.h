/* SPDX-License-Identifier: MIT
 *
 * The Merkle tree over settled entries, and the journal of those that are not settled yet. A node of the tree is the 128-bit sum of the
 * digests below it, so its value is a function of the set alone: neither the order of writes nor the depth shows, and a write is one
 * addition per level.
 *
 * Epochs are seconds of the hybrid logical clock. The tree of epoch E holds for each key the newest version that counts not later than the
 * end of E; an epoch is sealed some time after our clock passed its end (sync.c says when), so that what is on its way does not look like
 * damage. What comes later than that is real damage and is applied at once.
 *
 * A key with changes in unsealed epochs has a chain of records, newest first: one for each such epoch, and at the end what the tree holds
 * of it. The newest one points to the entry in the index.
 */
#ifndef HEARSAY_SYNC_MERKLE_H
#define HEARSAY_SYNC_MERKLE_H

#include "sync/hlc.h"
#include "sync/index.h"

#define MERKLE_EPOCH_MS 1000
#define MERKLE_ROOTS 16         /* roots remembered */
#define MERKLE_EPOCHS_AHEAD 128 /* unsealed epochs kept apart; the drift allowed and the delay of sealing are shorter */

struct merkle_root {
    uint32_t epoch;
    uint64_t count;
    struct digest sum;
};

struct merkle_record;

struct merkle {
    struct index *index;
    const struct hearsay_allocator *memory;
    struct merkle_record *records;
    uint32_t record_capacity, record_used, free_count;
    uint32_t record_peak;             /* records used at once since memory was last given back */
    uint32_t first_free; /* number + 1 */
    uint32_t *epochs;    /* MERKLE_EPOCHS_AHEAD lists of records by epoch, numbers + 1 */
    uint32_t horizon;    /* the last sealed epoch */
    uint64_t unsettled;  /* records that wait */
    uint64_t count;      /* keys in the tree */
    struct merkle_root roots[MERKLE_ROOTS];
    uint32_t root_next;
    bool has_roots;
    uint64_t late;                    /* changes that came after their epoch was sealed */
    uint32_t late_epoch;              /* the oldest epoch of such a change since the owner zeroed this; 0 = none */
};

static inline uint32_t merkle_epoch_of(uint64_t hlc)
{
    return (uint32_t)(hlc_ms(hlc) / MERKLE_EPOCH_MS);
}

/* False when memory is out. The index calls merkle_digest_of with m. */
bool merkle_init(struct merkle *m, struct index *index, const struct hearsay_allocator *memory);
void merkle_deinit(struct merkle *m);

/* What of this item the tree holds. The index's digest_of. */
bool merkle_digest_of(void *context, const struct index_item *item, struct digest *digest);

/* Makes room for one change. False when memory is out. */
bool merkle_reserve(struct merkle *m);
/* next takes the place of old (NULL: a new key) in the index; called while old is still there, after merkle_reserve. Nothing here can fail.
 */
void merkle_on_change(struct merkle *m, uint64_t place, struct entry *old, struct entry *next);
/* The entry, as it is in the index, lies elsewhere in memory now. */
void merkle_on_move(struct merkle *m, struct entry *entry);
/* A version that lost against present, the entry in the index; in its own epoch it may count nevertheless. After merkle_reserve. */
void merkle_on_loser(struct merkle *m, uint64_t place, struct entry *present, const struct entry *loser);
/* The entry is about to leave the index for good. */
void merkle_on_remove(struct merkle *m, uint64_t place, struct entry *entry);

/* Nothing waits: what comes from the disk up to this epoch is settled. */
void merkle_start_at(struct merkle *m, uint32_t epoch);
/* Our clock was wrong: what is sealed is called no newer than epoch. */
void merkle_step_back(struct merkle *m, uint32_t epoch);
/* Seals everything up to epoch. The newest root is that of m->horizon. */
void merkle_seal(struct merkle *m, uint32_t epoch);
/* Remembered roots mean nothing any more. */
void merkle_forget_roots(struct merkle *m);
/* The present root. Late changes move it within its epoch. */
struct merkle_root merkle_root(const struct merkle *m);
/* The root of an epoch, if it is remembered: a late change or a purge makes all but the present one be forgotten. */
bool merkle_root_of(const struct merkle *m, uint32_t epoch, struct merkle_root *root);
/* Is this entry's present form newer than the tree? Then it is on its way, and nothing to repair. */
static inline bool merkle_is_settled(const struct entry *entry)
{
    return entry->journal == 0;
}
uint64_t merkle_memory(const struct merkle *m);

/* The digest of the node whose places begin with the first depth bits of place: that of all in the tree below it. Any depth up to 64. */
static inline struct digest merkle_node(const struct merkle *m, uint64_t place, unsigned depth)
{
    return index_sum(m->index, place, depth);
}

/* Walks what the tree holds under a node, in order of place: begin with *at = first place of the node and *rank = 0, stop beyond its last.
 * digest is of the version in the tree; item->entry may be newer (merkle_is_settled tells). */
bool merkle_next(const struct merkle *m, uint64_t *at, unsigned *rank, uint64_t last, struct index_item *item, struct digest *digest);

/* The walker that finds differences of two trees in one process, as two nodes do by messages; found is called with the item of either side
 * (NULL: it lacks the key or has another digest under the same place). For tests, and the model of the exchange. Answers nodes compared. */
typedef void (*merkle_found)(void *context, const struct index_item *a, const struct index_item *b);
uint64_t merkle_diff(const struct merkle *a, const struct merkle *b, merkle_found found, void *context);

#endif
