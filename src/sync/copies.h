/* SPDX-License-Identifier: MIT
 *
 * Our own writes that count only when several nodes have them on disk: told to as many peers as are missing, each of which sends a receipt
 * when the entry is durable there; again to others while receipts are missing, until time is up.
 */
#ifndef HEARSAY_SYNC_COPIES_H
#define HEARSAY_SYNC_COPIES_H

#include "sync/exchange.h"

/* A write of ours is durable here. False: it does not need more copies. */
bool copies_on_durable(struct exchange *x, struct turn *turn, const struct pending *write, enum store_verdict verdict);
void copies_on_receipt(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m);
void copies_on_timer(struct exchange *x, struct turn *turn);
/* The peer wants to hear that this version, or a newer one, is durable here; if it is not yet, nothing is said. */
void copies_confirm(struct exchange *x, struct turn *turn, uint32_t peer, uint64_t place, const struct hearsay_entry_version *version);
void copies_deinit(struct exchange *x, const struct hearsay_allocator *memory);

#endif
