/* SPDX-License-Identifier: MIT
 *
 * See envelope.h. Which layer goes around which is the business of packet.c and stream.c.
 */
#include "wire/envelope.h"

#include "base/check.h"
#include "base/cursor.h"
#include "wire/lzw.h"
#include "wire/msgpack.h"

enum { NONCE = 12, TAG = 16, HEAD = 1 + NONCE, BLOCK = 16 };

size_t envelope_overhead(const struct envelope *e)
{
    size_t label = e->label_size > 0 ? 2u + e->label_size : 0;
    if (!envelope_encrypts(e)) {
        return label;
    }
    return label + HEAD + TAG + (e->encryption_version == 0 ? BLOCK : 0);
}

static struct hearsay_bytes key_at(const struct envelope *e, size_t index)
{
    return bytes_of(e->keys[index].bytes, e->keys[index].size);
}

bool envelope_seal(const struct envelope *e, struct hearsay_bytes aad, struct hearsay_bytes plain, struct buffer *out)
{
    CHECK(e->key_count > 0 && e->encryption_version <= 1);
    size_t pad = e->encryption_version == 0 ? BLOCK - plain.size % BLOCK : 0;
    size_t padded = plain.size + pad, block = HEAD + padded + TAG;
    if (!buffer_reserve(out, block + (pad > 0 ? padded : 0))) { /* the padded text stands behind the block for a moment */
        return false;
    }
    uint8_t *at = out->data + out->size;
    at[0] = e->encryption_version;
    e->cipher.nonce(e->cipher.context, at + 1);
    if (pad > 0) {
        bytes_copy(at + block, plain.data, plain.size);
        memset(at + block + plain.size, (int)pad, pad);
        plain = bytes_of(at + block, padded);
    }
    e->cipher.seal(e->cipher.context, key_at(e, 0), at + 1, aad, plain, at + HEAD);
    if (e->sealed != NULL) {
        ++*e->sealed;
    }
    out->size += block;
    return true;
}

/* Bytes of padding at the end of plain, or 0 when it is no PKCS7. */
static size_t padding_of(const uint8_t *plain, size_t size)
{
    size_t pad = size > 0 ? plain[size - 1] : 0;
    if (pad < 1 || pad > BLOCK || pad > size || size % BLOCK != 0) {
        return 0;
    }
    for (size_t i = size - pad; i < size; i++) {
        if (plain[i] != pad) {
            return 0;
        }
    }
    return pad;
}

enum envelope_fault envelope_open(const struct envelope *e, struct hearsay_bytes aad, struct hearsay_bytes block,
                                  struct buffer *out, size_t *key_index)
{
    size_t least = HEAD + TAG + (block.size > 0 && block.data[0] == 0 ? BLOCK : 0);
    if (e->key_count == 0 || block.size < least || block.data[0] > 1) {
        return ENVELOPE_CIPHER;
    }
    size_t size = block.size - HEAD - TAG;
    if (!buffer_reserve(out, size + 1)) { /* so that even an empty text has a place */
        return ENVELOPE_NO_MEMORY;
    }
    struct hearsay_bytes sealed = bytes_of(block.data + HEAD, block.size - HEAD);
    uint8_t *plain = out->data + out->size;
    for (size_t i = 0; i < e->key_count; i++) {
        if (!e->cipher.open(e->cipher.context, key_at(e, i), block.data + 1, aad, sealed, plain)) {
            continue;
        }
        if (block.data[0] == 0) {
            size_t pad = padding_of(plain, size);
            if (pad == 0) {
                return ENVELOPE_CIPHER;
            }
            size -= pad;
        }
        out->size += size;
        if (key_index != NULL) {
            *key_index = i;
        }
        return ENVELOPE_OK;
    }
    return ENVELOPE_CIPHER;
}

/* `09` {Algo: 0, Buf: …}: the head of Buf has 1, 3 or 5 bytes, which is known only afterwards. Most have 3. */
bool envelope_compress(struct hearsay_bytes in, struct buffer *out)
{
    static const uint8_t head[] = {0x09, 0x82, 0xa4, 'A', 'l', 'g', 'o', 0x00, 0xa3, 'B', 'u', 'f'};
    size_t before = out->size, start = before + sizeof head + 3;
    if (!buffer_append(out, NULL, sizeof head + 3) || !lzw_compress(in, out) || !buffer_reserve(out, 2)) {
        out->size = before;
        return false;
    }
    size_t size = out->size - start;
    size_t moved = before + sizeof head + (size < 32 ? 1 : size <= UINT16_MAX ? 3 : 5);
    if (moved != start) {
        memmove(out->data + moved, out->data + start, size);
    }
    struct writer w = writer_of(out->data + before, moved - before);
    writer_put(&w, head, sizeof head);
    if (size < 32) {
        writer_u8(&w, (uint8_t)(0xa0 | size));
    } else if (size <= UINT16_MAX) {
        writer_u8(&w, 0xda);
        writer_u16(&w, (uint16_t)size);
    } else {
        writer_u8(&w, 0xdb);
        writer_u32(&w, (uint32_t)size);
    }
    CHECK(!w.is_full && size <= UINT32_MAX);
    out->size = moved + size;
    return true;
}

enum envelope_fault envelope_decompress(struct hearsay_bytes in, size_t limit, struct buffer *out)
{
    struct reader r = reader_of(in);
    struct hearsay_bytes compressed = {NULL, 0};
    uint64_t algorithm = 0;
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Algo")) {
            algorithm = msgpack_get_uint(&r, UINT8_MAX);
        } else if (msgpack_is(key, "Buf")) {
            compressed = msgpack_get_raw(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    if (r.is_bad || algorithm != 0) {
        return ENVELOPE_LZW;
    }
    size_t before = out->size;
    switch (lzw_decompress(compressed, limit, out)) {
    case LZW_OK:
        return out->size > before ? ENVELOPE_OK : ENVELOPE_LZW;
    case LZW_NO_MEMORY:
        return ENVELOPE_NO_MEMORY;
    default:
        return ENVELOPE_LZW;
    }
}
