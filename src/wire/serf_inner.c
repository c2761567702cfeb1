/* SPDX-License-Identifier: MIT
 *
 * See serf_inner.h. Same dialect and habits as serf_message.c.
 */
#include "wire/serf_inner.h"

#include "wire/msgpack.h"
#include "wire/serf_message.h"

#define BASE64_MAX 44 /* of 32 bytes */

/* ---- base64 -------------------------------------------------------------------------------------------------------------------- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t encode_base64(const struct hearsay_key *key, uint8_t out[BASE64_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < key->size; i += 3) {
        size_t left = key->size - i;
        uint32_t bits = (uint32_t)key->bytes[i] << 16;
        bits |= left > 1 ? (uint32_t)key->bytes[i + 1] << 8 : 0;
        bits |= left > 2 ? key->bytes[i + 2] : 0;
        out[size++] = (uint8_t)digits[bits >> 18];
        out[size++] = (uint8_t)digits[bits >> 12 & 63];
        out[size++] = left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
        out[size++] = left > 2 ? (uint8_t)digits[bits & 63] : '=';
    }
    return size;
}

static int digit_value(uint8_t c)
{
    const char *at = memchr(digits, c, sizeof digits - 1);
    return at == NULL ? -1 : (int)(at - digits);
}

bool serf_inner_parse_key(struct hearsay_bytes base64, struct hearsay_key *key)
{
    *key = (struct hearsay_key){.size = 0};
    if (base64.size == 0 || base64.size % 4 != 0 || base64.size > BASE64_MAX) {
        return false;
    }
    size_t pad = base64.data[base64.size - 1] != '=' ? 0 : base64.data[base64.size - 2] != '=' ? 1 : 2;
    size_t size = base64.size / 4 * 3 - pad;
    if (size != 16 && size != 24 && size != 32) {
        return false;
    }
    for (size_t i = 0; i < base64.size; i += 4) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = i + k >= base64.size - pad ? 0 : digit_value(base64.data[i + k]);
            if (value < 0) {
                return false;
            }
            bits = bits << 6 | (uint32_t)value;
        }
        for (size_t k = 0; k < 3 && i / 4 * 3 + k < size; k++) {
            key->bytes[i / 4 * 3 + k] = (uint8_t)(bits >> (16 - 8 * k));
        }
    }
    key->size = (uint8_t)size;
    return true;
}

/* ---- keys ---------------------------------------------------------------------------------------------------------------------- */

void serf_inner_put_key_request(struct writer *w, struct hearsay_bytes key)
{
    writer_u8(w, SERF_KEY_REQUEST);
    msgpack_put_map(w, 1);
    msgpack_put_text(w, "Key");
    msgpack_put_raw(w, key);
}

bool serf_inner_read_key_request(struct hearsay_bytes in, struct hearsay_bytes *key)
{
    struct reader r = reader_of(in);
    *key = bytes_of(NULL, 0);
    if (reader_u8(&r) != SERF_KEY_REQUEST) {
        return false;
    }
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        if (msgpack_is(msgpack_get_raw(&r), "Key")) {
            *key = msgpack_get_raw(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad;
}

static void put_base64(struct writer *w, const struct hearsay_key *key)
{
    uint8_t text[BASE64_MAX];
    size_t size = encode_base64(key, text);
    msgpack_put_raw(w, bytes_of(text, size));
}

void serf_inner_put_keys(struct writer *w, bool is_ok, const char *message, const struct hearsay_key *keys, size_t key_count)
{
    writer_u8(w, SERF_KEY_RESPONSE);
    msgpack_put_map(w, 4);
    msgpack_put_text(w, "Keys");
    if (keys == NULL) {
        msgpack_put_nil(w);
    } else {
        msgpack_put_array(w, (uint32_t)key_count);
        for (size_t i = 0; i < key_count; i++) {
            put_base64(w, &keys[i]);
        }
    }
    msgpack_put_text(w, "Message");
    msgpack_put_text(w, message);
    msgpack_put_text(w, "PrimaryKey");
    if (key_count > 0) {
        put_base64(w, &keys[0]);
    } else {
        msgpack_put_text(w, "");
    }
    msgpack_put_text(w, "Result");
    msgpack_put_bool(w, is_ok);
}

static struct reader get_keys(struct reader *r)
{
    struct reader keys = *r;
    for (uint32_t n = msgpack_get_array(r); n > 0 && !r->is_bad; n--) {
        (void)msgpack_get_raw(r);
    }
    return keys;
}

bool serf_inner_read_keys(struct hearsay_bytes in, struct serf_inner_keys *out)
{
    struct reader r = reader_of(in);
    *out = (struct serf_inner_keys){.is_ok = false};
    if (reader_u8(&r) != SERF_KEY_RESPONSE) {
        return false;
    }
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Result")) {
            out->is_ok = msgpack_get_bool(&r);
        } else if (msgpack_is(key, "Message")) {
            out->message = msgpack_get_raw(&r);
        } else if (msgpack_is(key, "PrimaryKey")) {
            out->primary = msgpack_get_raw(&r);
        } else if (msgpack_is(key, "Keys")) {
            out->keys = get_keys(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad;
}

/* ---- a disputed name ------------------------------------------------------------------------------------------------------------- */

static void put_number(struct writer *w, const char *key, uint64_t value)
{
    msgpack_put_text(w, key);
    msgpack_put_uint(w, value);
}

/* Serf's numbers: 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
static uint64_t number_of(enum hearsay_status status)
{
    switch (status) {
    case HEARSAY_ALIVE:
    case HEARSAY_SUSPECT: return 1;
    case HEARSAY_LEAVING: return 2;
    case HEARSAY_LEFT: return 3;
    case HEARSAY_FAILED: return 4;
    default: return 0;
    }
}

static void put_tags(struct writer *w, struct hearsay_bytes meta)
{
    struct reader r;
    uint32_t count = 0;
    msgpack_put_text(w, "Tags");
    if (meta.size > 0 && !serf_tags_begin(meta, &r, &count)) {
        msgpack_put_map(w, 1);
        msgpack_put_text(w, "role");
        msgpack_put_raw(w, meta);
        return;
    }
    msgpack_put_map(w, count);
    for (; count > 0; count--) {
        msgpack_put_raw(w, msgpack_get_raw(&r));
        msgpack_put_raw(w, msgpack_get_raw(&r));
    }
}

void serf_inner_put_conflict(struct writer *w, const struct hearsay_member *m)
{
    writer_u8(w, SERF_CONFLICT_RESPONSE);
    if (m == NULL) {
        msgpack_put_nil(w);
        return;
    }
    msgpack_put_map(w, 11);
    msgpack_put_text(w, "Addr");
    msgpack_put_address(w, &m->address);
    put_number(w, "DelegateCur", m->versions[5]);
    put_number(w, "DelegateMax", m->versions[4]);
    put_number(w, "DelegateMin", m->versions[3]);
    msgpack_put_text(w, "Name");
    msgpack_put_text(w, m->name);
    put_number(w, "Port", m->address.port);
    put_number(w, "ProtocolCur", m->versions[2]);
    put_number(w, "ProtocolMax", m->versions[1]);
    put_number(w, "ProtocolMin", m->versions[0]);
    put_number(w, "Status", number_of(m->status));
    put_tags(w, m->meta);
}

bool serf_inner_agrees(struct hearsay_bytes in, const struct hearsay_address *address)
{
    struct reader r = reader_of(in);
    struct hearsay_address said = {.size = 0};
    if (reader_u8(&r) != SERF_CONFLICT_RESPONSE) {
        return false;
    }
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Addr")) {
            msgpack_get_address(&r, &said);
        } else if (msgpack_is(key, "Port")) {
            said.port = (uint16_t)msgpack_get_uint(&r, UINT16_MAX);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad && said.size > 0 && address_same_place(&said, address);
}
