/* SPDX-License-Identifier: MIT
 *
 * Queries through RPC: asked by a client, with a record for every ack and answer; and those of others, which clients that stream them may
 * answer. Queries are numbered per connection, as Serf does.
 */
#ifndef HEARSAY_AGENT_ASKING_H
#define HEARSAY_AGENT_ASKING_H

#include "agent/session.h"

/* The commands query and respond, as requests.h wants them. */
bool asking_query(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool asking_respond(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* HEARSAY_QUERY_ACK, _RESPONSE and _DONE: to whoever asked. */
void asking_event(struct service *service, const struct hearsay_event *event);
/* The number under which this client may answer a query. */
uint64_t asking_offer(struct session *session, const struct hearsay_event *event);
/* Does it still wait for acks and answers? */
bool asking_is_under_way(const struct session *session);
/* The session ends. */
void asking_forget(struct session *session);
/* The service ends. */
void asking_deinit(struct service *service);

#endif
