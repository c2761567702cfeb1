/* SPDX-License-Identifier: MIT
 *
 * Seeds of the shared store's messages: one or more of every kind, bare for parley_message, framed for frames. See seeds.h.
 */
#include "seeds.h"

#include "fuzz.h"

#include "wire/frames.h"

static void both(const struct writer *w)
{
    struct envelope e;
    struct cipher_nettle cipher;
    struct hearsay_bytes message = writer_bytes(w);
    seed("parley", 255, message);
    seed("parley", 40, message);
    for (int settings = 0; settings < 256; settings += 85) { /* of exchange: twice by datagram, once on a stream, after the head */
        uint8_t bytes[3 * 4100];
        struct writer v = writer_of(bytes, sizeof bytes);
        for (int how = 0; how < 3 && message.size >= PARLEY_HEAD_BYTES; how++) {
            writer_u8(&v, how == 2 ? 1 : 30);
            writer_u8(&v, message.data[1] & 15);
            writer_u16(&v, (uint16_t)(message.size - PARLEY_HEAD_BYTES));
            writer_put(&v, message.data + PARLEY_HEAD_BYTES, message.size - PARLEY_HEAD_BYTES);
        }
        seed("exchange", settings, writer_bytes(&v));
    }
    for (int settings = 0; settings < 4; settings++) {
        struct buffer out;
        static const uint8_t piece = 9;
        fuzz_envelope(&e, &cipher, (uint8_t)settings);
        buffer_init(&out, e.memory);
        if (!buffer_append(&out, &piece, 1) || !frames_seal(&e, message, &out) || !frames_seal(&e, message, &out)) {
            seed_stop("frames", "out of memory");
        }
        seed("frames", settings, buffer_bytes(&out));
        buffer_deinit(&out);
    }
}

static struct writer begin(uint8_t *bytes, size_t capacity, enum parley_kind kind)
{
    struct writer w = writer_of(bytes, capacity);
    struct parley_head head = {
        .kind = kind, .hlc = UINT64_C(1795521600000) << 16, .wall_ms = UINT64_C(1795521599000), .purge_minute = 29925000};
    parley_put_head(&w, &head);
    return w;
}

static void put_entries(struct writer *w)
{
    struct parley_entry list[] = {
        {.key = bytes_of_string("config/a"), .value = bytes_of_string("value"), .hlc = UINT64_C(1795521600000) << 16, .origin = 77},
        {.flags = PARLEY_ENTRY_TOMBSTONE | PARLEY_ENTRY_RECEIPT, .key = bytes_of_string("gone"), .hlc = 5, .origin = 6},
        {.flags = PARLEY_ENTRY_EXPIRES,
         .key = bytes_of_string("e"),
         .value = bytes_of_string("x"),
         .hlc = 5,
         .origin = 6,
         .expires_hlc = 9},
        {.flags = PARLEY_ENTRY_OFFER, .key = bytes_of_string("large"), .value_size = 500000, .hlc = 5, .origin = 6},
    };
    size_t begun = parley_begin(w, PARLEY_ENTRIES);
    for (size_t i = 0; i < 4; i++) {
        parley_put_entry(w, &list[i]);
    }
    parley_end(w, begun);
}

static void put_tree(struct writer *w, enum parley_section_type prints_type)
{
    static const uint32_t prints[] = {1, 0xffffffff};
    struct parley_nodes nodes[] = {{.parent = 3, .bitmap = 0x8101, .digests = {[0] = 1, [8] = 2, [15] = 3}}, {.parent = 200, .bitmap = 1}};
    uint32_t next = 0;
    size_t begun = parley_begin(w, PARLEY_NODES);
    writer_u8(w, 12);
    parley_put_nodes(w, &next, &nodes[0]);
    parley_put_nodes(w, &next, &nodes[1]);
    parley_end(w, begun);
    begun = parley_begin(w, prints_type);
    writer_u8(w, 16);
    next = 0;
    parley_put_prints(w, &next, 5, prints, 2);
    parley_put_prints(w, &next, 6, NULL, 0);
    parley_end(w, begun);
}

void seeds_parley(void)
{
    static uint8_t bytes[4096];
    static const uint64_t numbers[] = {1, UINT64_MAX, 3, 4};
    struct parley_beacon beacon = {.epoch = 1795521597, .count = 1000000, .digest = 0x1122334455667788u};
    struct parley_session session = {.sequence = 1, .epoch = 1795521597, .salt = 7, .part = 2, .is_last = true};
    struct parley_range range = {.first = 0, .last = UINT64_MAX, .bytes = 262144};
    for (int kind = PARLEY_PUSH; kind <= PARLEY_ACK2; kind++) {
        struct writer w = begin(bytes, sizeof bytes, (enum parley_kind)kind);
        parley_put_beacon(&w, &beacon);
        both(&w);
        parley_put_numbers(&w, PARLEY_IDS, numbers, 4);
        parley_put_numbers(&w, PARLEY_WANTED, numbers, 2);
        parley_put_numbers(&w, PARLEY_ITEMS, numbers, 1);
        put_entries(&w);
        both(&w);
    }
    for (int kind = PARLEY_ASK; kind <= PARLEY_TELL; kind++) {
        struct writer w = begin(bytes, sizeof bytes, (enum parley_kind)kind);
        parley_put_session(&w, &session);
        put_tree(&w, PARLEY_PRINTS);
        both(&w);
        w = begin(bytes, sizeof bytes, (enum parley_kind)kind);
        parley_put_session(&w, &session);
        put_tree(&w, PARLEY_WANTED_PRINTS);
        parley_put_numbers(&w, PARLEY_OFFERS, numbers, 4);
        parley_put_numbers(&w, PARLEY_WANTED_KEYS, numbers, 3);
        put_entries(&w);
        both(&w);
        w = begin(bytes, sizeof bytes, (enum parley_kind)kind);
        parley_put_session(&w, &session);
        parley_put_range(&w, &range);
        parley_put_status(&w, PARLEY_BUSY, 100);
        both(&w);
    }
    for (int kind = PARLEY_RECEIPT; kind <= PARLEY_HELLO; kind++) {
        struct writer w = begin(bytes, sizeof bytes, (enum parley_kind)kind);
        parley_put_numbers(&w, PARLEY_IDS, numbers, 2);
        size_t begun = parley_begin(&w, PARLEY_BODY);
        parley_put_u64(&w, 1);
        writer_u8(&w, 1);
        writer_put(&w, "payload", 7);
        parley_end(&w, begun);
        begun = parley_begin(&w, PARLEY_EQUAL);
        parley_put_u64(&w, 1);
        writer_u32(&w, 1795521597);
        parley_end(&w, begun);
        begun = parley_begin(&w, PARLEY_NAME);
        writer_put(&w, "n2", 2);
        parley_end(&w, begun);
        both(&w);
        parley_put_status(&w, kind == PARLEY_ITEM ? PARLEY_NOT_FOUND : PARLEY_YIELD, 100);
        both(&w);
    }
}
