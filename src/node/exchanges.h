/* SPDX-License-Identifier: MIT
 *
 * The store's messages at the node: who sent them is found, packets and frames go to the part that is meant, and the exchange gets the
 * streams that it wants. With the store off everything here is refused and counted.
 */
#ifndef HEARSAY_NODE_EXCHANGES_H
#define HEARSAY_NODE_EXCHANGES_H

#include "swim/members.h"

struct hearsay_node;

/* False when memory is out. */
bool exchanges_init(struct hearsay_node *node, struct turn *turn);
void exchanges_deinit(struct hearsay_node *node);

void exchanges_on_packet(struct hearsay_node *node, struct turn *turn, struct hearsay_bytes message, const struct hearsay_address *from);
/* *peer: whose stream it is, as far as that is known; it is found by the hello. False: end the stream. */
bool exchanges_on_frame(struct hearsay_node *node, struct turn *turn, uint32_t stream, uint32_t *peer, const struct hearsay_address *from,
                        struct hearsay_bytes message);
void exchanges_on_connected(struct hearsay_node *node, struct turn *turn, uint32_t stream);
void exchanges_on_closed(struct hearsay_node *node, struct turn *turn, uint32_t stream);
void exchanges_on_able(struct hearsay_node *node, struct turn *turn, uint32_t slot);
void exchanges_on_change(struct hearsay_node *node, struct turn *turn, uint32_t slot, enum member_change change);

#endif
