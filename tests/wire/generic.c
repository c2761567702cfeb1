/* SPDX-License-Identifier: MIT
 *
 * See generic.h.
 */
#include "generic.h"

#include "wire/msgpack.h"

#include <stdlib.h>
#include <string.h>

enum kind { NIL, BOOL, INTEGER, REAL, RAW, ARRAY, MAP, OTHER };

static enum kind kind_of(const struct reader *r)
{
    uint8_t c = reader_left(r) > 0 ? r->at[0] : 0xc1;
    if (c < 0x80 || c >= 0xe0 || (c >= 0xcc && c <= 0xd3)) {
        return INTEGER;
    }
    if (c < 0x90 || c == 0xde || c == 0xdf) {
        return MAP;
    }
    if (c < 0xa0 || c == 0xdc || c == 0xdd) {
        return ARRAY;
    }
    if (c < 0xc0 || (c >= 0xc4 && c <= 0xc6) || (c >= 0xd9 && c <= 0xdb)) {
        return RAW;
    }
    return c == 0xc0 ? NIL : c == 0xc2 || c == 0xc3 ? BOOL : c == 0xca || c == 0xcb ? REAL : OTHER;
}

/* {"array_len": n, "non_nil": [{"index": i, "value": …}]} */
static void compare_ring(struct reader *r, const json_t *wanted)
{
    const json_t *non_nil = json_object_get(wanted, "non_nil");
    uint32_t count = msgpack_get_array(r);
    size_t next = 0;
    vector_expect(count == json_integer_value(json_object_get(wanted, "array_len")), "length of a ring");
    for (uint32_t i = 0; i < count; i++) {
        if (msgpack_peek_nil(r)) {
            msgpack_skip(r);
            continue;
        }
        const json_t *entry = json_array_get(non_nil, next++);
        vector_expect(json_integer_value(json_object_get(entry, "index")) == i, "place in a ring");
        generic_compare(r, json_object_get(entry, "value"));
    }
    vector_expect(next == json_array_size(non_nil), "entries of a ring");
}

static void compare_map(struct reader *r, const json_t *wanted)
{
    uint32_t count = msgpack_get_map(r);
    vector_expect(json_is_object(wanted), "a map is wanted");
    vector_expect(count == json_object_size(wanted), "size of a map: %u", count);
    for (uint32_t i = 0; i < count; i++) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        char text[256] = "";
        vector_expect(key.size < sizeof text, "length of a key");
        memcpy(text, key.data, key.size);
        const json_t *value = json_object_get(wanted, text);
        vector_expect(value != NULL, "key \"%s\" is wanted", text);
        generic_compare(r, value);
    }
}

static void compare_array(struct reader *r, const json_t *wanted)
{
    if (json_is_object(wanted)) {
        compare_ring(r, wanted);
        return;
    }
    uint32_t count = msgpack_get_array(r);
    vector_expect(count == json_array_size(wanted), "size of an array: %u", count);
    for (uint32_t i = 0; i < count; i++) {
        generic_compare(r, json_array_get(wanted, i));
    }
}

void generic_compare(struct reader *r, const json_t *wanted)
{
    switch (kind_of(r)) {
    case NIL: /* at the top an empty map of text may be nil */
        vector_expect(json_is_null(wanted) || (json_is_object(wanted) && json_object_size(wanted) == 0), "nil is wanted");
        msgpack_skip(r);
        break;
    case BOOL:
        vector_expect(json_is_boolean(wanted) && msgpack_get_bool(r) == json_is_true(wanted), "bool");
        break;
    case INTEGER:
        vector_expect(json_is_integer(wanted) && msgpack_get_int(r) == json_integer_value(wanted), "number");
        break;
    case REAL:
        vector_expect(json_is_real(wanted), "a real number is wanted");
        double got = msgpack_get_double(r), real = json_real_value(wanted);
        vector_expect(memcmp(&got, &real, sizeof got) == 0, "real number %g", got);
        break;
    case RAW:
        vector_expect(json_is_string(wanted), "bytes are wanted");
        vector_expect_raw(msgpack_get_raw(r), wanted, "bytes");
        break;
    case ARRAY:
        compare_array(r, wanted);
        break;
    case MAP:
        compare_map(r, wanted);
        break;
    case OTHER:
        vector_expect(false, "unknown form %02x", reader_left(r) > 0 ? r->at[0] : 0);
    }
    vector_expect(!r->is_bad, "readable");
}

static unsigned copy_integer(struct reader *r, struct writer *w)
{
    const uint8_t *start = r->at;
    int64_t v = msgpack_get_int(r);
    if (*start >= 0xd0 && *start <= 0xd3 && v >= 0) {
        writer_put(w, start, (size_t)(r->at - start));
        return 1;
    }
    msgpack_put_int(w, v);
    return 0;
}

static void copy_raw(struct reader *r, struct writer *w, bool is_rpc)
{
    bool is_binary = r->at[0] >= 0xc4 && r->at[0] <= 0xc6;
    struct hearsay_bytes raw = msgpack_get_raw(r);
    if (!is_rpc) {
        msgpack_put_raw(w, raw);
    } else if (is_binary) {
        msgpack_put_bin(w, raw);
    } else {
        msgpack_put_str(w, raw);
    }
}

unsigned generic_copy(struct reader *r, struct writer *w, bool is_rpc)
{
    unsigned odd = 0;
    uint32_t count;
    switch (kind_of(r)) {
    case NIL:
        msgpack_skip(r);
        msgpack_put_nil(w);
        break;
    case BOOL:
        msgpack_put_bool(w, msgpack_get_bool(r));
        break;
    case INTEGER:
        odd = copy_integer(r, w);
        break;
    case REAL:
        msgpack_put_double(w, msgpack_get_double(r));
        break;
    case RAW:
        copy_raw(r, w, is_rpc);
        break;
    case ARRAY:
        count = msgpack_get_array(r);
        msgpack_put_array(w, count);
        for (; count > 0 && !r->is_bad; count--) {
            odd += generic_copy(r, w, is_rpc);
        }
        break;
    case MAP:
        count = msgpack_get_map(r);
        msgpack_put_map(w, count);
        for (; count > 0 && !r->is_bad; count--) {
            odd += generic_copy(r, w, is_rpc);
            odd += generic_copy(r, w, is_rpc);
        }
        break;
    case OTHER:
        r->is_bad = true;
    }
    return odd;
}

void generic_check(struct hearsay_bytes bytes, const json_t *wanted, bool is_rpc)
{
    struct reader r = reader_of(bytes), skipping = r, copying = r;
    uint8_t *out = malloc(bytes.size + 1);
    struct writer w = writer_of(out, bytes.size);
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        generic_compare(&r, json_array_get(wanted, i));
        msgpack_skip(&skipping);
        vector_expect(skipping.at == r.at && !skipping.is_bad, "skipping ends where reading does");
        (void)generic_copy(&copying, &w, is_rpc);
    }
    vector_expect(reader_left(&r) == 0, "no bytes are left");
    vector_expect(!w.is_full, "the copy has room");
    vector_expect_bytes(writer_bytes(&w), bytes, "written again");
    free(out);
}
