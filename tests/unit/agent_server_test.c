/* SPDX-License-Identifier: MIT
 *
 * RPC's sockets among clients that mean no good: a thousand that say nothing, some that never read, some that talk rubbish. The limits hold, and
 * whoever behaves is served.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/server.h"
#include "agent/session.h"
#include "base/cursor.h"
#include "base/rng.h"
#include "wire/msgpack.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CROWD 1000

static uv_loop_t loop;
static struct service service;
static struct server server;
static struct hearsay_address bound;

static uint64_t now_us(void *context)
{
    (void)context;
    return 1000000;
}

static uint64_t unix_ms(void *context)
{
    (void)context;
    return 1700000000000;
}

static void flush(void *context)
{
    struct hearsay_output output;
    (void)context;
    while (hearsay_next_output(service.node, &output)) {
    }
}

static uint64_t lines_dropped(void *context)
{
    (void)context;
    return 0;
}

static int start(void **state)
{
    struct hearsay_options options;
    char error[300];
    struct rlimit limit;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.seed = 1;
    service = (struct service){.name = "n1", .event_bytes_max = 512, .now_us = now_us, .unix_ms = unix_ms, .flush = flush,
                               .lines_dropped = lines_dropped};
    service.node = hearsay_create(&options, 1000000, NULL);
    assert_non_null(service.node);
    flush(NULL);
    assert_int_equal(uv_loop_init(&loop), 0);
    server = (struct server){.is_open = false};
    assert_true(server_open(&server, &loop, &service, "127.45.1.1:0", &bound, error, sizeof error));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    server_close(&server, true);
    while (uv_run(&loop, UV_RUN_NOWAIT) != 0) {
    }
    assert_int_equal(uv_loop_close(&loop), 0);
    hearsay_destroy(service.node);
    service_deinit(&service);
    return 0;
}

static void on_time(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* Runs the loop until condition holds, at most ms. */
#define UNTIL(ms, condition) \
    do { \
        bool is_late = false; \
        uv_timer_t timer = {.data = &is_late}; \
        uv_timer_init(&loop, &timer); \
        uv_timer_start(&timer, on_time, (ms), 5); \
        for (uint64_t end = uv_now(&loop) + (ms); !(condition) && uv_now(&loop) < end;) { \
            uv_timer_start(&timer, on_time, 5, 0); \
            uv_run(&loop, UV_RUN_ONCE); \
        } \
        uv_close((uv_handle_t *)&timer, NULL); \
        uv_run(&loop, UV_RUN_NOWAIT); \
        assert_true(condition); \
    } while (0)

static int call(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(bound.port)};
    memcpy(&in.sin_addr, bound.bytes, 4);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_true(connect(fd, (struct sockaddr *)&in, sizeof in) == 0 || errno == EINPROGRESS);
    return fd;
}

static bool is_over(int fd)
{
    char byte;
    ssize_t size = recv(fd, &byte, 1, MSG_PEEK);
    return size == 0 || (size < 0 && errno != EAGAIN);
}

static bool has_answer(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK) == 1;
}

static size_t count_over(const int *fds, size_t count)
{
    size_t over = 0;
    for (size_t i = 0; i < count; i++) {
        over += is_over(fds[i]);
    }
    return over;
}

static struct hearsay_bytes request(const char *command, const char *key, const char *value, uint8_t room[256])
{
    struct writer w = writer_of(room, 256);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Command");
    msgpack_put_text(&w, command);
    msgpack_put_text(&w, "Seq");
    msgpack_put_uint(&w, 1);
    if (key != NULL) {
        msgpack_put_map(&w, 1);
        msgpack_put_text(&w, key);
        if (value == NULL) {
            msgpack_put_uint(&w, 1);
        } else {
            msgpack_put_text(&w, value);
        }
    }
    return writer_bytes(&w);
}

static void say(int fd, struct hearsay_bytes bytes)
{
    assert_int_equal(send(fd, bytes.data, bytes.size, MSG_NOSIGNAL), bytes.size);
}

static int call_and_shake_hands(void)
{
    uint8_t room[256];
    char answer[256];
    int fd = call();
    UNTIL(5000, server.count > 0);
    say(fd, request("handshake", "Version", NULL, room));
    UNTIL(5000, has_answer(fd));
    assert_true(recv(fd, answer, sizeof answer, 0) > 0);
    return fd;
}

static void a_thousand_who_say_nothing_are_few_and_soon_gone(void **state)
{
    static int fds[CROWD];
    (void)state;
    for (size_t i = 0; i < CROWD; i++) {
        fds[i] = call();
        if (i % 64 == 0) {
            uv_run(&loop, UV_RUN_NOWAIT); /* the backlog is short */
        }
    }
    UNTIL(10000, count_over(fds, CROWD) >= CROWD - SERVER_CONNECTIONS);
    assert_in_range(server.count, 1, SERVER_CONNECTIONS);
    UNTIL(3 * SERVER_GREETING_MS, server.count == 0);
    for (size_t i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
    close(call_and_shake_hands());
}

/* A call and a handshake in one go, without waiting for the answer. */
static int call_politely(void)
{
    uint8_t room[256];
    int fd = call();
    uv_run(&loop, UV_RUN_NOWAIT);
    say(fd, request("handshake", "Version", NULL, room));
    uv_run(&loop, UV_RUN_NOWAIT);
    return fd;
}

static void drain(const int *fds, size_t count)
{
    char answer[256];
    for (size_t i = 0; i < count; i++) {
        while (recv(fds[i], answer, sizeof answer, 0) > 0) {
        }
    }
}

static bool is_served(int fd)
{
    uint8_t room[256];
    char answer[256];
    drain(&fd, 1);
    if (is_over(fd)) {
        return false;
    }
    say(fd, request("members", NULL, NULL, room));
    UNTIL(5000, has_answer(fd) || is_over(fd));
    return !is_over(fd) && recv(fd, answer, sizeof answer, 0) > 0;
}

static void a_thousand_idle_clients_do_not_keep_the_operator_out(void **state)
{
    static int fds[CROWD];
    (void)state;
    int follower = call_and_shake_hands();
    uint8_t room[256];
    say(follower, request("stream", "Type", "*", room));
    UNTIL(5000, has_answer(follower));
    for (size_t i = 0; i < CROWD; i++) {
        fds[i] = call_politely();
        if (i == CROWD / 2) {
            assert_true(is_served(fds[i]));
        }
    }
    drain(fds, CROWD);
    UNTIL(5000, count_over(fds, CROWD) == CROWD - SERVER_CONNECTIONS + 1);
    assert_int_equal(server.count, SERVER_CONNECTIONS);
    int operator = call_and_shake_hands();
    assert_true(is_served(operator));
    assert_false(is_over(follower)); /* who follows something is not idle */
    assert_true(is_served(fds[CROWD - 1]));
    assert_true(is_over(fds[CROWD / 2]));
    for (size_t i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
    close(operator);
    close(follower);
    UNTIL(5000, server.count == 0);
}

static void who_follows_events_may_not_take_every_place(void **state)
{
    static int fds[SERVER_CONNECTIONS + 20];
    uint8_t room[256];
    char answer[256];
    unsigned refused = 0;
    (void)state;
    for (size_t i = 0; i < SERVER_CONNECTIONS + 20; i++) {
        fds[i] = call_and_shake_hands();
        say(fds[i], request("stream", "Type", "*", room));
        UNTIL(5000, has_answer(fds[i]));
        ssize_t size = recv(fds[i], answer, sizeof answer, 0);
        refused += size > 0 && memmem(answer, (size_t)size, "Too many", 8) != NULL;
    }
    assert_int_equal(refused, SERVER_CONNECTIONS + 20 - SESSION_STREAMERS);
    assert_int_equal(count_over(fds, SESSION_STREAMERS), 0);
    int operator = call_and_shake_hands();
    assert_true(is_served(operator));
    for (size_t i = 0; i < SERVER_CONNECTIONS + 20; i++) {
        close(fds[i]);
    }
    close(operator);
    UNTIL(5000, server.count == 0);
}

static void half_a_message_and_a_lie_about_its_length_end_at_the_limit(void **state)
{
    static const uint8_t lies[][6] = {
        {0xdb, 0xff, 0xff, 0xff, 0xff, 'x'}, {0xdd, 0xff, 0xff, 0xff, 0xff, 0x01}, {0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1},
        {0xc6, 0x10, 0x00, 0x00, 0x00, 0x00}, {0x82, 0xa7, 'C', 'o', 'm', 'm'}, {0x81, 0x81, 0x81, 0x81, 0x81, 0x81},
    };
    int fds[sizeof lies / sizeof lies[0]];
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        fds[i] = call();
        uv_run(&loop, UV_RUN_NOWAIT);
        say(fds[i], bytes_of(lies[i], sizeof lies[i]));
    }
    int other = call_and_shake_hands();
    assert_true(is_served(other));
    UNTIL(3 * SERVER_GREETING_MS, server.count == 1); /* whoever does not go on is a stranger whose time runs out */
    assert_true(is_served(other));
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        assert_true(is_over(fds[i]));
        close(fds[i]);
    }
    close(other);
}

static void who_never_reads_is_not_read_either(void **state)
{
    uint8_t room[256];
    size_t asked = 0;
    unsigned refused = 0;
    (void)state;
    int fd = call_and_shake_hands();
    struct hearsay_bytes members = request("members", NULL, NULL, room);
    while (refused < 200 && asked < ((size_t)64 << 20)) {
        ssize_t size = send(fd, members.data, members.size, MSG_NOSIGNAL);
        assert_true(size == (ssize_t)members.size || (size < 0 && errno == EAGAIN) || size > 0);
        if (size < (ssize_t)members.size) {
            refused++;
            uv_run(&loop, UV_RUN_NOWAIT);
        } else {
            refused = 0;
        }
        asked += size > 0 ? (size_t)size : 0;
        if (size > 0 && size < (ssize_t)members.size) {
            break; /* the rest of this one would be missing */
        }
    }
    assert_in_range(asked, 1000, ((size_t)32 << 20)); /* sockets' buffers, and what one answer is larger than its question */
    close(call_and_shake_hands()); /* others are served meanwhile */
    close(fd);
    UNTIL(5000, server.count == 0);
}

static void who_follows_events_and_never_reads_is_cut(void **state)
{
    uint8_t room[256];
    static uint8_t payload[4096];
    (void)state;
    int fd = call_and_shake_hands();
    say(fd, request("stream", "Type", "*", room));
    UNTIL(5000, has_answer(fd));
    struct hearsay_event event = {.type = HEARSAY_USER_EVENT, .name = "flood", .payload = {payload, sizeof payload}, .ltime = 1};
    for (unsigned i = 0; i < 20000 && server.count > 0; i++) {
        service_event(&service, &event);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(server.count, 0);
    close(fd);
}

static void rubbish_harms_nobody(void **state)
{
    static int fds[200];
    struct rng rng;
    (void)state;
    rng_init(&rng, 5);
    for (size_t i = 0; i < 200; i++) {
        uint8_t bytes[500];
        for (size_t n = 0; n < sizeof bytes; n++) {
            bytes[n] = (uint8_t)rng_next(&rng);
        }
        fds[i] = call();
        UNTIL(5000, send(fds[i], bytes, sizeof bytes, MSG_NOSIGNAL) == (ssize_t)sizeof bytes || is_over(fds[i]));
    }
    UNTIL(5000, count_over(fds, 200) > 150); /* the others announced something long, and have to wait for their end */
    close(call_and_shake_hands());
    for (size_t i = 0; i < 200; i++) {
        close(fds[i]);
    }
    UNTIL(5000, server.count == 0);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_thousand_who_say_nothing_are_few_and_soon_gone),
        WITH_SERVER(a_thousand_idle_clients_do_not_keep_the_operator_out),
        WITH_SERVER(who_follows_events_may_not_take_every_place),
        WITH_SERVER(half_a_message_and_a_lie_about_its_length_end_at_the_limit),
        WITH_SERVER(who_never_reads_is_not_read_either),
        WITH_SERVER(who_follows_events_and_never_reads_is_cut),
        WITH_SERVER(rubbish_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
