/* SPDX-License-Identifier: MIT
 *
 * See stream.h. Waiting is cheap: what was walked over is not looked at again, and nothing is reserved on the word of a
 * length that has not been backed by bytes. A message that is refused whatever may follow is refused at once.
 */
#include "wire/stream.h"

#include "base/check.h"
#include "base/cursor.h"
#include "wire/message.h"

enum { ENCRYPT_HEAD = 5, BLOCK_LEAST = 29 };

void stream_reader_init(struct stream_reader *s, const struct envelope *e, bool is_inbound)
{
    *s = (struct stream_reader){.envelope = e, .expects_label = is_inbound, .label_done = !is_inbound};
    buffer_init(&s->raw, e->memory);
    buffer_init(&s->opened[0], e->memory);
    buffer_init(&s->opened[1], e->memory);
    msgpack_scan_init(&s->scan, 1);
    s->values_left = 1;
}

void stream_reader_deinit(struct stream_reader *s)
{
    buffer_deinit(&s->raw);
    buffer_deinit(&s->opened[0]);
    buffer_deinit(&s->opened[1]);
}

static enum stream_status bad(struct stream_reader *s, enum envelope_fault fault)
{
    s->fault = fault;
    return STREAM_BAD;
}

/* WHOLE here means: the label is dealt with. */
static enum stream_status take_label(struct stream_reader *s)
{
    const struct envelope *e = s->envelope;
    if (s->raw.size == 0) {
        return STREAM_MORE;
    }
    if (s->raw.data[0] != MESSAGE_LABEL) {
        s->label_done = true;
        return e->skip_label_check || e->label_size == 0 ? STREAM_WHOLE : bad(s, ENVELOPE_LABEL);
    }
    if (e->skip_label_check || e->label_size == 0 || (s->raw.size > 1 && s->raw.data[1] != e->label_size)) {
        return bad(s, ENVELOPE_LABEL);
    }
    size_t head = 2u + e->label_size;
    if (s->raw.size < head) {
        return STREAM_MORE;
    }
    if (memcmp(s->raw.data + 2, e->label, e->label_size) != 0) {
        return bad(s, ENVELOPE_LABEL);
    }
    s->raw.size -= head;
    memmove(s->raw.data, s->raw.data + head, s->raw.size);
    s->label_done = true;
    return STREAM_WHOLE;
}

static struct hearsay_bytes aad_of(const struct envelope *e, const uint8_t *head, uint8_t aad[ENCRYPT_HEAD + HEARSAY_LABEL_MAX])
{
    memcpy(aad, head, ENCRYPT_HEAD);
    memcpy(aad + ENCRYPT_HEAD, e->label, e->label_size);
    return bytes_of(aad, (size_t)ENCRYPT_HEAD + e->label_size);
}

/* The block must be there completely before a byte of it means anything. */
static enum stream_status decrypt(struct stream_reader *s, struct hearsay_bytes *body)
{
    const struct envelope *e = s->envelope;
    s->was_encrypted = true;
    if (e->key_count == 0) {
        return bad(s, ENVELOPE_CIPHER);
    }
    if (s->raw.size < ENCRYPT_HEAD) {
        return STREAM_MORE;
    }
    uint32_t size = bytes_get_u32(s->raw.data + 1);
    if (size > STREAM_ENCRYPTED_MAX || size < BLOCK_LEAST) {
        return bad(s, ENVELOPE_CIPHER);
    }
    if (s->raw.size - ENCRYPT_HEAD < size) {
        return STREAM_MORE;
    }
    uint8_t aad[ENCRYPT_HEAD + HEARSAY_LABEL_MAX];
    enum envelope_fault fault = envelope_open(e, aad_of(e, s->raw.data, aad), bytes_of(s->raw.data + ENCRYPT_HEAD, size),
                                              &s->opened[0], NULL);
    if (fault != ENVELOPE_OK) {
        return bad(s, fault);
    }
    *body = buffer_bytes(&s->opened[0]);
    return body->size > 0 ? STREAM_WHOLE : bad(s, ENVELOPE_TRUNCATED);
}

/* Walks on, from where the last walk stopped, over all values that are still to come: the head of the message, then its entries. */
static enum stream_status walk(struct stream_reader *s, struct hearsay_bytes body)
{
    struct reader r = reader_of(bytes_of(body.data + s->scanned, body.size - s->scanned));
    enum msgpack_scanned scanned = MSGPACK_SCAN_DONE;
    while (s->values_left > 0 && scanned == MSGPACK_SCAN_DONE) {
        bool is_begun = s->scan.depth > 0 || s->scan.left[0] == 0;
        if (is_begun || !s->header_done || !message_skip_usual_entry(&r)) {
            scanned = msgpack_scan_run(&s->scan, &r);
        }
        if (scanned == MSGPACK_SCAN_DONE) {
            s->values_left--;
            msgpack_scan_init(&s->scan, 1);
        }
    }
    s->scanned = (size_t)(r.at - body.data);
    switch (scanned) {
    case MSGPACK_SCAN_DONE:
        return STREAM_WHOLE;
    case MSGPACK_SCAN_MORE:
        return STREAM_MORE;
    default:
        return bad(s, ENVELOPE_MALFORMED);
    }
}

/* The header of a push/pull or user message has been walked over: it tells what follows. */
static bool read_header(struct stream_reader *s, struct hearsay_bytes body)
{
    struct reader r = reader_of(bytes_of(body.data + 1, s->scanned - 1));
    if (body.data[0] == MESSAGE_USER) {
        return message_decode_user_length(&r, &s->tail_size);
    }
    if (body.data[0] == MESSAGE_PUSH_PULL) {
        struct message_push_pull_header header;
        if (!message_decode_push_pull_header(&r, &header)) {
            return false;
        }
        s->tail_size = header.user_state_size;
        s->values_left = header.nodes;
    }
    return true;
}

static enum stream_status measure(struct stream_reader *s, struct hearsay_bytes body)
{
    switch (body.data[0]) {
    case MESSAGE_PING:
    case MESSAGE_ACK:
    case MESSAGE_PUSH_PULL:
    case MESSAGE_USER:
    case MESSAGE_ERROR:
        break;
    case MESSAGE_COMPRESS:
    case MESSAGE_ENCRYPT:
    case MESSAGE_LABEL:
        return bad(s, ENVELOPE_NESTED);
    default:
        return bad(s, ENVELOPE_UNKNOWN_TYPE);
    }
    if (s->scanned == 0) {
        s->scanned = 1;
    }
    enum stream_status status = walk(s, body);
    if (status == STREAM_WHOLE && !s->header_done) {
        s->header_done = true;
        if (!read_header(s, body)) {
            return bad(s, ENVELOPE_MALFORMED);
        }
        status = walk(s, body);
    }
    if (status != STREAM_WHOLE) {
        return status;
    }
    if (body.size - s->scanned < s->tail_size) {
        return STREAM_MORE;
    }
    s->body = bytes_of(body.data, s->scanned + s->tail_size);
    return STREAM_WHOLE;
}

static enum stream_status decompress(struct stream_reader *s, struct hearsay_bytes *body)
{
    if (s->scanned == 0) {
        s->scanned = 1;
    }
    enum stream_status status = walk(s, *body);
    if (status != STREAM_WHOLE) {
        return status;
    }
    size_t limit = 65536 + 256 * s->scanned;
    enum envelope_fault fault = envelope_decompress(bytes_of(body->data + 1, s->scanned - 1),
                                                    limit < STREAM_PLAIN_MAX ? limit : STREAM_PLAIN_MAX, &s->opened[1]);
    if (fault != ENVELOPE_OK) {
        return bad(s, fault);
    }
    s->was_compressed = true;
    s->scanned = 0;
    s->values_left = 1;
    *body = buffer_bytes(&s->opened[1]);
    return STREAM_WHOLE;
}

static enum stream_status unwrap(struct stream_reader *s)
{
    const struct envelope *e = s->envelope;
    if (!s->label_done) {
        enum stream_status status = take_label(s);
        if (status != STREAM_WHOLE) {
            return status;
        }
    }
    struct hearsay_bytes body = buffer_bytes(&s->raw);
    bool is_complete = false; /* nothing can follow any more */
    if (body.size == 0) {
        return STREAM_MORE;
    }
    if (body.data[0] == MESSAGE_ENCRYPT) {
        enum stream_status status = decrypt(s, &body);
        if (status != STREAM_WHOLE) {
            return status;
        }
        is_complete = true;
    } else if (e->key_count > 0 && e->verify_incoming) {
        return bad(s, ENVELOPE_PLAINTEXT);
    }
    if (body.data[0] == MESSAGE_PARLEY) {
        return STREAM_FRAMES;
    }
    enum stream_status status = STREAM_WHOLE;
    if (body.data[0] == MESSAGE_COMPRESS) {
        status = decompress(s, &body);
        is_complete = is_complete || status == STREAM_WHOLE;
    }
    if (status == STREAM_WHOLE) {
        status = measure(s, body);
    }
    if (status == STREAM_WHOLE && is_complete) { /* the message stands in the innermost buffer: give back the others */
        buffer_deinit(&s->raw);
        if (s->was_compressed) {
            buffer_deinit(&s->opened[0]);
        }
    }
    return status == STREAM_MORE && is_complete ? bad(s, ENVELOPE_TRUNCATED) : status;
}

enum stream_status stream_reader_feed(struct stream_reader *s, struct hearsay_bytes bytes)
{
    if (s->body.data != NULL) {
        return STREAM_WHOLE;
    }
    if (s->fault != ENVELOPE_OK) {
        return STREAM_BAD;
    }
    if (bytes.size > STREAM_PLAIN_MAX - s->raw.size) {
        return bad(s, ENVELOPE_MALFORMED);
    }
    if (!buffer_append(&s->raw, bytes.data, bytes.size)) {
        return bad(s, ENVELOPE_NO_MEMORY);
    }
    return unwrap(s);
}

struct buffer stream_reader_take_body(struct stream_reader *s)
{
    struct buffer *all[] = {&s->raw, &s->opened[0], &s->opened[1]};
    size_t i = 0;
    CHECK(s->body.size > 0);
    while (all[i]->data != s->body.data) {
        i++;
        CHECK(i < 3); /* a body stands at the begin of one of them */
    }
    struct buffer taken = *all[i];
    buffer_init(all[i], taken.memory);
    taken.size = s->body.size;
    return taken;
}

/* ---- sending ------------------------------------------------------------------------------------------------------ */

static bool seal(const struct envelope *e, struct hearsay_bytes body, struct buffer *out)
{
    if (!envelope_encrypts(e)) {
        return buffer_append(out, body.data, body.size);
    }
    size_t pad = e->encryption_version == 0 ? 16 - body.size % 16 : 0;
    uint8_t head[ENCRYPT_HEAD] = {MESSAGE_ENCRYPT}, aad[ENCRYPT_HEAD + HEARSAY_LABEL_MAX];
    bytes_put_u32(head + 1, (uint32_t)(body.size + pad + BLOCK_LEAST));
    return buffer_append(out, head, sizeof head) && envelope_seal(e, aad_of(e, head, aad), body, out);
}

bool stream_begin(const struct envelope *e, bool is_outbound, struct buffer *out)
{
    uint8_t head[2] = {MESSAGE_LABEL, e->label_size};
    return !is_outbound || e->label_size == 0 ||
           (buffer_append(out, head, sizeof head) && buffer_append(out, e->label, e->label_size));
}

bool stream_seal(const struct envelope *e, bool is_outbound, struct hearsay_bytes message, struct buffer *out)
{
    struct buffer compressed;
    size_t before = out->size;
    bool is_good = stream_begin(e, is_outbound, out);
    buffer_init(&compressed, e->memory);
    if (is_good && e->compression) {
        is_good = envelope_compress(message, &compressed);
        message = buffer_bytes(&compressed);
    }
    is_good = is_good && seal(e, message, out);
    buffer_deinit(&compressed);
    if (!is_good) {
        out->size = before;
    }
    return is_good;
}
