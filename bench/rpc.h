/* SPDX-License-Identifier: MIT
 *
 * A connection to an agent's RPC socket, hearsay's or Serf's, as the benchmarks need it: ask one thing, or watch a stream of events.
 * It trusts the agent; it is no client for people.
 */
#ifndef HEARSAY_BENCH_RPC_H
#define HEARSAY_BENCH_RPC_H

#include "base/cursor.h"
#include "rpc/scan.h"

struct rpc {
    int fd; /* -1 = closed */
    uint64_t seq;
    struct scan scan;
    uint8_t *data;
    size_t size, capacity, used;
};

/* Connects and shakes hands, trying again until the deadline (microseconds of clock_us). */
bool rpc_open(struct rpc *r, const char *address, uint16_t port, uint64_t deadline);
/* The same, trying again at once: the caller measures when somebody answers. */
bool rpc_open_eagerly(struct rpc *r, const char *address, uint16_t port, uint64_t deadline);
void rpc_close(struct rpc *r);
/* Members this agent calls alive, or -1. */
int rpc_alive(struct rpc *r);
/* Counters of a hearsay agent: count names, and their values. */
bool rpc_counters(struct rpc *r, const char *const *names, uint64_t *values, unsigned count);
bool rpc_event(struct rpc *r, const char *name);
/* How many members it lists; 0 when it does not. */
unsigned rpc_members(struct rpc *r);
/* Asks everybody, wanting acks; from now on only rpc_read may be used, whose events are "ack", "response" and "done" with the member's name. */
bool rpc_query(struct rpc *r, const char *name, unsigned seconds);
/* install-key, use-key, remove-key: true when every member has done it. */
bool rpc_key(struct rpc *r, const char *command, const char *key);
/* Any request that is answered by one object; answer is borrowed until the next call. */
bool rpc_ask(struct rpc *r, const char *command, struct hearsay_bytes body, struct hearsay_bytes *answer);
/* Subscribes; from now on only rpc_read may be used. */
bool rpc_stream(struct rpc *r, const char *type);
/* The same for changes of the shared store. */
bool rpc_watch(struct rpc *r);
/* The same for one service: event is "services", name what the check of the first instance said last. */
bool rpc_watch_service(struct rpc *r, const char *service);
/* Calls seen for each thing in the events that have arrived: event is "user", "member-failed", "put"…, name the event's, member's or key's.
 * Reads what is there and does not wait; false when the agent has closed. */
typedef void rpc_seen(void *context, const char *event, const char *name);
bool rpc_read(struct rpc *r, rpc_seen *seen, void *context);

#endif
