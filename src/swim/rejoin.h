/* SPDX-License-Identifier: MIT
 *
 * Healing: looking for failed members again, so that partitions mend and whole clusters find back after an outage without anybody's
 * help. It chooses whom to try and when, and asks by a ping whether that very name answers; what follows (a look at the other side's
 * list, then exchanges) is node/streams.c's. A member that left is not looked for.
 *
 * About one attempt per healing_interval and cluster shortly after a failure, slowing down with its age.
 * Differs: memberlist never looks again, and Serf joins whatever lives at the address, be it another cluster.
 */
#ifndef HEARSAY_SWIM_REJOIN_H
#define HEARSAY_SWIM_REJOIN_H

#include "swim/claims.h"

struct rejoin {
    struct timer next, ping;
    const struct identity *target; /* held while one is tried */
    uint32_t sequence;
    uint64_t youngest_at;          /* host time of the latest failure */
};

void rejoin_init(struct rejoin *r);
void rejoin_deinit(struct rejoin *r, struct beliefs *b);
/* Somebody failed, or was remembered from a former life: start looking. */
void rejoin_on_failure(struct rejoin *r, struct beliefs *b, struct turn *turn);
void rejoin_on_next(struct rejoin *r, struct beliefs *b, struct turn *turn);
void rejoin_on_ping_timeout(struct rejoin *r, struct beliefs *b);
/* The identity that answered (borrowed from r until rejoin_release), or NULL if the sequence was not ours. */
const struct identity *rejoin_on_ack(struct rejoin *r, struct turn *turn, uint32_t sequence);
void rejoin_release(struct rejoin *r, struct beliefs *b);

#endif
