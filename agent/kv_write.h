/* SPDX-License-Identifier: MIT
 *
 * Answers about the shared store as RPC writes them: entries, changes, the state of the store. It asks for nothing and waits for nothing.
 */
#ifndef HEARSAY_AGENT_KV_WRITE_H
#define HEARSAY_AGENT_KV_WRITE_H

#include "agent/service.h"

/* {Key, Size, Hlc, Origin, TTL, Value}; TTL is what is left of it in ms, 0 = it stays. */
void kv_write_entry(struct text *out, const struct hearsay_entry *entry, uint64_t unix_ms, bool has_value);
/* The same with Change and Event: "put" or "delete". */
void kv_write_change(struct text *out, const struct hearsay_entry *entry, uint64_t unix_ms, uint64_t change);
/* {Event, Change}: "reset": forget what you know, everything follows; "listed": that was everything. */
void kv_write_mark(struct text *out, const char *event, uint64_t change);
/* {Copies, Hlc, Origin}: a put that went well. */
void kv_write_done(struct text *out, const struct hearsay_event *event);
/* {member, found, moved, bytes}: a repair. */
void kv_write_repaired(struct text *out, const struct hearsay_event *event);
/* {store: {…}, members: […]}: figures by name, which programs show as they come. */
void kv_write_status(struct text *out, const struct service *service);

#endif
