/* SPDX-License-Identifier: MIT
 *
 * A node must not be a weapon: where its answers to datagrams go, and how many there are. Attack: memberlist acks to whatever address stands
 * in the ping, up to 255 times per datagram.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wire/message.h"
#include "wire/serf_message.h"
#include <hearsay/hearsay.h>

#include <string.h>

static struct hearsay_address place(uint8_t last)
{
    return (struct hearsay_address){.bytes = {127, 0, 0, last}, .size = 4, .port = 7946};
}

static int setup(void **state)
{
    struct hearsay_options options;
    hearsay_options_lan(&options);
    options.name = "me";
    options.advertise = place(1);
    options.seed = 1;
    *state = hearsay_create(&options, 1000000, NULL);
    return *state == NULL;
}

static int teardown(void **state)
{
    hearsay_destroy(*state);
    return 0;
}

static void receive(struct hearsay_node *node, const struct hearsay_address *from, const struct message *m, unsigned times)
{
    uint8_t one[512], all[8192];
    struct writer w = writer_of(one, sizeof one), c = writer_of(all, sizeof all);
    message_encode(&w, m);
    writer_u8(&c, MESSAGE_COMPOUND);
    writer_u8(&c, (uint8_t)times);
    for (unsigned i = 0; i < times; i++) {
        writer_u16(&c, (uint16_t)w.size);
    }
    for (unsigned i = 0; i < times; i++) {
        writer_put(&c, one, w.size);
    }
    assert_false(c.is_full);
    hearsay_receive_packet(node, 1000000, from, all, c.size);
}

/* Datagrams that leave for this place; all others are counted in *elsewhere. */
static unsigned count_to(struct hearsay_node *node, const struct hearsay_address *to, unsigned *elsewhere)
{
    struct hearsay_output output;
    unsigned count = 0;
    *elsewhere = 0;
    while (hearsay_next_output(node, &output)) {
        if (output.type == HEARSAY_SEND_PACKET) {
            bool is_there = output.address.port == to->port && memcmp(output.address.bytes, to->bytes, 4) == 0;
            count += is_there;
            *elsewhere += !is_there;
        }
    }
    return count;
}

static struct message ping_for(const char *source_node, struct hearsay_address source)
{
    return (struct message){.type = MESSAGE_PING, .ping = {.node = bytes_of_string("me"), .sequence = 7, .source = source,
                                                           .source_node = bytes_of_string(source_node)}};
}

static void an_ack_never_goes_to_an_unknown_address_in_the_ping(void **state)
{
    struct hearsay_node *node = *state;
    struct hearsay_address attacker = place(66), victim = place(99);
    unsigned elsewhere;
    struct message ping = ping_for("nobody", victim);
    receive(node, &attacker, &ping, 1);
    assert_int_equal(count_to(node, &attacker, &elsewhere), 1);
    assert_int_equal(elsewhere, 0);
}

static void a_relay_answers_the_asker_and_no_third(void **state)
{
    struct hearsay_node *node = *state;
    struct hearsay_address attacker = place(66), victim = place(99), target = place(50);
    unsigned elsewhere;
    struct message m = {.type = MESSAGE_INDIRECT_PING, .indirect_ping = {.sequence = 9, .target = target, .node = bytes_of_string("t"),
                                                                         .nack = true, .source = victim,
                                                                         .source_node = bytes_of_string("nobody")}};
    receive(node, &attacker, &m, 1);
    assert_int_equal(count_to(node, &target, &elsewhere), 1);
    assert_int_equal(elsewhere, 0);
    while (hearsay_next_deadline(node) < 1700000) {
        hearsay_tick(node, hearsay_next_deadline(node));
    }
    assert_int_equal(count_to(node, &attacker, &elsewhere), 1); /* the nack */
    assert_int_equal(elsewhere, 0);
}

static void a_known_member_may_ask_for_its_own_address(void **state)
{
    struct hearsay_node *node = *state;
    struct hearsay_address member = place(2), behind = place(77);
    unsigned elsewhere;
    struct message alive = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string("n2"), .address = member,
                                                             .versions = bytes_of((const uint8_t[6]){1, 5, 2, 2, 5, 5}, 6)}};
    receive(node, &member, &alive, 1);
    (void)count_to(node, &member, &elsewhere);
    struct message ping = ping_for("n2", member);
    receive(node, &behind, &ping, 1);
    assert_int_equal(count_to(node, &member, &elsewhere), 1);
    assert_int_equal(elsewhere, 0);
}

static void a_datagram_gets_eight_acks_at_most(void **state)
{
    struct hearsay_node *node = *state;
    struct hearsay_address attacker = place(66);
    unsigned elsewhere;
    struct message ping = ping_for("", (struct hearsay_address){.size = 0});
    receive(node, &attacker, &ping, 100);
    assert_int_equal(count_to(node, &attacker, &elsewhere), 8);
    assert_int_equal(hearsay_counters(node)->drop_ack_limit, 92);
}

static void who_left_and_pings_is_told_so(void **state)
{
    struct hearsay_node *node = *state;
    struct hearsay_address member = place(2);
    unsigned elsewhere;
    struct message alive = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string("n2"), .address = member,
                                                             .versions = bytes_of((const uint8_t[6]){1, 5, 2, 2, 5, 5}, 6)}};
    struct message goodbye = {.type = MESSAGE_DEAD, .accusation = {.incarnation = 1, .node = alive.alive.node, .from = alive.alive.node}};
    struct message ping = ping_for("n2", member);
    receive(node, &member, &alive, 1);
    receive(node, &member, &ping, 1);
    assert_int_equal(count_to(node, &member, &elsewhere), 1);
    receive(node, &member, &goodbye, 1);
    (void)count_to(node, &member, &elsewhere);
    receive(node, &member, &ping, 1);
    assert_int_equal(count_to(node, &member, &elsewhere), 2); /* the ack, and what we hold it for */
}

static void who_is_shown_as_leaving_and_pings_is_told_so(void **state)
{
    struct hearsay_node *node = *state;
    struct hearsay_address member = place(2);
    unsigned elsewhere;
    uint8_t body[64];
    struct message alive = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string("n2"), .address = member,
                                                             .versions = bytes_of((const uint8_t[6]){1, 5, 2, 2, 5, 5}, 6)}};
    struct writer w = writer_of(body, sizeof body);
    struct serf_message intent = {.type = SERF_LEAVE, .intent = {.ltime = 8, .node = bytes_of_string("n2")}};
    serf_message_encode(&w, &intent);
    struct message leave = {.type = MESSAGE_USER, .user = writer_bytes(&w)}, ping = ping_for("n2", member);
    receive(node, &member, &alive, 1);
    receive(node, &member, &ping, 1);
    assert_int_equal(count_to(node, &member, &elsewhere), 1);
    receive(node, &member, &leave, 1);
    (void)count_to(node, &member, &elsewhere);
    receive(node, &member, &ping, 1);
    assert_int_equal(count_to(node, &member, &elsewhere), 2); /* the ack, and the intent that we know of */
}

static void ask(struct hearsay_node *node, uint32_t id, const char *asker, struct hearsay_address answer_to)
{
    static const uint8_t names_me[] = {0x91, 0xa5, SERF_FILTER_NAMES, 0x91, 0xa2, 'm', 'e'};
    uint8_t body[256];
    struct writer w = writer_of(body, sizeof body);
    struct serf_message query = {.type = SERF_QUERY, .query = {.ltime = 5, .id = id, .address = answer_to, .flags = SERF_QUERY_ACK,
                                                               .source_node = bytes_of_string(asker), .filters = bytes_of(names_me, sizeof names_me),
                                                               .timeout_ns = 1000000000, .name = bytes_of_string("q")}};
    serf_message_encode(&w, &query);
    struct message m = {.type = MESSAGE_USER, .user = writer_bytes(&w)};
    struct hearsay_address from = place(66);
    receive(node, &from, &m, 1);
}

static void a_query_is_acknowledged_to_members_only(void **state)
{
    struct hearsay_node *node = *state;
    struct hearsay_address member = place(2), victim = place(99);
    unsigned elsewhere;
    struct message alive = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string("n2"), .address = member,
                                                             .versions = bytes_of((const uint8_t[6]){1, 5, 2, 2, 5, 5}, 6)}};
    receive(node, &member, &alive, 1);
    (void)count_to(node, &member, &elsewhere);
    ask(node, 1, "n2", victim);
    assert_int_equal(count_to(node, &victim, &elsewhere), 0);
    ask(node, 2, "stranger", victim);
    assert_int_equal(count_to(node, &victim, &elsewhere), 0);
    assert_int_equal(hearsay_counters(node)->drop_address, 2);
    ask(node, 3, "n2", member);
    assert_int_equal(count_to(node, &member, &elsewhere), 1);
    ask(node, 3, "n2", member); /* heard again */
    assert_int_equal(count_to(node, &member, &elsewhere), 0);
}

/* ---- streams: strangers may not take the last places ---------------------------------------------------------------------- */

static void the_last_places_are_kept_for_members(void **state)
{
    struct hearsay_options options;
    struct hearsay_address member = place(2);
    unsigned elsewhere, taken = 0;
    (void)state;
    hearsay_options_lan(&options);
    options.name = "me";
    options.advertise = place(1);
    options.push_pulls_max = 16;
    struct hearsay_node *node = hearsay_create(&options, 1000000, NULL);
    struct message alive = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string("n2"), .address = member,
                                                             .versions = bytes_of((const uint8_t[6]){1, 5, 2, 2, 5, 5}, 6)}};
    receive(node, &member, &alive, 1);
    (void)count_to(node, &member, &elsewhere);
    for (uint8_t i = 0; i < 40; i++) {
        struct hearsay_address stranger = place((uint8_t)(100 + i));
        taken += hearsay_stream_accepted(node, 1000000, &stranger) != 0;
    }
    assert_int_equal(taken, 14);
    member.port = 40000; /* streams come from any port */
    assert_true(hearsay_stream_accepted(node, 1000000, &member) != 0);
    assert_true(hearsay_stream_accepted(node, 1000000, &member) != 0);
    assert_true(hearsay_stream_accepted(node, 1000000, &member) == 0);
    assert_int_equal(hearsay_counters(node)->drop_stream_limit, 27);
    uint64_t end = 1000000 + (uint64_t)options.stream_timeout_ms * 1000;
    while (hearsay_next_deadline(node) <= end) { /* whoever is silent loses its place */
        hearsay_tick(node, hearsay_next_deadline(node));
    }
    struct hearsay_address stranger = place(99);
    assert_true(hearsay_stream_accepted(node, end, &stranger) != 0);
    hearsay_destroy(node);
}

/* ---- a key means: no plaintext --------------------------------------------------------------------------------------------- */

static void seal(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, struct hearsay_bytes plain,
                 uint8_t *out)
{
    (void)context, (void)key, (void)nonce, (void)aad;
    for (size_t i = 0; i < plain.size + 16; i++) {
        out[i] = 0xaa;
    }
}

static bool opens_nothing(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                          struct hearsay_bytes sealed, uint8_t *out)
{
    (void)context, (void)key, (void)nonce, (void)aad, (void)sealed, (void)out;
    return false;
}

static void nonce(void *context, uint8_t out[12])
{
    (void)context;
    memset(out, 0, 12);
}

/* One ping, with our label in front if there is one: as datagram and as stream, for every kind of key. */
static void refuse_plaintext(uint8_t key_size, uint32_t version, const char *label)
{
    struct hearsay_options options;
    struct hearsay_output output;
    uint8_t bytes[300];
    struct hearsay_address from = place(2);
    hearsay_options_lan(&options);
    options.name = "me";
    options.advertise = place(1);
    options.label = label;
    options.key_count = 1;
    options.keys[0].size = key_size;
    options.encryption_version = version;
    options.cipher = (struct hearsay_cipher){.seal = seal, .open = opens_nothing, .nonce = nonce};
    struct hearsay_node *node = hearsay_create(&options, 1000000, NULL);
    assert_non_null(node);
    while (hearsay_next_output(node, &output)) {
    }
    struct writer w = writer_of(bytes, sizeof bytes);
    if (label != NULL) {
        writer_u8(&w, 244);
        writer_u8(&w, (uint8_t)strlen(label));
        writer_put(&w, label, strlen(label));
    }
    struct message ping = ping_for("n2", from);
    message_encode(&w, &ping);
    hearsay_receive_packet(node, 1000000, &from, bytes, w.size);
    assert_int_equal(hearsay_counters(node)->drop_plaintext, 1);
    assert_false(hearsay_next_output(node, &output));
    uint32_t stream = hearsay_stream_accepted(node, 1000000, &from);
    hearsay_receive_stream(node, 1000000, stream, bytes, w.size);
    assert_int_equal(hearsay_counters(node)->drop_plaintext, 2);
    while (hearsay_next_output(node, &output)) { /* an error at most, and that is encrypted */
        assert_true(output.type == HEARSAY_CLOSE_STREAM ||
                    (output.type == HEARSAY_SEND_STREAM && memmem(output.bytes.data, output.bytes.size, "Error", 5) == NULL));
    }
    hearsay_destroy(node);
}

static void a_key_of_any_kind_means_no_plaintext(void **state)
{
    (void)state;
    for (uint8_t size = 16; size <= 32; size += 8) {
        for (uint32_t version = 0; version <= 1; version++) {
            refuse_plaintext(size, version, NULL);
            refuse_plaintext(size, version, "blue");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_ack_never_goes_to_an_unknown_address_in_the_ping, setup, teardown),
        cmocka_unit_test_setup_teardown(a_relay_answers_the_asker_and_no_third, setup, teardown),
        cmocka_unit_test_setup_teardown(a_known_member_may_ask_for_its_own_address, setup, teardown),
        cmocka_unit_test_setup_teardown(who_left_and_pings_is_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_shown_as_leaving_and_pings_is_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_query_is_acknowledged_to_members_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_datagram_gets_eight_acks_at_most, setup, teardown),
        cmocka_unit_test(the_last_places_are_kept_for_members),
        cmocka_unit_test(a_key_of_any_kind_means_no_plaintext),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
