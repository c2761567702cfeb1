/* SPDX-License-Identifier: MIT
 *
 * Two nodes that hold the shared store, one of which is the fuzzer: a node with a few entries gets any messages of the store, by datagram and
 * by stream, from a member that it knows. Held against it: it lives, its memory stays bounded, and what it says decodes.
 *
 * Input: settings, then messages: how (bit 0: on the stream, bit 1: time goes by first), size (two bytes), bytes after the head.
 */
#include "fuzz.h"

#include "../tests/lib/allocator_counting.h"
#include "wire/frames.h"
#include "wire/message.h"
#include "wire/packet.h"

#include <hearsay/hearsay.h>
#include <string.h>

#define UNIX_MS 1795521600000u

struct life {
    struct hearsay_node *node;
    struct envelope envelope;
    struct allocator_counting counting;
    struct hearsay_allocator memory;
    struct buffer scratch[2];
    uint64_t now;
    uint32_t stream;
};

static const struct hearsay_address other = {.bytes = {10, 0, 0, 2}, .size = 4, .port = 7946};

static void check_said(struct life *l, struct hearsay_bytes bytes)
{
    struct packet packet;
    struct parley_message m;
    FUZZ_CHECK(packet_open(&l->envelope, bytes, l->scratch, &packet) == ENVELOPE_OK);
    for (unsigned i = 0; i < packet.count; i++) {
        FUZZ_CHECK(packet.parts[i].data[0] != MESSAGE_PARLEY || parley_decode(packet.parts[i], &m, NULL));
    }
}

static void drain(struct life *l)
{
    struct hearsay_output output;
    uint32_t opened[8];
    uint64_t item = 0; /* a large event came */
    unsigned count = 0;
    while (hearsay_next_output(l->node, &output)) {
        if (output.type == HEARSAY_SEND_PACKET) {
            check_said(l, output.bytes);
        } else if (output.type == HEARSAY_OPEN_STREAM && count < 8) {
            opened[count++] = output.stream;
        } else if (output.type == HEARSAY_NOTIFY && output.event.type == HEARSAY_LARGE_EVENT) {
            item = output.event.change;
        } else if (output.type == HEARSAY_PERSIST) {
            hearsay_persisted(l->node, l->now, output.persist.batch, output.persist.count % 7 != 6);
        }
    }
    if (item != 0) {
        (void)hearsay_judge_event(l->node, l->now, item, item & 1);
    }
    for (unsigned i = 0; i < count; i++) {
        hearsay_stream_connected(l->node, l->now, opened[i]);
        hearsay_stream_closed(l->node, l->now, opened[i], HEARSAY_CLOSE_RESET);
    }
}

static void hear(struct life *l, struct hearsay_bytes message)
{
    struct buffer out;
    buffer_init(&out, &memory_system);
    FUZZ_CHECK(packet_seal(&l->envelope, &message, 1, false, l->scratch, &out));
    hearsay_receive_packet(l->node, l->now, &other, out.data, out.size);
    buffer_deinit(&out);
    drain(l);
}

static void say_on_stream(struct life *l, struct hearsay_bytes message)
{
    struct buffer out;
    buffer_init(&out, &memory_system);
    FUZZ_CHECK(frames_seal(&l->envelope, message, &out));
    hearsay_receive_stream(l->node, l->now, l->stream, out.data, out.size);
    buffer_deinit(&out);
    drain(l);
}

static struct writer begin(uint8_t *bytes, size_t capacity, enum parley_kind kind, uint64_t now)
{
    struct writer w = writer_of(bytes, capacity);
    struct parley_head head = {.kind = kind, .hlc = (UNIX_MS + now / 1000) << 16, .wall_ms = UNIX_MS + now / 1000};
    parley_put_head(&w, &head);
    return w;
}

static void hello(struct life *l)
{
    uint8_t bytes[64];
    struct writer w = begin(bytes, sizeof bytes, PARLEY_HELLO, l->now);
    size_t begun = parley_begin(&w, PARLEY_NAME);
    writer_put(&w, "n2", 2);
    parley_end(&w, begun);
    l->stream = hearsay_stream_accepted(l->node, l->now, &other);
    FUZZ_CHECK(l->stream != 0);
    say_on_stream(l, writer_bytes(&w));
}

static void be_born(struct life *l, uint8_t settings)
{
    struct hearsay_options o;
    static const uint8_t versions[] = {1, 5, 2, 2, 5, 5};
    hearsay_options_local(&o);
    l->memory = allocator_counting_of(&l->counting);
    l->envelope.memory = &memory_system;
    o.name = "n1";
    o.advertise = (struct hearsay_address){.bytes = {10, 0, 0, 1}, .size = 4, .port = 7946};
    o.compression = 0;
    o.store = 1;
    o.store_mode = 1 + settings % 3;
    o.store_durable = settings >> 2 & 1;
    o.judge_events = settings >> 3 & 1;
    o.store_cassandra = settings >> 4 & 1;
    o.store_value_max = 65536;
    o.store_bytes_max_mib = 4;
    o.allocator = l->memory;
    l->now = 1000000;
    l->node = hearsay_create(&o, l->now, NULL);
    FUZZ_CHECK(l->node != NULL);
    hearsay_set_wall_clock(l->node, l->now, UNIX_MS + l->now / 1000);
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct message alive = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string("n2"), .address = other,
                                                             .versions = bytes_of(versions, sizeof versions)}};
    message_encode(&w, &alive);
    hear(l, writer_bytes(&w));
    for (char c = 'a'; c < 'a' + (settings >> 5) * 3; c++) {
        char key[] = {'k', c};
        FUZZ_CHECK(hearsay_put(l->node, l->now, bytes_of(key, 2), bytes_of(key, 2), c == 'c' ? 2000 : 0, c % 3 == 0 ? 2 : 1, NULL) == HEARSAY_OK);
        drain(l);
    }
}

static void pass_time(struct life *l, uint64_t us)
{
    uint64_t until = l->now + us;
    for (unsigned i = 0; i < 2000 && hearsay_next_deadline(l->node) <= until; i++) {
        uint64_t next = hearsay_next_deadline(l->node);
        l->now = next > l->now ? next : l->now;
        hearsay_tick(l->node, l->now);
        drain(l);
    }
    l->now = until;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    struct life l = {.stream = 0};
    buffer_init(&l.scratch[0], &memory_system);
    buffer_init(&l.scratch[1], &memory_system);
    be_born(&l, reader_u8(&r));
    while (reader_left(&r) > 4) {
        static uint8_t bytes[70000];
        uint8_t how = reader_u8(&r), kind = reader_u8(&r);
        uint16_t length = reader_u16(&r);
        struct hearsay_bytes body = reader_take(&r, length <= reader_left(&r) ? length : reader_left(&r));
        if (how & 2) {
            pass_time(&l, (uint64_t)(how >> 2) * 100000);
        }
        struct writer w = begin(bytes, sizeof bytes, (enum parley_kind)(kind % 16), l.now);
        writer_put(&w, body.data, body.size);
        if (how & 1) {
            hello(&l);
            say_on_stream(&l, writer_bytes(&w));
        } else if (w.size < 60000) {
            hear(&l, writer_bytes(&w));
        }
        FUZZ_CHECK(l.counting.bytes < (size_t)(8u << 20) + 200 * size);
    }
    pass_time(&l, 3000000);
    hearsay_destroy(l.node);
    FUZZ_CHECK(l.counting.blocks == 0);
    buffer_deinit(&l.scratch[0]);
    buffer_deinit(&l.scratch[1]);
    return 0;
}
