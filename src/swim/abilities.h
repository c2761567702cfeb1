/* SPDX-License-Identifier: MIT
 *
 * What members can do beyond memberlist: learned from their own pings and acks (message.h), never announced through others. Who is of
 * unknown ability is asked by a ping of its own before anything else is sent to it. doc/wire-policy.md has the rules.
 */
#ifndef HEARSAY_SWIM_ABILITIES_H
#define HEARSAY_SWIM_ABILITIES_H

#include "swim/claims.h"

#define ABILITIES_ASKED 32

/* Pings that only ask: the latest of them. */
struct abilities {
    struct {
        uint32_t sequence, slot;
    } asked[ABILITIES_ASKED];
    uint32_t next;
};

/* What we say of ourselves; 0 when we keep it to ourselves. */
uint32_t abilities_own(const struct hearsay_options *options);
/* From a packet of slot's own. True when it can hold the store and we did not know. */
bool abilities_learn(struct members *m, uint32_t slot, uint32_t abilities);
void abilities_ask(struct abilities *a, struct beliefs *b, struct turn *turn, uint32_t slot);
/* The member that was asked with this sequence, or MEMBERS_NONE. */
uint32_t abilities_on_ack(struct abilities *a, uint32_t sequence);

#endif
