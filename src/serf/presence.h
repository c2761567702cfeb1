/* SPDX-License-Identifier: MIT
 *
 * What users see of members: memberlist's beliefs joined with Serf's intents, so that "left" differs from "failed". Without Serf (plain
 * personality) a goodbye is a leave and everything else a failure. Emits the member events, each with its cause.
 * Reference: serf serf.go (handleNodeJoin, handleNodeLeave, handleNodeLeaveIntent, handleNodeJoinIntent, reap).
 */
#ifndef HEARSAY_SERF_PRESENCE_H
#define HEARSAY_SERF_PRESENCE_H

#include "serf/lamport.h"
#include "swim/claims.h"
#include "wire/serf_message.h"

struct pending_intent;

struct presence {
    struct lamport clock;
    struct pending_intent *pending; /* about members we do not know yet */
    uint32_t pending_count;
    uint64_t announced; /* time of our last join intent */
    struct timer reap;
};

void presence_init(struct presence *p, struct turn *turn);
void presence_deinit(struct presence *p, const struct hearsay_allocator *memory);

/* Listener of members.h. */
void presence_on_change(struct presence *p, struct beliefs *b, struct turn *turn, uint32_t slot, enum member_change change,
                        const struct hearsay_cause *cause, const struct hearsay_address *other_address);

/* Handles a leave or join intent; from = who told, NULL = ourselves or a merge. True when it was news and should be told on. */
bool presence_on_intent(struct presence *p, struct beliefs *b, struct turn *turn, bool is_leave, const struct serf_intent *intent);
/* Queues an intent of our own about name at the clock's time, which then ticks. notice as rumors.h. */
void presence_tell_intent(struct presence *p, struct turn *turn, bool is_leave, struct hearsay_bytes name, bool prune, uint8_t notice);
/* Tells a member that we show as leaving just that, with our time of it. */
void presence_tell_leaving(const struct beliefs *b, struct turn *turn, uint32_t slot);
/* Forgets whoever is gone for too long, and arms the timer again. */
void presence_on_reap(struct presence *p, struct beliefs *b, struct turn *turn);

/* What users see it as; HEARSAY_NONE = they do not. */
enum hearsay_status presence_status(const struct beliefs *b, uint32_t slot);
/* The member as users see it. False when users see nothing of it. */
bool presence_view(const struct beliefs *b, uint32_t slot, struct hearsay_member *out);
/* Emits an event about a member. */
void presence_notify(struct beliefs *b, struct turn *turn, uint32_t slot, enum hearsay_event_type type, const struct hearsay_cause *cause,
                     const struct hearsay_address *other_address);

#endif
