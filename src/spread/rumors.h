/* SPDX-License-Identifier: MIT
 *
 * What to tell, how often, freshest first: memberlist's transmit-limited queue (one queue per class, the least told first, then
 * the largest that fits, then the newest), plus the eager copies that a new rumour is owed at once. It knows neither members
 * nor packets: swim/gossip.c chooses whom to tell, packing.c fills the datagrams.
 */
#ifndef HEARSAY_SPREAD_RUMORS_H
#define HEARSAY_SPREAD_RUMORS_H

#include "spread/turn.h"

/* In the order in which they fill a packet. */
enum rumor_class { RUMOR_MEMBER, RUMOR_INTENT, RUMOR_QUERY, RUMOR_EVENT, RUMOR_CLASSES };

/* Bits in rumors.told: the rumour with this notice has used up its transmissions (or was replaced). */
enum { RUMOR_NOTICE_INTENT = 1, RUMOR_NOTICE_DEAD = 2 };

struct rumor;

struct rumor_queue {
    struct rumor **items; /* sorted as they are to be told */
    uint32_t count, capacity;
    uint32_t smallest;    /* no rumour in it has fewer bytes */
};

#define RUMORS_BUCKETS 256

struct rumors {
    struct rumor_queue queues[RUMOR_CLASSES];
    struct rumor *by_subject[RUMORS_BUCKETS]; /* those about members, chained by the hash of the name */
    struct rumor **taken; /* by the packet being filled */
    uint32_t taken_count, taken_capacity;
    uint64_t next_id;
    uint32_t eager_count; /* rumours that are still owed eager copies */
    uint8_t told;
    struct timer gossip, eager;
    uint64_t phase;       /* gossip ticks fall on phase + k * interval */
    uint64_t tokens_at;   /* eager rate: the bucket is full again at this instant */
};

void rumors_init(struct rumors *r, struct turn *turn);
void rumors_deinit(struct rumors *r, const struct hearsay_allocator *memory);

/* How often each rumour is sent: retransmit_mult * ceil(log10(n + 1)). */
uint32_t rumors_limit(const struct turn *turn);

struct rumor_source {
    struct hearsay_bytes subject;        /* MEMBER: a newer rumour about the same name replaces; others: empty */
    const struct hearsay_address *from;  /* never told back eagerly; NULL = ours */
    uint8_t notice;
    bool is_quiet;                       /* no eager copies: ticks only */
};
/* Queues a copy of message, which starts with its type byte. Arms the gossip and eager timers. */
void rumors_add(struct turn *turn, enum rumor_class class, struct hearsay_bytes message, struct rumor_source source);

/* Takes rumours whose size + 2 each fits into space, for one packet; at most max parts. The parts live until rumors_settle, which
 * counts the transmission. */
unsigned rumors_take(struct turn *turn, size_t space, struct hearsay_bytes *parts, unsigned max);
/* The same among those owed eager copies, leaving out what came from `to`. Does not count as a transmission. */
unsigned rumors_take_eager(struct turn *turn, const struct hearsay_address *to, size_t space, struct hearsay_bytes *parts, unsigned max);
void rumors_settle(struct turn *turn);
/* Most eager copies any rumour is still owed. */
uint32_t rumors_eager_most(const struct rumors *r);
/* Nobody (else) to tell: forget what eager copies are owed. */
void rumors_eager_clear(struct rumors *r);
/* One token of the eager rate. False when above it. */
bool rumors_eager_token(struct turn *turn);

static inline uint32_t rumors_count(const struct rumors *r)
{
    uint32_t count = 0;
    for (int i = 0; i < RUMOR_CLASSES; i++) {
        count += r->queues[i].count;
    }
    return count;
}

static inline bool rumors_any(const struct rumors *r)
{
    return rumors_count(r) > 0;
}

#endif
