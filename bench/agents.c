/* SPDX-License-Identifier: MIT
 *
 * See agents.h. Agents die with the benchmark (PR_SET_PDEATHSIG), whatever happens to it.
 */
#include "bench/agents.h"

#include "bench/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <dirent.h>
#include <unistd.h>

#define RPC_PORT 7373
#define ARGUMENTS 16

const char *agents_kind_text(enum agents_kind kind)
{
    return kind == AGENTS_HEARSAY ? "hearsay" : "serf";
}

const char *agents_program(enum agents_kind kind)
{
    const char *given = getenv(kind == AGENTS_HEARSAY ? "HEARSAY" : "SERF");
    return given != NULL ? given : kind == AGENTS_HEARSAY ? BUILT_HEARSAY : "/usr/bin/serf";
}

bool agents_available(void)
{
    for (int kind = 0; kind < AGENTS_KINDS; kind++) {
        if (access(agents_program(kind), X_OK) != 0) {
            fprintf(stderr, "bench: %s is not there; run ./dev setup, or name it in $%s\n", agents_program(kind),
                    kind == AGENTS_HEARSAY ? "HEARSAY" : "SERF");
            return false;
        }
    }
    return true;
}

/* Each benchmark process has a net of its own, each kind half of it. */
static void place(const struct agents *a, unsigned i, char *out, size_t size)
{
    snprintf(out, size, "127.%d.%u.%u", 65 + getpid() % 150, (a->kind == AGENTS_SERF ? 100u : 1u) + i / 250, i % 250 + 1);
}

static void become_agent(const struct agents *a, const struct agent *agent)
{
    char rpc[48];
    const char *arguments[ARGUMENTS] = {agents_program(a->kind), "agent", "-node", agent->name, "-bind", agent->address, "-rpc-addr", rpc};
    int n = 8;
    snprintf(rpc, sizeof rpc, "%s:%d", agent->address, RPC_PORT);
    if (a->kind == AGENTS_HEARSAY) { /* what is measured is gossip; Serf's agent cannot be kept from gathering events for a second */
        arguments[n++] = "-coalesce-period";
        arguments[n++] = "0";
    }
    if (a->key != NULL) {
        arguments[n++] = "-encrypt";
        arguments[n++] = a->key;
    }
    const char *config = a->first_config != NULL && agent == a->at ? a->first_config : a->config;
    if (config != NULL) {
        arguments[n++] = "-config-file";
        arguments[n++] = config;
    }
    if (a->has_store) {
        arguments[n++] = "-store";
    }
    if (agent != a->at) {
        arguments[n++] = "-join";
        arguments[n++] = a->at[0].address;
    }
    int nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, 0);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (a->is_idle_class) {
        sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
    }
    execv(arguments[0], (char *const *)arguments);
    _exit(127);
}

/* The child only calls the system: to copy our memory for it would take time that is not the agent's. */
static pid_t spawn(const struct agents *a, const struct agent *agent)
{
    pid_t pid = vfork();
    if (pid == 0) {
        become_agent(a, agent);
    }
    return pid;
}

void agents_start(struct agents *a, unsigned gap_us)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    a->at = calloc(a->count, sizeof *a->at);
    for (unsigned i = 0; i < a->count; i++) {
        struct agent *agent = &a->at[i];
        agent->rpc.fd = -1;
        snprintf(agent->name, sizeof agent->name, "n%u", a->first + i);
        place(a, a->first + i, agent->address, sizeof agent->address);
        agent->pid = spawn(a, agent);
        usleep(i == 0 && !a->does_not_wait ? 300000 : gap_us); /* the first listens before others call */
    }
}

bool agents_connect(struct agents *a, double seconds)
{
    uint64_t deadline = clock_seconds(seconds);
    bool is_whole = true;
    for (unsigned i = 0; i < a->count; i++) {
        is_whole &= a->at[i].pid != 0 && rpc_open(&a->at[i].rpc, a->at[i].address, RPC_PORT, deadline);
    }
    return is_whole;
}

unsigned agents_meet(struct agents *a, double seconds)
{
    uint64_t deadline = clock_seconds(seconds);
    unsigned met = 0;
    bool *has_met = calloc(a->count, sizeof *has_met);
    do {
        agents_reap(a);
        for (unsigned i = 0; i < a->count; i++) {
            struct agent *agent = &a->at[i];
            if (has_met[i] || agent->pid == 0) {
                continue;
            }
            bool is_open = agent->rpc.fd >= 0 || rpc_open(&agent->rpc, agent->address, RPC_PORT, clock_seconds(0.05));
            int alive = is_open ? rpc_alive(&agent->rpc) : -1;
            if (is_open && alive < 0) {
                rpc_close(&agent->rpc);
            }
            has_met[i] = alive == (int)a->count;
            met += has_met[i];
        }
        usleep(20000);
    } while (met < a->count && clock_us() < deadline);
    free(has_met);
    return met;
}

void agents_gather(struct agents *a)
{
    agents_start(a, 20000);
    if (!agents_connect(a, 30) || agents_meet(a, 90) != a->count) {
        fprintf(stderr, "bench: %u %s agents did not meet within 90 s\n", a->count, agents_kind_text(a->kind));
        exit(1);
    }
}

bool agents_watch(struct agents *a, const char *type)
{
    bool is_whole = true;
    for (unsigned i = 0; i < a->count; i++) {
        is_whole &= rpc_stream(&a->at[i].rpc, type);
    }
    return is_whole;
}

struct listening {
    agents_seen *seen;
    void *context;
    unsigned agent;
};

static void listen_seen(void *context, const char *event, const char *name)
{
    const struct listening *l = context;
    l->seen(l->context, l->agent, event, name);
}

void agents_listen(struct agents *a, uint64_t deadline, agents_seen *seen, bool (*done)(void *context), void *context)
{
    struct pollfd *polled = calloc(a->count, sizeof *polled);
    for (uint64_t now = clock_us(); now < deadline && !(done != NULL && done(context)); now = clock_us()) {
        for (unsigned i = 0; i < a->count; i++) {
            polled[i] = (struct pollfd){.fd = a->at[i].rpc.fd, .events = POLLIN};
        }
        if (poll(polled, a->count, (int)((deadline - now) / 1000) + 1) <= 0) {
            continue;
        }
        for (unsigned i = 0; i < a->count; i++) {
            struct listening l = {seen, context, i};
            if (polled[i].revents != 0 && !rpc_read(&a->at[i].rpc, listen_seen, &l)) {
                rpc_close(&a->at[i].rpc);
            }
        }
    }
    free(polled);
}

unsigned agents_reap(struct agents *a)
{
    unsigned ended = 0;
    for (unsigned i = 0; i < a->count; i++) {
        if (a->at[i].pid != 0 && waitpid(a->at[i].pid, NULL, WNOHANG) == a->at[i].pid) {
            a->at[i].pid = 0;
            rpc_close(&a->at[i].rpc);
            ended++;
        }
    }
    return ended;
}

void agents_kill(struct agents *a, unsigned agent)
{
    kill(a->at[agent].pid, SIGKILL);
    waitpid(a->at[agent].pid, NULL, 0);
    a->at[agent].pid = 0;
    rpc_close(&a->at[agent].rpc);
}

void agents_stop(struct agents *a)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (a->at[i].pid != 0) {
            agents_kill(a, i);
        }
        rpc_close(&a->at[i].rpc);
    }
    free(a->at);
    a->at = NULL;
}

/* ---- cost ---- */

/* Adds up the numbers after the label in a file of /proc; lines of one label may repeat. */
static double number_in(const char *path, const char *label)
{
    char line[512];
    double sum = 0;
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, label, strlen(label)) == 0) {
            sum += strtod(line + strlen(label), NULL);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return sum;
}

static double wakeups_of(pid_t pid)
{
    char path[320];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry = NULL; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, entry->d_name);
            sum += number_in(path, "voluntary_ctxt_switches:");
        }
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
    return sum;
}

static double cpu_ms_of(pid_t pid)
{
    clockid_t id;
    struct timespec t = {0};
    if (clock_getcpuclockid(pid, &id) == 0) {
        clock_gettime(id, &t);
    }
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Datagrams sent by everybody in this network namespace: the second line of "Udp:" holds the numbers. */
static double packets_sent(void)
{
    char line[512];
    double sent = 0;
    unsigned seen = 0;
    FILE *f = fopen("/proc/net/snmp", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "Udp: ", 5) == 0 && ++seen == 2) {
            sscanf(line, "Udp: %*s %*s %*s %lf", &sent);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return sent;
}

struct agents_cost agents_measure(const struct agents *a, double seconds)
{
    struct agents_cost cost = {.packets_per_s = -packets_sent()};
    uint64_t start = clock_us();
    for (unsigned i = 0; i < a->count; i++) {
        cost.cpu_ms_per_s -= cpu_ms_of(a->at[i].pid);
        cost.wakeups_per_s -= wakeups_of(a->at[i].pid);
    }
    usleep((useconds_t)(seconds * 1e6));
    cost.packets_per_s += packets_sent();
    for (unsigned i = 0; i < a->count; i++) {
        cost.cpu_ms_per_s += cpu_ms_of(a->at[i].pid);
        cost.wakeups_per_s += wakeups_of(a->at[i].pid);
    }
    double per = a->count * (double)(clock_us() - start) / 1e6;
    for (unsigned i = 0; i < a->count; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)a->at[i].pid);
        cost.pss_kb += number_in(path, "Pss:") / a->count;
    }
    cost.cpu_ms_per_s /= per;
    cost.wakeups_per_s /= per;
    cost.packets_per_s /= per;
    return cost;
}
