/* SPDX-License-Identifier: MIT
 *
 * Which product is it? Views made by hand, with the states of products that Debian does not have (dskit's rings, Consul's and Nomad's tags) and
 * with damaged ones, through the same door as a stranger's answer.
 */
#include "cli/product.h"
#include "cli/versions.h"
#include "wire/message.h"
#include "wire/serf_message.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct node {
    const char *name, *role, *place, *build;
};

/* A view of these members, with that state; NULL as members: one without tags. */
static struct product product_of(const struct node *nodes, size_t count, struct hearsay_bytes state)
{
    static uint8_t room[65536];
    struct writer w = writer_of(room, sizeof room);
    struct hearsay_inspect_options options = {.label = NULL};
    struct product p;
    message_encode_push_pull_header(&w, &(struct message_push_pull_header){.nodes = (uint32_t)count, .user_state_size = (uint32_t)state.size});
    for (size_t i = 0; i < count; i++) {
        uint8_t meta[256];
        struct writer m = writer_of(meta, sizeof meta);
        const struct hearsay_tag tags[] = {{"role", nodes[i].role}, {"dc", nodes[i].place}, {"build", nodes[i].build}};
        serf_tags_encode(&m, tags, nodes[i].role == NULL ? 0 : 3);
        struct message_alive alive = {.incarnation = 1,
                                      .node = bytes_of_string(nodes[i].name),
                                      .address = {.size = 4, .port = 7946, .bytes = {10, 0, 0, (uint8_t)i}},
                                      .meta = writer_bytes(&m),
                                      .versions = bytes_of("\1\5\2\2\5\5", 6)};
        message_encode_push_pull_entry(&w, &alive, MESSAGE_STATE_ALIVE);
    }
    writer_put(&w, state.data, state.size);
    assert_false(w.is_full);
    struct hearsay_inspection *view = hearsay_inspect_create(&options);
    assert_int_equal(hearsay_inspect_feed(view, w.data, w.size), HEARSAY_INSPECT_DONE);
    product_read(&p, view);
    hearsay_inspect_destroy(view);
    return p;
}

static struct product product_of_state(const void *state, size_t size)
{
    const struct node nodes[] = {{"loki-write-0-9aa1b2c3", NULL, NULL, NULL}};
    return product_of(nodes, 1, bytes_of(state, size));
}

#define STATE(text) product_of_state(text, sizeof text - 1)

static struct product product_of_serf(const struct node *nodes, size_t count)
{
    uint8_t state[256];
    struct writer w = writer_of(state, sizeof state);
    serf_state_put_begin(&w, 1, 0);
    serf_state_put_left(&w, 1, 0);
    serf_state_put_status(&w, 1, 0);
    return product_of(nodes, count, writer_bytes(&w));
}

/* "collectors/ring" of 5 bytes, and a deleted key; both told in either order. */
#define RING "\0\0\0\x22\x0a\x0f" "collectors/ring" "\x12\x05" "12345" "\x1a\x08" "ringDesc"
#define GONE "\0\0\0\x13\x0a\x04" "gone" "\x1a\x08" "ringDesc" "\x20\x01" "\x28"
#define OTHER "\0\0\0\x10\x0a\x03" "usg" "\x12\x01" "x" "\x1a\x04" "json"

static void keys_of_a_ring_are_dskit(void **context)
{
    (void)context;
    char text[512];
    struct product p = STATE(RING "\0\0\0\x14\x0a\x04" "gone" "\x1a\x08" "ringDesc" "\x20\x01" "\x28\x07");
    assert_int_equal(p.kind, PRODUCT_DSKIT);
    assert_int_equal(p.part_count, 2);
    product_describe(&p, text, sizeof text);
    assert_string_equal(text, "state of 62 bytes: collectors/ring (ringDesc, 5 bytes), gone (ringDesc, deleted, 0 bytes)");
    assert_true(STATE(RING OTHER).digest == STATE(OTHER RING).digest);
    assert_true(STATE(RING OTHER).digest != STATE(RING).digest);
    assert_true(p.digest == STATE(RING).digest); /* what was deleted is forgotten at different times */
}

static void what_does_not_fit_to_the_byte_is_somebody_elses(void **context)
{
    (void)context;
    char text[512];
    assert_int_equal(STATE("").kind, PRODUCT_MEMBERLIST);
    assert_int_equal(STATE(RING "\0").kind, PRODUCT_MEMBERLIST);
    assert_int_equal(STATE("\xff\xff\xff\xff\x0a\x0f").kind, PRODUCT_MEMBERLIST);
    assert_int_equal(STATE(GONE).kind, PRODUCT_MEMBERLIST);
    assert_int_equal(STATE("\0\0\0\x06\x0a\x04" "gone").kind, PRODUCT_MEMBERLIST); /* no codec */
    assert_int_equal(STATE("\x0a\x05\x0a\x03" "sil" "\x12").kind, PRODUCT_MEMBERLIST);
    assert_int_equal(STATE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").kind, PRODUCT_MEMBERLIST);
    struct product p = STATE("hello, my own state");
    assert_int_equal(p.part_count, 0);
    product_describe(&p, text, sizeof text);
    assert_string_equal(text, "state of 19 bytes in a form of the application's own");
}

static void silences_are_counted_not_read(void **context)
{
    (void)context;
    char text[512];
    struct product p = STATE("\x0a\x05\x0a\x03" "nfl" "\x0a\x0d\x0a\x03" "sil" "\x12\x06\x03" "abc" "\x01" "d");
    assert_int_equal(p.kind, PRODUCT_ALERTMANAGER);
    product_describe(&p, text, sizeof text);
    assert_string_equal(text, "state of 22 bytes: 0 notifications (0 bytes), 2 silences (6 bytes)");
    assert_true(p.digest == STATE("\x0a\x0d\x0a\x03" "sil" "\x12\x06\x01" "d" "\x03" "abc").digest);
    assert_int_equal(STATE("\x0a\x0a\x0a\x03" "sil" "\x12\x03\x03" "ab").kind, PRODUCT_MEMBERLIST); /* an entry cut short */
    assert_int_equal(STATE("\x0a\x05\x0a\x03" "xyz").kind, PRODUCT_MEMBERLIST);
}

static void consul_is_known_by_its_tags(void **context)
{
    (void)context;
    const struct node near[] = {{"a", "consul", "east", "1.9.0:3c1c"}, {"b", "consul", "east", "1.9.0:3c1c"}, {"c", "node", "east", "1.8.4:12b1"}};
    const struct node far[] = {{"a.east", "consul", "east", "1.9.0:3c1c"}, {"z.west", "consul", "west", "1.9.0:3c1c"}};
    const struct node nomad[] = {{"a.global", "nomad", "east", "1.0.1"}};
    const struct node serf[] = {{"a", "node", "", ""}, {"b", "db", "east", "7"}};
    struct product p = product_of_serf(near, 3);
    assert_int_equal(p.kind, PRODUCT_CONSUL);
    assert_string_equal(p.summary, "datacenter east: 2 servers, 1 client, versions 1.9.0, 1.8.4");
    assert_int_equal(p.build_count, 2);
    assert_string_equal(product_of_serf(far, 2).summary, "between datacenters (WAN), datacenters east, west: 2 servers, version 1.9.0");
    assert_string_equal(product_of_serf(nomad, 1).summary, "datacenter east: 1 server, version 1.0.1");
    assert_int_equal(product_of_serf(serf, 2).kind, PRODUCT_SERF);
    assert_int_equal(product_of_serf(serf, 2).build_count, 0);
    assert_true(product_is(PRODUCT_CONSUL, PRODUCT_SERF) && !product_is(PRODUCT_SERF, PRODUCT_CONSUL));
    assert_true(product_of_word("dskit") == PRODUCT_DSKIT && product_of_word("redis") == PRODUCT_KINDS);
}

static void versions_must_overlap(void **context)
{
    (void)context;
    struct versions v = {.count = 0};
    char text[256];
    assert_false(versions_clash(&v, text, sizeof text));
    versions_take(&v, "a", (const uint8_t[]){1, 5, 2, 2, 5, 5});
    versions_take(&v, "b", (const uint8_t[]){1, 4, 2, 4, 6, 5});
    assert_false(versions_clash(&v, text, sizeof text));
    versions_take(&v, "c", (const uint8_t[]){1, 5, 2, 0, 3, 3});
    assert_true(versions_clash(&v, text, sizeof text));
    assert_string_equal(text, "b demands version 4 of the delegate's protocol, c speaks at most 3");
    versions_take(&v, "d", (const uint8_t[]){5, 6, 5, 2, 5, 5});
    assert_true(versions_clash(&v, text, sizeof text));
    assert_string_equal(text, "d demands version 5 of memberlist's protocol, b speaks at most 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_a_ring_are_dskit),        cmocka_unit_test(what_does_not_fit_to_the_byte_is_somebody_elses),
        cmocka_unit_test(silences_are_counted_not_read),   cmocka_unit_test(consul_is_known_by_its_tags),
        cmocka_unit_test(versions_must_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
