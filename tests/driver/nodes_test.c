/* SPDX-License-Identifier: MIT
 *
 * Real nodes on real sockets: meeting, events, leaving, and what goes wrong around them.
 */
#include "world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void meet(struct world *w, struct told *a, struct told *b)
{
    world_join(b, a);
    world_until(w, b->joins == 1);
    assert_string_equal(b->join_error, "");
    assert_int_equal(b->contacted, 1);
    world_until(w, a->events[HEARSAY_MEMBER_JOIN] == 2 && b->events[HEARSAY_MEMBER_JOIN] == 2);
}

static void two_nodes_meet_talk_and_part(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.0.1:0"), *b = world_node(w, 1, "b", "127.44.0.2:0");
    meet(w, a, b);
    assert_int_equal(world_status(a, "b"), HEARSAY_ALIVE);
    assert_int_equal(hearsay_uv_send_event(a->uv, "deploy", "v7", 2, false), HEARSAY_OK);
    world_until(w, b->events[HEARSAY_USER_EVENT] == 1);
    assert_string_equal(b->last_event, "deploy");
    assert_string_equal(b->last_payload, "v7");
    assert_int_equal(a->events[HEARSAY_USER_EVENT], 1);
    assert_int_equal(hearsay_uv_leave(b->uv), HEARSAY_OK);
    world_until(w, b->events[HEARSAY_LEAVE_DONE] == 1 && a->events[HEARSAY_MEMBER_LEAVE] == 1);
    assert_int_equal(world_status(a, "b"), HEARSAY_LEFT);
    assert_int_equal(a->events[HEARSAY_MEMBER_FAILED] + a->events[HEARSAY_MEMBER_SUSPECT], 0);
}

static void nodes_with_a_key_meet_and_one_without_does_not(void **state)
{
    struct world *w = *state;
    struct hearsay_uv_options options;
    struct told *nodes[2];
    for (int n = 0; n < 2; n++) {
        world_options(w, n, &options, n == 0 ? "a" : "b", "127.44.0.1:0");
        options.node.keys[0] = (struct hearsay_key){.size = 24, .bytes = "twenty-four bytes of key"};
        options.node.key_count = 1;
        nodes[n] = world_start(w, n, &options);
    }
    meet(w, nodes[0], nodes[1]);
    struct told *c = world_node(w, 2, "c", "127.44.0.1:0");
    world_join(c, nodes[0]);
    world_until(w, c->joins == 1);
    assert_int_equal(c->contacted, 0);
    assert_string_not_equal(c->join_error, "");
    assert_int_equal(world_status(nodes[0], "c"), HEARSAY_NONE);
}

/* Skips the test on a machine without it. */
static void need_ipv6(void)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool has_it = fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof in) == 0;
    if (fd >= 0) {
        close(fd);
    }
    if (!has_it) {
        skip();
    }
}

static void ipv6_works(void **state)
{
    struct world *w = *state;
    need_ipv6();
    struct told *a = world_node(w, 0, "a", "[::1]:0"), *b = world_node(w, 1, "b", "[::1]:0");
    struct hearsay_address bound, advertised;
    hearsay_uv_bound(b->uv, &bound, &advertised);
    assert_int_equal(bound.size, 16);
    assert_memory_equal(&bound, &advertised, sizeof bound);
    meet(w, a, b);
}

static void a_socket_on_both_families_talks_to_both(void **state)
{
    struct world *w = *state;
    struct hearsay_uv_options options;
    need_ipv6();
    world_options(w, 0, &options, "both", "[::]:0");
    options.node.advertise = (struct hearsay_address){.size = 4, .bytes = {127, 0, 0, 1}};
    struct told *both = world_start(w, 0, &options), *four = world_node(w, 1, "four", "127.0.0.1:0");
    struct hearsay_address bound, advertised;
    char text[64];
    hearsay_uv_bound(both->uv, &bound, &advertised);
    assert_int_equal(bound.port, advertised.port);
    hearsay_address_text(&advertised, text, sizeof text);
    world_join_text(four, text);
    world_until(w, four->joins == 1 && both->events[HEARSAY_MEMBER_JOIN] == 2);
    assert_int_equal(four->contacted, 1);
    /* Probes travel both ways on the one socket: nobody becomes suspect. */
    uint64_t before = hearsay_counters(hearsay_uv_node(four->uv))->probes;
    world_until(w, hearsay_counters(hearsay_uv_node(four->uv))->probes >= before + 3);
    assert_int_equal(four->events[HEARSAY_MEMBER_SUSPECT] + both->events[HEARSAY_MEMBER_SUSPECT], 0);
}

static void names_are_resolved_off_the_loop(void **state)
{
    struct world *w = *state;
    struct hearsay_address bound;
    char text[64];
    struct told *a = world_node(w, 0, "a", "127.0.0.1:0"), *b = world_node(w, 1, "b", "127.0.0.1:0");
    hearsay_uv_bound(a->uv, &bound, NULL);
    snprintf(text, sizeof text, "a/localhost:%u", bound.port);
    world_join_text(b, text);
    assert_int_equal(b->joins, 0);
    world_until(w, b->joins == 1);
    assert_true(b->contacted >= 1);
}

static void a_join_that_cannot_be_says_why(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.0.1:0");
    world_join_text(a, "127.44.0.9:1");
    assert_int_equal(a->joins, 0); /* never from inside the call */
    world_until(w, a->joins == 1);
    assert_int_equal(a->contacted, 0);
    assert_non_null(strstr(a->join_error, "127.44.0.9:1"));
    world_join_text(a, "[oops");
    world_until(w, a->joins == 2);
    assert_non_null(strstr(a->join_error, "[oops"));
    world_join_text(a, "no-such-host.invalid:7946");
    world_until(w, a->joins == 3);
    assert_non_null(strstr(a->join_error, "no-such-host.invalid"));
    assert_int_equal(a->contacted, 0);
}

static void a_failed_join_is_tried_again_when_wished(void **state)
{
    struct world *w = *state;
    struct hearsay_uv_options options;
    struct told *b = world_node(w, 1, "b", "127.44.0.3:0");
    struct hearsay_address bound;
    char text[64];
    hearsay_uv_bound(b->uv, &bound, NULL);
    hearsay_address_text(&bound, text, sizeof text);
    world_stop(b);
    world_until(w, b->uv == NULL);

    world_options(w, 0, &options, "a", "127.44.0.1:0");
    options.retry_join_ms = 100;
    struct told *a = world_start(w, 0, &options);
    world_join_text(a, text);
    world_until(w, a->joins == 1);
    assert_int_equal(a->contacted, 0);
    b = world_node(w, 1, "b", text);
    world_until(w, world_status(a, "b") == HEARSAY_ALIVE);
    assert_int_equal(a->joins, 1);
}

static void stopping_ends_a_join_and_says_so(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.0.1:0");
    world_join_text(a, "no-such-host.invalid:7946");
    world_join_text(a, "127.44.0.9:1");
    world_stop(a);
    world_until(w, a->uv == NULL);
    assert_int_equal(a->joins, 2);
    assert_int_equal(a->contacted, 0);
}

static void stop_when_somebody_joins(struct told *told, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_MEMBER_JOIN && strcmp(event->member.name, "b") == 0) {
        world_stop(told);
    }
}

static void an_event_may_stop_its_node(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.0.1:0"), *b = world_node(w, 1, "b", "127.44.0.2:0");
    a->hook = stop_when_somebody_joins;
    world_join(b, a);
    world_until(w, a->uv == NULL);
}

static void answer_with_an_event(struct told *told, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_USER_EVENT && strcmp(event->name, "question") == 0) {
        /* The wish invalidates the node's own copy of the event; what we were handed must outlive it. */
        assert_int_equal(hearsay_uv_send_event(told->uv, "answer", event->payload.data, event->payload.size, false), HEARSAY_OK);
        hearsay_uv_flush(told->uv);
        assert_string_equal(event->name, "question");
        assert_memory_equal(event->payload.data, "why", 3);
    }
}

static void an_event_may_make_wishes(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.0.1:0"), *b = world_node(w, 1, "b", "127.44.0.2:0");
    meet(w, a, b);
    a->hook = answer_with_an_event;
    assert_int_equal(hearsay_uv_send_event(b->uv, "question", "why", 3, false), HEARSAY_OK);
    world_until(w, strcmp(b->last_event, "answer") == 0);
    assert_string_equal(b->last_payload, "why");
}

static void assert_refused(struct world *w, const struct hearsay_uv_options *options, const char *naming)
{
    char error[256] = "";
    assert_null(hearsay_uv_start(&w->loop, options, error, sizeof error));
    if (strstr(error, naming) == NULL || strchr(error, '\n') != NULL) {
        fail_msg("\"%s\" should be one line naming %s", error, naming);
    }
}

static void wrong_options_get_one_clear_line(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.0.1:0");
    struct hearsay_address bound;
    struct hearsay_uv_options options;
    char text[64];
    hearsay_uv_bound(a->uv, &bound, NULL);
    hearsay_address_text(&bound, text, sizeof text);
    world_options(w, 1, &options, "b", text);
    assert_refused(w, &options, text);
    world_options(w, 1, &options, "b", "192.0.2.1:0");
    assert_refused(w, &options, "192.0.2.1:0");
    world_options(w, 1, &options, "b", "127.0.0.1:66000");
    assert_refused(w, &options, "127.0.0.1:66000");
    world_options(w, 1, &options, "b", "127.44.0.2:0");
    options.interface = "no-such0";
    assert_refused(w, &options, "no-such0");
    world_options(w, 1, &options, NULL, "127.44.0.2:0");
    assert_refused(w, &options, "name");
    world_options(w, 1, &options, "b", "127.44.0.2:0");
    options.node.packet_bytes_max = 7;
    assert_refused(w, &options, "packet_bytes_max");
    world_options(w, 1, &options, "b", "127.44.0.2:0");
    options.tape = "/no/such/folder/tape";
    assert_refused(w, &options, "/no/such/folder/tape");
}

static void the_udp_port_alone_in_use_is_told_too(void **state)
{
    struct world *w = *state;
    struct hearsay_uv_options options;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("127.44.0.7")};
    socklen_t size = sizeof in;
    char text[64];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
    snprintf(text, sizeof text, "127.44.0.7:%u", ntohs(in.sin_port));
    world_options(w, 0, &options, "a", text);
    assert_refused(w, &options, "UDP");
    close(fd);
}

static void an_address_for_others_is_found(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "0.0.0.0:0"), *b = world_node(w, 1, "b", "127.44.0.2:0");
    struct hearsay_address bound, advertised;
    hearsay_uv_bound(a->uv, &bound, &advertised);
    assert_int_equal(bound.size, 4);
    assert_int_equal(advertised.size, 16); /* IPv4 mapped, as memberlist writes it */
    assert_int_equal(advertised.port, bound.port);
    assert_int_equal(advertised.bytes[10], 0xff);
    assert_int_not_equal(advertised.bytes[12], 0);
    hearsay_uv_bound(b->uv, &bound, &advertised);
    assert_memory_equal(&bound, &advertised, sizeof bound);
    struct hearsay_uv_options options;
    world_options(w, 2, &options, "c", "0.0.0.0:0");
    options.interface = "lo";
    struct told *c = world_start(w, 2, &options);
    hearsay_uv_bound(c->uv, &bound, NULL);
    assert_memory_equal(bound.bytes, "\x7f\0\0\1", 4);
}

int main(void)
{
#define NODES_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        NODES_TEST(two_nodes_meet_talk_and_part),
        NODES_TEST(nodes_with_a_key_meet_and_one_without_does_not),
        NODES_TEST(ipv6_works),
        NODES_TEST(a_socket_on_both_families_talks_to_both),
        NODES_TEST(names_are_resolved_off_the_loop),
        NODES_TEST(a_join_that_cannot_be_says_why),
        NODES_TEST(a_failed_join_is_tried_again_when_wished),
        NODES_TEST(stopping_ends_a_join_and_says_so),
        NODES_TEST(an_event_may_stop_its_node),
        NODES_TEST(an_event_may_make_wishes),
        NODES_TEST(wrong_options_get_one_clear_line),
        NODES_TEST(the_udp_port_alone_in_use_is_told_too),
        NODES_TEST(an_address_for_others_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
