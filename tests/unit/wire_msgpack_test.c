/* SPDX-License-Identifier: MIT
 *
 * msgpack: every form that may come, the one form we emit, and lies about lengths.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wire/msgpack.h"

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void numbers_in_any_form(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[9];
        uint8_t size;
        int64_t value;
    } forms[] = {
        {{0x00}, 1, 0},
        {{0x7f}, 1, 127},
        {{0xcc, 0x05}, 2, 5},
        {{0xcd, 0x00, 0x05}, 3, 5},
        {{0xce, 0, 0, 0, 5}, 5, 5},
        {{0xcf, 0, 0, 0, 0, 0, 0, 0, 5}, 9, 5},
        {{0xd0, 0x05}, 2, 5},
        {{0xd1, 0x03, 0xe8}, 3, 1000},
        {{0xd2, 0, 0, 3, 0xe8}, 5, 1000},
        {{0xd3, 0, 0, 0, 0, 0, 0, 3, 0xe8}, 9, 1000},
        {{0xe0}, 1, -32},
        {{0xff}, 1, -1},
        {{0xd0, 0x80}, 2, -128},
        {{0xd1, 0x80, 0}, 3, -32768},
        {{0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}, 9, INT64_MIN},
        {{0xc0}, 1, 0},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct reader r = reader_of(bytes_of(forms[i].bytes, forms[i].size)), s = r;
        assert_true(msgpack_get_int(&r) == forms[i].value);
        assert_false(r.is_bad);
        assert_int_equal(reader_left(&r), 0);
        uint64_t unsigned_value = msgpack_get_uint(&s, UINT64_MAX);
        assert_int_equal(s.is_bad, forms[i].value < 0);
        assert_true(s.is_bad ? unsigned_value == 0 : unsigned_value == (uint64_t)forms[i].value);
        for (uint8_t cut = 0; cut < forms[i].size; cut++) {
            r = reader_of(bytes_of(forms[i].bytes, cut));
            (void)msgpack_get_int(&r);
            assert_true(r.is_bad);
        }
    }
}

static void numbers_out_of_range_are_bad(void **state)
{
    (void)state;
    struct reader r = reader_of(BYTES(0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0));
    (void)msgpack_get_int(&r);
    assert_true(r.is_bad);
    r = reader_of(BYTES(0xcd, 1, 0));
    (void)msgpack_get_uint(&r, 255);
    assert_true(r.is_bad);
    r = reader_of(BYTES(0xa1, 'x'));
    (void)msgpack_get_uint(&r, 255);
    assert_true(r.is_bad);
    r = reader_of(BYTES(0xcb, 0, 0, 0, 0, 0, 0, 0, 0));
    (void)msgpack_get_int(&r);
    assert_true(r.is_bad);
}

static void numbers_are_emitted_in_the_shortest_unsigned_form(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        uint8_t size, first;
    } forms[] = {{0, 1, 0},       {127, 1, 0x7f},     {128, 2, 0xcc},        {255, 2, 0xcc},        {256, 3, 0xcd},
                 {65535, 3, 0xcd}, {65536, 5, 0xce},  {4294967295, 5, 0xce}, {4294967296, 9, 0xcf}, {INT64_MAX, 9, 0xcf},
                 {-1, 1, 0xff},   {-32, 1, 0xe0},     {-33, 2, 0xd0},        {-129, 3, 0xd1},       {-32769, 5, 0xd2},
                 {INT64_MIN, 9, 0xd3}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        uint8_t out[16];
        struct writer w = writer_of(out, sizeof out);
        msgpack_put_int(&w, forms[i].value);
        assert_int_equal(w.size, forms[i].size);
        assert_int_equal(out[0], forms[i].first);
        struct reader r = reader_of(writer_bytes(&w));
        assert_true(msgpack_get_int(&r) == forms[i].value);
        w = writer_of(out, forms[i].size - 1u);
        msgpack_put_int(&w, forms[i].value);
        assert_true(w.is_full);
    }
}

static void text_in_any_form(void **state)
{
    (void)state;
    struct hearsay_bytes forms[] = {BYTES(0xa2, 'h', 'i'),          BYTES(0xd9, 2, 'h', 'i'),    BYTES(0xda, 0, 2, 'h', 'i'),
                                    BYTES(0xdb, 0, 0, 0, 2, 'h', 'i'), BYTES(0xc4, 2, 'h', 'i'), BYTES(0xc5, 0, 2, 'h', 'i'),
                                    BYTES(0xc6, 0, 0, 0, 2, 'h', 'i')};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct reader r = reader_of(forms[i]);
        assert_true(msgpack_is(msgpack_get_raw(&r), "hi"));
        assert_false(r.is_bad);
        r = reader_of(bytes_of(forms[i].data, forms[i].size - 1));
        assert_null(msgpack_get_raw(&r).data);
        assert_true(r.is_bad);
    }
    struct reader r = reader_of(BYTES(0xc0));
    assert_null(msgpack_get_raw(&r).data);
    assert_false(r.is_bad);
    r = reader_of(BYTES(0xa0));
    assert_non_null(msgpack_get_raw(&r).data);
    assert_false(r.is_bad);
    r = reader_of(BYTES(0xc7, 1, 5, 'x')); /* ext is no text */
    (void)msgpack_get_raw(&r);
    assert_true(r.is_bad);
}

static void text_is_emitted_in_either_dialect(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint8_t raw, str, bin;
    } forms[] = {{0, 0xa0, 0xa0, 0xc4},      {31, 0xbf, 0xbf, 0xc4},    {32, 0xda, 0xd9, 0xc4},   {255, 0xda, 0xd9, 0xc4},
                 {256, 0xda, 0xda, 0xc5},    {65535, 0xda, 0xda, 0xc5}, {65536, 0xdb, 0xdb, 0xc6}};
    static uint8_t text[65536], out[65536 + 5];
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct hearsay_bytes v = bytes_of(text, forms[i].size);
        struct writer w = writer_of(out, sizeof out);
        msgpack_put_raw(&w, v);
        assert_int_equal(out[0], forms[i].raw);
        struct reader r = reader_of(writer_bytes(&w));
        assert_int_equal(msgpack_get_raw(&r).size, v.size);
        w = writer_of(out, sizeof out);
        msgpack_put_str(&w, v);
        assert_int_equal(out[0], forms[i].str);
        w = writer_of(out, sizeof out);
        msgpack_put_bin(&w, v);
        assert_int_equal(out[0], forms[i].bin);
        r = reader_of(writer_bytes(&w));
        assert_int_equal(msgpack_get_raw(&r).size, v.size);
    }
}

static void bools_and_doubles(void **state)
{
    (void)state;
    const struct {
        uint8_t byte;
        bool value, is_bad;
    } bools[] = {{0xc3, true, false}, {0xc2, false, false}, {0x01, true, false}, {0x00, false, false}, {0xc0, false, false},
                 {0x02, false, true}, {0xa0, false, true}};
    for (size_t i = 0; i < sizeof bools / sizeof bools[0]; i++) {
        struct reader r = reader_of(bytes_of(&bools[i].byte, 1));
        assert_int_equal(msgpack_get_bool(&r), bools[i].value);
        assert_int_equal(r.is_bad, bools[i].is_bad);
    }
    uint8_t out[9];
    struct writer w = writer_of(out, sizeof out);
    msgpack_put_double(&w, -0.1);
    struct reader r = reader_of(writer_bytes(&w));
    assert_true(msgpack_get_double(&r) == -0.1);
    r = reader_of(BYTES(0xca, 0x3f, 0xc0, 0, 0));
    assert_true(msgpack_get_double(&r) == 1.5);
    r = reader_of(BYTES(0xff));
    assert_true(msgpack_get_double(&r) == -1.0);
    r = reader_of(BYTES(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    assert_true(msgpack_get_double(&r) == 18446744073709551615.0);
    r = reader_of(BYTES(0xcb, 0, 0));
    (void)msgpack_get_double(&r);
    assert_true(r.is_bad);
}

/* A count is believed only as far as there are bytes for it: two per pair of a map, one per element. */
static void lying_counts_are_bad(void **state)
{
    (void)state;
    struct reader r = reader_of(BYTES(0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0, 0xc0));
    assert_int_equal(msgpack_get_map(&r), 0);
    assert_true(r.is_bad);
    r = reader_of(BYTES(0xdd, 0, 0, 0, 3, 0xc0, 0xc0));
    assert_int_equal(msgpack_get_array(&r), 0);
    assert_true(r.is_bad);
    r = reader_of(BYTES(0xdc, 0, 2, 0xc0, 0xc0));
    assert_int_equal(msgpack_get_array(&r), 2);
    r = reader_of(BYTES(0x91, 0xc0));
    (void)msgpack_get_map(&r);
    assert_true(r.is_bad);
    r = reader_of(BYTES(0xc0));
    assert_int_equal(msgpack_get_map(&r), 0);
    assert_false(r.is_bad);
}

static void anything_is_skipped_up_to_sixteen_deep(void **state)
{
    (void)state;
    struct hearsay_bytes values[] = {
        BYTES(0xc0),
        BYTES(0xc7, 2, 9, 'a', 'b'),
        BYTES(0xd4, 9, 'a'),
        BYTES(0xd8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
        BYTES(0x82, 0xa1, 'a', 0x92, 0x01, 0x80, 0x02, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0),
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct reader r = reader_of(values[i]);
        msgpack_skip(&r);
        assert_false(r.is_bad);
        assert_int_equal(reader_left(&r), 0);
        r = reader_of(bytes_of(values[i].data, values[i].size - 1));
        msgpack_skip(&r);
        assert_true(r.is_bad);
    }
    uint8_t nested[18];
    memset(nested, 0x91, sizeof nested);
    nested[16] = 0x05;
    struct reader r = reader_of(bytes_of(nested, 17)); /* sixteen arrays around a number */
    msgpack_skip(&r);
    assert_false(r.is_bad);
    nested[16] = 0x91;
    nested[17] = 0x05;
    r = reader_of(bytes_of(nested, 18));
    msgpack_skip(&r);
    assert_true(r.is_bad);
    r = reader_of(BYTES(0xc1));
    msgpack_skip(&r);
    assert_true(r.is_bad);
}

static void a_walk_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct hearsay_bytes in = BYTES(0x82, 0xa2, 'a', 'b', 0xcd, 1, 2, 0xa1, 'c', 0x92, 0xda, 0, 3, 'x', 'y', 'z', 0xc0, 0x07);
    struct msgpack_scan scan;
    struct reader r = {in.data, in.data, false};
    msgpack_scan_init(&scan, 1);
    for (size_t end = 0; end < in.size - 1; end++) {
        r.end = in.data + end;
        assert_int_equal(msgpack_scan_run(&scan, &r), MSGPACK_SCAN_MORE);
        assert_true(r.at <= r.end);
    }
    r.end = in.data + in.size;
    assert_int_equal(msgpack_scan_run(&scan, &r), MSGPACK_SCAN_DONE);
    assert_int_equal(reader_left(&r), 1); /* the 07 is another value */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_in_any_form),
        cmocka_unit_test(numbers_out_of_range_are_bad),
        cmocka_unit_test(numbers_are_emitted_in_the_shortest_unsigned_form),
        cmocka_unit_test(text_in_any_form),
        cmocka_unit_test(text_is_emitted_in_either_dialect),
        cmocka_unit_test(bools_and_doubles),
        cmocka_unit_test(lying_counts_are_bad),
        cmocka_unit_test(anything_is_skipped_up_to_sixteen_deep),
        cmocka_unit_test(a_walk_goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
