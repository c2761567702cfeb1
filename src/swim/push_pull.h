/* SPDX-License-Identifier: MIT
 *
 * Full exchange of member lists: writes ours, judges and merges theirs. The stream it travels on is node/streams.c's, the user
 * state in it is Serf's. Reference: memberlist net.go and state.go (mergeState, verifyProtocol); Demers et al. 1987, section 1.3.
 */
#ifndef HEARSAY_SWIM_PUSH_PULL_H
#define HEARSAY_SWIM_PUSH_PULL_H

#include "swim/claims.h"

/* Which versions of one protocol the living speak all, from least to most, and which anybody uses. */
struct push_pull_range {
    uint8_t least, most, spoken_least, spoken_most;
};
struct push_pull_versions {
    struct push_pull_range protocol, delegate;
};

/* A received push/pull, checked to be well-formed. Borrows from the stream's body. */
struct push_pull {
    struct message_push_pull_header header;
    struct reader entries;
    struct hearsay_bytes user_state;
    struct push_pull_versions versions; /* of all entries */
};

/* Milliseconds until the next periodic exchange: the interval, doubled, tripled … above 32, 64 … members. */
uint64_t push_pull_delay_us(const struct turn *turn);
/* Appends type byte, header, entries (none if is_look: we only look) and user state. False when memory is out. */
bool push_pull_write(const struct beliefs *b, bool is_join, bool is_look, struct hearsay_bytes user_state, struct buffer *out);
/* body starts with the type byte. False when malformed anywhere. */
bool push_pull_read(struct hearsay_bytes body, struct push_pull *out);
/* Would all nodes of both lists understand each other? */
bool push_pull_versions_fit(const struct beliefs *b, const struct push_pull *theirs);
void push_pull_merge(struct beliefs *b, struct turn *turn, const struct push_pull *theirs, const struct claim_source *source);
/* Is this the list of our own cluster? It must be a lone node's, or hold another member of ours than `name` at the same address. */
bool push_pull_is_kin(const struct beliefs *b, const struct push_pull *theirs, struct hearsay_bytes name);
/* A random alive member to exchange with, or MEMBERS_NONE. */
uint32_t push_pull_choose(const struct beliefs *b, struct turn *turn);

#endif
