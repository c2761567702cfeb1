/* SPDX-License-Identifier: MIT
 *
 * Streams that lie about lengths, arrive byte by byte, blow up, or meet a lack of memory. (The captured ones are in tests/wire.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../lib/allocator_counting.h"
#include "../lib/cipher_nettle.h"
#include "wire/message.h"
#include "wire/stream.h"

#include <stdlib.h>

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

struct fixture {
    struct allocator_counting counting;
    struct hearsay_allocator memory;
    struct cipher_nettle cipher;
    struct envelope envelope;
    struct stream_reader reader;
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    f.memory = allocator_counting_of(&f.counting);
    f.envelope.memory = &f.memory;
    f.envelope.cipher = cipher_nettle_of(&f.cipher);
    f.envelope.verify_incoming = f.envelope.verify_outgoing = true;
    f.envelope.encryption_version = 1;
    stream_reader_init(&f.reader, &f.envelope, true);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stream_reader_deinit(&f->reader);
    return f->counting.blocks == 0 ? 0 : -1;
}

static void set_key(struct fixture *f)
{
    f->envelope.key_count = 1;
    f->envelope.keys[0].size = 24;
    memset(f->envelope.keys[0].bytes, 9, 24);
}

static enum stream_status feed_anew(struct fixture *f, struct hearsay_bytes bytes)
{
    stream_reader_deinit(&f->reader);
    stream_reader_init(&f->reader, &f->envelope, true);
    return stream_reader_feed(&f->reader, bytes);
}

static void expect_bad(struct fixture *f, struct hearsay_bytes bytes, enum envelope_fault fault)
{
    assert_int_equal(feed_anew(f, bytes), STREAM_BAD);
    assert_int_equal(f->reader.fault, fault);
    assert_int_equal(stream_reader_feed(&f->reader, BYTES(0)), STREAM_BAD); /* and stays so */
}

static void lying_lengths_cost_nothing(void **state)
{
    struct fixture *f = *state;
    /* A push/pull of 1,048,576 nodes and one of one more; a user state of 20 MiB and one more. */
    struct hearsay_bytes most = BYTES(6, 0x82, 0xa5, 'N', 'o', 'd', 'e', 's', 0xce, 0, 0x10, 0, 0, 0xac, 'U', 's', 'e', 'r', 'S', 't', 'a',
                                      't', 'e', 'L', 'e', 'n', 0xce, 1, 0x40, 0, 0);
    uint8_t more[64];
    memcpy(more, most.data, most.size);
    assert_int_equal(feed_anew(f, most), STREAM_MORE);
    more[12] = 1;
    expect_bad(f, bytes_of(more, most.size), ENVELOPE_MALFORMED);
    memcpy(more, most.data, most.size);
    more[most.size - 1] = 1;
    expect_bad(f, bytes_of(more, most.size), ENVELOPE_MALFORMED);
    expect_bad(f, BYTES(6, 0x81, 0xa5, 'N', 'o', 'd', 'e', 's', 0xff), ENVELOPE_MALFORMED); /* minus one */
    expect_bad(f, BYTES(8, 0x81, 0xaa, 'U', 's', 'e', 'r', 'M', 's', 'g', 'L', 'e', 'n', 0xce, 1, 0x40, 0, 1), ENVELOPE_MALFORMED);
    assert_int_equal(feed_anew(f, BYTES(6, 0xdf, 0xff, 0xff, 0xff, 0xff)), STREAM_MORE);
    assert_true(f->reader.raw.capacity <= 64);
    set_key(f);
    assert_int_equal(feed_anew(f, BYTES(10, 1, 0x40, 0, 0)), STREAM_MORE);
    assert_true(f->reader.raw.capacity <= 64);
    expect_bad(f, BYTES(10, 1, 0x40, 0, 1), ENVELOPE_CIPHER);
    expect_bad(f, BYTES(10, 0, 0, 0, 28), ENVELOPE_CIPHER);
}

static void wrong_types_and_envelopes_are_told_at_once(void **state)
{
    struct fixture *f = *state;
    const uint8_t types[] = {MESSAGE_INDIRECT_PING, MESSAGE_SUSPECT, MESSAGE_ALIVE, MESSAGE_DEAD, MESSAGE_COMPOUND, MESSAGE_NACK,
                             MESSAGE_CRC, 14, 99, 255};
    for (size_t i = 0; i < sizeof types; i++) {
        expect_bad(f, bytes_of(&types[i], 1), ENVELOPE_UNKNOWN_TYPE);
    }
    expect_bad(f, BYTES(10), ENVELOPE_CIPHER);
    assert_true(f->reader.was_encrypted);
    expect_bad(f, BYTES(244, 1, 'a'), ENVELOPE_LABEL);
    expect_bad(f, BYTES(0, 0xc1), ENVELOPE_MALFORMED);
    f->envelope.label_size = 2;
    memcpy(f->envelope.label, "ab", 2);
    expect_bad(f, BYTES(0), ENVELOPE_LABEL);
    expect_bad(f, BYTES(244, 3), ENVELOPE_LABEL);
    expect_bad(f, BYTES(244, 2, 'a', 'c'), ENVELOPE_LABEL);
    assert_int_equal(feed_anew(f, BYTES(244, 2, 'a')), STREAM_MORE);
    f->envelope.skip_label_check = true;
    expect_bad(f, BYTES(244), ENVELOPE_LABEL);
    assert_int_equal(feed_anew(f, BYTES(0, 0x80)), STREAM_WHOLE);
    set_key(f);
    expect_bad(f, BYTES(0), ENVELOPE_PLAINTEXT);
    f->envelope.verify_incoming = false;
    assert_int_equal(feed_anew(f, BYTES(0, 0x80, 'x')), STREAM_WHOLE);
    assert_int_equal(f->reader.body.size, 2); /* what follows is not part of it */
}

/* Compressed bodies: what is inside must be one whole message and no further envelope; output follows the bytes received. */
static void insides_are_checked(void **state)
{
    struct fixture *f = *state;
    struct buffer inner, outer;
    buffer_init(&inner, &f->memory);
    buffer_init(&outer, &f->memory);
    assert_true(envelope_compress(BYTES(0, 0x81, 0xa4, 'N'), &inner));
    expect_bad(f, buffer_bytes(&inner), ENVELOPE_TRUNCATED);
    assert_true(envelope_compress(buffer_bytes(&inner), &outer));
    expect_bad(f, buffer_bytes(&outer), ENVELOPE_NESTED);
    buffer_clear(&outer);
    assert_true(envelope_compress(bytes_of("", 0), &outer));
    expect_bad(f, buffer_bytes(&outer), ENVELOPE_LZW);

    size_t size = 64u << 20;
    uint8_t *bomb = calloc(1, size);
    assert_non_null(bomb);
    bomb[0] = MESSAGE_USER;
    buffer_clear(&outer);
    assert_true(envelope_compress(bytes_of(bomb, size), &outer));
    expect_bad(f, buffer_bytes(&outer), ENVELOPE_LZW);
    assert_true(f->reader.opened[1].capacity <= 2 * (65536 + 256 * outer.size));
    free(bomb);
    buffer_deinit(&inner);
    buffer_deinit(&outer);
}

/* A header of a million tiny fields, fed byte by byte, is walked over once: this ends in a moment or not at all. */
static void waiting_is_linear(void **state)
{
    struct fixture *f = *state;
    const uint32_t pairs = 1000000;
    uint8_t head[6] = {MESSAGE_PUSH_PULL, 0xdf};
    bytes_put_u32(head + 2, pairs);
    assert_int_equal(feed_anew(f, bytes_of(head, sizeof head)), STREAM_MORE);
    for (uint32_t i = 0; i < pairs - 1; i++) {
        assert_int_equal(stream_reader_feed(&f->reader, BYTES(0xa0)), STREAM_MORE);
        assert_int_equal(stream_reader_feed(&f->reader, BYTES(0xc0)), STREAM_MORE);
    }
    assert_int_equal(stream_reader_feed(&f->reader, BYTES(0xa0, 0xc0)), STREAM_WHOLE);
}

static void memory_may_run_out_anywhere(void **state)
{
    struct fixture *f = *state;
    static uint8_t text[3000];
    uint8_t message[3100];
    struct writer w = writer_of(message, sizeof message);
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(i * i >> 3);
    }
    message_encode_user_stream(&w, bytes_of(text, sizeof text));
    set_key(f);
    f->envelope.compression = true;
    for (unsigned once = 0; once < 2; once++) {
        size_t failures = 0;
        for (size_t n = 1;; n++) {
            struct buffer out;
            buffer_init(&out, &f->memory);
            f->counting.calls = 0;
            f->counting.fail_from = n;
            f->counting.fail_once = once;
            bool is_sealed = stream_seal(&f->envelope, true, writer_bytes(&w), &out);
            assert_true(is_sealed || out.size == 0);
            enum stream_status status = is_sealed ? feed_anew(f, buffer_bytes(&out)) : STREAM_BAD;
            bool is_whole = status == STREAM_WHOLE;
            if (is_whole) {
                assert_true(bytes_equal(f->reader.body, writer_bytes(&w)));
            } else if (is_sealed) {
                assert_int_equal(f->reader.fault, ENVELOPE_NO_MEMORY);
            }
            buffer_deinit(&out);
            if (is_whole) {
                break;
            }
            failures++;
        }
        assert_true(failures >= 5);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(lying_lengths_cost_nothing), TEST(wrong_types_and_envelopes_are_told_at_once), TEST(insides_are_checked),
        TEST(waiting_is_linear),          TEST(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
