/* SPDX-License-Identifier: MIT
 *
 * The failure detector's question: one member is probed per interval, directly, then through relays and over a stream. The answer goes
 * to claims.c as a suspicion. Reference: SWIM section 3.1 and 4.3; Lifeguard IV.A; memberlist state.go (probeNode).
 */
#ifndef HEARSAY_SWIM_PROBE_H
#define HEARSAY_SWIM_PROBE_H

#include "swim/claims.h"

struct probe {
    struct timer round, timeout, end;
    const struct identity *target; /* held while a probe runs, else NULL */
    uint32_t next_place;           /* where the walk through the list goes on */
    uint32_t sequence;
    uint64_t started_at;
    uint32_t nacks_expected;
    struct hearsay_cause evidence;
};

void probe_init(struct probe *p, struct turn *turn);
void probe_deinit(struct probe *p, struct beliefs *b);
/* A round is due: purges the long dead at the end of each pass, then pings the next member. */
void probe_on_round(struct probe *p, struct beliefs *b, struct turn *turn);
/* No direct answer in time: asks relays. True when a stream ping should be tried too (until p->end.at, with p->sequence). */
bool probe_on_timeout(struct probe *p, struct beliefs *b, struct turn *turn);
void probe_on_end(struct probe *p, struct beliefs *b, struct turn *turn);
/* True when the sequence was this probe's. */
bool probe_on_ack(struct probe *p, struct beliefs *b, struct turn *turn, uint32_t sequence, const struct hearsay_address *from);
/* Is the ack of this sequence the direct answer that our probe waits for, not one through relays? */
bool probe_is_direct(const struct probe *p, uint32_t sequence);
bool probe_on_nack(struct probe *p, uint32_t sequence);
/* The stream ping of this sequence ended. */
void probe_on_stream(struct probe *p, uint32_t sequence, enum hearsay_path how);

/* A ping for this name to this address, with rumours riding along. Used by healing and relays too. */
void probe_send_ping(struct beliefs *b, struct turn *turn, struct hearsay_bytes name, const struct hearsay_address *to, uint32_t sequence,
                     bool carries_rumors);

#endif
