/* SPDX-License-Identifier: MIT
 *
 * Fills datagrams: a message with rumours riding along, or rumours alone, wrapped by the envelope and put into the outbox.
 * It does not choose recipients.
 */
#ifndef HEARSAY_SPREAD_PACKING_H
#define HEARSAY_SPREAD_PACKING_H

#include "spread/turn.h"

/* One message to one address; with rumours in the space left if carries_rumors. */
void packing_send(struct turn *turn, const struct hearsay_address *to, struct hearsay_bytes message, bool carries_rumors);
/* One message and another that rides along, with rumours in the space left. */
void packing_send_with(struct turn *turn, const struct hearsay_address *to, struct hearsay_bytes message, struct hearsay_bytes rider);
/* Exactly these messages, as one datagram, with a checksum if with_crc. */
void packing_send_parts(struct turn *turn, const struct hearsay_address *to, const struct hearsay_bytes *parts, unsigned count,
                        bool with_crc);
/* Rumours alone. False when there was nothing to tell. */
bool packing_send_rumors(struct turn *turn, const struct hearsay_address *to, bool with_crc);
bool packing_send_eager(struct turn *turn, const struct hearsay_address *to, bool with_crc);

#endif
