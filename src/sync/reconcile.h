/* SPDX-License-Identifier: MIT
 *
 * Repair: when a beacon shows that a peer's data differ, the side that notices asks its way down both trees (compare.h has the steps) and keeps
 * all there is to remember: which questions are open. So it repeats lost ones, paces itself (bytes and work per second are options), goes
 * over to a stream when there is much to say, and continues on another when that breaks. A store that is nearly empty asks for whole
 * ranges instead. Whoever is in one comparison yields to no other.
 */
#ifndef HEARSAY_SYNC_RECONCILE_H
#define HEARSAY_SYNC_RECONCILE_H

#include "sync/exchange.h"

/* A beacon of the peer and our root of the same epoch differ. */
void reconcile_on_difference(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_beacon *beacon);
/* We have next to nothing beside this: then no root need be compared. */
bool reconcile_must_fill(const struct exchange *x, const struct parley_beacon *beacon);
/* Somebody asks us; stream 0: by datagram. */
void reconcile_on_ask(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, const struct parley_message *m);
/* Somebody answers; size: of the message. */
void reconcile_on_tell(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m, size_t size);
void reconcile_on_timer(struct exchange *x, struct turn *turn, uint32_t number);
/* A stream of ours. False when it is not of a repair. */
bool reconcile_on_connected(struct exchange *x, struct turn *turn, uint32_t stream);
bool reconcile_on_closed(struct exchange *x, struct turn *turn, uint32_t stream);
/* The user wants a repair with this peer now; HEARSAY_REPAIR_DONE follows. */
hearsay_err reconcile_start(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t ticket);
void reconcile_deinit(struct exchange *x, const struct hearsay_allocator *memory);

/* talk.c: a question is ready to be sent, when its turn comes. */
void reconcile_queue(struct session *s, struct turn *turn, struct hearsay_bytes message, size_t session_end);

#endif
