/* SPDX-License-Identifier: MIT
 *
 * Serf's share of a push/pull: clocks, who left, the times of everybody's last intent, recent events. Reference: serf delegate.go
 * (LocalState, MergeRemoteState).
 */
#ifndef HEARSAY_SERF_USER_STATE_H
#define HEARSAY_SERF_USER_STATE_H

#include "serf/events.h"
#include "serf/presence.h"
#include "serf/queries.h"

struct serf {
    struct presence presence;
    struct events events;
    struct queries queries;
};

/* Appends our state. False when memory is out. */
bool user_state_write(const struct serf *s, const struct beliefs *b, struct buffer *out);
/* Merges theirs. ignore_old: events from before now are none of our business. False when malformed (nothing was merged). */
bool user_state_merge(struct serf *s, struct beliefs *b, struct turn *turn, struct hearsay_bytes state, bool ignore_old);

#endif
