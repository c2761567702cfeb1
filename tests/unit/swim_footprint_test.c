/* SPDX-License-Identifier: MIT
 *
 * What a known member costs: at most about 48 bytes besides its identity, which nodes of a simulation share. Measured as the difference of two
 * cluster sizes, by an allocator that knows every byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wire/message.h"
#include <hearsay/hearsay.h>

#include <stdio.h>
#include <stdlib.h>

#define HEAD 16 /* in front of each block: its size */

static void *resize(void *context, void *old, size_t size)
{
    size_t *bytes = context;
    char *block = old == NULL ? NULL : (char *)old - HEAD;
    size_t was = block == NULL ? 0 : *(size_t *)(void *)block;
    *bytes += size - was;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + HEAD);
    assert_non_null(block);
    *(size_t *)(void *)block = size;
    return block + HEAD;
}

static struct hearsay_address address_of(unsigned i)
{
    return (struct hearsay_address){.bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}, .size = 4, .port = 7946};
}

static void drain(struct hearsay_node *node)
{
    struct hearsay_output output;
    while (hearsay_next_output(node, &output)) {
    }
}

static void meet(struct hearsay_node *node, unsigned i)
{
    static const uint8_t versions[6] = {1, 5, 2, 2, 5, 5};
    char name[16];
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct hearsay_address address = address_of(i);
    snprintf(name, sizeof name, "n%u", i);
    struct message m = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = bytes_of_string(name), .address = address,
                                                         .versions = bytes_of(versions, sizeof versions)}};
    message_encode(&w, &m);
    hearsay_receive_packet(node, 1000000, &address, bytes, w.size);
    drain(node);
}

/* Bytes of a node that knows so many members and has nothing more to tell. */
static size_t bytes_of_node(unsigned members)
{
    size_t bytes = 0;
    struct hearsay_options o;
    hearsay_options_lan(&o);
    o.allocator = (struct hearsay_allocator){&bytes, resize};
    o.pool = hearsay_pool_create(NULL);
    o.name = "n0";
    o.advertise = address_of(0);
    o.probe_interval_ms = 0;
    o.push_pull_interval_ms = 0;
    o.eager = 0;
    struct hearsay_node *node = hearsay_create(&o, 1000000, NULL);
    assert_non_null(node);
    for (unsigned i = 1; i < members; i++) {
        meet(node, i);
    }
    struct hearsay_stats stats;
    do {
        hearsay_tick(node, hearsay_next_deadline(node));
        drain(node);
        hearsay_get_stats(node, &stats);
    } while (stats.member_queue > 0);
    assert_int_equal(stats.alive, members);
    size_t result = bytes;
    hearsay_destroy(node);
    assert_int_equal(bytes, 0);
    hearsay_pool_destroy(o.pool);
    return result;
}

static void a_known_member_costs_at_most_48_bytes_besides_its_identity(void **state)
{
    (void)state;
    size_t small = bytes_of_node(5000), large = bytes_of_node(10000);
    print_message("5000 members: %zu bytes; 10000: %zu; each: %.1f\n", small, large, (double)(large - small) / 5000);
    assert_true(large - small <= 5000 * 48);
}

static void a_node_that_knows_10000_members_needs_less_than_600_kib(void **state)
{
    (void)state;
    assert_true(bytes_of_node(10000) < 600 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_member_costs_at_most_48_bytes_besides_its_identity),
        cmocka_unit_test(a_node_that_knows_10000_members_needs_less_than_600_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
