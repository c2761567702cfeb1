/* SPDX-License-Identifier: MIT
 *
 * Large events between one node and members that the test plays, one of which lies: what is fetched is verified, another holder is asked, and
 * with judge_events nothing is told on before the application says so.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sync/entry.h"
#include "wire/frames.h"
#include "wire/message.h"
#include "wire/packet.h"
#include "wire/parley.h"

#include <hearsay/hearsay.h>

#define NOON 1700000000000u

static struct hearsay_options options;
static struct hearsay_node *node;
static struct envelope envelope;
static struct buffer scratch[2];
static uint64_t now;
static uint32_t opened;       /* the newest stream that it opened … */
static unsigned dialled;      /* … to this member: 2, 3 … */
static unsigned delivered;    /* large events */
static uint64_t delivered_id;
static unsigned receipts;     /* that it sent */
static uint64_t batch;        /* that it wants on disk; 0 = none */
static unsigned announced[5]; /* to a member: packets with ids of items */

static struct hearsay_address address_of(unsigned member)
{
    return (struct hearsay_address){.bytes = {10, 0, 0, (uint8_t)member}, .size = 4, .port = 7946};
}

static void hear_said(const struct hearsay_output *output)
{
    struct packet packet;
    struct parley_message m;
    assert_int_equal(packet_open(&envelope, output->bytes, scratch, &packet), ENVELOPE_OK);
    for (unsigned i = 0; i < packet.count; i++) {
        if (packet.parts[i].data[0] == MESSAGE_PARLEY && parley_decode(packet.parts[i], &m, NULL)) {
            struct reader sections = m.sections, body;
            enum parley_section_type type;
            receipts += m.head.kind == PARLEY_RECEIPT;
            while (parley_next_section(&sections, &type, &body)) {
                announced[output->address.bytes[3]] += type == PARLEY_ITEMS;
            }
        }
    }
}

static void drain(void)
{
    struct hearsay_output output;
    while (hearsay_next_output(node, &output)) {
        if (output.type == HEARSAY_SEND_PACKET) {
            hear_said(&output);
        } else if (output.type == HEARSAY_PERSIST) {
            batch = output.persist.batch;
        } else if (output.type == HEARSAY_OPEN_STREAM) {
            opened = output.stream;
            dialled = output.address.bytes[3];
        } else if (output.type == HEARSAY_NOTIFY && output.event.type == HEARSAY_LARGE_EVENT) {
            delivered++;
            delivered_id = output.event.change;
            assert_string_equal(output.event.name, "release");
        }
    }
}

static void wait(uint64_t us)
{
    uint64_t until = now + us;
    for (uint64_t next; (next = hearsay_next_deadline(node)) <= until;) {
        now = next > now ? next : now;
        hearsay_tick(node, now);
        drain();
    }
    now = until;
}

static void say(unsigned member, struct hearsay_bytes message)
{
    struct hearsay_address from = address_of(member);
    struct buffer out;
    buffer_init(&out, &memory_system);
    assert_true(packet_seal(&envelope, &message, 1, false, scratch, &out));
    hearsay_receive_packet(node, now, &from, out.data, out.size);
    buffer_deinit(&out);
    drain();
}

static struct writer begin_message(uint8_t *bytes, size_t capacity, enum parley_kind kind)
{
    struct writer w = writer_of(bytes, capacity);
    parley_put_head(&w, &(struct parley_head){.kind = kind, .hlc = (NOON + now / 1000) << 16, .wall_ms = NOON + now / 1000});
    return w;
}

static void announce(unsigned member, uint64_t id)
{
    uint8_t bytes[64];
    struct writer w = begin_message(bytes, sizeof bytes, PARLEY_PUSH);
    parley_put_numbers(&w, PARLEY_ITEMS, &id, 1);
    say(member, writer_bytes(&w));
}

/* What the member that was dialled sends on that stream. */
static void upload(uint64_t id, struct hearsay_bytes event)
{
    uint8_t bytes[256];
    struct buffer out;
    struct writer w = begin_message(bytes, sizeof bytes, PARLEY_ITEM);
    size_t begun = parley_begin(&w, PARLEY_BODY);
    parley_put_u64(&w, id);
    writer_u8(&w, 1);
    writer_put(&w, event.data, event.size);
    parley_end(&w, begun);
    buffer_init(&out, &memory_system);
    assert_true(frames_seal(&envelope, writer_bytes(&w), &out));
    hearsay_receive_stream(node, now, opened, out.data, out.size);
    buffer_deinit(&out);
    drain();
}

static void connect(void)
{
    assert_int_not_equal(opened, 0);
    hearsay_stream_connected(node, now, opened);
    drain();
}

static bool judges, is_durable;

static int start(void **state)
{
    static const uint8_t versions[] = {1, 5, 2, 2, 5, 5};
    (void)state;
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = address_of(1);
    options.compression = 0;
    options.probe_interval_ms = 0;
    options.store = 1;
    options.store_secret[0] = 3;
    options.judge_events = judges;
    options.store_durable = is_durable;
    now = 1000000;
    opened = dialled = delivered = receipts = 0;
    batch = 0;
    memset(announced, 0, sizeof announced);
    envelope = (struct envelope){.memory = &memory_system};
    buffer_init(&scratch[0], &memory_system);
    buffer_init(&scratch[1], &memory_system);
    node = hearsay_create(&options, now, NULL);
    assert_non_null(node);
    hearsay_set_wall_clock(node, now, NOON + now / 1000);
    for (unsigned i = 2; i <= 4; i++) {
        uint8_t bytes[256];
        char name[] = {'n', (char)('0' + i), 0};
        struct writer w = writer_of(bytes, sizeof bytes);
        message_encode(&w, &(struct message){.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string(name),
                       .address = address_of(i), .versions = bytes_of(versions, sizeof versions)}});
        say(i, writer_bytes(&w));
        struct writer v = begin_message(bytes, sizeof bytes, PARLEY_PUSH); /* it has the store */
        say(i, writer_bytes(&v));
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    hearsay_destroy(node);
    buffer_deinit(&scratch[0]);
    buffer_deinit(&scratch[1]);
    return 0;
}

static const uint8_t truth[] = "\0\0\0\0\0\0\0\1\7releasepayload", lie[] = "\0\0\0\0\0\0\0\1\7releasepayl0ad";

static uint64_t id_of_truth(void)
{
    struct entry_keys keys;
    entry_keys_init(&keys, options.store_secret);
    return siphash_of(&keys.value, bytes_of(truth, sizeof truth - 1));
}

static void what_is_fetched_is_verified_and_another_holder_is_asked(void **state)
{
    (void)state;
    struct hearsay_counters counters;
    uint64_t id = id_of_truth();
    announce(2, id);
    assert_int_equal(dialled, 2);
    connect();
    upload(id, bytes_of(lie, sizeof lie - 1));
    counters = *hearsay_counters(node);
    assert_int_equal(counters.drop_item_bad, 1);
    assert_int_equal(delivered, 0);
    upload(id, bytes_of(truth, sizeof truth - 1)); /* nobody asked for it again */
    assert_int_equal(delivered, 0);
    opened = 0;
    announce(3, id);
    assert_int_equal(dialled, 3);
    connect();
    upload(id, bytes_of(truth, sizeof truth - 1));
    assert_int_equal(delivered, 1);
    assert_int_equal(delivered_id, id);
    opened = 0;
    announce(4, id); /* once is enough */
    assert_int_equal(opened, 0);
    wait(5000000);
    assert_true(announced[2] + announced[4] > 0);
    assert_int_equal(delivered, 1);
}

static unsigned announcements(void)
{
    return announced[2] + announced[3] + announced[4];
}

static void with_judge_events_nothing_is_told_on_before_its_judgement(void **state)
{
    uint64_t id = id_of_truth();
    for (int relay = 0; relay < 2; relay++) {
        stop(state);
        judges = true;
        start(state);
        announce(2, id);
        connect();
        upload(id, bytes_of(truth, sizeof truth - 1));
        assert_int_equal(delivered, 1);
        wait(3000000);
        assert_int_equal(announcements(), 0);
        assert_false(hearsay_judge_event(node, now, id + 1, true));
        assert_true(hearsay_judge_event(node, now, id, relay));
        drain();
        wait(3000000);
        assert_int_equal(announcements() > 0, relay);
        assert_false(relay && hearsay_judge_event(node, now, id, false)); /* it waits for none any more */
    }
    judges = false;
}

/* Who asks for copies is told of one only when it is on our disk. */
static void a_receipt_waits_for_the_disk(void **state)
{
    uint8_t bytes[128];
    is_durable = true;
    stop(state);
    start(state);
    struct writer w = begin_message(bytes, sizeof bytes, PARLEY_PUSH);
    size_t begun = parley_begin(&w, PARLEY_ENTRIES);
    parley_put_entry(&w, &(struct parley_entry){.flags = PARLEY_ENTRY_RECEIPT, .key = bytes_of_string("k"), .value = bytes_of_string("v"),
                                                .hlc = (NOON + now / 1000) << 16, .origin = 5});
    parley_end(&w, begun);
    say(2, writer_bytes(&w));
    assert_int_not_equal(batch, 0);
    say(2, writer_bytes(&w)); /* it asks again: still not */
    assert_int_equal(receipts, 0);
    hearsay_persisted(node, now, batch, true);
    drain();
    assert_int_equal(receipts, 1);
    say(2, writer_bytes(&w));
    assert_int_equal(receipts, 2);
    is_durable = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_fetched_is_verified_and_another_holder_is_asked, start, stop),
        cmocka_unit_test_setup_teardown(with_judge_events_nothing_is_told_on_before_its_judgement, start, stop),
        cmocka_unit_test_setup_teardown(a_receipt_waits_for_the_disk, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
