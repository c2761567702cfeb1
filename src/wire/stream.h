/* SPDX-License-Identifier: MIT
 *
 * Streams: exactly one message each way. Collects what one side sends until it is whole, bounded by the bytes received, and
 * unwraps it; wraps what we send. Layers, outside in: label (dialling side only), encryption, compression, message.
 */
#ifndef HEARSAY_WIRE_STREAM_H
#define HEARSAY_WIRE_STREAM_H

#include "wire/envelope.h"
#include "wire/msgpack.h"

#define STREAM_ENCRYPTED_MAX (20u << 20)
#define STREAM_PLAIN_MAX (40u << 20)

enum stream_status {
    STREAM_MORE, /* not whole yet */
    STREAM_WHOLE,
    STREAM_FRAMES, /* no single message, but frames (frames.h), which begin in raw */
    STREAM_BAD     /* see fault */
};

struct stream_reader {
    const struct envelope *envelope;
    struct buffer raw;    /* received so far; wiped of decrypted layers by reuse */
    struct buffer opened[2];
    bool expects_label;   /* the other side dialled, so it sends the label header if there is one */
    bool label_done;
    size_t scanned;       /* bytes of the body walked over so far, or 0 before the first */
    uint32_t values_left; /* to walk over: the head or what is inside compression, then the entries */
    struct msgpack_scan scan; /* of the first of them */
    bool header_done;
    uint32_t tail_size;   /* raw bytes after the last msgpack value: user state or user message */
    struct hearsay_bytes body; /* when WHOLE: type byte + body, decrypted and decompressed */
    enum envelope_fault fault; /* when BAD */
    bool was_encrypted, was_compressed; /* was_encrypted also when nothing opened it */
};

/* is_inbound: the other side dialled. The reader borrows the envelope. */
void stream_reader_init(struct stream_reader *s, const struct envelope *e, bool is_inbound);
void stream_reader_deinit(struct stream_reader *s);
/* More bytes. After WHOLE or BAD further bytes are ignored. Work is linear in the bytes received. */
enum stream_status stream_reader_feed(struct stream_reader *s, struct hearsay_bytes bytes);

/* After WHOLE: hands the body over, in a buffer of its own that nobody else knows any more. */
struct buffer stream_reader_take_body(struct stream_reader *s);

/* Does a message go out as it is, but for the label? Then it may be appended after stream_begin instead of being sealed. */
static inline bool stream_is_plain(const struct envelope *e)
{
    return !e->compression && !envelope_encrypts(e);
}
bool stream_begin(const struct envelope *e, bool is_outbound, struct buffer *out);
/* Appends to out what goes on the wire for message (type byte + body): label header if we dialled, compression if enabled (always,
 * even if larger), encryption. False when memory is out. */
bool stream_seal(const struct envelope *e, bool is_outbound, struct hearsay_bytes message, struct buffer *out);

#endif
