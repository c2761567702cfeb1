/* SPDX-License-Identifier: MIT
 *
 * Which belief wins: the rules by which an alive, suspect or dead claim about a member is applied, passed on, denied or ignored.
 * Reference: memberlist state.go (aliveNode, suspectNode, deadNode, refute); SWIM section 4.2. Claims are judged by incarnation
 * alone; where they came from only enters the recorded cause.
 */
#ifndef HEARSAY_SWIM_CLAIMS_H
#define HEARSAY_SWIM_CLAIMS_H

#include "swim/health.h"
#include "swim/members.h"
#include "swim/suspicion.h"

/* What this node believes of the cluster and of itself. */
struct beliefs {
    struct members members;
    struct suspicions suspicions;
    struct health health;
};

/* Where a claim came from. */
struct claim_source {
    enum hearsay_reason reason;           /* GOSSIP: ALIVE_HEARD etc. is derived; PUSH_PULL, PROBE_FAILED … are kept */
    const struct hearsay_address *from;   /* the datagram's or stream's other end, NULL = ourselves */
    const char *peer;                     /* push/pull: who told, NULL = unknown */
    const struct hearsay_cause *evidence; /* our own probe, NULL = none */
    bool is_quiet;                        /* what we just learned is no news to others: no eager copies */
    bool is_silent;                       /* told to nobody: all whom we know told it to us */
};

void claims_alive(struct beliefs *b, struct turn *turn, const struct message_alive *claim, const struct claim_source *source);
void claims_suspect(struct beliefs *b, struct turn *turn, const struct message_accusation *claim, const struct claim_source *source);
void claims_dead(struct beliefs *b, struct turn *turn, const struct message_accusation *claim, const struct claim_source *source);
/* One entry of a push/pull: dead and suspect there are suspicions of ours at most. */
void claims_merge(struct beliefs *b, struct turn *turn, const struct message_alive *entry, enum message_state state,
                  const struct claim_source *source);
/* The suspicion timer of slot fired. */
void claims_on_timer(struct beliefs *b, struct turn *turn, uint32_t slot);
/* Our own identity changed (set_tags) or starts: applies and tells it. */
void claims_announce_self(struct beliefs *b, struct turn *turn);
/* Tells a member what we hold it for, dead or left, so that it may deny it. */
void claims_tell_own_death(const struct beliefs *b, struct turn *turn, uint32_t slot);
/* The goodbye: dead about ourselves from ourselves, with RUMOR_NOTICE_DEAD. */
void claims_leave(struct beliefs *b, struct turn *turn);

/* The alive message of a known member, borrowed from its identity. */
struct message_alive claims_alive_of(const struct beliefs *b, uint32_t slot);

/* Versions that memberlist would refuse: too short is tolerated. */
bool claims_versions_acceptable(struct hearsay_bytes versions);

#endif
