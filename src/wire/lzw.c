/* SPDX-License-Identifier: MIT
 *
 * See lzw.h. T. Welch, "A technique for high-performance data compression" (1984), in the variant of GIF and of Go's
 * compress/lzw. The encoder keeps its dictionary in an open hash on the stack, sized to the input, because it runs once per
 * packet. The decoder remembers where in the output each entry stands, so that a code costs one copy.
 */
#include "wire/lzw.h"

enum { CODE_CLEAR = 256, CODE_END = 257, CODE_MOST = 4095, WIDTH_LEAST = 9, WIDTH_MOST = 12, SLOTS_MOST = 8192 };

/* ---- writing ------------------------------------------------------------------------------------------------------ */

struct encoder {
    uint32_t slots[SLOTS_MOST]; /* prefix 12 bits | byte 8 bits | code 12 bits; 0 = empty, as no entry has a code below 258 */
    uint32_t mask;
    unsigned hi, width;
    uint32_t bits;
    unsigned bit_count;
    uint8_t *at;
};

static inline void emit(struct encoder *e, unsigned code)
{
    e->bits |= (uint32_t)code << e->bit_count;
    e->bit_count += e->width;
    while (e->bit_count >= 8) {
        *e->at++ = (uint8_t)e->bits;
        e->bits >>= 8;
        e->bit_count -= 8;
    }
}

static void restart(struct encoder *e)
{
    e->hi = CODE_END;
    e->width = WIDTH_LEAST;
    memset(e->slots, 0, (e->mask + 1) * sizeof e->slots[0]);
}

/* Makes room for one more code. False when the dictionary was full and began anew. */
static inline bool advance(struct encoder *e)
{
    e->hi++;
    if (e->hi == 1u << e->width) {
        e->width++;
    }
    if (e->hi == CODE_MOST) {
        emit(e, CODE_CLEAR);
        restart(e);
        return false;
    }
    return true;
}

static inline uint32_t hash_of(uint32_t key)
{
    return (key * 0x9e3779b1u) >> 16;
}

static void encode_all(struct encoder *e, struct hearsay_bytes in)
{
    unsigned current = in.data[0];
    for (size_t i = 1; i < in.size; i++) {
        uint32_t key = (uint32_t)current << 8 | in.data[i];
        uint32_t slot = hash_of(key) & e->mask;
        while (e->slots[slot] != 0 && e->slots[slot] >> 12 != key) {
            slot = (slot + 1) & e->mask;
        }
        if (e->slots[slot] != 0) {
            current = e->slots[slot] & CODE_MOST;
            continue;
        }
        emit(e, current);
        current = in.data[i];
        if (advance(e)) {
            e->slots[slot] = key << 12 | e->hi;
        }
    }
    emit(e, current);
    (void)advance(e);
}

bool lzw_compress(struct hearsay_bytes in, struct buffer *out)
{
    /* At most one code of 12 bits per byte, a clear per 3,837 of them, and a clear, an end and a partial byte around. */
    if (in.size > SIZE_MAX / 4 || !buffer_reserve(out, in.size + in.size / 2 + in.size / 1024 + 8)) {
        return false;
    }
    struct encoder e;
    uint32_t slots = 64;
    while (slots < SLOTS_MOST && slots < in.size * 2) {
        slots *= 2;
    }
    e.mask = slots - 1;
    e.bits = 0;
    e.bit_count = 0;
    e.at = out->data + out->size;
    restart(&e);
    emit(&e, CODE_CLEAR);
    if (in.size > 0) {
        encode_all(&e, in);
    }
    emit(&e, CODE_END);
    if (e.bit_count > 0) {
        *e.at++ = (uint8_t)e.bits;
    }
    out->size = (size_t)(e.at - out->data);
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

enum { NO_CODE = UINT16_MAX };

struct decoder {
    uint32_t start[CODE_MOST + 1], size[CODE_MOST + 1]; /* where in the output entry n stands; valid for 258 .. hi - 1 */
    unsigned hi, width, last;
    uint32_t last_start, last_size; /* what `last` stood for */
    uint32_t bits;
    unsigned bit_count;
    const uint8_t *at, *end;
};

static inline unsigned next_code(struct decoder *d)
{
    while (d->bit_count < d->width) {
        if (d->at == d->end) {
            return NO_CODE;
        }
        d->bits |= (uint32_t)*d->at++ << d->bit_count;
        d->bit_count += 8;
    }
    unsigned code = d->bits & ((1u << d->width) - 1);
    d->bits >>= d->width;
    d->bit_count -= d->width;
    return code;
}

static void begin_anew(struct decoder *d)
{
    d->hi = CODE_END;
    d->width = WIDTH_LEAST;
    d->last = NO_CODE;
}

/* Appends what code stands for; position = bytes of output so far. */
static inline enum lzw_result expand(struct decoder *d, unsigned code, uint32_t position, size_t limit, struct buffer *out)
{
    uint32_t size = 1, start = position;
    if (code >= CODE_CLEAR) {
        if (code == d->hi && d->last != NO_CODE) { /* the entry being defined: last + its own first byte */
            start = d->last_start;
            size = d->last_size + 1;
        } else {
            start = d->start[code];
            size = d->size[code];
        }
    }
    if (size > limit - position) {
        return LZW_TOO_LARGE;
    }
    if (!buffer_reserve(out, size)) {
        return LZW_NO_MEMORY;
    }
    uint8_t *to = out->data + out->size;
    if (code < CODE_CLEAR) {
        *to = (uint8_t)code;
    } else {
        const uint8_t *from = to - (position - start);
        for (uint32_t i = 0; i < size; i++) { /* forward: the two may overlap by the last byte */
            to[i] = from[i];
        }
    }
    out->size += size;
    if (d->last != NO_CODE) {
        d->start[d->hi] = d->last_start;
        d->size[d->hi] = d->last_size + 1;
    }
    d->last = code;
    d->last_start = position;
    d->last_size = size;
    d->hi++;
    if (d->hi >= 1u << d->width) {
        if (d->width < WIDTH_MOST) {
            d->width++;
        } else { /* full: entries stay as they are until the next clear */
            d->last = NO_CODE;
            d->hi--;
        }
    }
    return LZW_OK;
}

enum lzw_result lzw_decompress(struct hearsay_bytes in, size_t limit, struct buffer *out)
{
    struct decoder d;
    size_t before = out->size;
    limit = limit > UINT32_MAX ? UINT32_MAX : limit;
    d.bits = 0;
    d.bit_count = 0;
    d.at = in.data;
    d.end = in.size == 0 ? in.data : in.data + in.size;
    begin_anew(&d);
    enum lzw_result result = LZW_OK;
    while (result == LZW_OK) {
        unsigned code = next_code(&d);
        if (code == CODE_END) {
            return LZW_OK;
        }
        if (code == CODE_CLEAR) {
            begin_anew(&d);
        } else if (code > d.hi) { /* also NO_CODE: the input ends without an end */
            result = LZW_BROKEN;
        } else {
            result = expand(&d, code, (uint32_t)(out->size - before), limit, out);
        }
    }
    out->size = before;
    return result;
}
