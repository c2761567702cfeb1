/* SPDX-License-Identifier: MIT
 *
 * Figures for statsd and statsite: the lines are Serf's, names cannot break them, packets are bounded, and a reader that is not there or does
 * not read costs nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/log.h"
#include "agent/metrics.h"
#include "agent/syslog.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uv_loop_t loop;
static struct metrics metrics;
static struct hearsay_node *node;
static char error[300];

static int start(void **state)
{
    struct hearsay_options options;
    struct hearsay_output output;
    (void)state;
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.seed = 1;
    node = hearsay_create(&options, 1000000, NULL);
    assert_non_null(node);
    while (hearsay_next_output(node, &output)) {
    }
    assert_int_equal(uv_loop_init(&loop), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    metrics_close(&metrics);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    hearsay_destroy(node);
    return 0;
}

/* A socket on loopback, its address as text. */
static int listener(int type, char address[32])
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f4b0101)};
    socklen_t size = sizeof in;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_true(type == SOCK_DGRAM || listen(fd, 4) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
    snprintf(address, 32, "127.75.1.1:%u", ntohs(in.sin_port));
    return fd;
}

static bool is_ready(void)
{
    return metrics.sinks[0].is_ready || metrics.sinks[1].is_ready;
}

static void wait_ready(void)
{
    for (int i = 0; i < 2000 && !is_ready(); i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_true(is_ready());
}

static struct hearsay_event member(enum hearsay_event_type type, const char *name)
{
    return (struct hearsay_event){.type = type, .member.name = name};
}

static void lines_are_serfs_and_names_cannot_break_them(void **state)
{
    char address[32], packet[4096];
    (void)state;
    int fd = listener(SOCK_DGRAM, address);
    assert_true(metrics_open(&metrics, &loop, address, NULL, error, sizeof error));
    wait_ready();
    struct hearsay_event event = {.type = HEARSAY_USER_EVENT, .name = "a b:1|c\n@x"};
    metrics_event(&metrics, &event);
    event = member(HEARSAY_MEMBER_JOIN, "n2");
    metrics_event(&metrics, &event);
    event = member(HEARSAY_MEMBER_FAILED, "n2");
    metrics_event(&metrics, &event);
    event = member(HEARSAY_MEMBER_JOIN, "n2");
    metrics_event(&metrics, &event);
    metrics_script(&metrics, "/bin/x y", 12);
    metrics_tick(&metrics, node, 3, 7);
    ssize_t size = recv(fd, packet, sizeof packet - 1, 0);
    assert_in_range(size, 100, 1400);
    packet[size] = '\0';
    static const char *const wanted[] = {
        "serf-agent.serf.events:1.000000|c\n", "serf-agent.serf.events.a_b_1_c__x:1.000000|c\n", "serf-agent.serf.member.join:1.000000|c\n",
        "serf-agent.serf.member.failed:1.000000|c\n", "serf-agent.serf.member.flap:1.000000|c\n", "serf-agent.agent.invoke./bin/x_y:12.000000|ms\n",
        "serf-agent.agent.ipc.accept:3.000000|c\n", "serf-agent.agent.ipc.command:7.000000|c\n", "serf-agent.serf.queue.Event:0.000000|ms\n"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strstr(packet, wanted[i]) == NULL) {
            fail_msg("no %s in %s", wanted[i], packet);
        }
    }
    close(fd);
}

static void packets_and_their_number_are_bounded(void **state)
{
    char address[32], packet[4096];
    unsigned packets = 0;
    ssize_t size;
    (void)state;
    int fd = listener(SOCK_DGRAM, address);
    assert_true(metrics_open(&metrics, &loop, address, NULL, error, sizeof error));
    wait_ready();
    for (unsigned i = 0; i < 20000; i++) {
        struct hearsay_event event = {.type = HEARSAY_USER_EVENT, .name = "a flood of events that have all the same long name"};
        metrics_event(&metrics, &event);
    }
    while ((size = recv(fd, packet, sizeof packet, 0)) > 0) {
        assert_in_range(size, 1, 1400);
        assert_int_equal(packet[size - 1], '\n');
        packets++;
    }
    assert_int_equal(packets, METRICS_PACKETS_MAX);
    assert_true(metrics.dropped > 100);
    close(fd);
}

static void a_stream_that_nobody_reads_is_bounded_and_one_that_is_gone_is_looked_for_again(void **state)
{
    char address[32];
    (void)state;
    int fd = listener(SOCK_STREAM, address);
    assert_true(metrics_open(&metrics, &loop, NULL, address, error, sizeof error));
    wait_ready();
    for (unsigned i = 0; i < 1000000 && metrics.dropped == 0; i++) {
        struct hearsay_event event = {.type = HEARSAY_USER_EVENT, .name = "a name of some length, so that buffers fill sooner or later"};
        metrics_event(&metrics, &event);
        metrics.sinks[1].sent = 0;
        if (i % 64 == 0) {
            uv_run(&loop, UV_RUN_NOWAIT);
        }
    }
    assert_true(metrics.dropped > 0);
    assert_true(uv_stream_get_write_queue_size((uv_stream_t *)&metrics.sinks[1].socket.tcp) <= METRICS_QUEUE_MAX);
    close(fd); /* with what was never accepted */
    for (int i = 0; i < 2000 && is_ready(); i++) {
        metrics_tick(&metrics, node, 0, 0);
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_false(is_ready());
    metrics.sinks[1].retry_at_ms = 0;
    int again = listener(SOCK_STREAM, address);
    free(metrics.sinks[1].port);
    metrics.sinks[1].port = strdup(strrchr(address, ':') + 1);
    for (int i = 0; i < 2000 && !is_ready(); i++) {
        metrics.sinks[1].retry_at_ms = 0;
        metrics_tick(&metrics, node, 0, 0);
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_true(is_ready());
    close(again);
}

static void wrong_addresses_are_named(void **state)
{
    static const char *const wrong[] = {"host", "host:", ":8125", "host:port", "10.0.0.1:81 25"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(metrics_open(&metrics, &loop, wrong[i], NULL, error, sizeof error));
        assert_non_null(strstr(error, wrong[i]));
        metrics_close(&metrics);
    }
    assert_true(metrics_open(&metrics, &loop, NULL, NULL, error, sizeof error));
    assert_false(metrics.is_on);
}

static void the_systems_log_gets_lines_with_their_severity(void **state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char packet[2000];
    (void)state;
    snprintf(to.sun_path, sizeof to.sun_path, "/tmp/hearsay-syslog.%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    setenv("HEARSAY_SYSLOG_SOCKET", to.sun_path, 1);
    assert_false(syslog_open("nonsense", error, sizeof error));
    assert_non_null(strstr(error, "unknown syslog facility 'nonsense'"));
    log_set_level(LOG_INFO);
    assert_true(syslog_open("local0", error, sizeof error));
    log_put(LOG_DEBUG, "agent: not this");
    log_put(LOG_WARN, "agent: but [this] %s", "one");
    ssize_t size = recv(fd, packet, sizeof packet - 1, 0);
    assert_true(size > 0);
    packet[size] = '\0';
    assert_ptr_equal(strstr(packet, "<132>"), packet); /* LOCAL0 is 16, warning 4 */
    assert_non_null(strstr(packet, ": agent: but [this] one"));
    assert_true(recv(fd, packet, sizeof packet, 0) < 0);
    for (unsigned i = 0; i < 5000; i++) { /* a logger that does not read does not make us wait */
        log_put(LOG_INFO, "agent: %u", i);
    }
    syslog_close();
    close(fd);
    unlink(to.sun_path);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(lines_are_serfs_and_names_cannot_break_them),
        WITH_LOOP(packets_and_their_number_are_bounded),
        WITH_LOOP(a_stream_that_nobody_reads_is_bounded_and_one_that_is_gone_is_looked_for_again),
        WITH_LOOP(wrong_addresses_are_named),
        cmocka_unit_test(the_systems_log_gets_lines_with_their_severity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
