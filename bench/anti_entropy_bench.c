/* SPDX-License-Identifier: MIT
 *
 * Two real agents on loopback whose stores of N entries differ in d: they are started apart from prepared databases, meet, and repair. What
 * it takes until their roots are equal: bytes both ways without the entries that had to move, datagrams of all kinds, CPU of both, wall
 * time; beside the floor, which is what it takes to name d of N things (log2 of the binomial), and what the design allows.
 */
#include "agent/storage.h"
#include "bench/clock.h"
#include "bench/report.h"
#include "bench/store_rpc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RPC_PORT 7373

static char root[] = "./bench-anti-entropy-XXXXXX", error[400];

struct agent {
    pid_t pid;
    char address[24], folder[64];
    struct rpc rpc;
};

struct figures {
    uint64_t bytes, entries, packets, repairs; /* bytes and entries of repair, sent by both */
    double cpu_ms;
};

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench anti-entropy: %s\n", text);
    exit(1);
}

/* ---- stores ---------------------------------------------------------------------------------------------------------------------- */

static void put(struct storage *s, unsigned i, uint64_t hlc)
{
    char key[STORE_KEY_BYTES + 1], value[STORE_VALUE_BYTES + 1];
    snprintf(key, sizeof key, "key-%012u", i);
    snprintf(value, sizeof value, "%-64llu", (unsigned long long)(hlc + i));
    storage_put(s, &(struct hearsay_entry){.key = bytes_of(key, STORE_KEY_BYTES),
                                           .value = bytes_of(value, STORE_VALUE_BYTES),
                                           .version = {hlc + i % 60000, 1}});
}

/* Writes count entries, step apart, at hlc. */
static void write_entries(const char *folder, unsigned count, unsigned step, uint64_t hlc)
{
    struct storage *s = storage_open(folder, error, sizeof error);
    if (s == NULL) {
        die(error);
    }
    for (unsigned done = 0; done < count;) {
        storage_begin(s);
        for (unsigned end = done + 20000 < count ? done + 20000 : count; done < end; done++) {
            put(s, done * step, hlc);
        }
        if (!storage_commit(s, hlc + 60000, 0, error, sizeof error)) {
            die(error);
        }
    }
    storage_close(s);
}

static void run(const char *command)
{
    if (system(command) != 0) {
        die(command);
    }
}

/* A base of N entries; a copy for each agent; in the first d of them are newer. */
static void prepare(unsigned n, unsigned d, struct agent agents[2])
{
    static unsigned made;
    char base[80], command[400];
    uint64_t hour_ago = ((uint64_t)time(NULL) - 3600) * 1000 << 16;
    snprintf(base, sizeof base, "%s/base", root);
    if (made != n) {
        snprintf(command, sizeof command, "rm -rf %s && mkdir %s", base, base);
        run(command);
        write_entries(base, n, 1, hour_ago);
        made = n;
    }
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "rm -rf %s && cp -r %s %s", agents[i].folder, base, agents[i].folder);
        run(command);
    }
    if (d > 0) {
        write_entries(agents[0].folder, d, n / d, hour_ago + ((uint64_t)600000 << 16));
    }
}

/* ---- agents ----------------------------------------------------------------------------------------------------------------------- */

static void place(struct agent agents[2])
{
    for (int i = 0; i < 2; i++) {
        snprintf(agents[i].address, sizeof agents[i].address, "127.%d.60.%d", 65 + getpid() % 150, i + 1);
        snprintf(agents[i].folder, sizeof agents[i].folder, "%s/%d", root, i);
    }
}

/* Without a folder: in memory. */
static void start(struct agent *agent, const char *name)
{
    char rpc[48];
    const char *program = getenv("HEARSAY") != NULL ? getenv("HEARSAY") : BUILT_HEARSAY;
    snprintf(rpc, sizeof rpc, "%s:%d", agent->address, RPC_PORT);
    agent->pid = fork();
    if (agent->pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 0);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const char *has_folder = agent->folder[0] == '\0' ? NULL : "--data-dir";
        execl(program, program, "agent", "--node", name, "--bind", agent->address, "--rpc-addr", rpc, "--profile", "local", "--store",
              has_folder, agent->folder, (char *)NULL);
        _exit(127);
    }
    if (!rpc_open(&agent->rpc, agent->address, RPC_PORT, clock_seconds(120))) {
        die("an agent did not start; run it by hand to see why");
    }
}

static void stop(struct agent *agent)
{
    rpc_close(&agent->rpc);
    kill(agent->pid, SIGKILL);
    waitpid(agent->pid, NULL, 0);
}

static double cpu_ms(pid_t pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system_ticks = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f != NULL && fgets(text, sizeof text, f) != NULL) {
        char *after = strrchr(text, ')');
        if (after == NULL || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system_ticks) != 2) {
            user = system_ticks = 0;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return (double)(user + system_ticks) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static struct figures look(struct agent agents[2])
{
    struct figures f = {.bytes = 0};
    for (int i = 0; i < 2; i++) {
        f.bytes += store_rpc_counter(&agents[i].rpc, "repair_bytes_out");
        f.entries += store_rpc_counter(&agents[i].rpc, "repair_entries_out");
        f.packets += store_rpc_counter(&agents[i].rpc, "packets_out");
        f.repairs += store_rpc_counter(&agents[i].rpc, "repairs");
        f.cpu_ms += cpu_ms(agents[i].pid);
    }
    return f;
}

static bool are_equal(struct agent agents[2], uint64_t entries)
{
    char a[40], b[40];
    store_rpc_root(&agents[0].rpc, entries, a);
    store_rpc_root(&agents[1].rpc, entries, b);
    return a[0] != '\0' && strcmp(a, b) == 0;
}

static void wait_until_loaded(struct agent *agent, uint64_t entries)
{
    char text[40];
    uint64_t deadline = clock_seconds(120);
    do {
        usleep(50000);
        store_rpc_root(&agent->rpc, entries, text);
    } while (text[0] == '\0' && clock_us() < deadline);
}

/* ---- one case ----------------------------------------------------------------------------------------------------------------------- */

static double log2_binomial(double n, double d)
{
    return (lgamma(n + 1) - lgamma(d + 1) - lgamma(n - d + 1)) / M_LN2;
}

static void report(unsigned n, unsigned d, const struct figures *f, double wall_ms, double most)
{
    char what[64];
    size_t at = (size_t)snprintf(what, sizeof what, "%u keys, %u differ: ", n, d);
    double named = (double)f->bytes - (double)f->entries * STORE_ENTRY_BYTES, least = log2_binomial(n, d) / 8;
#define WHAT(words) (snprintf(what + at, sizeof what - at, words), what)
    if (d == 0) {
        report_limit(WHAT("bytes"), "B", named, most);
    } else {
        report_ratio(WHAT("bytes"), "B", named, "floor", least, most / least);
        report_ratio(WHAT("entries moved"), "1", (double)f->entries, "differ", d, 1.3);
    }
    report_value(WHAT("datagrams"), "1", (double)f->packets);
    report_value(WHAT("CPU of both"), "ms", f->cpu_ms);
    report_value(WHAT("time"), "ms", wall_ms);
}

static void measure(unsigned n, unsigned d, double most)
{
    struct agent agents[2] = {{.pid = 0}, {.pid = 0}};
    char what[64];
    snprintf(what, sizeof what, "%u keys, %u differ", n, d);
    report_progress(what);
    place(agents);
    prepare(n, d, agents);
    start(&agents[0], "a");
    start(&agents[1], "b");
    wait_until_loaded(&agents[0], n);
    wait_until_loaded(&agents[1], n);
    struct figures before = look(agents);
    uint64_t begun = clock_us(), deadline = clock_seconds(120);
    store_rpc_join(&agents[1].rpc, agents[0].address);
    while (!are_equal(agents, n) && clock_us() < deadline) {
        usleep(5000);
    }
    double wall_ms = (double)(clock_us() - begun) / 1000;
    usleep(d == 0 ? 3000000 : 300000); /* what is still on its way counts too */
    struct figures after = look(agents);
    struct figures f = {after.bytes - before.bytes, after.entries - before.entries, after.packets - before.packets,
                        after.repairs - before.repairs, after.cpu_ms - before.cpu_ms};
    if (!are_equal(agents, n)) {
        die("the stores did not become equal within two minutes");
    }
    report(n, d, &f, wall_ms, most);
    stop(&agents[0]);
    stop(&agents[1]);
}

/* ---- from nothing -------------------------------------------------------------------------------------------------------------------- */

/* The same bytes through one TCP stream between two processes that do nothing else. */
static double copy_plainly_s(uint64_t bytes)
{
    static uint8_t room[1 << 16];
    int listener = socket(AF_INET, SOCK_STREAM, 0), stream;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    if (bind(listener, (struct sockaddr *)&place, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&place, &size) != 0) {
        die("no socket");
    }
    uint64_t begun = clock_us(), got = 0;
    pid_t child = fork();
    if (child == 0) {
        stream = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(stream, (struct sockaddr *)&place, size) == 0) {
            for (uint64_t sent = 0; sent < bytes;) {
                ssize_t some = write(stream, room, bytes - sent < sizeof room ? bytes - sent : sizeof room);
                sent += some > 0 ? (uint64_t)some : bytes;
            }
        }
        _exit(0);
    }
    stream = accept(listener, NULL, NULL);
    for (ssize_t some; (some = read(stream, room, sizeof room)) > 0;) {
        got += (uint64_t)some;
    }
    close(stream);
    close(listener);
    waitpid(child, NULL, 0);
    if (got != bytes) {
        die("the plain copy broke");
    }
    return (double)(clock_us() - begun) / 1e6;
}

/* The second agent has nothing, in memory or on disk. */
static void measure_fill(unsigned n, bool is_durable)
{
    struct agent agents[2] = {{.pid = 0}, {.pid = 0}};
    char what[64], command[100];
    place(agents);
    prepare(n, 0, agents);
    snprintf(command, sizeof command, "rm -rf %s", agents[1].folder);
    run(command);
    if (!is_durable) {
        agents[1].folder[0] = '\0';
    }
    snprintf(what, sizeof what, "an empty one %s takes %u keys", is_durable ? "on disk" : "in memory", n);
    report_progress(what);
    start(&agents[0], "a");
    start(&agents[1], "b");
    wait_until_loaded(&agents[0], n);
    uint64_t suspicions = store_rpc_counter(&agents[0].rpc, "suspicions") + store_rpc_counter(&agents[1].rpc, "suspicions");
    double gave_ms = cpu_ms(agents[0].pid), took_ms = cpu_ms(agents[1].pid);
    uint64_t begun = clock_us(), deadline = clock_seconds(300);
    store_rpc_join(&agents[1].rpc, agents[0].address);
    while (store_rpc_figure(&agents[1].rpc, "entries") < n && clock_us() < deadline) {
        usleep(10000);
    }
    double seconds = (double)(clock_us() - begun) / 1e6;
    took_ms = cpu_ms(agents[1].pid) - took_ms;
    gave_ms = cpu_ms(agents[0].pid) - gave_ms;
    report_ratio(what, "s", seconds, "plain copy", copy_plainly_s((uint64_t)n * STORE_ENTRY_BYTES), 2);
    suspicions = store_rpc_counter(&agents[0].rpc, "suspicions") + store_rpc_counter(&agents[1].rpc, "suspicions") - suspicions;
    report_value("  CPU of the one that takes", "s", took_ms / 1000);
    report_value("  CPU of the one that gives", "s", gave_ms / 1000);
    report_limit("  suspicions meanwhile", "1", (double)suspicions, 0);
    stop(&agents[0]);
    stop(&agents[1]);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("anti-entropy", argc, argv);
    static const unsigned sizes[] = {10000, 100000, 1000000};
    static const struct {
        unsigned d;
        double most; /* bytes, for 1,000,000 keys: the design's "step 1" */
    } cases[] = {{0, 0}, {1, 1e3}, {10, 5e3}, {100, 40e3}, {1000, 280e3}, {10000, 1.8e6}};
    char command[80];
    if (mkdtemp(root) == NULL) {
        die("cannot make a folder here");
    }
    for (unsigned i = 0; i < (flags.is_quick ? 1 : 3); i++) {
        for (unsigned j = 0; j < 6; j++) {
            if (cases[j].d <= sizes[i] / 10) {
                measure(sizes[i], cases[j].d, cases[j].most);
            }
        }
    }
    measure_fill(flags.is_quick ? 100000 : 1000000, false);
    measure_fill(flags.is_quick ? 100000 : 1000000, true);
    snprintf(command, sizeof command, "rm -rf %s", root);
    run(command);
    return report_end();
}
