/* SPDX-License-Identifier: MIT
 *
 * See packet.h. One straight line inwards (open) and one outwards (seal); what a layer means stands in envelope.c.
 * Differs: memberlist unwraps compound and compress in any order and depth; nobody sends that, so here it is refused.
 */
#include "wire/packet.h"

#include "base/check.h"
#include "base/cursor.h"
#include "wire/crc.h"
#include "wire/message.h"

static bool is_envelope(uint8_t type)
{
    return type == MESSAGE_COMPOUND || type == MESSAGE_COMPRESS || type == MESSAGE_CRC || type == MESSAGE_LABEL;
}

static enum envelope_fault strip_label(const struct envelope *e, struct reader *r)
{
    struct hearsay_bytes label = {NULL, 0};
    if (reader_left(r) > 0 && r->at[0] == MESSAGE_LABEL) {
        (void)reader_u8(r);
        label = reader_take(r, reader_u8(r));
        if (e->skip_label_check || label.size == 0 || r->is_bad) { /* skipping: somebody else has taken the header off */
            return ENVELOPE_LABEL;
        }
    } else if (e->skip_label_check) {
        return ENVELOPE_OK;
    }
    return bytes_equal(label, bytes_of(e->label, e->label_size)) ? ENVELOPE_OK : ENVELOPE_LABEL;
}

/* Nothing opened it: was it ever sealed? Sealed packets begin with version 0 or 1, as do ping and indirect ping; but those go on with
 * a map of text, which a random nonce does in one of a hundred cases. */
static bool looks_plain(struct hearsay_bytes in)
{
    if (in.data[0] > 1) {
        return true;
    }
    if (in.size < 2 || !((in.data[1] & 0xf0) == 0x80 || in.data[1] == 0xde)) {
        return false;
    }
    return in.data[1] == 0x80 || in.data[1] == 0xde || (in.size > 2 && (in.data[2] & 0xe0) == 0xa0);
}

static enum envelope_fault split(struct hearsay_bytes compound, struct packet *out)
{
    struct reader r = reader_of(compound);
    (void)reader_u8(&r);
    unsigned count = reader_u8(&r);
    struct reader lengths = reader_of(reader_take(&r, count * 2u));
    if (r.is_bad) {
        return ENVELOPE_TRUNCATED;
    }
    for (unsigned i = 0; i < count; i++) {
        struct hearsay_bytes part = reader_take(&r, reader_u16(&lengths));
        if (r.is_bad) {
            out->was_cut = true;
            return ENVELOPE_OK;
        }
        if (part.size == 0) {
            continue;
        }
        if (is_envelope(part.data[0])) {
            return ENVELOPE_NESTED;
        }
        out->parts[out->count++] = part;
    }
    return ENVELOPE_OK;
}

static enum envelope_fault check_crc(struct reader *r, struct packet *out)
{
    if (reader_left(r) == 0 || r->at[0] != MESSAGE_CRC) {
        return ENVELOPE_OK;
    }
    (void)reader_u8(r);
    uint32_t crc = reader_u32(r);
    if (r->is_bad) {
        return ENVELOPE_TRUNCATED;
    }
    out->had_crc = true;
    return crc_of(bytes_of(r->at, reader_left(r))) == crc ? ENVELOPE_OK : ENVELOPE_CRC;
}

static enum envelope_fault open_plain(struct hearsay_bytes plain, struct buffer *scratch, struct packet *out)
{
    struct reader r = reader_of(plain);
    enum envelope_fault fault = check_crc(&r, out);
    if (fault != ENVELOPE_OK) {
        return fault;
    }
    struct hearsay_bytes body = bytes_of(r.at, reader_left(&r));
    if (body.size > 0 && body.data[0] == MESSAGE_COMPRESS) {
        fault = envelope_decompress(bytes_of(body.data + 1, body.size - 1), PACKET_PLAIN_MAX, scratch);
        if (fault != ENVELOPE_OK) {
            return fault;
        }
        out->was_compressed = true;
        body = buffer_bytes(scratch);
    }
    if (body.size == 0) {
        return ENVELOPE_TRUNCATED;
    }
    if (body.data[0] == MESSAGE_COMPOUND) {
        return split(body, out);
    }
    if (is_envelope(body.data[0])) {
        return ENVELOPE_NESTED;
    }
    out->parts[out->count++] = body;
    return ENVELOPE_OK;
}

enum envelope_fault packet_open(const struct envelope *e, struct hearsay_bytes datagram, struct buffer scratch[2],
                                struct packet *out)
{
    out->count = 0;
    out->was_encrypted = out->was_compressed = out->had_crc = out->was_cut = false;
    buffer_clear(&scratch[0]);
    buffer_clear(&scratch[1]);
    struct reader r = reader_of(datagram);
    enum envelope_fault fault = strip_label(e, &r);
    if (fault != ENVELOPE_OK) {
        return fault;
    }
    struct hearsay_bytes plain = bytes_of(r.at, reader_left(&r));
    if (plain.size == 0) {
        return ENVELOPE_TRUNCATED;
    }
    if (e->key_count > 0) {
        fault = envelope_open(e, bytes_of(e->label, e->label_size), plain, &scratch[0], NULL);
        if (fault == ENVELOPE_OK) {
            out->was_encrypted = true;
            plain = buffer_bytes(&scratch[0]);
        } else if (fault != ENVELOPE_CIPHER || e->verify_incoming) {
            return fault == ENVELOPE_CIPHER && looks_plain(plain) ? ENVELOPE_PLAINTEXT : fault;
        }
    }
    fault = open_plain(plain, &scratch[1], out);
    if (fault != ENVELOPE_OK) {
        out->count = 0;
    }
    return fault;
}

/* ---- sending ------------------------------------------------------------------------------------------------------ */

static bool join(const struct hearsay_bytes *parts, unsigned count, struct buffer *out)
{
    uint8_t head[2 + 2 * PACKET_PARTS_MAX] = {MESSAGE_COMPOUND, (uint8_t)count};
    for (unsigned i = 0; i < count; i++) {
        CHECK(parts[i].size <= UINT16_MAX);
        bytes_put_u16(head + 2 + 2 * i, (uint16_t)parts[i].size);
    }
    bool is_good = buffer_append(out, head, 2 + 2 * count);
    for (unsigned i = 0; i < count && is_good; i++) {
        is_good = parts[i].size == 0 || buffer_append(out, parts[i].data, parts[i].size);
    }
    return is_good;
}

static bool put_crc(struct hearsay_bytes *plain, struct buffer *scratch)
{
    uint8_t head[5] = {MESSAGE_CRC};
    bytes_put_u32(head + 1, crc_of(*plain));
    buffer_clear(scratch);
    if (!buffer_append(scratch, head, sizeof head) || !buffer_append(scratch, plain->data, plain->size)) {
        return false;
    }
    *plain = buffer_bytes(scratch);
    return true;
}

static bool put_outside(const struct envelope *e, struct hearsay_bytes plain, struct buffer *out)
{
    struct hearsay_bytes label = bytes_of(e->label, e->label_size);
    uint8_t head[2] = {MESSAGE_LABEL, e->label_size};
    if (label.size > 0 && !(buffer_append(out, head, sizeof head) && buffer_append(out, label.data, label.size))) {
        return false;
    }
    return envelope_encrypts(e) ? envelope_seal(e, label, plain, out) : buffer_append(out, plain.data, plain.size);
}

bool packet_seal(const struct envelope *e, const struct hearsay_bytes *parts, unsigned count, bool with_crc,
                 struct buffer scratch[2], struct buffer *out)
{
    CHECK(count >= 1 && count <= PACKET_PARTS_MAX);
    size_t before = out->size;
    buffer_clear(&scratch[0]);
    buffer_clear(&scratch[1]);
    struct hearsay_bytes plain = parts[0];
    struct buffer *unused = &scratch[0];
    if (count > 1) {
        if (!join(parts, count, &scratch[0])) {
            return false;
        }
        plain = buffer_bytes(&scratch[0]);
        unused = &scratch[1];
    }
    if (e->compression) {
        if (!envelope_compress(plain, unused)) {
            return false;
        }
        if (unused->size < plain.size) {
            plain = buffer_bytes(unused);
            unused = unused == &scratch[0] ? &scratch[1] : &scratch[0];
        }
    }
    if ((with_crc && !put_crc(&plain, unused)) || !put_outside(e, plain, out)) {
        out->size = before;
        return false;
    }
    return true;
}
