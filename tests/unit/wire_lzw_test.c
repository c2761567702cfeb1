/* SPDX-License-Identifier: MIT
 *
 * LZW against GIF's, which is the same code by another hand (giflib), and against broken input. (Go's own output is in tests/wire.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/rng.h"
#include "wire/lzw.h"

#include <gif_lib.h>
#include <stdlib.h>

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define MOST 60000

/* Inputs of different temper: noise, few letters, long runs, repeated phrases. */
static void fill(struct rng *rng, uint8_t *data, size_t size)
{
    unsigned temper = (unsigned)rng_below(rng, 4);
    for (size_t i = 0; i < size; i++) {
        switch (temper) {
        case 0:
            data[i] = (uint8_t)rng_next(rng);
            break;
        case 1:
            data[i] = (uint8_t)rng_below(rng, 3);
            break;
        case 2:
            data[i] = i > 0 && rng_below(rng, 50) > 0 ? data[i - 1] : (uint8_t)rng_next(rng);
            break;
        default:
            data[i] = i >= 100 && rng_below(rng, 20) > 0 ? data[i - 100] : (uint8_t)rng_next(rng);
        }
    }
}

struct source {
    const uint8_t *at, *end;
};

static int read_buffer(GifFileType *gif, GifByteType *to, int size)
{
    struct source *r = gif->UserData;
    size_t left = (size_t)(r->end - r->at), take = (size_t)size < left ? (size_t)size : left;
    memcpy(to, r->at, take);
    r->at += take;
    return (int)take;
}

static int write_buffer(GifFileType *gif, const GifByteType *from, int size)
{
    return buffer_append(gif->UserData, from, (size_t)size) ? size : 0;
}

static void put_u16(struct buffer *b, size_t v)
{
    uint8_t bytes[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    assert_true(buffer_append(b, bytes, 2));
}

/* Wraps code bytes as a GIF of one line and lets giflib read it. */
static void expect_giflib_reads(struct hearsay_bytes codes, struct hearsay_bytes plain)
{
    struct buffer gif;
    static const uint8_t colours[768];
    struct source r;
    GifRecordType record;
    int error;
    buffer_init(&gif, &memory_system);
    assert_true(buffer_append(&gif, "GIF89a", 6));
    put_u16(&gif, plain.size);
    put_u16(&gif, 1);
    assert_true(buffer_append(&gif, "\xf7\0\0", 3) && buffer_append(&gif, colours, sizeof colours) && buffer_append(&gif, ",\0\0\0\0", 5));
    put_u16(&gif, plain.size);
    put_u16(&gif, 1);
    assert_true(buffer_append(&gif, "\0\x08", 2));
    for (size_t at = 0; at < codes.size; at += 255) {
        uint8_t size = (uint8_t)(codes.size - at < 255 ? codes.size - at : 255);
        assert_true(buffer_append(&gif, &size, 1) && buffer_append(&gif, codes.data + at, size));
    }
    assert_true(buffer_append(&gif, "\0;", 2));
    r.at = gif.data;
    r.end = gif.data + gif.size;
    GifFileType *file = DGifOpen(&r, read_buffer, &error);
    assert_non_null(file);
    assert_int_equal(DGifGetRecordType(file, &record), GIF_OK);
    assert_int_equal(record, IMAGE_DESC_RECORD_TYPE);
    assert_int_equal(DGifGetImageDesc(file), GIF_OK);
    uint8_t *line = malloc(plain.size);
    assert_int_equal(DGifGetLine(file, line, (int)plain.size), GIF_OK);
    assert_memory_equal(line, plain.data, plain.size);
    free(line);
    (void)DGifCloseFile(file, &error);
    buffer_deinit(&gif);
}

/* Lets giflib write a GIF of one line and answers the code bytes in it. */
static void take_giflib_codes(struct hearsay_bytes plain, struct buffer *codes)
{
    struct buffer gif;
    GifColorType colours[256] = {{0, 0, 0}};
    int error;
    buffer_init(&gif, &memory_system);
    ColorMapObject *map = GifMakeMapObject(256, colours);
    GifFileType *file = EGifOpen(&gif, write_buffer, &error);
    assert_non_null(file);
    assert_int_equal(EGifPutScreenDesc(file, (int)plain.size, 1, 8, 0, map), GIF_OK);
    assert_int_equal(EGifPutImageDesc(file, 0, 0, (int)plain.size, 1, false, NULL), GIF_OK);
    uint8_t *line = malloc(plain.size); /* giflib masks it in place */
    memcpy(line, plain.data, plain.size);
    assert_int_equal(EGifPutLine(file, line, (int)plain.size), GIF_OK);
    free(line);
    assert_int_equal(EGifCloseFile(file, &error), GIF_OK);
    GifFreeMapObject(map);
    const uint8_t *at = gif.data + 6 + 7 + 768;
    assert_int_equal(at[0], ',');
    at += 10;
    assert_int_equal(*at++, 8);
    for (; *at > 0; at += 1 + *at) {
        assert_true(buffer_append(codes, at + 1, *at));
    }
    buffer_deinit(&gif);
}

static void giflib_reads_what_we_write_and_we_read_what_it_writes(void **state)
{
    (void)state;
    static uint8_t data[MOST];
    struct buffer out, back;
    struct rng rng;
    rng_init(&rng, 1984);
    buffer_init(&out, &memory_system);
    buffer_init(&back, &memory_system);
    for (unsigned round = 0; round < 200; round++) {
        struct hearsay_bytes plain = bytes_of(data, 1 + (size_t)rng_below(&rng, round < 100 ? 600 : MOST - 1));
        fill(&rng, data, plain.size);
        buffer_clear(&out);
        assert_true(lzw_compress(plain, &out));
        expect_giflib_reads(buffer_bytes(&out), plain);
        buffer_clear(&back);
        assert_int_equal(lzw_decompress(buffer_bytes(&out), plain.size, &back), LZW_OK);
        assert_true(bytes_equal(buffer_bytes(&back), plain));
        buffer_clear(&out);
        buffer_clear(&back);
        take_giflib_codes(plain, &out);
        assert_int_equal(lzw_decompress(buffer_bytes(&out), plain.size, &back), LZW_OK);
        assert_true(bytes_equal(buffer_bytes(&back), plain));
    }
    buffer_deinit(&out);
    buffer_deinit(&back);
}

static void expect(struct hearsay_bytes in, enum lzw_result wanted)
{
    struct buffer out;
    buffer_init(&out, &memory_system);
    assert_true(buffer_append(&out, "before", 6));
    assert_int_equal(lzw_decompress(in, 100, &out), wanted);
    if (wanted != LZW_OK) {
        assert_int_equal(out.size, 6);
    }
    buffer_deinit(&out);
}

static void broken_input_is_refused(void **state)
{
    (void)state;
    expect(bytes_of(NULL, 0), LZW_BROKEN);
    expect(BYTES(0x00), LZW_BROKEN);             /* half a code */
    expect(BYTES(0x00, 0x01), LZW_BROKEN);       /* a clear and no end */
    expect(BYTES(0x41, 0x02, 0x06), LZW_OK);     /* 'A', end, without a leading clear */
    expect(BYTES(0x02, 0x01), LZW_BROKEN);       /* 258 before anything could define it */
    expect(BYTES(0x00, 0x05, 0x04), LZW_BROKEN); /* clear, 258 */
    expect(BYTES(0xff, 0xff), LZW_BROKEN);
    expect(BYTES(0x01, 0x03), LZW_OK);           /* end at once */
}

/* Zeros compress best: the output stops at the limit, and memory with it. */
static void output_is_limited(void **state)
{
    (void)state;
    static uint8_t zeros[1 << 20];
    struct buffer out, back;
    buffer_init(&out, &memory_system);
    buffer_init(&back, &memory_system);
    assert_true(lzw_compress(bytes_of(zeros, sizeof zeros), &out));
    assert_true(out.size < 4000);
    for (size_t limit = 0; limit < sizeof zeros; limit += 65521) {
        assert_int_equal(lzw_decompress(buffer_bytes(&out), limit, &back), LZW_TOO_LARGE);
        assert_true(back.capacity <= 2 * limit + 64);
        assert_int_equal(back.size, 0);
    }
    assert_int_equal(lzw_decompress(buffer_bytes(&out), sizeof zeros, &back), LZW_OK);
    assert_int_equal(back.size, sizeof zeros);
    buffer_deinit(&out);
    buffer_deinit(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(giflib_reads_what_we_write_and_we_read_what_it_writes),
        cmocka_unit_test(broken_input_is_refused),
        cmocka_unit_test(output_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
