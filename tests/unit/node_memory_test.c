/* SPDX-License-Identifier: MIT
 *
 * A node's whole life with one allocation failing, once for every allocation it makes: nothing breaks, nothing leaks, and the two nodes agree
 * soon after. And what a node is sent: memory grows with the bytes received, whatever lengths they claim.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../lib/allocator_counting.h"
#include "wire/lzw.h"
#include "wire/message.h"
#include "wire/stream.h"
#include <hearsay/hearsay.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two nodes and the wire between them, which loses nothing and takes no time. */
struct pair {
    struct hearsay_node *nodes[2];
    struct allocator_counting counting;
    uint64_t now;
    struct {
        uint32_t ids[2]; /* of the same stream at both ends */
    } streams[64];
    unsigned stream_count;
    unsigned events[2];
};

static struct hearsay_address place(unsigned number)
{
    return (struct hearsay_address){.bytes = {127, 0, 0, (uint8_t)(number + 1)}, .size = 4, .port = 7946};
}

static struct hearsay_node *create(const char *name, unsigned number, struct allocator_counting *counting)
{
    struct hearsay_options options;
    struct hearsay_tag tag = {"role", "web"};
    hearsay_options_local(&options);
    options.name = name;
    options.advertise = place(number);
    options.seed = number + 1;
    options.tags = &tag;
    options.tag_count = 1;
    options.push_pull_interval_ms = 5000;
    if (counting != NULL) {
        options.allocator = allocator_counting_of(counting);
    }
    return hearsay_create(&options, 1000000, NULL);
}

static uint32_t other_end(struct pair *p, unsigned side, uint32_t id)
{
    for (unsigned i = p->stream_count; i-- > 0;) {
        if (p->streams[i % 64].ids[side] == id) {
            return p->streams[i % 64].ids[1 - side];
        }
    }
    return 0;
}

static void carry(struct pair *p, unsigned side, const struct hearsay_output *output)
{
    struct hearsay_node *self = p->nodes[side], *other = p->nodes[1 - side];
    struct hearsay_address from = place(side);
    bool is_there = memcmp(output->address.bytes, (uint8_t[]){127, 0, 0, (uint8_t)(2 - side)}, 4) == 0;
    uint32_t id = output->stream;
    switch (output->type) {
    case HEARSAY_SEND_PACKET:
        if (is_there) {
            hearsay_receive_packet(other, p->now, &from, output->bytes.data, output->bytes.size);
        }
        break;
    case HEARSAY_OPEN_STREAM: {
        uint32_t theirs = is_there ? hearsay_stream_accepted(other, p->now, &from) : 0;
        if (theirs == 0) {
            hearsay_stream_closed(self, p->now, id, HEARSAY_CLOSE_REFUSED);
            break;
        }
        p->streams[p->stream_count % 64].ids[side] = id;
        p->streams[p->stream_count++ % 64].ids[1 - side] = theirs;
        hearsay_stream_connected(self, p->now, id);
        break;
    }
    case HEARSAY_SEND_STREAM:
        hearsay_receive_stream(other, p->now, other_end(p, side, id), output->bytes.data, output->bytes.size);
        break;
    case HEARSAY_CLOSE_STREAM:
        hearsay_stream_closed(other, p->now, other_end(p, side, id), HEARSAY_CLOSE_END);
        break;
    case HEARSAY_PERSIST:
        hearsay_persisted(self, p->now, output->persist.batch, true);
        break;
    case HEARSAY_NOTIFY:
        p->events[side] += output->event.type == HEARSAY_USER_EVENT;
        break;
    }
}

static void settle(struct pair *p)
{
    struct hearsay_output output;
    bool is_busy = true;
    while (is_busy) {
        is_busy = false;
        for (unsigned side = 0; side < 2; side++) {
            while (hearsay_next_output(p->nodes[side], &output)) {
                carry(p, side, &output);
                is_busy = true;
            }
        }
    }
}

static void advance(struct pair *p, uint64_t ms)
{
    uint64_t until = p->now + ms * 1000;
    settle(p);
    for (;;) {
        uint64_t first = hearsay_next_deadline(p->nodes[0]), second = hearsay_next_deadline(p->nodes[1]);
        unsigned side = second < first;
        if ((side ? second : first) > until) {
            break;
        }
        p->now = side ? second : first;
        hearsay_tick(p->nodes[side], p->now);
        settle(p);
    }
    p->now = until;
}

static void call(struct pair *p)
{
    struct hearsay_target target = {.address = place(1)};
    uint32_t ticket;
    (void)!hearsay_join(p->nodes[0], p->now, &target, 1, false, &ticket);
}

static bool agree(struct pair *p)
{
    struct hearsay_member member;
    return hearsay_find_member(p->nodes[0], "b", &member) && member.status == HEARSAY_ALIVE &&
           hearsay_find_member(p->nodes[1], "a", &member) && member.status == HEARSAY_ALIVE;
}

/* Answers how many allocations node a made; all after fail_from = 0 succeed. */
static size_t live(size_t fail_from)
{
    struct pair p = {.now = 1000000, .counting = {.fail_from = fail_from, .fail_once = true}};
    struct hearsay_tag tag = {"role", "db"};
    struct hearsay_member member;
    p.nodes[0] = create("a", 0, &p.counting);
    if (p.nodes[0] == NULL) {
        assert_int_equal(p.counting.failures, 1);
        assert_int_equal(p.counting.blocks, 0);
        return p.counting.calls;
    }
    p.nodes[1] = create("b", 1, NULL);
    call(&p);
    advance(&p, 2000);
    (void)!hearsay_send_event(p.nodes[0], p.now, "one", "1", 1, false);
    assert_int_equal(hearsay_send_event(p.nodes[1], p.now, "two", "2", 1, false), HEARSAY_OK);
    advance(&p, 2000);
    (void)!hearsay_set_tags(p.nodes[0], p.now, &tag, 1);
    assert_int_equal(hearsay_set_tags(p.nodes[1], p.now, &tag, 1), HEARSAY_OK);
    (void)!hearsay_force_leave(p.nodes[0], p.now, "nobody", false);
    (void)!hearsay_remember(p.nodes[0], p.now, "former", &(struct hearsay_address){.bytes = {127, 0, 0, 9}, .size = 4, .port = 1});
    advance(&p, 20000);
    if (!agree(&p)) {
        call(&p); /* the failure hit the joining itself */
        advance(&p, 5000);
    }
    assert_true(agree(&p));
    assert_true(hearsay_find_member(p.nodes[0], "b", &member) && member.meta.size > 0 &&
                memmem(member.meta.data, member.meta.size, "db", 2) != NULL);
    (void)!hearsay_leave(p.nodes[0], p.now);
    advance(&p, 10000);
    size_t calls = p.counting.calls;
    hearsay_destroy(p.nodes[0]);
    hearsay_destroy(p.nodes[1]);
    assert_int_equal(p.counting.blocks, 0);
    return calls;
}

static void any_single_allocation_may_fail(void **state)
{
    (void)state;
    size_t calls = live(0);
    assert_true(calls > 50);
    for (size_t n = 1; n <= calls + 20; n++) {
        (void)live(n);
    }
}

/* ---- memory and bytes received -------------------------------------------------------------------------------------------- */

struct alone {
    struct allocator_counting counting;
    struct hearsay_node *node;
    size_t at_rest;
};

static int setup(void **state)
{
    static struct alone alone;
    alone = (struct alone){0};
    alone.node = create("a", 0, &alone.counting);
    struct hearsay_output output;
    while (alone.node != NULL && hearsay_next_output(alone.node, &output)) {
    }
    alone.at_rest = alone.counting.bytes;
    *state = &alone;
    return alone.node == NULL;
}

static int teardown(void **state)
{
    struct alone *alone = *state;
    hearsay_destroy(alone->node);
    return alone->counting.blocks == 0 ? 0 : -1;
}

static uint32_t call_in(struct alone *alone)
{
    struct hearsay_address from = place(7);
    uint32_t stream = hearsay_stream_accepted(alone->node, 1000000, &from);
    assert_true(stream != 0);
    return stream;
}

/* A push/pull that says it brings a million members and 20 MiB of state, on as many streams as there may be, costs next to nothing. */
static void what_a_stream_promises_is_not_reserved(void **state)
{
    struct alone *alone = *state;
    static const uint8_t header[] = {6, 0x83, 0xa5, 'N', 'o', 'd', 'e', 's', 0xce, 0, 0x10, 0, 0, 0xac, 'U', 's', 'e', 'r', 'S', 't', 'a', 't',
                                     'e', 'L', 'e', 'n', 0xce, 1, 0x40, 0, 0, 0xa4, 'J', 'o', 'i', 'n', 0xc3};
    for (unsigned i = 0; i < 64; i++) {
        hearsay_receive_stream(alone->node, 1000000, call_in(alone), header, sizeof header);
    }
    assert_in_range(alone->counting.bytes_most, 0, alone->at_rest + (size_t)64 * 2048);
}

/* 2 MiB of zeros in a few KiB: refused as a datagram; as a stream it may open, but is gone afterwards. */
static void a_bomb_leaves_nothing_behind(void **state)
{
    struct alone *alone = *state;
    struct buffer plain, bomb;
    struct hearsay_address from = place(7);
    buffer_init(&plain, &memory_system);
    buffer_init(&bomb, &memory_system);
    void *zeros = calloc(1, 2u << 20);
    assert_true(buffer_append(&plain, zeros, 2u << 20) && envelope_compress(buffer_bytes(&plain), &bomb));
    assert_in_range(bomb.size, 1000, 60000);
    hearsay_receive_packet(alone->node, 1000000, &from, bomb.data, bomb.size);
    assert_int_equal(hearsay_counters(alone->node)->drop_lzw, 1);
    assert_in_range(alone->counting.bytes_most, 0, alone->at_rest + 3 * 65536);
    hearsay_receive_stream(alone->node, 1000000, call_in(alone), bomb.data, bomb.size);
    assert_int_equal(hearsay_counters(alone->node)->drop_stream_bad + hearsay_counters(alone->node)->drop_unknown_type +
                         hearsay_counters(alone->node)->drop_malformed > 0, 1);
    struct hearsay_output output;
    while (hearsay_next_output(alone->node, &output)) {
    }
    assert_in_range(alone->counting.bytes, 0, alone->at_rest + 4 * 65536);
    free(zeros);
    buffer_deinit(&plain);
    buffer_deinit(&bomb);
}

static void send_versions(struct alone *alone, unsigned count, bool by_stream)
{
    uint8_t bytes[300];
    char name[8] = {'v', (char)('0' + count), by_stream ? 's' : 'p', '\0'};
    struct hearsay_address from = place(7);
    struct writer w = writer_of(bytes, sizeof bytes);
    if (by_stream) {
        message_encode_push_pull_header(&w, &(struct message_push_pull_header){.nodes = 1});
    } else {
        writer_u8(&w, MESSAGE_ALIVE);
    }
    msgpack_put_map(&w, by_stream ? 7 : 6);
    msgpack_put_text(&w, by_stream ? "Name" : "Node");
    msgpack_put_text(&w, name);
    msgpack_put_text(&w, "Addr");
    msgpack_put_raw(&w, bytes_of(from.bytes, 4));
    msgpack_put_text(&w, "Port");
    msgpack_put_uint(&w, 7946);
    msgpack_put_text(&w, "Meta");
    msgpack_put_raw(&w, bytes_of(NULL, 0));
    msgpack_put_text(&w, "Incarnation");
    msgpack_put_uint(&w, 1);
    if (by_stream) {
        msgpack_put_text(&w, "State");
        msgpack_put_uint(&w, 0);
    }
    msgpack_put_text(&w, "Vsn");
    msgpack_put_raw(&w, bytes_of((const uint8_t[]){1, 5, 2, 2, 5, 5, 9}, count));
    assert_false(w.is_full);
    if (by_stream) {
        hearsay_receive_stream(alone->node, 1000000, call_in(alone), bytes, w.size);
    } else {
        hearsay_receive_packet(alone->node, 1000000, &from, bytes, w.size);
    }
}

static void versions_of_zero_to_seven_numbers_do_no_harm(void **state)
{
    struct alone *alone = *state;
    struct hearsay_member member;
    for (unsigned count = 0; count <= 7; count++) {
        send_versions(alone, count, false);
        send_versions(alone, count, true);
        char name[8] = {'v', (char)('0' + count), 'p', '\0'};
        assert_true(hearsay_find_member(alone->node, name, &member)); /* as memberlist has it */
        assert_int_equal(member.versions[1], count == 6 ? 5 : 0);     /* only six numbers are taken for versions */
    }
}

/* Many claims about nobodies: each costs what it brought and a little more, and members_max ends it. */
static void claims_cost_what_they_bring(void **state)
{
    struct alone *alone = *state;
    struct hearsay_address from = place(7);
    struct hearsay_output output;
    size_t received = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        uint8_t bytes[300];
        char name[16];
        struct writer w = writer_of(bytes, sizeof bytes);
        snprintf(name, sizeof name, "x%u", i);
        struct message m = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string(name), .address = from,
                                                             .versions = bytes_of((const uint8_t[]){1, 5, 2, 2, 5, 5}, 6)}};
        message_encode(&w, &m);
        hearsay_receive_packet(alone->node, 1000000, &from, bytes, w.size);
        received += w.size;
        while (hearsay_next_output(alone->node, &output)) {
        }
    }
    assert_in_range(alone->counting.bytes, 0, alone->at_rest + 16 * received);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_single_allocation_may_fail),
        ALONE(what_a_stream_promises_is_not_reserved),
        ALONE(a_bomb_leaves_nothing_behind),
        ALONE(versions_of_zero_to_seven_numbers_do_no_harm),
        ALONE(claims_cost_what_they_bring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
