/* SPDX-License-Identifier: MIT
 *
 * See capture.h.
 */
#include "capture.h"

#include "wire/lzw.h"
#include "wire/msgpack.h"

#include <string.h>

void capture_init(struct capture *c, const json_t *vector, const json_t *reading, const char *label)
{
    memset(c, 0, sizeof *c);
    c->envelope.memory = &memory_system;
    c->envelope.cipher = cipher_nettle_of(&c->cipher);
    c->envelope.verify_incoming = c->envelope.verify_outgoing = true;
    if (label != NULL) {
        c->envelope.label_size = (uint8_t)strlen(label);
        memcpy(c->envelope.label, label, c->envelope.label_size);
    }
    const json_t *version = json_object_get(reading, "encver");
    if (version != NULL) {
        struct hearsay_bytes key = vector_hex_of(vector, "key_hex");
        c->envelope.encryption_version = (uint8_t)json_integer_value(version);
        c->envelope.keys[0].size = (uint8_t)key.size;
        memcpy(c->envelope.keys[0].bytes, key.data, key.size);
        c->envelope.key_count = 1;
    }
}

unsigned capture_max_width(struct hearsay_bytes lzw)
{
    unsigned width = 9, most = 9, hi = 257;
    size_t bit = 0;
    for (;;) {
        unsigned code = 0;
        if (bit + width > lzw.size * 8) {
            return 0;
        }
        for (unsigned i = 0; i < width; i++, bit++) {
            code |= (unsigned)(lzw.data[bit / 8] >> (bit % 8) & 1) << i;
        }
        if (code == 257) {
            return most;
        }
        if (code == 256) {
            width = 9;
            hi = 257;
            continue;
        }
        if (++hi >= 1u << width && width < 12) {
            width++;
        }
        most = width > most ? width : most;
    }
}

void capture_compare_compression(struct hearsay_bytes compressed, const json_t *numbers)
{
    struct reader r = reader_of(compressed);
    struct hearsay_bytes lzw = {NULL, 0};
    struct buffer plain;
    vector_expect(reader_u8(&r) == 9 && msgpack_get_map(&r) == 2, "a compressed message");
    vector_expect(msgpack_is(msgpack_get_raw(&r), "Algo") && msgpack_get_uint(&r, 255) == 0, "LZW");
    vector_expect(msgpack_is(msgpack_get_raw(&r), "Buf"), "Buf");
    lzw = msgpack_get_raw(&r);
    buffer_init(&plain, &memory_system);
    vector_expect(lzw_decompress(lzw, SIZE_MAX, &plain) == LZW_OK, "decompresses");
    vector_expect((json_int_t)lzw.size == json_integer_value(json_object_get(numbers, "lzw_len")), "lzw_len");
    vector_expect((json_int_t)plain.size == json_integer_value(json_object_get(numbers, "plain_len")), "plain_len");
    vector_expect((json_int_t)capture_max_width(lzw) == json_integer_value(json_object_get(numbers, "max_width")), "max_width");
    buffer_deinit(&plain);
}
