/* SPDX-License-Identifier: MIT
 *
 * Suspicion: the time a member has to refute before it is declared dead, shortened by independent confirmations (Lifeguard, section
 * IV.B, LHA-Suspicion). One timer per suspected member; claims.c decides what its end means.
 */
#ifndef HEARSAY_SWIM_SUSPICION_H
#define HEARSAY_SWIM_SUSPICION_H

#include "spread/turn.h"

struct suspicion {
    struct timer timer;     /* number: the member's slot */
    struct suspicion *next;
    uint64_t started_at;    /* attended time */
    uint32_t min_ms, max_ms;
    uint32_t wanted, confirmed; /* k and C of the formula */
    struct hearsay_cause cause; /* why it began; its accuser is the next field */
    const char *accuser;    /* behind seen, in the same piece of memory */
    uint64_t seen[];        /* hashes of accusers, the first included: wanted + 1 places */
};

struct suspicions {
    struct suspicion *first;
};

void suspicions_deinit(struct suspicions *s, const struct hearsay_allocator *memory);

/* Starts one for slot. False when memory is out: then nobody may become suspect. */
bool suspicion_start(struct suspicions *s, struct turn *turn, uint32_t slot, struct hearsay_bytes accuser, const struct hearsay_cause *cause);
struct suspicion *suspicion_find(const struct suspicions *s, uint32_t slot);
/* Does this accuser count as a confirmation? If so the timer is shortened; it may be due at once. */
bool suspicion_confirm(struct suspicion *suspicion, struct turn *turn, struct hearsay_bytes accuser);
void suspicion_stop(struct suspicions *s, struct turn *turn, uint32_t slot);
/* The least suspicion time in ms for a cluster of the turn's size. */
uint32_t suspicion_least_ms(const struct turn *turn);
uint32_t suspicion_ran_ms(const struct suspicion *suspicion, const struct turn *turn);

#endif
