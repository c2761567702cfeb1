/* SPDX-License-Identifier: MIT
 *
 * The members that hold the store too, found by the address they speak from: what we know of each as a holder of the same data, above all
 * when we were last equal with it. Who fails stays here, so that its last equal epoch is not forgotten; its place is taken when a new one comes and
 * nothing is known to be missing there any more. Members themselves are swim's.
 */
#ifndef HEARSAY_SYNC_PEERS_H
#define HEARSAY_SYNC_PEERS_H

#include "base/siphash.h"
#include "swim/abilities.h"

#define PEERS_NONE UINT32_MAX

struct peer {
    struct hearsay_address address; /* normal, unused bytes zero */
    uint32_t slot;                  /* of the member; MEMBERS_NONE when it is forgotten */
    uint64_t digest;                /* keyed, of its name: the origin of its writes */
    uint32_t equal_epoch;           /* the last at which we had the same root; 0 = never */
    uint64_t purge_hlc;             /* the purge line that it told last */
    uint32_t odd_epoch;             /* an older root of ours differed from its at this one … */
    uint32_t odd;                   /* … and at so many in a row */
    uint64_t busy_until;            /* attended time; it asked for patience */
    uint64_t sessions, bytes_in, bytes_out, entries_in, entries_out; /* of repair */
};

struct peers {
    struct peer *list;
    uint32_t count, capacity;
    struct table by_address;
    const struct siphash_key *key;
};

void peers_init(struct peers *p, struct turn *turn, const struct siphash_key *key);
void peers_deinit(struct peers *p, const struct hearsay_allocator *memory);

/* The peer that speaks from this address, or PEERS_NONE. */
uint32_t peers_find(const struct peers *p, const struct hearsay_address *from);
uint32_t peers_find_slot(const struct peers *p, uint32_t slot);
/* The member turned out to hold the store, or moved. PEERS_NONE when memory is out. */
uint32_t peers_enter(struct peers *p, struct turn *turn, const struct members *m, uint32_t slot);
/* The slot means nothing any more. */
void peers_forget_slot(struct peers *p, uint32_t slot);
/* Alive, and able. */
bool peers_is_up(const struct peers *p, const struct members *m, uint32_t peer);
/* Up to k distinct random peers that are up, without `but`; answers how many. k <= 64. */
uint32_t peers_choose(const struct peers *p, const struct members *m, struct rng *rng, uint32_t k, uint32_t but, uint32_t *chosen);

#endif
