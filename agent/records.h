/* SPDX-License-Identifier: MIT
 *
 * Records that clients subscribed to: events (stream) and log lines (monitor).
 */
#ifndef HEARSAY_AGENT_RECORDS_H
#define HEARSAY_AGENT_RECORDS_H

#include "agent/session.h"

bool records_stream(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool records_monitor(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool records_stop(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* A query, with the number under which this client may answer it. */
void records_put_query(struct session *session, const struct hearsay_event *event);
/* One body (encoded) to every stream of the session that wants this event. name is of a user event, else NULL. */
void records_put_event(struct session *session, enum hearsay_event_type type, const char *name, const struct text *body);
/* Does any stream of any session want member events? Spares encoding them. */
bool records_any(const struct service *service);
/* The session ends. */
void records_forget(struct session *session);

#endif
