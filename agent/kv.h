/* SPDX-License-Identifier: MIT
 *
 * RPC requests of the shared store: hearsay's own kv-put, kv-delete, kv-get, kv-list, kv-watch, kv-status, kv-repair, kv-tune. Puts of one
 * session may be under way together; each answer carries the number of its request. Keys and values are any bytes.
 */
#ifndef HEARSAY_AGENT_KV_H
#define HEARSAY_AGENT_KV_H

#include "agent/session.h"

#define KV_PUTS 1024 /* of one session under way; further requests wait */
#define KV_WATCHES 32

bool kv_put(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool kv_delete(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool kv_get(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool kv_list(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool kv_watch(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool kv_status(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool kv_repair(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool kv_tune(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* {Name, Payload}: an event of up to 1 MiB for all that hold the store. */
bool kv_event_large(struct session *session, uint64_t seq, struct hearsay_bytes body);

/* The node told how a put or a repair ended. */
void kv_event(struct service *service, const struct hearsay_event *event);
/* Tells those whose time is up. */
void kv_expire(struct service *service);
/* Something in the store changed, or some session can take output again: tells those who watch. */
void kv_tell_watchers(struct service *service);
/* Services are written by their own requests only. */
bool kv_is_reserved(struct hearsay_bytes key);
bool kv_is_watched(const struct service *service);
/* The watch of this request ends. */
void kv_unwatch(struct session *session, uint64_t seq);
void kv_unwatch_all(struct session *session);
/* The session ends. */
void kv_forget(struct session *session);
/* The agent ends: nobody waits any more. */
void kv_forget_all(struct service *service);

#endif
