/* SPDX-License-Identifier: MIT
 *
 * Probing on behalf of others: an indirect ping becomes a ping of our own, and its answer, or the lack of one, goes back to the asker.
 * Reference: SWIM section 3.1 (ping-req); Lifeguard IV.A (nack).
 */
#ifndef HEARSAY_SWIM_RELAY_H
#define HEARSAY_SWIM_RELAY_H

#include "swim/claims.h"

struct relay;

struct relays {
    struct relay *first;
    uint32_t count;
};

void relays_deinit(struct relays *r, const struct hearsay_allocator *memory);
/* reply_to: where the answer goes. Requests beyond a fixed number at once are dropped, as a lost packet would be. */
void relay_on_request(struct relays *r, struct beliefs *b, struct turn *turn, const struct message_indirect_ping *request,
                      const struct hearsay_address *reply_to);
/* True when the sequence was one of ours. *was_dead: we held the target for dead when we were asked. */
bool relay_on_ack(struct relays *r, struct turn *turn, uint32_t sequence, bool *was_dead);
/* The time of the relayed probe with this sequence is up. */
void relay_on_timer(struct relays *r, struct turn *turn, uint32_t sequence);

#endif
