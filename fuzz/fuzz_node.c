/* SPDX-License-Identifier: MIT
 *
 * A whole node among people who mean no good: datagrams and streams of any bytes from four places, and time going by. Sealed with its key
 * on request, so that fuzzing reaches behind the cipher. Held against it: memory bounded by what it received, at most eight answers to a
 * datagram, and none to places that neither sent anything nor belong to a member.
 *
 * Input: settings, then steps of one byte (what in bits 0..2, from whom in 3..4, sealed in 5), a size (two bytes) and bytes.
 */
#include "fuzz.h"

#include "../tests/lib/allocator_counting.h"
#include "wire/message.h"
#include "wire/packet.h"
#include "wire/stream.h"

#include <hearsay/hearsay.h>
#include <string.h>

#define STREAMS 8
#define TARGETS 512
#define BYTES_PER_BYTE 128          /* of memory for each byte received: an identity and its rumours for the smallest claim */
#define BYTES_BEFORE ((size_t)1 << 20) /* tables made on first use, and one datagram decompressed */

enum step { STEP_PACKET, STEP_CALL, STEP_STREAM, STEP_END, STEP_TIME, STEP_LONG_TIME, STEP_JOIN, STEP_EVENT };
enum { STEP_SEALED = 32 };

static const char name_of_self[] = "n1";

struct life {
    struct hearsay_node *node;
    struct envelope envelope;
    struct cipher_nettle cipher;
    struct allocator_counting counting;
    uint64_t now;
    size_t received;
    uint32_t streams[STREAMS];
    unsigned stream_count;
    struct hearsay_address targets[TARGETS]; /* whom it was asked to ping, or joined */
    unsigned target_count;
};

static struct hearsay_address place(uint8_t number)
{
    return (struct hearsay_address){.bytes = {10, 0, 0, number}, .size = 4, .port = 7946};
}

static bool is_same(const struct hearsay_address *a, const struct hearsay_address *b)
{
    return a->port == b->port && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* May the node send there? v4 and v4-mapped are the same place, which the node knows; here a mapped one is let pass. */
static bool is_fair(const struct life *life, const struct hearsay_address *to)
{
    struct hearsay_member member;
    size_t position = 0;
    for (uint8_t i = 0; i < 4; i++) {
        struct hearsay_address source = place(i);
        if (is_same(&source, to)) {
            return true;
        }
    }
    for (unsigned i = 0; i < life->target_count; i++) {
        const struct hearsay_address *asked = &life->targets[i]; /* a port that is missing becomes ours */
        if (asked->size == to->size && memcmp(asked->bytes, to->bytes, to->size) == 0) {
            return true;
        }
    }
    while (hearsay_next_member(life->node, &position, &member)) {
        if (is_same(&member.address, to) || member.address.size != to->size) {
            return true;
        }
    }
    return false;
}

static void remember_target(struct life *life, const struct hearsay_address *address)
{
    if (life->target_count < TARGETS) {
        life->targets[life->target_count++] = *address;
    }
}

static void keep_stream(struct life *life, uint32_t stream)
{
    if (stream != 0) {
        life->streams[life->stream_count++ % STREAMS] = stream;
    }
}

/* Answers how many datagrams went out. */
static unsigned take_outputs(struct life *life, bool is_checked)
{
    struct hearsay_output output;
    unsigned packets = 0;
    uint32_t opened[16];
    unsigned count = 0;
    while (hearsay_next_output(life->node, &output)) {
        if (output.type == HEARSAY_SEND_PACKET) {
            packets++;
            FUZZ_CHECK(output.bytes.size > 0 && output.bytes.size <= 65507);
            FUZZ_CHECK(!is_checked || is_fair(life, &output.address));
        } else if (output.type == HEARSAY_OPEN_STREAM && count < 16) {
            opened[count++] = output.stream;
        } else if (output.type == HEARSAY_NOTIFY) {
            struct hearsay_key key;
            bool is_primary;
            FUZZ_CHECK(output.event.type < HEARSAY_EVENT_COUNT);
            for (size_t position = 0; hearsay_next_key(&output.event, &position, &key, &is_primary);) {
                FUZZ_CHECK(key.size == 16 || key.size == 24 || key.size == 32);
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        hearsay_stream_connected(life->node, life->now, opened[i]);
        keep_stream(life, opened[i]);
        packets += take_outputs(life, false);
    }
    return packets;
}

/* Notes whom a datagram asks to be pinged, and counts the messages that make the node speak without being a question: acks that it passes
 * on, and relays of Serf. */
static unsigned look_into(struct life *life, struct hearsay_bytes datagram)
{
    struct packet packet;
    struct message m;
    struct buffer scratch[2];
    unsigned others = 0;
    buffer_init(&scratch[0], &memory_system);
    buffer_init(&scratch[1], &memory_system);
    if (packet_open(&life->envelope, datagram, scratch, &packet) == ENVELOPE_OK) {
        for (unsigned i = 0; i < packet.count; i++) {
            bool is_read = message_decode(packet.parts[i], &m);
            if (is_read && m.type == MESSAGE_INDIRECT_PING) {
                remember_target(life, &m.indirect_ping.target);
            }
            others += is_read && (m.type == MESSAGE_ACK || m.type == MESSAGE_USER);
        }
    }
    buffer_deinit(&scratch[0]);
    buffer_deinit(&scratch[1]);
    return others;
}

static void send_packet(struct life *life, uint8_t from, struct hearsay_bytes bytes, bool is_sealed)
{
    struct buffer scratch[2], out;
    struct hearsay_address source = place(from);
    buffer_init(&scratch[0], &memory_system);
    buffer_init(&scratch[1], &memory_system);
    buffer_init(&out, &memory_system);
    if (is_sealed && bytes.size > 0) {
        FUZZ_CHECK(packet_seal(&life->envelope, &bytes, 1, false, scratch, &out));
        bytes = buffer_bytes(&out);
    }
    unsigned others = look_into(life, bytes);
    life->received += bytes.size;
    hearsay_receive_packet(life->node, life->now, &source, bytes.data, bytes.size);
    FUZZ_CHECK(take_outputs(life, true) <= 8 + others);
    buffer_deinit(&scratch[0]);
    buffer_deinit(&scratch[1]);
    buffer_deinit(&out);
}

static void send_stream(struct life *life, uint8_t which, struct hearsay_bytes bytes, bool is_sealed)
{
    struct buffer out;
    buffer_init(&out, &memory_system);
    if (is_sealed && bytes.size > 0) {
        FUZZ_CHECK(stream_seal(&life->envelope, true, bytes, &out));
        bytes = buffer_bytes(&out);
    }
    life->received += bytes.size;
    unsigned known = life->stream_count < STREAMS ? life->stream_count : STREAMS;
    if (known > 0) { /* the newest first */
        hearsay_receive_stream(life->node, life->now, life->streams[(life->stream_count - 1 - which % known) % STREAMS], bytes.data,
                               bytes.size);
    }
    buffer_deinit(&out);
}

/* The host speaks: an event, a question with filters, an answer, or what it wants of all keyrings. */
static void speak(struct life *life, uint8_t how, struct hearsay_bytes bytes)
{
    static const char *const names[] = {"n1", "n2"};
    static const struct hearsay_tag tag = {"role", "web"};
    struct hearsay_question question = {.name = "ask", .payload = bytes, .wants_acks = true, .relay_factor = (uint8_t)bytes.size};
    struct hearsay_key key = {.size = 16};
    uint32_t ticket;
    if (how == 0) {
        (void)!hearsay_send_event(life->node, life->now, "deploy", bytes.data, bytes.size, false);
    } else if (how == 1) {
        question.nodes = names;
        question.node_count = bytes.size % 3;
        question.tags = &tag;
        question.tag_count = bytes.size / 3 % 2;
        (void)!hearsay_query(life->node, life->now, &question, &ticket);
    } else if (how == 2) {
        (void)!hearsay_respond(life->node, life->now, bytes.size > 0 ? bytes.data[0] : 1, bytes.data, bytes.size);
    } else {
        memcpy(key.bytes, bytes.data, bytes.size < 16 ? bytes.size : 16);
        (void)!hearsay_query_keys(life->node, life->now, (enum hearsay_key_wish)(bytes.size % 4), &key, 1, &ticket);
    }
}

static void do_step(struct life *life, uint8_t step, struct hearsay_bytes bytes)
{
    uint8_t from = step >> 3 & 3;
    struct hearsay_address source = place(from);
    struct hearsay_target target = {.address = source};
    uint32_t ticket;
    switch ((enum step)(step & 7)) {
    case STEP_PACKET:
        send_packet(life, from, bytes, (step & STEP_SEALED) != 0);
        return;
    case STEP_CALL:
        keep_stream(life, hearsay_stream_accepted(life->node, life->now, &source));
        send_stream(life, 0, bytes, (step & STEP_SEALED) != 0);
        break;
    case STEP_STREAM:
        send_stream(life, from, bytes, (step & STEP_SEALED) != 0);
        break;
    case STEP_END:
        hearsay_stream_closed(life->node, life->now, life->streams[(life->stream_count + from) % STREAMS],
                              (enum hearsay_close)(bytes.size % 4));
        break;
    case STEP_TIME:
        life->now += 1000 * (bytes.size + 1);
        hearsay_tick(life->node, life->now);
        break;
    case STEP_LONG_TIME:
        for (unsigned i = 0; i < 50; i++) {
            uint64_t due = hearsay_next_deadline(life->node);
            life->now = due == UINT64_MAX || due < life->now ? life->now + 1000 : due;
            hearsay_tick(life->node, life->now);
            (void)take_outputs(life, false);
        }
        break;
    case STEP_JOIN:
        (void)!hearsay_join(life->node, life->now, &target, 1, (bytes.size & 1) != 0, &ticket);
        break;
    case STEP_EVENT:
        speak(life, from, bytes);
        break;
    }
    (void)take_outputs(life, false);
}

static bool begins(void *context, struct hearsay_bytes expression, struct hearsay_bytes text)
{
    (void)context;
    return expression.size <= text.size && memcmp(expression.data, text.data, expression.size) == 0;
}

static void start(struct life *life, uint8_t settings)
{
    struct hearsay_options options;
    fuzz_envelope(&life->envelope, &life->cipher, settings);
    hearsay_options_lan(&options);
    if (settings & FUZZ_INBOUND) {
        hearsay_options_memberlist(&options);
    }
    options.name = name_of_self;
    options.advertise = place(9);
    options.label = settings & FUZZ_LABEL ? "blue" : NULL;
    options.seed = 1;
    memcpy(options.keys, life->envelope.keys, sizeof options.keys);
    options.key_count = life->envelope.key_count;
    options.cipher = life->envelope.cipher;
    options.verify_incoming = life->envelope.verify_incoming;
    options.skip_label_check = life->envelope.skip_label_check;
    options.encryption_version = life->envelope.encryption_version;
    options.compression = life->envelope.compression;
    options.matcher.match = begins;
    options.allocator = allocator_counting_of(&life->counting);
    life->node = hearsay_create(&options, life->now, NULL);
    FUZZ_CHECK(life->node != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct life life;
    if (size < 1) {
        return 0;
    }
    life = (struct life){.now = 1000000};
    start(&life, data[0]);
    (void)take_outputs(&life, false);
    for (size_t at = 1; at + 3 <= size;) {
        size_t length = (size_t)(data[at + 1] << 8 | data[at + 2]);
        length = length < size - at - 3 ? length : size - at - 3;
        do_step(&life, data[at], bytes_of(data + at + 3, length));
        FUZZ_CHECK((data[0] & FUZZ_COMPRESS) || life.counting.bytes_most <= BYTES_BEFORE + BYTES_PER_BYTE * life.received);
        at += 3 + length;
    }
    hearsay_destroy(life.node);
    FUZZ_CHECK(life.counting.blocks == 0);
    return 0;
}
