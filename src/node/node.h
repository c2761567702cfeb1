/* SPDX-License-Identifier: MIT
 *
 * The node: the only place that knows all parts. It begins and ends turns, keeps attended time, and routes: timers in node.c, datagrams in
 * receive.c, conversations in streams.c, wishes in commands.c. It decides nothing that a part could decide.
 */
#ifndef HEARSAY_NODE_NODE_H
#define HEARSAY_NODE_NODE_H

#include "node/leave.h"
#include "node/streams.h"
#include "serf/keyring.h"
#include "serf/user_state.h"
#include "sync/exchange.h"
#include "spread/outbox.h"
#include "spread/recorder.h"
#include "spread/rumors.h"
#include "swim/coordinates.h"
#include "swim/probe.h"
#include "swim/rejoin.h"
#include "swim/relay.h"
#include "wire/envelope.h"

#define NODE_MESSAGES_REMEMBERED 256

struct hearsay_node {
    struct hearsay_options options; /* pointers in it are not kept */
    struct hearsay_allocator memory;
    struct hearsay_counters counters;
    struct turn turn;
    struct rng rng;
    struct timers timers;
    struct envelope envelope;
    struct keyring keyring;
    struct buffer scratch[2]; /* for packing */
    struct buffer opened[2];  /* the datagram being read: its parts live on while answers are packed */
    struct outbox outbox;
    struct recorder recorder;
    struct rumors rumors;

    struct hearsay_pool *pool;
    bool owns_pool;
    struct beliefs beliefs;
    struct probe probe;
    struct coordinates coordinates;
    struct relays relays;
    struct rejoin rejoin;
    struct serf serf;
    struct streams streams;
    struct leave leave;
    struct timer push_pull;
    struct abilities abilities;
    struct exchange *exchange;   /* of the store with others; NULL as sync */
    struct sync *sync;           /* NULL: the store is off */

    uint64_t wall_ms, wall_at;   /* the wall clock showed wall_ms (0 = never told) at this host time */

    uint64_t skipped_us;         /* host time - attended time */
    uint64_t paused_us;          /* of that, what counters.paused_ms tells */
    uint64_t pauses_due;         /* the deadline that the last pause went past */
    uint64_t paused_until;       /* host time until which the last pause is worth mentioning */
    uint64_t announced_at;       /* host time of the last announcement after a pause */
    uint32_t last_pause_ms;
    bool has_announced;
    uint64_t *seen_messages;     /* plain personality: hashes of the last raw messages */
    uint32_t seen_next;
};

/* Begins a turn at the host's now; every input and wish does. */
struct turn *node_begin(struct hearsay_node *node, uint64_t now);
/* Unix time as the host tells it, 0 = it never did. */
uint64_t node_wall_ms(const struct hearsay_node *node);
/* Ends it: whatever waited for rumours to be told goes on. */
void node_end(struct hearsay_node *node);

/* receive.c: a user message, whatever carried it (bytes after the type byte 8). */
void receive_user(struct hearsay_node *node, struct turn *turn, struct hearsay_bytes payload, const struct hearsay_address *from);

#endif
