/* SPDX-License-Identifier: MIT
 *
 * Gathers events for a short while before streams and handlers hear of them, as Serf's agent does: of the member events of one
 * name only the last counts, and nothing if that is what was told last; of the user events of one name that may be coalesced only
 * those with the highest Lamport time. It knows no clock: the host says what time it is.
 */
#ifndef HEARSAY_AGENT_COALESCE_H
#define HEARSAY_AGENT_COALESCE_H

#include <hearsay/types.h>

struct coalesce {
    uint64_t period_ms, quiet_ms; /* told at the latest after the period, earlier when nothing new came for quiet; period 0 = at once */
    void (*deliver)(void *context, const struct hearsay_event *event); /* members in groups of one type */
    void *context;
    struct coalesce_pile {
        void *tree; /* of tsearch, by name */
        uint32_t waiting;
        uint64_t first_ms, last_ms;
    } members, users;
};

/* Delivers now or later. */
void coalesce_event(struct coalesce *c, const struct hearsay_event *event, uint64_t now_ms);
/* When coalesce_run has something to do; 0 = never. */
uint64_t coalesce_due_ms(const struct coalesce *c);
/* Delivers what is due, or everything. */
void coalesce_run(struct coalesce *c, uint64_t now_ms, bool is_everything);
void coalesce_deinit(struct coalesce *c);

#endif
