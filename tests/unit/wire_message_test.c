/* SPDX-License-Identifier: MIT
 *
 * Messages of memberlist and Serf beyond what captures show: fields that are missing, unknown, in another order, out of range; our own
 * field; filters that make no sense.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wire/message.h"
#include "wire/msgpack.h"
#include "wire/serf_message.h"

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static const uint8_t message_types[] = {MESSAGE_PING, MESSAGE_INDIRECT_PING, MESSAGE_ACK, MESSAGE_SUSPECT,
                                        MESSAGE_ALIVE, MESSAGE_DEAD, MESSAGE_NACK, MESSAGE_ERROR};
static const uint8_t serf_types[] = {SERF_LEAVE, SERF_JOIN, SERF_USER_EVENT, SERF_QUERY, SERF_QUERY_RESPONSE};

static struct writer begin(uint8_t out[512], uint8_t type, uint32_t fields)
{
    struct writer w = writer_of(out, 512);
    writer_u8(&w, type);
    msgpack_put_map(&w, fields);
    return w;
}

/* Whatever stands under a name nobody knows, the rest is read. */
static void unknown_fields_are_skipped_and_missing_ones_are_zero(void **state)
{
    (void)state;
    uint8_t out[512];
    struct message m;
    struct serf_message s;
    for (size_t i = 0; i < sizeof message_types; i++) {
        struct writer w = begin(out, message_types[i], 2);
        msgpack_put_text(&w, "Unheard");
        msgpack_put_array(&w, 2);
        msgpack_put_map(&w, 0);
        msgpack_put_double(&w, 1);
        msgpack_put_text(&w, "SeqNo");
        msgpack_put_uint(&w, 5);
        assert_true(message_decode(writer_bytes(&w), &m));
        assert_int_equal(m.type, message_types[i]);
        if (m.type == MESSAGE_NACK) {
            assert_int_equal(m.nack_sequence, 5);
        }
        assert_false(message_decode(bytes_of(out, w.size - 1), &m));
        uint8_t nothing[] = {message_types[i], 0xc0};
        assert_true(message_decode(bytes_of(nothing, 2), &m));
        assert_false(message_decode(bytes_of(nothing, 1), &m));
    }
    for (size_t i = 0; i < sizeof serf_types; i++) {
        struct writer w = begin(out, serf_types[i], 2);
        msgpack_put_text(&w, "Unheard");
        msgpack_put_nil(&w);
        msgpack_put_text(&w, "LTime");
        msgpack_put_uint(&w, UINT64_MAX);
        assert_true(serf_message_decode(writer_bytes(&w), &s));
        assert_true(s.intent.ltime == UINT64_MAX); /* LTime comes first in all of them */
        assert_false(serf_message_decode(bytes_of(out, w.size - 1), &s));
    }
    assert_false(message_decode(bytes_of("", 0), &m));
    assert_false(serf_message_decode(bytes_of("", 0), &s));
    assert_false(serf_message_decode(BYTES(SERF_KEY_REQUEST, 0x80), &s));
    assert_false(message_decode(BYTES(MESSAGE_PUSH_PULL, 0x80), &m));
    assert_int_equal(m.type, MESSAGE_PUSH_PULL);
}

/* name and value that must make a message of this type malformed. */
static void expect_malformed(uint8_t type, const char *name, void (*put)(struct writer *w))
{
    uint8_t out[512];
    struct message m;
    struct writer w = begin(out, type, 1);
    msgpack_put_text(&w, name);
    put(&w);
    assert_false(message_decode(writer_bytes(&w), &m));
}

static void put_minus_one(struct writer *w)
{
    msgpack_put_int(w, -1);
}

static void put_two_to_the_32(struct writer *w)
{
    msgpack_put_uint(w, 4294967296u);
}

static void put_65536(struct writer *w)
{
    msgpack_put_uint(w, 65536);
}

static void put_five_bytes(struct writer *w)
{
    msgpack_put_text(w, "12345");
}

static void values_out_of_range_are_malformed(void **state)
{
    (void)state;
    expect_malformed(MESSAGE_PING, "SeqNo", put_minus_one);
    expect_malformed(MESSAGE_PING, "SeqNo", put_two_to_the_32);
    expect_malformed(MESSAGE_PING, "SourcePort", put_65536);
    expect_malformed(MESSAGE_PING, "SourceAddr", put_five_bytes);
    expect_malformed(MESSAGE_PING, "Node", put_minus_one);
    expect_malformed(MESSAGE_INDIRECT_PING, "Target", put_five_bytes);
    expect_malformed(MESSAGE_INDIRECT_PING, "Nack", put_five_bytes);
    expect_malformed(MESSAGE_ALIVE, "Addr", put_five_bytes);
    expect_malformed(MESSAGE_ALIVE, "Incarnation", put_two_to_the_32);
    expect_malformed(MESSAGE_DEAD, "From", put_minus_one);
    uint8_t out[512];
    for (uint32_t number = 0; number < 6; number++) {
        struct writer w = begin(out, 0, 1);
        struct message_alive entry;
        enum message_state entry_state;
        msgpack_put_text(&w, "State");
        msgpack_put_uint(&w, number);
        struct reader r = reader_of(bytes_of(out + 1, w.size - 1));
        assert_int_equal(message_decode_push_pull_entry(&r, &entry, &entry_state), number <= 3);
        assert_int_equal(r.is_bad, number > 3);
    }
}

/* A version list of another length is no reason to refuse: whoever uses it looks. */
static void short_versions_are_decoded(void **state)
{
    (void)state;
    uint8_t out[512];
    for (size_t size = 0; size < 8; size++) {
        struct message m, wanted = {.type = MESSAGE_ALIVE};
        wanted.alive.node = bytes_of("n", 1);
        wanted.alive.versions = bytes_of("\1\5\2\2\5\5\0", size);
        struct writer w = writer_of(out, sizeof out);
        message_encode(&w, &wanted);
        assert_true(message_decode(writer_bytes(&w), &m));
        assert_int_equal(m.alive.versions.size, size);
        assert_null(m.alive.meta.data);
        assert_int_equal(m.alive.address.size, 0);
    }
}

static void abilities_are_one_extra_field(void **state)
{
    (void)state;
    uint8_t out[512];
    struct message m;
    const uint8_t types[] = {MESSAGE_PING, MESSAGE_ACK};
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t abilities = 0; abilities <= 0x101; abilities += 0x101) {
            struct message sent = {.type = (enum message_type)types[i]};
            sent.ping.sequence = sent.ack.sequence = 9;
            if (types[i] == MESSAGE_PING) {
                sent.ping = (struct message_ping){.sequence = 9, .abilities = abilities};
            } else {
                sent.ack = (struct message_ack){.sequence = 9, .abilities = abilities};
            }
            struct writer w = writer_of(out, sizeof out);
            message_encode(&w, &sent);
            assert_int_equal(out[1], abilities == 0 ? 0x82 : 0x83);
            assert_true(message_decode(writer_bytes(&w), &m));
            assert_int_equal(types[i] == MESSAGE_PING ? m.ping.abilities : m.ack.abilities, abilities);
            assert_int_equal(types[i] == MESSAGE_PING ? m.ping.sequence : m.ack.sequence, 9);
        }
    }
}

static void what_has_no_struct_is_not_encoded(void **state)
{
    (void)state;
    uint8_t out[512];
    struct writer w = writer_of(out, sizeof out);
    message_encode(&w, &(struct message){.type = MESSAGE_COMPOUND});
    assert_true(w.is_full);
    w = writer_of(out, sizeof out);
    serf_message_encode(&w, &(struct serf_message){.type = SERF_KEY_RESPONSE});
    assert_true(w.is_full);
    w = writer_of(out, 10);
    message_encode(&w, &(struct message){.type = MESSAGE_PING, .ping = {.sequence = 1}});
    assert_true(w.is_full);
}

static void a_relay_needs_something_to_relay(void **state)
{
    (void)state;
    uint8_t out[512];
    struct serf_message m, sent = {.type = SERF_RELAY, .relay = {.destination = {.bytes = {10, 0, 0, 1}, .size = 4, .port = 7946},
                                                                 .destination_name = bytes_of("n", 1)}};
    struct writer w = writer_of(out, sizeof out);
    serf_message_encode(&w, &sent);
    assert_false(serf_message_decode(writer_bytes(&w), &m));
    sent.relay.inner = BYTES(SERF_JOIN, 0x80);
    w = writer_of(out, sizeof out);
    serf_message_encode(&w, &sent);
    assert_true(serf_message_decode(writer_bytes(&w), &m));
    assert_true(address_equal(&m.relay.destination, &sent.relay.destination));
    assert_int_equal(m.relay.inner.size, 2);
}

static void odd_filters_match_nobody_but_are_walked(void **state)
{
    (void)state;
    /* unknown type, no content, names that are no names, a good one, a tag without expression */
    struct hearsay_bytes filters = BYTES(0x95, 0xa2, 7, 0xc0, 0xa0, 0xa3, 0, 0x91, 5, 0xa4, 0, 0x91, 0xa1, 'n', 0xa7, 1, 0x81, 0xa3,
                                         'T', 'a', 'g', 0xa0);
    const uint8_t wanted[] = {SERF_FILTER_UNKNOWN, SERF_FILTER_UNKNOWN, SERF_FILTER_UNKNOWN, SERF_FILTER_NAMES, SERF_FILTER_TAG};
    struct reader r = serf_filters_begin(filters);
    struct serf_filter filter;
    for (size_t i = 0; i < sizeof wanted; i++) {
        assert_true(serf_next_filter(&r, &filter));
        /* an empty element reads as type 0 with nothing in it, which is no array */
        assert_int_equal(filter.type, wanted[i]);
    }
    assert_false(serf_next_filter(&r, &filter));
    r = serf_filters_begin(BYTES(0xc0));
    assert_false(serf_next_filter(&r, &filter));
    r = serf_filters_begin(bytes_of(NULL, 0));
    assert_false(serf_next_filter(&r, &filter));
    uint8_t out[512];
    struct serf_message m;
    struct writer w = begin(out, SERF_QUERY, 1);
    msgpack_put_text(&w, "Filters");
    msgpack_put_array(&w, 1);
    msgpack_put_uint(&w, 5); /* a filter is bytes */
    assert_false(serf_message_decode(writer_bytes(&w), &m));
}

static void states_with_holes_are_walked(void **state)
{
    (void)state;
    struct serf_state s;
    struct serf_state_event_walk walk = {0};
    struct serf_user_event event;
    /* Events: nil, {LTime before Events}, {no Events}, then an unknown field */
    struct hearsay_bytes in =
        BYTES(SERF_PUSH_PULL, 0x82, 0xa6, 'E', 'v', 'e', 'n', 't', 's', 0x93, 0xc0, 0x83, 0xa5, 'L', 'T', 'i', 'm', 'e', 7,
              0xa6, 'E', 'v', 'e', 'n', 't', 's', 0x92, 0x82, 0xa4, 'N', 'a', 'm', 'e', 0xa1, 'a', 0xa1, 'x', 0xc0, 0xc0, 0xa1, 'y',
              1, 0x80, 0xa1, 'z', 0xc2);
    assert_true(serf_state_decode(in, &s));
    assert_int_equal(s.event_count, 3);
    assert_true(serf_state_next_event(&s, &walk, &event));
    assert_true(msgpack_is(event.name, "a") && event.ltime == 7);
    assert_true(serf_state_next_event(&s, &walk, &event));
    assert_true(event.name.size == 0 && event.ltime == 7);
    assert_false(serf_state_next_event(&s, &walk, &event));
    assert_false(serf_state_decode(BYTES(SERF_JOIN, 0x80), &s));
    assert_false(serf_state_decode(bytes_of(in.data, in.size - 1), &s));
    assert_false(serf_state_decode(BYTES(SERF_PUSH_PULL, 0x81, 0xa6, 'E', 'v', 'e', 'n', 't', 's', 0x91, 5), &s));
}

static void tags_or_a_role(void **state)
{
    (void)state;
    uint8_t out[512];
    struct reader r;
    uint32_t count;
    const struct hearsay_tag tags[] = {{"role", "web"}, {"dc", ""}};
    struct writer w = writer_of(out, sizeof out);
    serf_tags_encode(&w, tags, 2);
    assert_true(serf_tags_begin(writer_bytes(&w), &r, &count));
    assert_int_equal(count, 2);
    assert_true(msgpack_is(msgpack_get_raw(&r), "role") && msgpack_is(msgpack_get_raw(&r), "web"));
    assert_true(serf_tags_begin(bytes_of(out, w.size - 1), &r, &count)); /* broken: no tags, but no role either */
    assert_int_equal(count, 0);
    assert_false(serf_tags_begin(bytes_of("db", 2), &r, &count));
    assert_false(serf_tags_begin(bytes_of(NULL, 0), &r, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_fields_are_skipped_and_missing_ones_are_zero),
        cmocka_unit_test(values_out_of_range_are_malformed),
        cmocka_unit_test(short_versions_are_decoded),
        cmocka_unit_test(abilities_are_one_extra_field),
        cmocka_unit_test(what_has_no_struct_is_not_encoded),
        cmocka_unit_test(a_relay_needs_something_to_relay),
        cmocka_unit_test(odd_filters_match_nobody_but_are_walked),
        cmocka_unit_test(states_with_holes_are_walked),
        cmocka_unit_test(tags_or_a_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
