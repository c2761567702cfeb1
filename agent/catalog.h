/* SPDX-License-Identifier: MIT
 *
 * RPC requests about services, hearsay's own: service-register, -deregister, -maint and -report change those of this agent (registry.h);
 * service-list and -watch show those of all nodes, from the library's catalog; service-checks what is known here only. What is shown is
 * JSON, the same that HTTP gives.
 */
#ifndef HEARSAY_AGENT_CATALOG_H
#define HEARSAY_AGENT_CATALOG_H

#include "agent/session.h"

#include <hearsay/services.h>

/* {Definition}: a JSON object. */
bool catalog_register(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* {ID} */
bool catalog_deregister(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* {ID, Reason, Off} */
bool catalog_maint(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* {ID, Check, State, Output}: a heartbeat */
bool catalog_report(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* {Name, Tag, Healthy} -> {Services}; without a name: which names there are. */
bool catalog_list(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* The same; each time anew when something of it changed, beginning with what there is. */
bool catalog_watch(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* -> {Services} */
bool catalog_checks(struct session *session, uint64_t seq, struct hearsay_bytes body);

/* Every event of the node. */
void catalog_event(struct service *service, const struct hearsay_event *event);
void catalog_tell_watchers(struct service *service);
bool catalog_is_watched(const struct service *service);
/* The watch of this request ends; the session ends. */
void catalog_unwatch(struct session *session, uint64_t seq);
void catalog_forget(struct session *session);

/* catalog_json.c */
struct catalog_query {
    struct hearsay_bytes name, tag; /* name "": all names */
    bool is_healthy_only;
};
/* {"index":…,"services":[…]}; the index grows with every change of what is asked for. */
void catalog_json(const struct service *service, const struct catalog_query *query, struct text *out);
/* The index that catalog_json would show. */
uint64_t catalog_index(const struct service *service, struct hearsay_bytes name);

#endif
