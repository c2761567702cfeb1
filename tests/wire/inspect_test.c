/* SPDX-License-Identifier: MIT
 *
 * Inspection of a cluster, played from captured conversations: every answer a real server gave, whole and in pieces, and the request and
 * pings as a real server would read them.
 */
#include "capture.h"
#include "vector.h"

#include <hearsay/inspect.h>

#include "../lib/allocator_counting.h"
#include "wire/message.h"
#include "wire/packet.h"
#include "wire/stream.h"

#include <string.h>

static struct cipher_nettle cipher_state;

static struct hearsay_inspect_options options_of(const json_t *vector, bool with_key, struct allocator_counting *counting)
{
    struct hearsay_inspect_options options = {.allocator = allocator_counting_of(counting)};
    options.label = json_string_value(json_object_get(json_object_get(vector, "c2s"), "label"));
    options.cipher = cipher_nettle_of(&cipher_state);
    if (with_key) {
        struct hearsay_bytes key = vector_hex_of(vector, "key_hex");
        options.key_count = 2;
        options.keys[0].size = 16; /* another one first: all are tried */
        options.keys[1].size = (uint8_t)key.size;
        memcpy(options.keys[1].bytes, key.data, key.size);
    }
    return options;
}

static enum hearsay_inspect_status feed(struct hearsay_inspection *s, struct hearsay_bytes bytes, size_t step)
{
    enum hearsay_inspect_status status = HEARSAY_INSPECT_MORE;
    for (size_t at = 0; at < bytes.size; at += step) {
        vector_expect(status == HEARSAY_INSPECT_MORE, "no verdict before the end");
        status = hearsay_inspect_feed(s, bytes.data + at, step < bytes.size - at ? step : bytes.size - at);
    }
    return status;
}

static bool is_listed(const json_t *list, const char *name)
{
    size_t i;
    const json_t *value;
    json_array_foreach(list, i, value) {
        if (strcmp(json_string_value(value), name) == 0) {
            return true;
        }
    }
    return false;
}

static void compare_members(const struct hearsay_inspection *s, const json_t *reading)
{
    static const enum hearsay_status statuses[] = {HEARSAY_ALIVE, HEARSAY_SUSPECT, HEARSAY_FAILED, HEARSAY_LEFT};
    const json_t *state = json_object_get(json_object_get(reading, "user_state"), "body"), *node;
    struct hearsay_member m;
    size_t position = 0, i;
    json_array_foreach(json_object_get(reading, "nodes"), i, node) {
        const char *name = vector_text(node, "Name");
        vector_expect(hearsay_inspect_next_member(s, &position, &m), "member %zu", i);
        vector_expect(strcmp(m.name, name) == 0, "name of member %zu", i);
        vector_expect_bytes(bytes_of(m.address.bytes, m.address.size), vector_raw(json_object_get(node, "Addr")), "address");
        vector_expect(m.address.port == json_integer_value(json_object_get(node, "Port")), "port");
        vector_expect(m.incarnation == json_integer_value(json_object_get(node, "Incarnation")), "incarnation");
        vector_expect_bytes(bytes_of(m.versions, 6), vector_raw(json_object_get(node, "Vsn")), "versions");
        vector_expect_bytes(m.meta, vector_raw(json_object_get(node, "Meta")), "meta");
        enum hearsay_status wanted = statuses[json_integer_value(json_object_get(node, "State"))];
        if (is_listed(json_object_get(state, "LeftMembers"), name)) {
            wanted = wanted == HEARSAY_ALIVE || wanted == HEARSAY_SUSPECT ? HEARSAY_LEAVING : HEARSAY_LEFT;
        }
        vector_expect(m.status == wanted, "status of %s is %d", name, m.status);
        const json_t *ltime = json_object_get(json_object_get(state, "StatusLTimes"), name);
        vector_expect((json_int_t)m.status_ltime == json_integer_value(ltime), "ltime of %s", name);
    }
    vector_expect(!hearsay_inspect_next_member(s, &position, &m), "no further member");
}

static void compare_facts(const struct hearsay_inspection *s, const json_t *reading)
{
    struct hearsay_inspect_facts facts;
    const json_t *user = json_object_get(reading, "user_state"), *state = json_object_get(user, "body");
    hearsay_inspect_get_facts(s, &facts);
    vector_expect(facts.is_encrypted == (json_object_get(reading, "encver") != NULL), "is_encrypted");
    vector_expect(facts.is_compressed == (json_object_get(reading, "compress") != NULL), "is_compressed");
    vector_expect(facts.members == json_array_size(json_object_get(reading, "nodes")), "members");
    vector_expect(facts.has_user_state == (user != NULL), "has_user_state");
    vector_expect(facts.is_serf == (state != NULL), "is_serf");
    vector_expect((json_int_t)facts.member_time == json_integer_value(json_object_get(state, "LTime")), "member_time");
    vector_expect((json_int_t)facts.event_time == json_integer_value(json_object_get(state, "EventLTime")), "event_time");
    vector_expect((json_int_t)facts.query_time == json_integer_value(json_object_get(state, "QueryLTime")), "query_time");
}

/* With the right settings a push/pull is DONE and an error REFUSED; with a key too many PLAINTEXT, with one too few CIPHER. */
static void check_answer(const json_t *vector, const json_t *reading, struct hearsay_bytes bytes)
{
    bool is_encrypted = json_object_get(reading, "encver") != NULL;
    bool is_error = strcmp(vector_text(reading, "t"), "err") == 0, is_view = strcmp(vector_text(reading, "t"), "pushPull") == 0;
    enum hearsay_inspect_status good = is_error ? HEARSAY_INSPECT_REFUSED : is_view ? HEARSAY_INSPECT_DONE : HEARSAY_INSPECT_BAD;
    const size_t steps[] = {1, 7, 1000000};
    for (size_t i = 0; i < 3; i++) {
        struct allocator_counting counting = {0};
        struct hearsay_inspect_options options = options_of(vector, is_encrypted, &counting);
        struct hearsay_inspection *s = hearsay_inspect_create(&options);
        vector_expect(s != NULL && hearsay_inspect_request(s).size > 0, "a request");
        vector_expect(feed(s, bytes, steps[i]) == good, "verdict");
        if (is_error) {
            vector_expect(strcmp(hearsay_inspect_text(s), vector_text(json_object_get(reading, "body"), "Error")) == 0, "text");
        } else if (is_view) {
            vector_expect(hearsay_inspect_text(s)[0] == 0, "no text");
            compare_facts(s, reading);
            compare_members(s, reading);
        }
        hearsay_inspect_destroy(s);
        vector_expect(counting.blocks == 0, "nothing is left");
    }
    if (json_object_get(vector, "key_hex") != NULL) {
        struct allocator_counting counting = {0};
        struct hearsay_inspect_options options = options_of(vector, !is_encrypted, &counting);
        struct hearsay_inspection *s = hearsay_inspect_create(&options);
        vector_expect(feed(s, bytes, bytes.size) == (is_encrypted ? HEARSAY_INSPECT_CIPHER : HEARSAY_INSPECT_PLAINTEXT), "key");
        hearsay_inspect_destroy(s);
    }
}

static void every_captured_answer(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(vector_load("tcp-streams.json"), i, vector) {
        vector_begin(vector);
        const json_t *reading = json_object_get(vector, "s2c");
        struct hearsay_bytes bytes = vector_hex_of(vector, "s2c_hex");
        if (bytes.size > 0) {
            check_answer(vector, reading, bytes);
        }
        struct allocator_counting counting = {0};
        struct hearsay_inspect_options options = options_of(vector, false, &counting);
        struct hearsay_inspection *s = hearsay_inspect_create(&options);
        vector_expect(bytes.size < 2 || hearsay_inspect_feed(s, bytes.data, 1) != HEARSAY_INSPECT_DONE, "not yet");
        enum hearsay_inspect_status status = hearsay_inspect_feed(s, NULL, 0);
        vector_expect(status == HEARSAY_INSPECT_BAD || status == HEARSAY_INSPECT_CIPHER, "cut short");
        hearsay_inspect_destroy(s);
    }
    vector_report("inspect");
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    const json_t *vector = json_array_get(vector_load("tcp-streams.json"), 5);
    struct hearsay_bytes bytes = vector_hex_of(vector, "s2c_hex");
    size_t failures = 0;
    for (enum hearsay_inspect_status status = HEARSAY_INSPECT_BAD; status != HEARSAY_INSPECT_DONE; failures++) {
        struct allocator_counting counting = {.fail_from = failures + 1};
        struct hearsay_inspect_options options = options_of(vector, true, &counting);
        struct hearsay_inspection *s = hearsay_inspect_create(&options);
        if (s != NULL) {
            (void)hearsay_inspect_request(s);
            status = hearsay_inspect_feed(s, bytes.data, bytes.size);
            assert_true(status == HEARSAY_INSPECT_DONE || status == HEARSAY_INSPECT_BAD);
        }
        hearsay_inspect_destroy(s);
        assert_int_equal(counting.blocks, 0);
    }
    assert_true(failures > 6);
}

static void the_request_is_a_push_pull_of_nobody(void **state)
{
    (void)state;
    struct hearsay_inspect_options options = {.label = "blue", .key_count = 1, .keys = {{.size = 16}},
                                              .cipher = cipher_nettle_of(&cipher_state)};
    struct hearsay_inspection *s = hearsay_inspect_create(&options);
    struct envelope e = {.memory = &memory_system, .cipher = options.cipher, .label = "blue", .label_size = 4, .key_count = 1,
                         .keys = {{.size = 16}}, .verify_incoming = true};
    struct stream_reader server;
    struct message_push_pull_header header;
    stream_reader_init(&server, &e, true);
    assert_int_equal(stream_reader_feed(&server, hearsay_inspect_request(s)), STREAM_WHOLE);
    assert_true(server.was_encrypted && !server.was_compressed && server.body.data[0] == MESSAGE_PUSH_PULL);
    struct reader r = reader_of(bytes_of(server.body.data + 1, server.body.size - 1));
    assert_true(message_decode_push_pull_header(&r, &header));
    assert_true(!header.is_join && header.nodes == 0 && header.user_state_size == 0 && reader_left(&r) == 0);
    stream_reader_deinit(&server);
    hearsay_inspect_destroy(s);
}

static void a_ping_is_answered(void **state)
{
    (void)state;
    struct hearsay_inspect_options options = {.label = "blue", .key_count = 1, .keys = {{.size = 32}},
                                              .cipher = cipher_nettle_of(&cipher_state)};
    struct hearsay_inspection *s = hearsay_inspect_create(&options);
    struct envelope e = {.memory = &memory_system, .cipher = options.cipher, .label = "blue", .label_size = 4, .key_count = 1,
                         .keys = {{.size = 32}}, .verify_incoming = true, .verify_outgoing = true, .compression = true};
    struct buffer scratch[2], out;
    struct packet packet;
    struct message m;
    uint8_t bytes[64];
    uint32_t abilities = 9;
    buffer_init(&scratch[0], &memory_system);
    buffer_init(&scratch[1], &memory_system);
    buffer_init(&out, &memory_system);
    assert_int_equal(packet_open(&e, hearsay_inspect_ping(s, "n1", 77), scratch, &packet), ENVELOPE_OK);
    assert_true(packet.count == 1 && message_decode(packet.parts[0], &m) && m.type == MESSAGE_PING);
    assert_true(m.ping.sequence == 77 && m.ping.source.size == 0 && bytes_equal(m.ping.node, bytes_of_string("n1")));
    struct writer w = writer_of(bytes, sizeof bytes);
    message_encode(&w, &(struct message){.type = MESSAGE_ACK, .ack = {.sequence = 77, .abilities = 0x101}});
    struct hearsay_bytes part = writer_bytes(&w);
    assert_true(packet_seal(&e, &part, 1, true, scratch, &out));
    assert_true(hearsay_inspect_is_ack(s, out.data, out.size, 77, &abilities));
    assert_int_equal(abilities, 0x101);
    assert_false(hearsay_inspect_is_ack(s, out.data, out.size, 78, NULL));
    out.data[20] ^= 1;
    assert_false(hearsay_inspect_is_ack(s, out.data, out.size, 77, NULL));
    buffer_deinit(&scratch[0]);
    buffer_deinit(&scratch[1]);
    buffer_deinit(&out);
    hearsay_inspect_destroy(s);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    char label[258];
    memset(label, 'x', 257);
    label[257] = 0;
    struct hearsay_inspect_options options = {.key_count = 1, .keys = {{.size = 16}}};
    assert_null(hearsay_inspect_create(&options)); /* no cipher */
    options.cipher = cipher_nettle_of(&cipher_state);
    options.keys[0].size = 15;
    assert_null(hearsay_inspect_create(&options));
    options.key_count = 0;
    options.label = label;
    assert_null(hearsay_inspect_create(&options));
    hearsay_inspect_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_captured_answer),      cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(the_request_is_a_push_pull_of_nobody), cmocka_unit_test(a_ping_is_answered),
        cmocka_unit_test(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
