/* SPDX-License-Identifier: MIT
 *
 * What being looked at costs an agent of a quiet cluster: metrics scraped every second, and one viewer with the page open (the stream of
 * events, the status every 2 s, all members every 10 s), each request on a connection of its own. CPU of that one agent as a share of a core.
 */
#include "bench/agents.h"
#include "bench/report.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT 7380
#define ROUNDS 2 /* without and with, in turns, so that what else the machine does hits both */

static char address[24];

static int ask(const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    char request[256];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, address, &to.sin_addr);
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n\r\n", path, address, PORT);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || send(fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
        close(fd);
        return -1;
    }
    return fd;
}

/* How many bytes came; 0 when it was not answered with 200. */
static size_t read_all(const char *path)
{
    char room[65536];
    size_t all = 0;
    bool is_fine = false;
    int fd = ask(path);
    for (ssize_t got = 0; fd >= 0 && (got = recv(fd, room, sizeof room, 0)) > 0; all += (size_t)got) {
        is_fine |= all == 0 && strncmp(room, "HTTP/1.1 200 ", 13) == 0;
    }
    close(fd);
    return is_fine ? all : 0;
}

static void view(void)
{
    char room[65536];
    int stream = ask("/v1/events?since=0-0");
    for (unsigned second = 0;; second++) {
        bool is_fine = read_all("/metrics") > 0 && (second % 2 != 0 || read_all("/v1/status") > 0) &&
                       (second % 10 != 0 || read_all("/v1/members") > 0);
        while (recv(stream, room, sizeof room, MSG_DONTWAIT) > 0) {
        }
        if (!is_fine) {
            fputs("bench: the agent does not answer over HTTP\n", stderr);
            _exit(1);
        }
        sleep(1);
    }
}

static pid_t start_viewer(void)
{
    pid_t viewer = fork();
    if (viewer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        view();
    }
    return viewer;
}

static void write_config(char *path)
{
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL || fprintf(f, "{\"http_addr\": \"%s:%d\"}\n", address, PORT) < 0 || fclose(f) != 0) {
        fprintf(stderr, "bench: cannot write %s\n", path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("http", argc, argv);
    char path[] = "/tmp/hearsay-bench-http.XXXXXX", what[64];
    struct agents a = {.kind = AGENTS_HEARSAY, .count = flags.is_quick ? 10 : 100, .first_config = path};
    double seconds = flags.is_quick ? 10 : 30, share[2] = {0, 0};
    snprintf(address, sizeof address, "127.%d.240.1", 65 + (int)getpid() % 150);
    write_config(path);
    report_progress("agents");
    agents_gather(&a);
    unlink(path);
    for (unsigned i = 0; i < a.count; i++) {
        rpc_close(&a.at[i].rpc);
    }
    sleep(flags.is_quick ? 5 : 20); /* the joins are told to the end */
    struct agents watched = {.kind = AGENTS_HEARSAY, .count = 1, .at = a.at};
    double members = (double)read_all("/v1/members"), metrics = (double)read_all("/metrics");
    for (unsigned round = 0; round < 2 * ROUNDS; round++) {
        bool is_seen = round % 2 == 1;
        report_progress(is_seen ? "with a viewer" : "without");
        pid_t viewer = is_seen ? start_viewer() : 0;
        share[is_seen] += agents_measure(&watched, seconds).cpu_ms_per_s / 10 / ROUNDS;
        if (is_seen) {
            int status = 0;
            if (waitpid(viewer, &status, WNOHANG) != 0) {
                return 1; /* it has said why */
            }
            kill(viewer, SIGKILL);
            waitpid(viewer, &status, 0);
        }
    }
    agents_stop(&a);
    snprintf(what, sizeof what, "/v1/members of %u", a.count);
    report_value(what, "bytes", members);
    report_value("/metrics", "bytes", metrics);
    report_value("agent that nobody looks at", "% of a core", share[0]);
    report_value("agent with metrics scraped and one viewer", "% of a core", share[1]);
    report_limit("metrics and one viewer cost", "% of a core", share[1] - share[0], 1);
    return report_end();
}
