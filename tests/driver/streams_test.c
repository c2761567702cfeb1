/* SPDX-License-Identifier: MIT
 *
 * Connections from people who mean no good, or have bad luck: too many, too slow, half closed, refused, and a process that has no
 * descriptors left.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hearsay/inspect.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct sockaddr_in place_of(struct told *told)
{
    struct hearsay_address bound;
    hearsay_uv_bound(told->uv, &bound, NULL);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(bound.port)};
    memcpy(&in.sin_addr, bound.bytes, 4);
    return in;
}

static int call(struct told *told)
{
    struct sockaddr_in in = place_of(told);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0); /* the backlog takes it */
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static bool is_over(int fd)
{
    char byte;
    ssize_t size = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return size == 0 || (size < 0 && errno != EAGAIN);
}

static size_t count_over(const int *fds, size_t count)
{
    size_t over = 0;
    for (size_t i = 0; i < count; i++) {
        over += is_over(fds[i]);
    }
    return over;
}

static struct told *start_small(struct world *w, uint32_t inbound, uint32_t timeout_ms)
{
    struct hearsay_uv_options options;
    world_options(w, 0, &options, "a", "127.44.1.1:0");
    options.node.push_pulls_max = inbound;
    options.node.streams_max = 2 * inbound;
    options.node.stream_timeout_ms = timeout_ms;
    return world_start(w, 0, &options);
}

static void streams_are_capped_and_the_slow_are_closed(void **state)
{
    struct world *w = *state;
    struct told *a = start_small(w, 8, 1500);
    int fds[30];
    for (size_t i = 0; i < 30; i++) {
        fds[i] = call(a);
    }
    world_until(w, count_over(fds, 30) >= 22);
    struct hearsay_stats stats;
    hearsay_get_stats(hearsay_uv_node(a->uv), &stats);
    assert_in_range(stats.streams, 1, 8);
    assert_true(hearsay_counters(hearsay_uv_node(a->uv))->drop_stream_limit >= 22);
    world_until(w, count_over(fds, 30) == 30);
    hearsay_get_stats(hearsay_uv_node(a->uv), &stats);
    assert_int_equal(stats.streams, 0);
    for (size_t i = 0; i < 30; i++) {
        close(fds[i]);
    }
    struct told *b = world_node(w, 1, "b", "127.44.1.2:0");
    world_join(b, a);
    world_until(w, b->joins == 1);
    assert_int_equal(b->contacted, 1);
}

static void a_crowd_joins_at_once(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.1.1:0");
    for (int n = 1; n < WORLD_NODES; n++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", n);
        world_join(world_node(w, n, name, "127.44.1.1:0"), a);
    }
    for (int n = 1; n < WORLD_NODES; n++) {
        world_until(w, w->nodes[n].events[HEARSAY_MEMBER_JOIN] == WORLD_NODES);
        assert_int_equal(w->nodes[n].contacted, 1);
    }
}

static void rubbish_and_silence_end_streams_without_harm(void **state)
{
    struct world *w = *state;
    struct told *a = start_small(w, 8, 500);
    int rubbish = call(a), half = call(a), gone = call(a);
    assert_int_equal(write(rubbish, "\xffGET / HTTP/1.1\r\n\r\n", 19), 19);
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    close(gone);
    world_until(w, is_over(rubbish) && is_over(half));
    struct hearsay_stats stats;
    hearsay_get_stats(hearsay_uv_node(a->uv), &stats);
    assert_int_equal(stats.streams, 0);
    close(rubbish);
    close(half);
}

/* A caller that has said all it has to say and only listens still gets its answer. */
static void a_half_closed_caller_is_answered(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.1.1:0");
    struct hearsay_inspect_options options = {.label = NULL};
    struct hearsay_inspection *inspection = hearsay_inspect_create(&options);
    struct hearsay_member member;
    enum hearsay_inspect_status status = HEARSAY_INSPECT_MORE;
    size_t position = 0;
    char buffer[4096];
    assert_non_null(inspection);
    struct hearsay_bytes request = hearsay_inspect_request(inspection);
    int fd = call(a);
    assert_int_equal(write(fd, request.data, request.size), request.size);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    while (status == HEARSAY_INSPECT_MORE) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        world_until(w, poll(&ready, 1, 0) == 1);
        ssize_t size = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        assert_true(size >= 0);
        status = hearsay_inspect_feed(inspection, buffer, (size_t)size);
    }
    assert_int_equal(status, HEARSAY_INSPECT_DONE);
    assert_true(hearsay_inspect_next_member(inspection, &position, &member));
    assert_string_equal(member.name, "a");
    world_until(w, is_over(fd));
    hearsay_inspect_destroy(inspection);
    close(fd);
}

static void count_passes(uv_prepare_t *prepare)
{
    ++*(unsigned *)prepare->data;
}

static void no_descriptors_left_does_not_spin(void **state)
{
    struct world *w = *state;
    struct told *a = start_small(w, 8, 3000);
    struct sockaddr_in in = place_of(a);
    struct rlimit was, none;
    unsigned passes = 0;
    uv_prepare_t prepare;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), next = dup(fd);
    world_run(w, 100);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    (void)connect(fd, (struct sockaddr *)&in, sizeof in);
    uv_prepare_init(&w->loop, &prepare);
    prepare.data = &passes;
    uv_prepare_start(&prepare, count_passes);
    world_run(w, 1000);
    uv_close((uv_handle_t *)&prepare, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    struct hearsay_uv_counters counters;
    hearsay_uv_counters(a->uv, &counters);
    assert_in_range(counters.streams_unaccepted, 1, 20);
    assert_in_range(passes, 1, 100);
    assert_int_equal(hearsay_counters(hearsay_uv_node(a->uv))->streams_in, 0);
    world_until(w, hearsay_counters(hearsay_uv_node(a->uv))->streams_in == 1);
    close(fd);
}

static void a_refused_connection_is_reported(void **state)
{
    struct world *w = *state;
    struct told *a = world_node(w, 0, "a", "127.44.1.1:0"), *b = world_node(w, 1, "b", "127.44.1.2:0");
    struct sockaddr_in in = place_of(b);
    char text[64];
    snprintf(text, sizeof text, "127.44.1.2:%u", ntohs(in.sin_port));
    world_stop(b);
    world_until(w, b->uv == NULL);
    uint64_t before = uv_hrtime();
    world_join_text(a, text);
    world_until(w, a->joins == 1);
    assert_int_equal(a->contacted, 0);
    assert_non_null(strstr(a->join_error, text));
    assert_true(uv_hrtime() - before < 8 * UINT64_C(1000000000)); /* told, not waited out */
}

int main(void)
{
#define STREAMS_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        STREAMS_TEST(streams_are_capped_and_the_slow_are_closed),
        STREAMS_TEST(a_crowd_joins_at_once),
        STREAMS_TEST(rubbish_and_silence_end_streams_without_harm),
        STREAMS_TEST(a_half_closed_caller_is_answered),
        STREAMS_TEST(no_descriptors_left_does_not_spin),
        STREAMS_TEST(a_refused_connection_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
