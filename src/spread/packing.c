/* SPDX-License-Identifier: MIT
 *
 * See packing.h. Space for rumours is memberlist's: packet limit - message - 2 - what label and encryption add.
 */
#include "spread/packing.h"

#include "spread/outbox.h"
#include "spread/rumors.h"
#include "wire/packet.h"

static size_t space_beside(const struct turn *turn, size_t used)
{
    size_t reserved = used + 2 + envelope_overhead(turn->envelope);
    return turn->options->packet_bytes_max > reserved ? turn->options->packet_bytes_max - reserved : 0;
}

void packing_send_parts(struct turn *turn, const struct hearsay_address *to, const struct hearsay_bytes *parts, unsigned count,
                        bool with_crc)
{
    struct hearsay_address place = address_normal(to);
    struct buffer *out = outbox_begin(turn->outbox, HEARSAY_SEND_PACKET, &place, 0);
    if (out == NULL) {
        return;
    }
    if (!packet_seal(turn->envelope, parts, count, with_crc, turn->scratch, out)) {
        outbox_abort(turn->outbox);
        return;
    }
    turn->counters->bytes_out += outbox_end(turn->outbox);
    turn->counters->packets_out++;
}

void packing_send(struct turn *turn, const struct hearsay_address *to, struct hearsay_bytes message, bool carries_rumors)
{
    struct hearsay_bytes parts[PACKET_PARTS_MAX];
    unsigned count = 1;
    parts[0] = message;
    if (carries_rumors) {
        count += rumors_take(turn, space_beside(turn, message.size + 2), parts + 1, PACKET_PARTS_MAX - 1);
    }
    packing_send_parts(turn, to, parts, count, false);
    rumors_settle(turn);
}

void packing_send_with(struct turn *turn, const struct hearsay_address *to, struct hearsay_bytes message, struct hearsay_bytes rider)
{
    struct hearsay_bytes parts[PACKET_PARTS_MAX] = {message, rider};
    unsigned count = 2 + rumors_take(turn, space_beside(turn, message.size + rider.size + 4), parts + 2, PACKET_PARTS_MAX - 2);
    packing_send_parts(turn, to, parts, count, false);
    rumors_settle(turn);
}

bool packing_send_rumors(struct turn *turn, const struct hearsay_address *to, bool with_crc)
{
    struct hearsay_bytes parts[PACKET_PARTS_MAX];
    unsigned count = rumors_take(turn, space_beside(turn, 0), parts, PACKET_PARTS_MAX);
    if (count > 0) {
        packing_send_parts(turn, to, parts, count, with_crc);
    }
    rumors_settle(turn);
    return count > 0;
}

bool packing_send_eager(struct turn *turn, const struct hearsay_address *to, bool with_crc)
{
    struct hearsay_bytes parts[PACKET_PARTS_MAX];
    unsigned count = rumors_take_eager(turn, to, space_beside(turn, 0), parts, PACKET_PARTS_MAX);
    if (count > 0) {
        packing_send_parts(turn, to, parts, count, with_crc);
    }
    return count > 0;
}
