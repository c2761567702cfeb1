/* SPDX-License-Identifier: MIT
 *
 * The agent as systemd runs it: with the configuration that the package ships and a notification socket. It says READY=1 once, keeps
 * the watchdog fed, brackets a reload, and on SIGTERM says that it stops, leaves the cluster, and exits 0.
 * supervised_test AGENT CONFIG
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static const char *agent, *config;

/* In the child: the environment that systemd gives, and addresses of our own. */
static void become_agent(const char *socket_path, const char *log_path)
{
    char place[32], rpc[48], pid[16];
    int number = (int)getpid(), log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    snprintf(place, sizeof place, "127.%d.%d.9", number / 250 % 250 + 1, number % 250 + 1);
    snprintf(rpc, sizeof rpc, "%s:7373", place);
    snprintf(pid, sizeof pid, "%d", number);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing running */
    setenv("NOTIFY_SOCKET", socket_path, 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execl(agent, agent, "--config-file", config, "--bind", place, "--rpc-addr", rpc, (char *)NULL);
    _exit(127);
}

static void receive(int fd, char *state, size_t size)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    ssize_t got = recv(fd, state, size - 1, 0);
    assert_true(got > 0);
    state[got] = '\0';
}

/* The next state besides the watchdog's, which may come at any time. */
static void expect(int fd, const char *beginning)
{
    char state[128];
    do {
        receive(fd, state, sizeof state);
    } while (strcmp(state, "WATCHDOG=1") == 0);
    state[strnlen(beginning, sizeof state - 1)] = '\0';
    assert_string_equal(state, beginning);
}

static bool file_has(const char *path, const char *words)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return strstr(text, words) != NULL;
}

static void the_supervisor_hears_of_every_stage(void **unused)
{
    (void)unused;
    char folder[] = "/tmp/agent-supervised-XXXXXX", log_path[64], state[128];
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), status = 0;
    assert_non_null(mkdtemp(folder));
    snprintf(place.sun_path, sizeof place.sun_path, "%s/s", folder);
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof place), 0);

    pid_t pid = fork();
    if (pid == 0) {
        become_agent(place.sun_path, log_path);
    }
    assert_true(pid > 0);
    receive(fd, state, sizeof state);
    assert_string_equal(state, "READY=1");
    for (int i = 0; i < 3; i++) {
        receive(fd, state, sizeof state);
        assert_string_equal(state, "WATCHDOG=1");
    }
    assert_int_equal(kill(pid, SIGHUP), 0);
    expect(fd, "RELOADING=1\nMONOTONIC_USEC=");
    expect(fd, "READY=1");
    assert_int_equal(kill(pid, SIGTERM), 0);
    expect(fd, "STOPPING=1");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(file_has(log_path, "requesting graceful leave"));
    assert_false(file_has(log_path, "Shutdown without a Leave"));

    close(fd);
    unlink(place.sun_path);
    unlink(log_path);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_supervisor_hears_of_every_stage)};
    if (argc != 3) {
        fputs("usage: supervised_test AGENT CONFIG\n", stderr);
        return 2;
    }
    agent = argv[1];
    config = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
