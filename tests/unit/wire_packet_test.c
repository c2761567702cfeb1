/* SPDX-License-Identifier: MIT
 *
 * Datagrams that lie, nest, or come in the wrong envelope; settings in all combinations; memory that runs out at any point.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../lib/allocator_counting.h"
#include "../lib/cipher_nettle.h"
#include "wire/crc.h"
#include "wire/message.h"
#include "wire/packet.h"

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

struct fixture {
    struct allocator_counting counting;
    struct hearsay_allocator memory;
    struct cipher_nettle cipher;
    struct envelope envelope;
    struct buffer scratch[2], out;
    struct packet packet;
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
    buffer_init(&f.scratch[0], &f.memory);
    buffer_init(&f.scratch[1], &f.memory);
    buffer_init(&f.out, &f.memory);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buffer_deinit(&f->scratch[0]);
    buffer_deinit(&f->scratch[1]);
    buffer_deinit(&f->out);
    return f->counting.blocks == 0 ? 0 : -1;
}

static void set_key(struct fixture *f, size_t size)
{
    f->envelope.key_count = 1;
    f->envelope.keys[0].size = (uint8_t)size;
    memset(f->envelope.keys[0].bytes, 7, size);
}

static void set_label(struct fixture *f, const char *label)
{
    f->envelope.label_size = (uint8_t)strlen(label);
    memcpy(f->envelope.label, label, f->envelope.label_size);
}

static enum envelope_fault open(struct fixture *f, struct hearsay_bytes in)
{
    return packet_open(&f->envelope, in, f->scratch, &f->packet);
}

static struct hearsay_bytes compressed(struct fixture *f, struct hearsay_bytes in)
{
    buffer_clear(&f->out);
    assert_true(envelope_compress(in, &f->out));
    return buffer_bytes(&f->out);
}

static void compounds_are_split_and_empty_parts_left_out(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open(f, BYTES(7, 3, 0, 2, 0, 0, 0, 1, 8, 'a', 8)), ENVELOPE_OK);
    assert_int_equal(f->packet.count, 2);
    assert_int_equal(f->packet.parts[0].size, 2);
    assert_int_equal(f->packet.parts[1].size, 1);
    assert_int_equal(open(f, BYTES(7, 0)), ENVELOPE_OK);
    assert_int_equal(f->packet.count, 0);
}

static void a_compound_that_ends_early_keeps_its_earlier_parts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open(f, BYTES(7, 2, 0, 2, 0, 9, 8, 'a', 8)), ENVELOPE_OK);
    assert_int_equal(f->packet.count, 1);
    assert_true(f->packet.was_cut);
    assert_int_equal(open(f, BYTES(7, 2, 0, 2, 0)), ENVELOPE_TRUNCATED); /* the table itself */
    assert_int_equal(open(f, BYTES(7)), ENVELOPE_TRUNCATED);
    assert_int_equal(open(f, BYTES(7, 255, 0, 1, 8)), ENVELOPE_TRUNCATED);
    assert_int_equal(f->packet.count, 0);
}

static void envelopes_inside_envelopes_are_refused(void **state)
{
    struct fixture *f = *state;
    const uint8_t inner[] = {MESSAGE_COMPOUND, MESSAGE_COMPRESS, MESSAGE_CRC, MESSAGE_LABEL};
    for (size_t i = 0; i < sizeof inner; i++) {
        assert_int_equal(open(f, BYTES(7, 2, 0, 2, 0, 2, 8, 'a', inner[i], 0)), ENVELOPE_NESTED);
        assert_int_equal(f->packet.count, 0);
    }
    struct hearsay_bytes once = compressed(f, BYTES(8, 'a'));
    assert_int_equal(open(f, once), ENVELOPE_OK);
    struct buffer twice;
    buffer_init(&twice, &f->memory);
    assert_true(envelope_compress(once, &twice));
    assert_int_equal(open(f, buffer_bytes(&twice)), ENVELOPE_NESTED);
    buffer_deinit(&twice);
    assert_int_equal(open(f, compressed(f, BYTES(12, 0, 0, 0, 0, 8))), ENVELOPE_NESTED);
    assert_int_equal(open(f, compressed(f, BYTES(7, 1, 0, 1, 8))), ENVELOPE_OK); /* that is the order of senders */
}

static void wrong_sums_and_short_ones_are_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t in[] = {12, 0, 0, 0, 0, 8, 'h', 'i'};
    bytes_put_u32(in + 1, crc_of(bytes_of(in + 5, 3)));
    assert_int_equal(open(f, bytes_of(in, sizeof in)), ENVELOPE_OK);
    assert_true(f->packet.had_crc);
    in[7] ^= 1;
    assert_int_equal(open(f, bytes_of(in, sizeof in)), ENVELOPE_CRC);
    assert_int_equal(open(f, BYTES(12, 1, 2)), ENVELOPE_TRUNCATED);
    assert_int_equal(open(f, BYTES(12, 0, 0, 0, 0)), ENVELOPE_TRUNCATED);
    assert_int_equal(open(f, bytes_of("", 0)), ENVELOPE_TRUNCATED);
    assert_int_equal(crc_of(bytes_of("123456789", 9)), 0xcbf43926u);
    static uint8_t zeros[70001]; /* long ones are read in pieces; these two from Python's zlib */
    assert_int_equal(crc_of(bytes_of(zeros, sizeof zeros)), 0x5dc1d8bau);
    for (size_t i = 0; i < sizeof zeros; i++) {
        zeros[i] = (uint8_t)(i * i >> 3);
    }
    assert_int_equal(crc_of(bytes_of(zeros, sizeof zeros)), 0x098649dcu);
}

static void bombs_stop_at_the_limit(void **state)
{
    struct fixture *f = *state;
    static uint8_t zeros[PACKET_PLAIN_MAX + 1];
    zeros[0] = MESSAGE_USER;
    assert_int_equal(open(f, compressed(f, bytes_of(zeros, PACKET_PLAIN_MAX))), ENVELOPE_OK);
    assert_int_equal(f->packet.parts[0].size, PACKET_PLAIN_MAX);
    assert_int_equal(open(f, compressed(f, bytes_of(zeros, PACKET_PLAIN_MAX + 1))), ENVELOPE_LZW);
    assert_int_equal(f->packet.count, 0);
    assert_true(f->scratch[1].capacity <= 2 * PACKET_PLAIN_MAX);
    assert_int_equal(open(f, compressed(f, bytes_of(zeros, 0))), ENVELOPE_LZW); /* nothing inside */
    assert_int_equal(open(f, BYTES(9, 0x82, 0xa4, 'A', 'l', 'g', 'o', 1, 0xa3, 'B', 'u', 'f', 0xa1, 'x')), ENVELOPE_LZW);
    assert_int_equal(open(f, BYTES(9, 0x81, 0xa3, 'B', 'u', 'f', 0xdb, 0xff, 0xff, 0xff, 0xff, 'x')), ENVELOPE_LZW);
    assert_int_equal(open(f, BYTES(9, 0xc0)), ENVELOPE_LZW);
    assert_int_equal(open(f, BYTES(9)), ENVELOPE_LZW);
}

static void labels_must_be_equal(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open(f, BYTES(244, 1, 'a', 8, 'x')), ENVELOPE_LABEL);
    assert_int_equal(open(f, BYTES(244, 0, 8, 'x')), ENVELOPE_LABEL);
    assert_int_equal(open(f, BYTES(244)), ENVELOPE_LABEL);
    assert_int_equal(open(f, BYTES(244, 9, 'a')), ENVELOPE_LABEL);
    set_label(f, "a");
    assert_int_equal(open(f, BYTES(244, 1, 'a', 8, 'x')), ENVELOPE_OK);
    assert_int_equal(open(f, BYTES(8, 'x')), ENVELOPE_LABEL);
    assert_int_equal(open(f, BYTES(244, 1, 'b', 8, 'x')), ENVELOPE_LABEL);
    assert_int_equal(open(f, BYTES(244, 2, 'a', 'a', 8, 'x')), ENVELOPE_LABEL);
    assert_int_equal(open(f, BYTES(244, 1, 'a')), ENVELOPE_TRUNCATED);
    f->envelope.skip_label_check = true;
    assert_int_equal(open(f, BYTES(8, 'x')), ENVELOPE_OK);
    assert_int_equal(open(f, BYTES(244, 1, 'a', 8, 'x')), ENVELOPE_LABEL);
}

/* Somebody else takes the header off, but the label stays what it is in the sum of the cipher. */
static void a_skipped_label_is_assumed(void **state)
{
    struct fixture *f = *state;
    struct hearsay_bytes part = BYTES(8, 'x');
    set_key(f, 32);
    set_label(f, "blue");
    assert_true(packet_seal(&f->envelope, &part, 1, false, f->scratch, &f->out));
    f->envelope.skip_label_check = true;
    assert_int_equal(open(f, bytes_of(f->out.data + 6, f->out.size - 6)), ENVELOPE_OK);
    f->envelope.label[0] = 'g';
    assert_int_equal(open(f, bytes_of(f->out.data + 6, f->out.size - 6)), ENVELOPE_CIPHER);
}

static void plaintext_is_told_from_a_wrong_key(void **state)
{
    struct fixture *f = *state;
    struct hearsay_bytes part = BYTES(8, 'x');
    set_key(f, 16);
    assert_int_equal(open(f, BYTES(0, 0x82, 0xa4, 'N', 'o', 'd', 'e', 0xa0, 0xa5, 'S', 'e', 'q', 'N', 'o', 1)), ENVELOPE_PLAINTEXT);
    assert_int_equal(open(f, BYTES(1, 0x80)), ENVELOPE_PLAINTEXT);
    assert_int_equal(open(f, BYTES(8, 'x')), ENVELOPE_PLAINTEXT);
    assert_int_equal(open(f, BYTES(1, 0x82, 7, 7, 7)), ENVELOPE_CIPHER);
    assert_int_equal(open(f, BYTES(0)), ENVELOPE_CIPHER);
    assert_true(packet_seal(&f->envelope, &part, 1, false, f->scratch, &f->out));
    f->envelope.keys[0].bytes[3] ^= 1;
    assert_int_equal(open(f, buffer_bytes(&f->out)), ENVELOPE_CIPHER);
    f->envelope.verify_incoming = false;
    assert_int_equal(open(f, BYTES(8, 'x')), ENVELOPE_OK);
    assert_false(f->packet.was_encrypted);
    assert_int_equal(f->packet.count, 1);
}

/* A block whose inside is not padded as PKCS7 says, sealed with the right key. */
static void padding_is_checked(void **state)
{
    struct fixture *f = *state;
    const uint8_t tails[][2] = {{8, 0}, {8, 17}, {3, 2}, {8, 255}};
    set_key(f, 16);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        uint8_t plain[16], block[1 + 12 + 16 + 16] = {0};
        memset(plain, 8, sizeof plain);
        plain[14] = tails[i][0];
        plain[15] = tails[i][1];
        f->envelope.cipher.seal(f->envelope.cipher.context, bytes_of(f->envelope.keys[0].bytes, 16), block + 1, bytes_of("", 0),
                                bytes_of(plain, sizeof plain), block + 13);
        assert_int_equal(open(f, bytes_of(block, sizeof block)), ENVELOPE_CIPHER);
    }
    uint8_t plain[16], block[45] = {0};
    memset(plain, 8, sizeof plain);
    f->envelope.cipher.seal(f->envelope.cipher.context, bytes_of(f->envelope.keys[0].bytes, 16), block + 1, bytes_of("", 0),
                            bytes_of(plain, sizeof plain), block + 13);
    assert_int_equal(open(f, bytes_of(block, sizeof block)), ENVELOPE_OK);
    assert_int_equal(f->packet.parts[0].size, 8);
}

static void every_setting_there_and_back(void **state)
{
    struct fixture *f = *state;
    static uint8_t text[900] = {MESSAGE_USER};
    struct hearsay_bytes parts[PACKET_PARTS_MAX];
    const size_t keys[] = {0, 16, 24, 32};
    const unsigned counts[] = {1, 2, 16, PACKET_PARTS_MAX};
    for (unsigned i = 0; i < PACKET_PARTS_MAX; i++) {
        parts[i] = bytes_of(text, 1 + i % 20);
    }
    for (unsigned round = 0; round < 4 * 4 * 16; round++) {
        f->envelope.key_count = 0;
        f->envelope.label_size = 0;
        if (keys[round & 3] > 0) {
            set_key(f, keys[round & 3]);
        }
        if (round & 64) {
            set_label(f, "somewhere");
        }
        f->envelope.compression = (round & 16) != 0;
        f->envelope.encryption_version = (round & 32) != 0;
        unsigned count = counts[round >> 2 & 3];
        buffer_clear(&f->out);
        assert_true(packet_seal(&f->envelope, parts, count, (round & 128) != 0, f->scratch, &f->out));
        assert_int_equal(open(f, buffer_bytes(&f->out)), ENVELOPE_OK);
        assert_int_equal(f->packet.count, count);
        assert_int_equal(f->packet.was_encrypted, keys[round & 3] > 0);
        assert_int_equal(f->packet.had_crc, (round & 128) != 0);
        for (unsigned i = 0; i < count; i++) {
            assert_true(bytes_equal(f->packet.parts[i], parts[i]));
        }
        if (count == 1 && !(round & 128)) { /* the smallest text fills its last block */
            size_t pad = f->envelope.encryption_version == 0 && keys[round & 3] > 0 ? 1 : 0;
            assert_int_equal(f->out.size, 1 + envelope_overhead(&f->envelope) - pad);
        }
    }
}

static void an_array_is_no_message(void **state)
{
    (void)state;
    for (uint8_t n = 0; n < 8; n++) {
        uint8_t in[9] = {MESSAGE_PING, (uint8_t)(0x90 | n), 1, 0xa0, 0xc0, 0, 0xa0, 0, 0};
        struct message m;
        for (uint8_t type = MESSAGE_PING; type <= MESSAGE_DEAD; type++) {
            in[0] = type;
            assert_false(message_decode(bytes_of(in, 2u + n), &m));
            assert_int_equal(m.type, type);
        }
    }
}

/* Whatever allocation fails, the answer says so and nothing is half done. */
static void memory_may_run_out_anywhere(void **state)
{
    struct fixture *f = *state;
    static uint8_t text[400] = {MESSAGE_USER};
    struct hearsay_bytes parts[2] = {bytes_of(text, 400), bytes_of(text, 300)};
    set_key(f, 16);
    set_label(f, "blue");
    f->envelope.compression = true;
    f->envelope.encryption_version = 0;
    for (unsigned once = 0; once < 2; once++) {
        size_t failures = 0;
        for (size_t n = 1;; n++) {
            for (int i = 0; i < 2; i++) {
                buffer_deinit(&f->scratch[i]);
            }
            buffer_deinit(&f->out);
            f->counting = (struct allocator_counting){.fail_from = n, .fail_once = once};
            bool is_sealed = packet_seal(&f->envelope, parts, 2, true, f->scratch, &f->out);
            assert_true(is_sealed || f->out.size == 0);
            enum envelope_fault fault = is_sealed ? open(f, buffer_bytes(&f->out)) : ENVELOPE_NO_MEMORY;
            if (fault == ENVELOPE_OK) {
                assert_int_equal(f->packet.count, 2);
                break;
            }
            assert_int_equal(fault, ENVELOPE_NO_MEMORY);
            failures++;
        }
        assert_true(failures >= 5);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(compounds_are_split_and_empty_parts_left_out),
        TEST(a_compound_that_ends_early_keeps_its_earlier_parts),
        TEST(envelopes_inside_envelopes_are_refused),
        TEST(wrong_sums_and_short_ones_are_refused),
        TEST(bombs_stop_at_the_limit),
        TEST(labels_must_be_equal),
        TEST(a_skipped_label_is_assumed),
        TEST(plaintext_is_told_from_a_wrong_key),
        TEST(padding_is_checked),
        TEST(every_setting_there_and_back),
        TEST(an_array_is_no_message),
        TEST(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
