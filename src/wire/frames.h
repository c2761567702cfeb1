/* SPDX-License-Identifier: MIT
 *
 * Many messages on one stream: what two hearsay nodes say to each other when datagrams are too small. The dialling side sends the label
 * header first; then either side sends frames: plain `72 | size 4 | crc 4 | message`, or encrypted `10 | size 4 | block` as memberlist's
 * streams are, with the message inside. A frame is at most FRAMES_MAX long, and nothing is reserved on the word of a length.
 *
 * Differs: frames are never compressed; LZW is slower than the networks it would relieve.
 */
#ifndef HEARSAY_WIRE_FRAMES_H
#define HEARSAY_WIRE_FRAMES_H

#include "wire/stream.h"
#include "wire/parley.h"

#define FRAMES_MAX (PARLEY_MESSAGE_MAX + 64)

struct frames {
    const struct envelope *envelope;
    struct buffer raw; /* received, not yet taken */
    size_t taken;
    struct buffer opened; /* the frame in hand, decrypted */
    enum envelope_fault fault;
};

/* Borrows the envelope. */
void frames_init(struct frames *f, const struct envelope *e);
void frames_deinit(struct frames *f);
/* Goes on with what a stream's reader found to be frames; the reader is empty afterwards. */
void frames_inherit(struct frames *f, struct stream_reader *from);
/* More bytes. False when memory is out. */
bool frames_feed(struct frames *f, struct hearsay_bytes bytes);
/* The next whole message, valid until the next call. BAD sticks: see fault. */
enum stream_status frames_next(struct frames *f, struct hearsay_bytes *message);

/* Appends the label header that opens a dialled stream; nothing without a label. False when memory is out. */
bool frames_open(const struct envelope *e, struct buffer *out);
/* Appends one frame. False when memory is out. */
bool frames_seal(const struct envelope *e, struct hearsay_bytes message, struct buffer *out);

#endif
