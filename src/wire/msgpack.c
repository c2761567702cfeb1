/* SPDX-License-Identifier: MIT
 *
 * See msgpack.h. A code byte decides a value's family; `head_of` is the one place that knows all families, the rest asks it.
 */
#include "wire/msgpack.h"

enum family { FAMILY_BAD, FAMILY_PLAIN, FAMILY_RAW, FAMILY_ARRAY, FAMILY_MAP };

/* What a code byte announces: width more bytes of head, then (for RAW) `value` bytes or (for ARRAY, MAP) values. Four bytes, so that it
 * is one load: this is asked for every value of every message. */
struct head {
    uint8_t family;
    uint8_t width; /* bytes that follow the code: a count, or the whole number of a PLAIN */
    uint8_t extra; /* ext: the type byte */
    uint8_t value;
};

/* Codes c0 .. df. */
static const struct head heads[32] = {
    {FAMILY_PLAIN, 0, 0, 0}, {FAMILY_BAD, 0, 0, 0},   {FAMILY_PLAIN, 0, 0, 0}, {FAMILY_PLAIN, 0, 0, 0}, /* nil - false true */
    {FAMILY_RAW, 1, 0, 0},   {FAMILY_RAW, 2, 0, 0},   {FAMILY_RAW, 4, 0, 0},                            /* bin */
    {FAMILY_RAW, 1, 1, 0},   {FAMILY_RAW, 2, 1, 0},   {FAMILY_RAW, 4, 1, 0},                            /* ext */
    {FAMILY_PLAIN, 4, 0, 0}, {FAMILY_PLAIN, 8, 0, 0},                                                   /* float */
    {FAMILY_PLAIN, 1, 0, 0}, {FAMILY_PLAIN, 2, 0, 0}, {FAMILY_PLAIN, 4, 0, 0}, {FAMILY_PLAIN, 8, 0, 0}, /* uint */
    {FAMILY_PLAIN, 1, 0, 0}, {FAMILY_PLAIN, 2, 0, 0}, {FAMILY_PLAIN, 4, 0, 0}, {FAMILY_PLAIN, 8, 0, 0}, /* int */
    {FAMILY_RAW, 0, 1, 1},   {FAMILY_RAW, 0, 1, 2},   {FAMILY_RAW, 0, 1, 4},   {FAMILY_RAW, 0, 1, 8},   /* fixext */
    {FAMILY_RAW, 0, 1, 16},                                                                             /* fixext 16 */
    {FAMILY_RAW, 1, 0, 0},   {FAMILY_RAW, 2, 0, 0},   {FAMILY_RAW, 4, 0, 0},                            /* str */
    {FAMILY_ARRAY, 2, 0, 0}, {FAMILY_ARRAY, 4, 0, 0}, {FAMILY_MAP, 2, 0, 0},   {FAMILY_MAP, 4, 0, 0},
};

static inline struct head head_of(uint8_t code)
{
    if (code < 0x80 || code >= 0xe0) {
        return (struct head){FAMILY_PLAIN, 0, 0, 0};
    }
    if (code < 0x90) {
        return (struct head){FAMILY_MAP, 0, 0, code & 15u};
    }
    if (code < 0xa0) {
        return (struct head){FAMILY_ARRAY, 0, 0, code & 15u};
    }
    if (code < 0xc0) {
        return (struct head){FAMILY_RAW, 0, 0, code & 31u};
    }
    return heads[code - 0xc0];
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void put_u8(struct writer *w, uint8_t code, uint8_t v)
{
    uint8_t b[2] = {code, v};
    writer_put(w, b, sizeof b);
}

static void put_u16(struct writer *w, uint8_t code, uint16_t v)
{
    uint8_t b[3] = {code};
    bytes_put_u16(b + 1, v);
    writer_put(w, b, sizeof b);
}

static void put_u32(struct writer *w, uint8_t code, uint32_t v)
{
    uint8_t b[5] = {code};
    bytes_put_u32(b + 1, v);
    writer_put(w, b, sizeof b);
}

static void put_u64(struct writer *w, uint8_t code, uint64_t v)
{
    uint8_t b[9] = {code};
    bytes_put_u64(b + 1, v);
    writer_put(w, b, sizeof b);
}

static void put_count(struct writer *w, uint32_t count, uint8_t fix, uint8_t wide)
{
    if (count < 16) {
        writer_u8(w, (uint8_t)(fix | count));
    } else if (count <= UINT16_MAX) {
        put_u16(w, wide, (uint16_t)count);
    } else {
        put_u32(w, wide + 1, count);
    }
}

void msgpack_put_map(struct writer *w, uint32_t count)
{
    put_count(w, count, 0x80, 0xde);
}

void msgpack_put_array(struct writer *w, uint32_t count)
{
    put_count(w, count, 0x90, 0xdc);
}

void msgpack_put_nil(struct writer *w)
{
    writer_u8(w, 0xc0);
}

void msgpack_put_bool(struct writer *w, bool v)
{
    writer_u8(w, v ? 0xc3 : 0xc2);
}

void msgpack_put_uint(struct writer *w, uint64_t v)
{
    if (v < 0x80) {
        writer_u8(w, (uint8_t)v);
    } else if (v <= UINT8_MAX) {
        put_u8(w, 0xcc, (uint8_t)v);
    } else if (v <= UINT16_MAX) {
        put_u16(w, 0xcd, (uint16_t)v);
    } else if (v <= UINT32_MAX) {
        put_u32(w, 0xce, (uint32_t)v);
    } else {
        put_u64(w, 0xcf, v);
    }
}

void msgpack_put_int(struct writer *w, int64_t v)
{
    if (v >= 0) {
        msgpack_put_uint(w, (uint64_t)v);
    } else if (v >= -32) {
        writer_u8(w, (uint8_t)v);
    } else if (v >= INT8_MIN) {
        put_u8(w, 0xd0, (uint8_t)v);
    } else if (v >= INT16_MIN) {
        put_u16(w, 0xd1, (uint16_t)v);
    } else if (v >= INT32_MIN) {
        put_u32(w, 0xd2, (uint32_t)v);
    } else {
        put_u64(w, 0xd3, (uint64_t)v);
    }
}

void msgpack_put_double(struct writer *w, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_u64(w, 0xcb, bits);
}

static void put_sized(struct writer *w, struct hearsay_bytes v, uint8_t wide)
{
    if (v.size <= UINT16_MAX) {
        put_u16(w, wide, (uint16_t)v.size);
    } else if (v.size <= UINT32_MAX) {
        put_u32(w, wide + 1, (uint32_t)v.size);
    } else {
        w->is_full = true;
    }
    writer_put(w, v.data, v.size);
}

void msgpack_put_raw(struct writer *w, struct hearsay_bytes v)
{
    if (v.size < 32) {
        writer_u8(w, (uint8_t)(0xa0 | v.size));
        writer_put(w, v.data, v.size);
    } else {
        put_sized(w, v, 0xda);
    }
}

void msgpack_put_raw_or_nil(struct writer *w, struct hearsay_bytes v)
{
    if (v.data == NULL) {
        msgpack_put_nil(w);
    } else {
        msgpack_put_raw(w, v);
    }
}

void msgpack_put_address(struct writer *w, const struct hearsay_address *v)
{
    msgpack_put_raw_or_nil(w, bytes_of(v->size == 0 ? NULL : v->bytes, v->size));
}

void msgpack_put_str(struct writer *w, struct hearsay_bytes v)
{
    if (v.size >= 32 && v.size <= UINT8_MAX) {
        put_u8(w, 0xd9, (uint8_t)v.size);
        writer_put(w, v.data, v.size);
    } else {
        msgpack_put_raw(w, v);
    }
}

void msgpack_put_bin(struct writer *w, struct hearsay_bytes v)
{
    if (v.data == NULL) {
        msgpack_put_nil(w);
    } else if (v.size <= UINT8_MAX) {
        put_u8(w, 0xc4, (uint8_t)v.size);
        writer_put(w, v.data, v.size);
    } else {
        put_sized(w, v, 0xc5);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static uint64_t take_number(struct reader *r, uint8_t width)
{
    switch (width) {
    case 1:
        return reader_u8(r);
    case 2:
        return reader_u16(r);
    case 4:
        return reader_u32(r);
    default:
        return reader_u64(r);
    }
}

/* A count of values that take at least `least` bytes each: what cannot be there is refused before anybody loops over it. */
static uint32_t get_count(struct reader *r, enum family family, unsigned least)
{
    uint8_t code = reader_u8(r);
    struct head head = head_of(code);
    if (code == 0xc0) {
        return 0;
    }
    if (head.family != family) {
        r->is_bad = true;
        return 0;
    }
    uint64_t count = head.width == 0 ? head.value : take_number(r, head.width);
    if (count > reader_left(r) / least) {
        r->is_bad = true;
        return 0;
    }
    return (uint32_t)count;
}

uint32_t msgpack_get_map(struct reader *r)
{
    return get_count(r, FAMILY_MAP, 2);
}

uint32_t msgpack_get_array(struct reader *r)
{
    return get_count(r, FAMILY_ARRAY, 1);
}

bool msgpack_get_bool(struct reader *r)
{
    switch (reader_u8(r)) {
    case 0xc3:
    case 0x01:
        return true;
    case 0xc2:
    case 0x00:
    case 0xc0:
        return false;
    default:
        r->is_bad = true;
        return false;
    }
}

/* Any integer: the bits, and whether they mean a negative number. */
static uint64_t get_integer(struct reader *r, bool *is_negative)
{
    uint8_t code = reader_u8(r);
    *is_negative = false;
    if (code < 0x80) {
        return code;
    }
    int64_t v;
    switch (code) {
    case 0xc0:
        return 0;
    case 0xcc:
        return reader_u8(r);
    case 0xcd:
        return reader_u16(r);
    case 0xce:
        return reader_u32(r);
    case 0xcf:
        return reader_u64(r);
    case 0xd0:
        v = (int8_t)reader_u8(r);
        break;
    case 0xd1:
        v = (int16_t)reader_u16(r);
        break;
    case 0xd2:
        v = (int32_t)reader_u32(r);
        break;
    case 0xd3:
        v = (int64_t)reader_u64(r);
        break;
    default:
        if (code < 0xe0) {
            r->is_bad = true;
        }
        v = (int8_t)code;
    }
    *is_negative = v < 0;
    return (uint64_t)v;
}

uint64_t msgpack_get_long_uint(struct reader *r, uint64_t most)
{
    bool is_negative;
    uint64_t v = get_integer(r, &is_negative);
    if (r->is_bad || is_negative || v > most) {
        r->is_bad = true;
        return 0;
    }
    return v;
}

int64_t msgpack_get_int(struct reader *r)
{
    bool is_negative;
    uint64_t v = get_integer(r, &is_negative);
    if (r->is_bad || (!is_negative && v > INT64_MAX)) {
        r->is_bad = true;
        return 0;
    }
    return (int64_t)v;
}

double msgpack_get_double(struct reader *r)
{
    if (reader_left(r) > 0 && r->at[0] == 0xcb) {
        r->at++;
        uint64_t bits = reader_u64(r);
        double v;
        memcpy(&v, &bits, sizeof v);
        return v;
    }
    if (reader_left(r) > 0 && r->at[0] == 0xca) {
        r->at++;
        uint32_t bits = reader_u32(r);
        float v;
        memcpy(&v, &bits, sizeof v);
        return (double)v;
    }
    bool is_negative;
    uint64_t v = get_integer(r, &is_negative);
    if (r->is_bad) {
        return 0;
    }
    return is_negative ? (double)(int64_t)v : (double)v;
}

struct hearsay_bytes msgpack_get_long_raw(struct reader *r)
{
    uint8_t code = reader_u8(r);
    if (code == 0xc0 || r->is_bad) {
        return (struct hearsay_bytes){NULL, 0};
    }
    struct head head = head_of(code);
    if (head.family != FAMILY_RAW || head.extra != 0) {
        r->is_bad = true;
        return (struct hearsay_bytes){NULL, 0};
    }
    size_t size = head.width == 0 ? head.value : (size_t)take_number(r, head.width);
    return reader_take(r, size);
}

void msgpack_get_address(struct reader *r, struct hearsay_address *out)
{
    struct hearsay_bytes raw = msgpack_get_raw(r);
    if (raw.size != 0 && raw.size != 4 && raw.size != sizeof out->bytes) {
        r->is_bad = true;
        return;
    }
    out->size = (uint8_t)raw.size;
    bytes_copy(out->bytes, raw.data, raw.size);
}

bool msgpack_peek_nil(const struct reader *r)
{
    return reader_left(r) > 0 && r->at[0] == 0xc0;
}

/* ---- walking ------------------------------------------------------------------------------------------------------ */

void msgpack_scan_init(struct msgpack_scan *scan, uint64_t values)
{
    scan->depth = 0;
    scan->left[0] = values;
}

enum msgpack_scanned msgpack_scan_run(struct msgpack_scan *scan, struct reader *r)
{
    for (;;) {
        while (scan->left[scan->depth] == 0) {
            if (scan->depth == 0) {
                return MSGPACK_SCAN_DONE;
            }
            scan->depth--;
        }
        struct reader ahead = *r;
        if (reader_left(r) == 0) {
            return MSGPACK_SCAN_MORE;
        }
        struct head head = head_of(*ahead.at++);
        if (head.family == FAMILY_BAD) {
            return MSGPACK_SCAN_BAD;
        }
        uint64_t value = head.width == 0 ? head.value : take_number(&ahead, head.width);
        if (head.family == FAMILY_RAW) {
            (void)reader_take(&ahead, (size_t)value + head.extra);
        }
        if (ahead.is_bad) {
            return MSGPACK_SCAN_MORE;
        }
        scan->left[scan->depth]--;
        r->at = ahead.at;
        if (value > 0 && (head.family == FAMILY_ARRAY || head.family == FAMILY_MAP)) {
            if (scan->depth == sizeof scan->left / sizeof scan->left[0] - 1) {
                return MSGPACK_SCAN_BAD;
            }
            scan->left[++scan->depth] = head.family == FAMILY_MAP ? value * 2 : value;
        }
    }
}

void msgpack_skip(struct reader *r)
{
    struct msgpack_scan scan;
    msgpack_scan_init(&scan, 1);
    if (msgpack_scan_run(&scan, r) != MSGPACK_SCAN_DONE) {
        r->is_bad = true;
    }
}
