/* SPDX-License-Identifier: MIT
 *
 * A process that was stopped hears what arrived meanwhile before its deadlines fire. The node in the child has no attended time, so only
 * reading before the tick saves it from accusing its peer. The moment is made certain: the child is stopped when its ping lies
 * unread in our socket.
 */
#include "world.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child lets us see of its node. */
struct window {
    _Atomic uint64_t probes, probes_failed, suspects, failures, members;
};

static void show(uv_timer_t *timer)
{
    struct told *told = ((struct told **)timer->data)[0];
    struct window *window = ((struct window **)timer->data)[1];
    const struct hearsay_counters *counters = hearsay_counters(hearsay_uv_node(told->uv));
    window->probes_failed = counters->probes_failed;
    window->suspects = told->events[HEARSAY_MEMBER_SUSPECT];
    window->failures = told->events[HEARSAY_MEMBER_FAILED];
    window->members = told->events[HEARSAY_MEMBER_JOIN];
    window->probes = counters->probes;
}

static void patient_options(struct world *w, int n, struct hearsay_uv_options *options, const char *name, const char *bind)
{
    world_options(w, n, options, name, bind);
    options->node.attended_time = 0;
    options->node.suspicion_mult = 100; /* the parent will suspect the stopped child, but not bury it */
    options->node.stream_ping = 0;
    options->node.probe_interval_ms = 500;
    options->node.probe_timeout_ms = 200;
    options->node.lha_probe = 0;
}

static void live_as_child(const char *peer, struct window *window)
{
    void *state;
    struct hearsay_uv_options options;
    uv_timer_t timer;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (world_setup(&state) != 0) {
        _exit(1);
    }
    struct world *w = state;
    patient_options(w, 0, &options, "child", "127.44.3.2:0");
    void *seen[2] = {world_start(w, 0, &options), window};
    world_join_text(seen[0], peer);
    uv_timer_init(&w->loop, &timer);
    timer.data = seen;
    uv_timer_start(&timer, show, 10, 10);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    _exit(0);
}

/* The descriptor of the node's UDP socket. */
static int find_udp(struct told *told)
{
    struct hearsay_address bound;
    hearsay_uv_bound(told->uv, &bound, NULL);
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in in;
        socklen_t size = sizeof in, type_size = sizeof(int);
        int type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type == SOCK_DGRAM &&
            getsockname(fd, (struct sockaddr *)&in, &size) == 0 && in.sin_family == AF_INET && ntohs(in.sin_port) == bound.port) {
            return fd;
        }
    }
    fail_msg("no UDP socket found");
    return -1;
}

static void stop_while_its_ping_is_unread(struct world *w, pid_t child, int udp, const struct window *window)
{
    int status;
    for (;;) {
        uint64_t probes = window->probes;
        struct pollfd ready = {.fd = udp, .events = POLLIN};
        world_run(w, 20); /* answers what came before */
        assert_int_equal(poll(&ready, 1, 5000), 1);
        assert_int_equal(kill(child, SIGSTOP), 0);
        assert_int_equal(waitpid(child, &status, WUNTRACED), child);
        assert_true(WIFSTOPPED(status));
        if (window->probes <= probes + 1) {
            return;
        }
        kill(child, SIGCONT);
    }
}

static void a_stopped_process_accuses_nobody(void **state)
{
    struct world *w = *state;
    struct hearsay_uv_options options;
    struct hearsay_address bound;
    char text[64];
    struct window *window = mmap(NULL, sizeof *window, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(window, MAP_FAILED);
    patient_options(w, 0, &options, "parent", "127.44.3.1:0");
    struct told *parent = world_start(w, 0, &options);
    hearsay_uv_bound(parent->uv, &bound, NULL);
    hearsay_address_text(&bound, text, sizeof text);
    pid_t child = fork();
    if (child == 0) {
        live_as_child(text, window);
    }
    assert_true(child > 0);
    world_until(w, window->members == 2 && window->probes > 2);
    int udp = find_udp(parent);
    for (int round = 0; round < 4; round++) {
        stop_while_its_ping_is_unread(w, child, udp, window);
        /* We answer, until our own probe of the child has failed on every path: then the child's deadlines have passed too. */
        uint64_t failed = hearsay_counters(hearsay_uv_node(parent->uv))->probes_failed;
        world_until(w, hearsay_counters(hearsay_uv_node(parent->uv))->probes_failed > failed);
        assert_int_equal(kill(child, SIGCONT), 0);
        uint64_t probes = window->probes;
        world_until(w, window->probes >= probes + 2);
        assert_int_equal(window->probes_failed, 0);
        assert_int_equal(window->suspects, 0);
        assert_int_equal(window->failures, 0);
    }
    assert_true(parent->events[HEARSAY_MEMBER_SUSPECT] > 0);
    assert_int_equal(parent->events[HEARSAY_MEMBER_FAILED], 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    munmap(window, sizeof *window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stopped_process_accuses_nobody, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
