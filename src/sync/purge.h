/* SPDX-License-Identifier: MIT
 *
 * Purging: what the table of tombstones.c means for the store of this node, and for what goes to and comes from a peer. The exchange calls it
 * with the peer's digest (that of its name, the origin of its writes) and the purge line the peer told with the very message.
 */
#ifndef HEARSAY_SYNC_PURGE_H
#define HEARSAY_SYNC_PURGE_H

#include "sync/sync.h"

#define PURGE_AT_ONCE 512 /* tombstones that leave the memory in one turn */

/* The line to tell with every message; 0 while we are new here: what we lack then says nothing. */
uint64_t purge_told(const struct sync *s);
/* A peer that is alive and holds the store; every few seconds, of each. */
void purge_see(struct sync *s, const struct turn *turn, uint64_t peer);
/* A peer's message tells its line; before anything else of the message is looked at. */
void purge_hear(struct sync *s, struct turn *turn, uint64_t peer, uint64_t line);
/* Its root of this epoch is ours. */
void purge_on_equal(struct sync *s, uint64_t peer, uint32_t epoch);
/* In a message whose beacon was found equal at `equal`: `member` has all that the peer has up to epoch. A row about ourselves says what the
 * peer remembers of us, whether we are equal or not. */
void purge_on_row(struct sync *s, uint64_t peer, uint32_t equal, uint64_t member, uint32_t epoch);
/* May this entry of a peer be taken? No, counted: it was deleted since we were last equal, or its tombstone is purged. */
bool purge_may_take(struct sync *s, struct turn *turn, uint64_t peer, uint64_t line, const struct hearsay_entry *entry);
/* The peer lacks an entry of ours; may it be sent? No: it was deleted there since we were last equal, and that is so long ago that nobody has
 * the tombstone any more. Then it is deleted here, too, by a tombstone of its own version. */
bool purge_may_send(struct sync *s, struct turn *turn, uint64_t peer, uint64_t line, uint64_t place, const struct entry *entry);
/* About once a second. */
void purge_advance(struct sync *s, struct turn *turn);

#endif
