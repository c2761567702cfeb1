/* SPDX-License-Identifier: MIT
 *
 * Queries: each heard once, told on whatever its filters say, acknowledged and handed to the host if they mean us; and those of our own.
 * A ring of the last event_buffer Lamport times recognises what was heard before. Reference: serf serf.go (Query, handleQuery).
 */
#ifndef HEARSAY_SERF_QUERIES_H
#define HEARSAY_SERF_QUERIES_H

#include "serf/lamport.h"
#include "serf/replies.h"
#include <hearsay/hearsay.h>

struct query_slot {
    uint64_t ltime;
    uint32_t *ids;
    uint32_t count, capacity;
};

struct queries {
    struct lamport clock;
    uint64_t least;
    struct query_slot *slots; /* NULL until the first query */
    uint32_t slot_count;
    struct asks asks;
    struct replies replies;
};

void queries_init(struct queries *q, struct turn *turn);
void queries_deinit(struct queries *q, const struct hearsay_allocator *memory);
/* True when the query is new. *is_for_us: its filters mean us; then its receipt is acknowledged, if it asks for that. */
bool queries_receive(struct queries *q, struct turn *turn, const struct beliefs *b, const struct serf_query *query, bool *is_for_us);
/* Hands it to the host. */
void queries_deliver(struct queries *q, struct turn *turn, const struct serf_query *query);
/* Prepares a query of ours: *query gets its time, number, place and timeout; its name, payload and filters point into the question and room.
 * *ticket names it from now on. HEARSAY_ERR_TOO_LARGE and others: nothing was begun. */
hearsay_err queries_ask(struct queries *q, struct turn *turn, const struct beliefs *b, enum ask_kind kind,
                        const struct hearsay_question *question, struct buffer *room, struct serf_query *query, uint32_t *ticket);

#endif
