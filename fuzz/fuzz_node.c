/* SPDX-License-Identifier: MIT
 *
 * A whole node: datagrams, streams and time in any order. Input: settings, then records of a kind, a size (u16) and bytes. It survives, asks for
 * no more memory than it received allows, answers a datagram with few packets, and those that are acks go where they may.
 */
#include "fuzz.h"

#include <hearsay/hearsay.h>
#include <stdio.h>

enum { RECORD_PACKET, RECORD_ACCEPT, RECORD_STREAM, RECORD_CLOSE, RECORD_TICK, RECORD_KINDS };

#define ANSWERS_MAX 64 /* eight acks, and copies of what the datagram told, to the few members there are */

static size_t held;

/* Sizes stand in front of blocks, so that what is held is known. */
static void *resize(void *context, void *old, size_t size)
{
    size_t *block = old == NULL ? NULL : (size_t *)old - 2;
    (void)context;
    held -= block == NULL ? 0 : block[0];
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof *block);
    FUZZ_CHECK(block != NULL);
    block[0] = size;
    held += size;
    return block + 2;
}

static struct hearsay_node *create(uint8_t settings, struct cipher_nettle *cipher)
{
    struct hearsay_options options;
    struct envelope e;
    fuzz_envelope(&e, cipher, settings);
    hearsay_options_lan(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .size = 4, .port = 7946};
    options.seed = 1;
    options.label = e.label_size > 0 ? "blue" : NULL;
    options.cipher = e.cipher;
    options.key_count = e.key_count;
    for (size_t i = 0; i < e.key_count; i++) {
        options.keys[i] = e.keys[i];
    }
    options.verify_incoming = e.verify_incoming;
    options.encryption_version = e.encryption_version;
    options.personality = settings & FUZZ_CRC ? HEARSAY_MEMBERLIST : HEARSAY_SERF;
    options.allocator.resize = resize;
    return hearsay_create(&options, 1000000, NULL);
}

static unsigned drain(struct hearsay_node *node)
{
    struct hearsay_output output;
    unsigned packets = 0;
    while (hearsay_next_output(node, &output)) {
        packets += output.type == HEARSAY_SEND_PACKET;
        if (output.type == HEARSAY_SEND_PACKET || output.type == HEARSAY_SEND_STREAM) {
            FUZZ_CHECK(output.bytes.size > 0);
        }
        if (output.type == HEARSAY_OPEN_STREAM) {
            hearsay_stream_closed(node, 0, output.stream, HEARSAY_CLOSE_REFUSED);
        }
    }
    return packets;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hearsay_address from = {.bytes = {127, 0, 0, 2}, .size = 4, .port = 7946};
    struct cipher_nettle cipher;
    uint64_t now = 1000000;
    uint32_t stream = 0;
    size_t received = 0, at = 1;
    if (size < 1) {
        return 0;
    }
    held = 0;
    struct hearsay_node *node = create(data[0], &cipher);
    FUZZ_CHECK(node != NULL);
    (void)drain(node);
    size_t empty = held;
    while (at + 3 <= size) {
        uint8_t kind = data[at] % RECORD_KINDS;
        size_t wanted = (size_t)data[at + 1] << 8 | data[at + 2], left = size - at - 3;
        size_t length = wanted < left ? wanted : left;
        const uint8_t *bytes = data + at + 3;
        at += 3 + length;
        received += length + 3;
        switch (kind) {
        case RECORD_PACKET:
            hearsay_receive_packet(node, now, &from, bytes, length);
            FUZZ_CHECK(drain(node) <= ANSWERS_MAX);
            break;
        case RECORD_ACCEPT:
            stream = hearsay_stream_accepted(node, now, &from);
            break;
        case RECORD_STREAM:
            hearsay_receive_stream(node, now, stream, bytes, length);
            break;
        case RECORD_CLOSE:
            hearsay_stream_closed(node, now, stream, HEARSAY_CLOSE_END);
            break;
        case RECORD_TICK:
            now += (uint64_t)wanted * 10000;
            hearsay_tick(node, now);
            break;
        }
        (void)drain(node);
        /* rings for events and queries appear with the first one; compression may blow a stream up, within its limit */
        FUZZ_CHECK(held <= empty + 262144 + 1024 * received);
    }
    hearsay_destroy(node);
    FUZZ_CHECK(held == 0);
    return 0;
}
