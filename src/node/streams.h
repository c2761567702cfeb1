/* SPDX-License-Identifier: MIT
 *
 * Conversations over streams: joins, periodic exchanges, healing, stream pings, and answering all of these. Each carries one message each
 * way and has one deadline per phase; those of the store carry frames both ways for as long as somebody says something. Bytes are
 * stream.h's, meaning is push_pull.h's; here is who says what when.
 */
#ifndef HEARSAY_NODE_STREAMS_H
#define HEARSAY_NODE_STREAMS_H

#include "spread/turn.h"
#include "wire/stream.h"
#include <hearsay/hearsay.h>

struct hearsay_target;
struct identity;

struct conversation;
struct join;

struct streams {
    struct conversation *first;
    uint32_t open_in, open_out; /* conversations with a stream */
    uint32_t last_id;
    struct join *joins;
    uint32_t last_ticket;
};

struct hearsay_node;

void streams_deinit(struct streams *s, struct hearsay_pool *pool, const struct hearsay_allocator *memory);

uint32_t streams_accept(struct hearsay_node *node, struct turn *turn, const struct hearsay_address *from);
void streams_on_connected(struct hearsay_node *node, struct turn *turn, uint32_t id);
void streams_on_bytes(struct hearsay_node *node, struct turn *turn, uint32_t id, struct hearsay_bytes bytes);
void streams_on_closed(struct hearsay_node *node, struct turn *turn, uint32_t id, enum hearsay_close how);
void streams_on_timer(struct hearsay_node *node, struct turn *turn, uint32_t id);

/* The periodic exchange with a random member. */
void streams_exchange(struct hearsay_node *node, struct turn *turn);
/* The probe's last resort: a ping over a stream, until the instant `until`. */
void streams_ping(struct hearsay_node *node, struct turn *turn, const struct identity *target, uint32_t sequence, uint64_t until);
/* Healing found that this name answers: look whether it is kin, then exchange twice. */
void streams_heal(struct hearsay_node *node, struct turn *turn, const struct identity *target);
/* A stream for messages of the store; exchanges.c hears of it. Its id, 0 = not now. */
uint32_t streams_open_store(struct hearsay_node *node, struct turn *turn, const struct identity *target);
void streams_send_frame(struct hearsay_node *node, struct turn *turn, uint32_t id, struct hearsay_bytes message);
void streams_close_store(struct hearsay_node *node, struct turn *turn, uint32_t id);
hearsay_err streams_join(struct hearsay_node *node, struct turn *turn, const struct hearsay_target *targets, size_t count, bool replay,
                         uint32_t *ticket);

#endif
