/* SPDX-License-Identifier: MIT
 *
 * Queries of others, as far as every member must serve them: told on once, whatever their filters say, their
 * receipt acknowledged, and answers relayed. Reference:
 * serf serf.go (handleQuery) and delegate.go (messageRelayType).
 */
#ifndef HEARSAY_SERF_QUERIES_H
#define HEARSAY_SERF_QUERIES_H

#include "serf/lamport.h"
#include "swim/claims.h"
#include "wire/serf_message.h"

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
};

void queries_init(struct queries *q, struct turn *turn);
void queries_deinit(struct queries *q, const struct hearsay_allocator *memory);
/* Acknowledges a new query that asks for it. True when it is new and wants to be told on. */
bool queries_receive(struct queries *q, struct turn *turn, const struct beliefs *b, const struct serf_query *query);
/* Passes an answer on to the member it is for. Relays to strangers are dropped: nobody is to be flooded through us. */
void queries_relay(const struct beliefs *b, struct turn *turn, const struct serf_relay *relay);

#endif
