/* SPDX-License-Identifier: MIT
 *
 * The bytes of the shared store: hand-made vectors, there and back again, everything that is odd, and frames that arrive in pieces, sealed,
 * labelled, cut off or tampered with.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../lib/allocator_counting.h"
#include "../lib/cipher_nettle.h"
#include "wire/frames.h"
#include "wire/message.h"

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A beacon by itself, at a clock of 0x01A20DD4C800 ms, the wall clock 258 ms behind, purged up to three minutes before. */
static const uint8_t beacon_vector[] = {
    72,   0x13, 0x01, 0xa2, 0x0d, 0xd4, 0xc8, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x03, /* head: version 1, push-pull */
    0x01, 0x0f, 0x6b, 0x05, 0x4c, 0x80, 0xc0, 0x84, 0x3d,                               /* epoch, count 1,000,000 */
    0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,                                     /* digest */
};

static struct parley_head head_of(enum parley_kind kind)
{
    return (struct parley_head){
        .kind = kind, .hlc = (uint64_t)0x01a20dd4c800 << 16, .wall_ms = 0x01a20dd4c800 - 258, .purge_minute = 0x01a20dd4c800 / 60000 - 3};
}

static void a_beacon_is_these_bytes_and_at_most_32(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct parley_head head = head_of(PARLEY_PUSH_PULL);
    struct parley_beacon beacon = {.epoch = 0x6b054c80, .count = 1000000, .digest = 0x1112131415161718u};
    struct parley_message m;
    parley_put_head(&w, &head);
    parley_put_beacon(&w, &beacon);
    assert_int_equal(w.size, sizeof beacon_vector);
    assert_memory_equal(bytes, beacon_vector, w.size);
    assert_true(w.size <= PARLEY_BEACON_BYTES_MAX);
    assert_true(parley_decode(writer_bytes(&w), &m, NULL));
    assert_true(m.has_beacon && !m.has_session && !m.has_range && !m.has_status);
    assert_int_equal(m.head.hlc, head.hlc);
    assert_int_equal(m.head.purge_minute, head.purge_minute);
    assert_int_equal(m.beacon.epoch, beacon.epoch);
    assert_int_equal(m.beacon.count, beacon.count);
    assert_int_equal(m.beacon.digest, beacon.digest);
    assert_int_equal(m.head.wall_ms, head.wall_ms);
}

static void entries_are_these_bytes(void **state)
{
    (void)state;
    static const uint8_t vector[] = {
        72,   0x15, 0x01, 0xa2, 0x0d, 0xd4, 0xc8, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x04, 0x47, 0x00, 0x01, 0x02, 1, 2,   3,
        4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,   16,   'k',  'v',  'w',  0x0b, 0x01, 0x00, 1, 2,   3,
        4,    5,    6,    7,    8,    0,    0,    0,    0,    0,    0,    0,    1,    0,    0,    0,    0,    0,    0,    0, 9,   'k',
        0x04, 0x01, 0x80, 0x08, 1,    2,    3,    4,    5,    6,    7,    8,    0,    0,    0,    0,    0,    0,    0,    1, 'x',
    };
    uint8_t bytes[128];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct parley_head head = head_of(PARLEY_ACK2);
    head.purge_minute = 0;
    head.wall_ms = 0;
    struct parley_entry list[] = {
        {.key = bytes_of_string("k"), .value = bytes_of_string("vw"), .hlc = 0x0102030405060708u, .origin = 0x090a0b0c0d0e0f10u},
        {.flags = PARLEY_ENTRY_TOMBSTONE | PARLEY_ENTRY_EXPIRES | PARLEY_ENTRY_RECEIPT,
         .key = bytes_of_string("k"),
         .hlc = 0x0102030405060708u,
         .origin = 1,
         .expires_hlc = 9},
        {.flags = PARLEY_ENTRY_OFFER, .key = bytes_of_string("x"), .value_size = 1024, .hlc = 0x0102030405060708u, .origin = 1},
    };
    parley_put_head(&w, &head);
    size_t begun = parley_begin(&w, PARLEY_ENTRIES), told = 0;
    for (size_t i = 0; i < 3; i++) {
        parley_put_entry(&w, &list[i]);
        told += parley_entry_bytes(&list[i]);
    }
    assert_int_equal(told, w.size - begun);
    parley_end(&w, begun);
    assert_int_equal(w.size, sizeof vector);
    assert_memory_equal(bytes, vector, sizeof vector);

    struct parley_message m;
    struct reader body;
    struct parley_entry e;
    enum parley_section_type type;
    assert_true(parley_decode(writer_bytes(&w), &m, NULL));
    assert_int_equal(m.head.purge_minute, 0);
    assert_true(parley_next_section(&m.sections, &type, &body));
    assert_int_equal(type, PARLEY_ENTRIES);
    for (size_t i = 0; i < 3; i++) {
        assert_true(parley_next_entry(&body, &e));
        assert_int_equal(e.flags, list[i].flags);
        assert_true(bytes_equal(e.key, list[i].key) && bytes_equal(e.value, list[i].value));
        assert_true(e.hlc == list[i].hlc && e.origin == list[i].origin && e.expires_hlc == list[i].expires_hlc);
    }
    assert_int_equal(e.value_size, 1024);
    assert_false(parley_next_entry(&body, &e));
    assert_false(parley_next_section(&m.sections, &type, &body));
}

static void groups_go_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct parley_head head = head_of(PARLEY_ASK);
    struct parley_session session = {.sequence = 7, .epoch = 8, .salt = 9, .part = 300, .is_last = true};
    struct parley_nodes nodes[] = {{.parent = 0, .bitmap = 0x8001, .digests = {[0] = 5, [15] = 6}},
                                   {.parent = 255, .bitmap = 2, .digests = {[1] = 7}}};
    static const uint32_t prints[] = {1, 2, 3};
    uint32_t next = 0;
    parley_put_head(&w, &head);
    parley_put_session(&w, &session);
    size_t begun = parley_begin(&w, PARLEY_NODES);
    writer_u8(&w, 12);
    parley_put_nodes(&w, &next, &nodes[0]);
    parley_put_nodes(&w, &next, &nodes[1]);
    parley_end(&w, begun);
    begun = parley_begin(&w, PARLEY_PRINTS);
    writer_u8(&w, 16);
    next = 0;
    parley_put_prints(&w, &next, 0, prints, 3);
    parley_put_prints(&w, &next, 1, NULL, 0);
    parley_put_prints(&w, &next, 65535, prints, 1);
    parley_end(&w, begun);

    struct parley_message m;
    struct reader body;
    enum parley_section_type type;
    assert_false(w.is_full);
    assert_true(parley_decode(writer_bytes(&w), &m, NULL));
    assert_true(m.has_session && m.session.is_last);
    assert_int_equal(m.session.part, 300);
    assert_true(parley_next_section(&m.sections, &type, &body) && type == PARLEY_SESSION);
    assert_true(parley_next_section(&m.sections, &type, &body) && type == PARLEY_NODES);
    struct parley_nodes g = {0};
    assert_int_equal(reader_u8(&body), 12);
    assert_true(parley_next_nodes(&body, 12, &g) && g.parent == 0 && g.bitmap == 0x8001 && g.digests[15] == 6 && g.digests[1] == 0);
    assert_true(parley_next_nodes(&body, 12, &g) && g.parent == 255 && g.digests[1] == 7);
    assert_false(parley_next_nodes(&body, 12, &g));
    assert_true(parley_next_section(&m.sections, &type, &body) && type == PARLEY_PRINTS);
    struct parley_prints p = {0};
    assert_int_equal(reader_u8(&body), 16);
    assert_true(parley_next_prints(&body, 16, &p) && p.index == 0 && reader_left(&p.prints) == 12);
    assert_true(parley_next_prints(&body, 16, &p) && p.index == 1 && reader_left(&p.prints) == 0);
    assert_true(parley_next_prints(&body, 16, &p) && p.index == 65535 && reader_u32(&p.prints) == 1);
    assert_false(parley_next_prints(&body, 16, &p));
}

static void long_sections_and_lists_of_numbers_go_there_and_back(void **state)
{
    (void)state;
    static uint8_t bytes[4096];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct parley_head head = head_of(PARLEY_PULL);
    uint64_t ids[150], id;
    for (size_t i = 0; i < 150; i++) {
        ids[i] = i * 0x9e3779b97f4a7c15u;
    }
    parley_put_head(&w, &head);
    parley_put_numbers(&w, PARLEY_IDS, ids, 150);
    parley_put_range(&w, &(struct parley_range){.first = 3, .last = UINT64_MAX, .bytes = 70000});
    parley_put_status(&w, PARLEY_OTHER_EPOCH, 100);
    struct parley_message m;
    struct reader body;
    enum parley_section_type type;
    assert_true(parley_decode(writer_bytes(&w), &m, NULL));
    assert_true(m.has_range && m.range.first == 3 && m.range.last == UINT64_MAX && m.range.bytes == 70000);
    assert_true(m.has_status && m.status == PARLEY_OTHER_EPOCH && m.retry_ms == 100);
    assert_true(parley_next_section(&m.sections, &type, &body) && type == PARLEY_IDS);
    for (size_t i = 0; i < 150; i++) {
        assert_true(parley_next_number(&body, &id) && id == ids[i]);
    }
    assert_false(parley_next_number(&body, &id));
    for (size_t capacity = 0; capacity < w.size; capacity++) { /* what does not fit says so, and harms nothing */
        static uint8_t few[4096];
        struct writer v = writer_of(few, capacity);
        parley_put_head(&v, &head);
        parley_put_numbers(&v, PARLEY_IDS, ids, 150);
        parley_put_range(&v, &m.range);
        parley_put_status(&v, PARLEY_OTHER_EPOCH, 100);
        assert_true(v.is_full && v.size <= capacity);
    }
}

static void what_is_cut_off_anywhere_is_refused_or_ends_between_sections(void **state)
{
    (void)state;
    struct parley_message m;
    for (size_t size = 0; size < sizeof beacon_vector; size++) {
        assert_int_equal(parley_decode(bytes_of(beacon_vector, size), &m, NULL), size == PARLEY_HEAD_BYTES);
    }
}

#define HEAD(kind) 72, (0x10 | (kind)), 0, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff

static void what_is_odd_is_refused(void **state)
{
    (void)state;
    struct parley_message m;
    uint8_t version;
    const struct hearsay_bytes odd[] = {
        BYTES(71, 0x11, 0, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff), /* another type */
        BYTES(HEAD(0)),
        BYTES(HEAD(12)),
        BYTES(HEAD(15)),                                                                          /* no such kind */
        BYTES(HEAD(1), 2, 7, 0, 0, 0, 0, 0, 0, 0),                                                /* seven bytes are no ids */
        BYTES(HEAD(1), 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2),               /* a varint above 64 bits */
        BYTES(HEAD(1), 2, 0xff, 0xff, 0xff, 0x7f),                                                /* a section longer than anything */
        BYTES(HEAD(1), 4, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),        /* an empty key */
        BYTES(HEAD(1), 4, 20, 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'k'),     /* an unknown flag */
        BYTES(HEAD(1), 4, 21, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'k', 'v'), /* a tombstone with a value */
        BYTES(HEAD(6), 6, 8, 12, 0, 0, 0, 0, 0, 0, 0),                                            /* a group without children */
        BYTES(HEAD(6), 6, 8, 3, 0, 0, 1, 0, 0, 0, 1),                                             /* a level without parents */
        BYTES(HEAD(6), 6, 8, 4, 1, 0, 1, 0, 0, 0, 1),                                             /* a parent beyond the last */
        BYTES(HEAD(6), 7, 2, 33, 0),                                                              /* too deep */
        BYTES(HEAD(6), 7, 7, 4, 0, 2, 0, 0, 0, 1),                                                /* fewer prints than said */
        BYTES(HEAD(6), 11, 20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),       /* a range that ends before it begins */
        BYTES(HEAD(7), 12, 5, 0, 0, 0, 0, 1),
        BYTES(HEAD(7), 12, 5, 9, 0, 0, 0, 1),
        BYTES(HEAD(7), 12, 4, 1, 0, 0, 0),
        BYTES(HEAD(10), 14, 8, 0, 0, 0, 0, 0, 0, 0, 0),
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_false(parley_decode(odd[i], &m, NULL));
    }
    assert_false(parley_decode(BYTES(72, 0x21, 0, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff), &m, &version));
    assert_int_equal(version, 2);
}

static void unknown_sections_are_skipped(void **state)
{
    (void)state;
    struct parley_message m;
    assert_true(parley_decode(BYTES(HEAD(1), 200, 3, 1, 2, 3, 1, 13, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1), &m, NULL));
    assert_true(m.has_beacon && m.beacon.epoch == 5 && m.beacon.digest == 1);
}

/* ---- frames ---------------------------------------------------------------------------------------------------------------- */

struct fixture {
    struct allocator_counting counting;
    struct hearsay_allocator memory;
    struct cipher_nettle cipher;
    struct envelope envelope;
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
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    return f->counting.blocks == 0 ? 0 : -1;
}

static void set_key(struct fixture *f)
{
    f->envelope.key_count = 1;
    f->envelope.keys[0].size = 16;
    memset(f->envelope.keys[0].bytes, 9, 16);
}

static struct buffer three_frames(struct fixture *f)
{
    struct buffer out;
    uint8_t message[300];
    memset(message, 7, sizeof message);
    message[0] = MESSAGE_PARLEY;
    buffer_init(&out, &f->memory);
    assert_true(frames_open(&f->envelope, &out));
    assert_true(frames_seal(&f->envelope, bytes_of(beacon_vector, sizeof beacon_vector), &out));
    assert_true(frames_seal(&f->envelope, bytes_of(message, sizeof message), &out));
    assert_true(frames_seal(&f->envelope, bytes_of(beacon_vector, PARLEY_HEAD_BYTES), &out));
    return out;
}

/* As the accepting side hears it, in pieces of `piece` bytes. */
static void hear(struct fixture *f, struct hearsay_bytes in, size_t piece)
{
    static const size_t sizes[] = {sizeof beacon_vector, 300, PARLEY_HEAD_BYTES};
    struct stream_reader reader;
    struct frames frames;
    struct hearsay_bytes message;
    size_t heard = 0, at = 0;
    stream_reader_init(&reader, &f->envelope, true);
    frames_init(&frames, &f->envelope);
    enum stream_status status = STREAM_MORE;
    while (status == STREAM_MORE && at < in.size) {
        size_t size = in.size - at < piece ? in.size - at : piece;
        status = stream_reader_feed(&reader, bytes_of(in.data + at, size));
        at += size;
    }
    assert_int_equal(status, STREAM_FRAMES);
    frames_inherit(&frames, &reader);
    stream_reader_deinit(&reader);
    for (;;) {
        while ((status = frames_next(&frames, &message)) == STREAM_WHOLE) {
            assert_int_equal(message.size, sizes[heard]);
            assert_int_equal(message.data[0], MESSAGE_PARLEY);
            heard++;
        }
        assert_int_equal(status, STREAM_MORE);
        if (at == in.size) {
            break;
        }
        size_t size = in.size - at < piece ? in.size - at : piece;
        assert_true(frames_feed(&frames, bytes_of(in.data + at, size)));
        at += size;
    }
    assert_int_equal(heard, 3);
    frames_deinit(&frames);
}

static void frames_arrive_in_any_pieces_plain_sealed_and_labelled(void **state)
{
    struct fixture *f = *state;
    for (int settings = 0; settings < 8; settings++) {
        f->envelope.key_count = 0;
        f->envelope.label_size = 0;
        f->envelope.encryption_version = (uint8_t)(settings >> 2 & 1);
        if (settings & 1) {
            set_key(f);
        }
        if (settings & 2) {
            memcpy(f->envelope.label, "prod", 4);
            f->envelope.label_size = 4;
        }
        struct buffer out = three_frames(f);
        for (size_t piece = 1; piece <= out.size; piece += piece < 20 ? 1 : 97) {
            hear(f, buffer_bytes(&out), piece);
        }
        buffer_deinit(&out);
    }
}

static void any_changed_byte_of_a_frame_is_noticed(void **state)
{
    struct fixture *f = *state;
    for (int is_sealed = 0; is_sealed < 2; is_sealed++) {
        struct buffer out;
        buffer_init(&out, &f->memory);
        f->envelope.key_count = 0;
        if (is_sealed) {
            set_key(f);
        }
        assert_true(frames_seal(&f->envelope, bytes_of(beacon_vector, sizeof beacon_vector), &out));
        for (size_t i = 0; i < out.size; i++) {
            struct frames frames;
            struct hearsay_bytes message;
            frames_init(&frames, &f->envelope);
            out.data[i] ^= 0x40;
            assert_true(frames_feed(&frames, buffer_bytes(&out)));
            assert_int_not_equal(frames_next(&frames, &message), STREAM_WHOLE); /* a longer length waits for more, for ever */
            out.data[i] ^= 0x40;
            frames_deinit(&frames);
        }
        buffer_deinit(&out);
    }
}

static void plain_frames_are_refused_where_a_key_is_set(void **state)
{
    struct fixture *f = *state;
    struct buffer out;
    struct frames frames;
    struct hearsay_bytes message;
    buffer_init(&out, &f->memory);
    assert_true(frames_seal(&f->envelope, bytes_of(beacon_vector, sizeof beacon_vector), &out));
    set_key(f);
    frames_init(&frames, &f->envelope);
    assert_true(frames_feed(&frames, buffer_bytes(&out)));
    assert_int_equal(frames_next(&frames, &message), STREAM_BAD);
    assert_int_equal(frames.fault, ENVELOPE_PLAINTEXT);
    assert_int_equal(frames_next(&frames, &message), STREAM_BAD);
    frames_deinit(&frames);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beacon_is_these_bytes_and_at_most_32),
        cmocka_unit_test(entries_are_these_bytes),
        cmocka_unit_test(groups_go_there_and_back),
        cmocka_unit_test(long_sections_and_lists_of_numbers_go_there_and_back),
        cmocka_unit_test(what_is_cut_off_anywhere_is_refused_or_ends_between_sections),
        cmocka_unit_test(what_is_odd_is_refused),
        cmocka_unit_test(unknown_sections_are_skipped),
        cmocka_unit_test_setup_teardown(frames_arrive_in_any_pieces_plain_sealed_and_labelled, setup, teardown),
        cmocka_unit_test_setup_teardown(any_changed_byte_of_a_frame_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_frames_are_refused_where_a_key_is_set, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
