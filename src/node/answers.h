/* SPDX-License-Identifier: MIT
 *
 * What is said on streams: our state, our answers to others' requests, refusals; and merging what was heard. streams.h keeps the
 * conversations themselves.
 */
#ifndef HEARSAY_NODE_ANSWERS_H
#define HEARSAY_NODE_ANSWERS_H

#include "swim/claims.h"
#include "swim/push_pull.h"

struct hearsay_node;

void answers_send_push_pull(struct hearsay_node *node, struct turn *turn, uint32_t stream, bool is_outbound, bool is_join, bool is_look);
void answers_send_ping(struct hearsay_node *node, struct turn *turn, uint32_t stream, const struct identity *target, uint32_t sequence);
/* Answers a whole request that somebody sent us. */
void answers_to(struct hearsay_node *node, struct turn *turn, uint32_t stream, struct hearsay_bytes body, const struct hearsay_address *from);
/* Tells the other side why its bytes were refused, where memberlist does so too. */
void answers_refuse(struct hearsay_node *node, struct turn *turn, uint32_t stream, enum envelope_fault fault, bool was_encrypted);
/* Merges their list and user state. False when versions do not fit (counted). */
bool answers_merge(struct hearsay_node *node, struct turn *turn, const struct push_pull *theirs,
                   const struct claim_source *source, bool ignore_old);
/* Is this the IP of a listed member, whatever the port? */
bool answers_is_member_host(const struct members *m, const struct hearsay_address *from);
void answers_count_fault(struct hearsay_counters *c, enum envelope_fault fault);
const char *answers_fault_text(enum envelope_fault fault);

#endif
