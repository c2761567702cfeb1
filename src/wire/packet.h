/* SPDX-License-Identifier: MIT
 *
 * Datagrams: from bytes to at most 255 messages and back. Layers, outside in: label, encryption, CRC, compression, compound.
 * Compression is accepted once and outermost of the inner layers, compound once.
 */
#ifndef HEARSAY_WIRE_PACKET_H
#define HEARSAY_WIRE_PACKET_H

#include "wire/envelope.h"

#define PACKET_PARTS_MAX 255
#define PACKET_PLAIN_MAX 65536 /* decompressed datagrams are at most this long */

struct packet {
    struct hearsay_bytes parts[PACKET_PARTS_MAX]; /* each starts with its type byte; empty parts are left out */
    unsigned count;
    bool was_encrypted, was_compressed, had_crc;
    bool was_cut; /* a compound ran past the end: earlier parts are here, later ones are lost */
};

/* Unwraps a datagram. Parts point into datagram or into scratch (two buffers owned by the caller, cleared here). On a fault there
 * are no parts. */
enum envelope_fault packet_open(const struct envelope *e, struct hearsay_bytes datagram, struct buffer scratch[2], struct packet *out);

/* Wraps count >= 1 messages (one is sent bare, more as a compound; count <= 255, each < 65,536 bytes) and appends the datagram to
 * out. scratch as above. False when memory is out. */
bool packet_seal(const struct envelope *e, const struct hearsay_bytes *parts, unsigned count, bool with_crc, struct buffer scratch[2],
                 struct buffer *out);

#endif
