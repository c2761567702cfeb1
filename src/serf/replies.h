/* SPDX-License-Identifier: MIT
 *
 * What we answer to queries: acks, and the answers of the host, straight to who asks and through relays. Queries that the host may still answer are
 * kept until their time is over. Reference: serf query.go, query (Respond, relayResponse).
 */
#ifndef HEARSAY_SERF_REPLIES_H
#define HEARSAY_SERF_REPLIES_H

#include "serf/asks.h"

struct reply;

struct replies {
    struct reply *first;
    uint32_t count;
    uint64_t last_handle;
};

void replies_deinit(struct replies *r, const struct hearsay_allocator *memory);
/* Keeps a query that the host may answer; 0 when there is no room. */
uint64_t replies_keep(struct replies *r, struct turn *turn, const struct serf_query *query);
/* The host's answer. */
hearsay_err replies_respond(struct replies *r, struct asks *asks, const struct beliefs *b, struct turn *turn, uint64_t handle,
                            struct hearsay_bytes payload);
/* Sends an ack (flags SERF_QUERY_ACK) or an answer; what we ask ourselves is heard at once. False when it is larger than allowed. */
bool replies_send(struct asks *asks, const struct beliefs *b, struct turn *turn, const struct serf_query *query, uint32_t flags,
                  struct hearsay_bytes payload);
/* Passes an answer on to the member it is for. Relays to strangers are dropped: nobody is to be flooded through us. */
void replies_relay(const struct beliefs *b, struct turn *turn, const struct serf_relay *relay);

#endif
