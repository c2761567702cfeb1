/* SPDX-License-Identifier: MIT
 *
 * A handful of real nodes at addresses of one's own choice that hear each other at once, and an agent's RPC service on each: what the replay
 * of recorded sessions needs. Time passes only when asked to.
 */
#ifndef HEARSAY_TESTS_SMALL_WORLD_H
#define HEARSAY_TESTS_SMALL_WORLD_H

#include "agent/session.h"

#include <hearsay/hearsay_uv.h>

#define SMALL_NODES 4
#define SMALL_STREAMS 256

struct small_node {
    const char *name;
    struct hearsay_address place;
    struct hearsay_node *node;
    struct service service;
    struct session sessions[2];
    struct small_world *world;
    const char *script; /* what it prints for the query "uptime"; NULL = it has none */
    size_t script_size;
    service_joined joined;
    void *joined_user;
    uint32_t join_ticket;
    size_t contacted;
};

struct small_world {
    uint64_t now;
    struct small_node nodes[SMALL_NODES];
    unsigned count;
    struct { uint32_t ids[2]; unsigned ends[2]; } streams[SMALL_STREAMS]; /* a ring */
    unsigned stream_count;
    struct hearsay_cipher cipher;
    bool is_settling;
};

void small_world_open(struct small_world *w);
/* tags: "role=web,dc=east". Joined to the first node, if is_joined. */
struct small_node *small_world_add(struct small_world *w, const char *name, uint8_t last_octet, const char *tags, const struct hearsay_key *key,
                                   bool is_joined);
void small_world_pass(struct small_world *w, uint64_t ms);
void small_world_settle(struct small_world *w);
void small_world_close(struct small_world *w);

#endif
