/* SPDX-License-Identifier: MIT
 *
 * What is larger than a packet: announced by an eight-byte number, fetched over a stream from one that has it, verified, and announced
 * further (as Bitcoin's inv and getdata do). Large values of the store are known by the place of their key, large events by a keyed hash of
 * their bytes, which are kept here for a while. Who is busy, slow or does not have it after all is passed over for another holder; nobody
 * uploads one thing to more than two at once.
 */
#ifndef HEARSAY_SYNC_ITEMS_H
#define HEARSAY_SYNC_ITEMS_H

#include "sync/talk.h"

#define ITEMS_EVENT_MAX (1u << 20) /* bytes of a large event's payload */

/* False when memory is out. */
bool items_init(struct exchange *x, struct turn *turn);
void items_deinit(struct exchange *x, const struct hearsay_allocator *memory);

/* A peer has this version of the key at this place, whose value is too large for the message. how: as for exchange_source. */
void items_on_offer(struct exchange *x, struct turn *turn, uint32_t peer, uint64_t place, unsigned how);
/* A section of ids of large events that the peer holds. */
void items_on_ids(struct exchange *x, struct turn *turn, uint32_t peer, struct reader body);
void items_on_fetch(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, const struct parley_message *m);
void items_on_item(struct exchange *x, struct turn *turn, uint32_t stream, const struct parley_message *m);
void items_on_timer(struct exchange *x, struct turn *turn);
/* False when the stream is not of a fetch. */
bool items_on_connected(struct exchange *x, struct turn *turn, uint32_t stream);
bool items_on_closed(struct exchange *x, struct turn *turn, uint32_t stream);

bool items_any_recent(const struct exchange *x, const struct turn *turn);
/* The ids of recent large events. */
void items_tell(const struct exchange *x, struct talk *t);

/* A large event of ours. */
hearsay_err items_send(struct exchange *x, struct turn *turn, struct hearsay_bytes name, struct hearsay_bytes payload);
/* What the application thinks of an event that waits for its judgement. False: there is none. */
bool items_judge(struct exchange *x, struct turn *turn, uint64_t id, bool is_good);

#endif
