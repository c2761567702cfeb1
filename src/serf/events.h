/* SPDX-License-Identifier: MIT
 *
 * User events: sent, told on, delivered once. A ring of the last event_buffer Lamport times recognises duplicates and is handed to
 * newcomers with push/pull. Reference: serf serf.go (handleUserEvent).
 */
#ifndef HEARSAY_SERF_EVENTS_H
#define HEARSAY_SERF_EVENTS_H

#include "serf/lamport.h"
#include "spread/turn.h"
#include "wire/serf_message.h"

struct event_slot {
    uint64_t ltime;
    struct buffer events; /* name size u16, payload size u32, name, payload; repeated */
    uint32_t count;
};

struct events {
    struct lamport clock;
    uint64_t least;           /* events before this Lamport time are not delivered */
    struct event_slot *slots; /* event_buffer of them; NULL until the first event */
    uint32_t slot_count;
};

void events_init(struct events *e, struct turn *turn);
void events_deinit(struct events *e, const struct hearsay_allocator *memory);
/* Delivers a new event to the host. True when it was new, so that it is told on. */
bool events_receive(struct events *e, struct turn *turn, const struct serf_user_event *event);
/* One of ours: delivered here and told to everybody. */
hearsay_err events_send(struct events *e, struct turn *turn, struct hearsay_bytes name, struct hearsay_bytes payload, bool coalesce);
/* Walks the events of a slot; start with *offset = 0. */
bool events_next_in_slot(const struct event_slot *slot, size_t *offset, struct serf_user_event *event);

#endif
