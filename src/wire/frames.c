/* SPDX-License-Identifier: MIT
 *
 * See frames.h. Bytes taken stay in front until more than half of the buffer is such, so that each byte is moved at most once or twice.
 */
#include "wire/frames.h"

#include "base/check.h"
#include "wire/crc.h"
#include "wire/message.h"

enum { PLAIN_HEAD = 9, SEALED_HEAD = 5, SEALED_LEAST = 29 };

void frames_init(struct frames *f, const struct envelope *e)
{
    *f = (struct frames){.envelope = e};
    buffer_init(&f->raw, e->memory);
    buffer_init(&f->opened, e->memory);
}

void frames_deinit(struct frames *f)
{
    buffer_deinit(&f->raw);
    buffer_deinit(&f->opened);
}

void frames_inherit(struct frames *f, struct stream_reader *from)
{
    struct buffer empty = f->raw;
    f->raw = from->raw;
    from->raw = empty;
}

bool frames_feed(struct frames *f, struct hearsay_bytes bytes)
{
    if (f->taken > 0 && f->taken >= f->raw.size / 2) {
        f->raw.size -= f->taken;
        memmove(f->raw.data, f->raw.data + f->taken, f->raw.size);
        f->taken = 0;
    }
    return buffer_append(&f->raw, bytes.data, bytes.size);
}

static enum stream_status bad(struct frames *f, enum envelope_fault fault)
{
    f->fault = fault;
    return STREAM_BAD;
}

static struct hearsay_bytes aad_of(const struct envelope *e, const uint8_t *head, uint8_t aad[SEALED_HEAD + HEARSAY_LABEL_MAX])
{
    memcpy(aad, head, SEALED_HEAD);
    memcpy(aad + SEALED_HEAD, e->label, e->label_size);
    return bytes_of(aad, (size_t)SEALED_HEAD + e->label_size);
}

static enum stream_status next_sealed(struct frames *f, struct hearsay_bytes in, struct hearsay_bytes *message)
{
    uint8_t aad[SEALED_HEAD + HEARSAY_LABEL_MAX];
    if (f->envelope->key_count == 0) {
        return bad(f, ENVELOPE_CIPHER);
    }
    if (in.size < SEALED_HEAD) {
        return STREAM_MORE;
    }
    uint32_t size = bytes_get_u32(in.data + 1);
    if (size < SEALED_LEAST || size > FRAMES_MAX) {
        return bad(f, ENVELOPE_CIPHER);
    }
    if (in.size - SEALED_HEAD < size) {
        return STREAM_MORE;
    }
    buffer_clear(&f->opened);
    enum envelope_fault fault =
        envelope_open(f->envelope, aad_of(f->envelope, in.data, aad), bytes_of(in.data + SEALED_HEAD, size), &f->opened, NULL);
    if (fault != ENVELOPE_OK) {
        return bad(f, fault);
    }
    f->taken += SEALED_HEAD + size;
    *message = buffer_bytes(&f->opened);
    return message->size > 0 && message->data[0] == MESSAGE_PARLEY ? STREAM_WHOLE : bad(f, ENVELOPE_UNKNOWN_TYPE);
}

static enum stream_status next_plain(struct frames *f, struct hearsay_bytes in, struct hearsay_bytes *message)
{
    if (f->envelope->key_count > 0 && f->envelope->verify_incoming) {
        return bad(f, ENVELOPE_PLAINTEXT);
    }
    if (in.size < PLAIN_HEAD) {
        return STREAM_MORE;
    }
    uint32_t size = bytes_get_u32(in.data + 1);
    if (size == 0 || size > PARLEY_MESSAGE_MAX) {
        return bad(f, ENVELOPE_MALFORMED);
    }
    if (in.size - PLAIN_HEAD < size) {
        return STREAM_MORE;
    }
    *message = bytes_of(in.data + PLAIN_HEAD, size);
    if (crc_of(*message) != bytes_get_u32(in.data + 5)) {
        return bad(f, ENVELOPE_CRC);
    }
    f->taken += PLAIN_HEAD + size;
    return STREAM_WHOLE;
}

enum stream_status frames_next(struct frames *f, struct hearsay_bytes *message)
{
    struct hearsay_bytes in = f->raw.data == NULL ? bytes_of(NULL, 0) : bytes_of(f->raw.data + f->taken, f->raw.size - f->taken);
    if (f->fault != ENVELOPE_OK) {
        return STREAM_BAD;
    }
    if (in.size == 0) {
        return STREAM_MORE;
    }
    switch (in.data[0]) {
    case MESSAGE_ENCRYPT:
        return next_sealed(f, in, message);
    case MESSAGE_PARLEY:
        return next_plain(f, in, message);
    default:
        return bad(f, ENVELOPE_UNKNOWN_TYPE);
    }
}

/* ---- sending ------------------------------------------------------------------------------------------------------ */

bool frames_open(const struct envelope *e, struct buffer *out)
{
    uint8_t head[2] = {MESSAGE_LABEL, e->label_size};
    return e->label_size == 0 || (buffer_reserve(out, sizeof head + e->label_size) && buffer_append(out, head, sizeof head) &&
                                  buffer_append(out, e->label, e->label_size));
}

bool frames_seal(const struct envelope *e, struct hearsay_bytes message, struct buffer *out)
{
    CHECK(message.size <= PARLEY_MESSAGE_MAX);
    size_t before = out->size;
    bool is_good;
    if (envelope_encrypts(e)) {
        size_t pad = e->encryption_version == 0 ? 16 - message.size % 16 : 0;
        uint8_t head[SEALED_HEAD] = {MESSAGE_ENCRYPT}, aad[SEALED_HEAD + HEARSAY_LABEL_MAX];
        bytes_put_u32(head + 1, (uint32_t)(message.size + pad + SEALED_LEAST));
        is_good = buffer_append(out, head, sizeof head) && envelope_seal(e, aad_of(e, head, aad), message, out);
    } else {
        uint8_t head[PLAIN_HEAD] = {MESSAGE_PARLEY};
        bytes_put_u32(head + 1, (uint32_t)message.size);
        bytes_put_u32(head + 5, crc_of(message));
        is_good = buffer_append(out, head, sizeof head) && buffer_append(out, message.data, message.size);
    }
    if (!is_good) {
        out->size = before;
    }
    return is_good;
}
