/* SPDX-License-Identifier: MIT
 *
 * Does the simulator tell the truth? The same configuration file, once for real agents on loopback and once for `hearsay sim cluster`: how
 * soon a user event reaches half and all, how soon a crash is detected by the first and by all, packets and bytes of a quiet node.
 *
 * What the simulator cannot know is the computer. Two things are measured in the same run and given to it. What a hop takes when nobody
 * waits: the least of many pings to agents, from their sending to the kernel's stamp on the ack. And what waking an agent costs: the
 * processor time of all agents and of this bench, which reads their subscriptions, while events spread, less that of quiet, for each time
 * that an agent woke. For a hundred agents share a few cores, and wait for one in order; what comes meanwhile is read in the same waking.
 * libuv's timers count milliseconds, and so do the simulator's here (timer_grain). An event begins when its sender's own subscriber hears
 * it.
 *
 * Whom all eager copies of an event miss waits for somebody's tick, up to 200 ms. Such events are counted apart, in percent, or a few of
 * them would decide the mean of all. Means are compared, which should differ by at most a tenth; to that comes twice the standard error of
 * their difference.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"
#include "bench/seen.h"
#include "wire/message.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SAMPLES_MAX 2000
#define PINGS 5               /* per event, 2 ms apart: while it spreads */
#define PING_EVERY_US 2000u
#define TENTH 0.1
#define LATE_MS 40 /* somebody waited for a tick */
#define CONFIG "{\"profile\": \"lan\"}\n"

struct plan {
    unsigned agents, events, crashes, seeds;
    double settle_s, quiet_s;
};

struct samples {
    double at[SAMPLES_MAX];
    unsigned count;
};

enum figure { EVENT_HALF_MS, EVENT_ALL_MS, EVENT_LATE, CRASH_FIRST_S, CRASH_ALL_S, PACKETS, BYTES, FIGURES };

struct world {
    struct samples figures[FIGURES];
    struct samples hops_us;
    double waking_us; /* of a core, while events spread */
    unsigned unheard, unnoticed, wrong;
};

static char folder[] = "/tmp/hearsay-truth.XXXXXX", config[64], scenario[64];

static void add(struct samples *s, double value)
{
    if (s->count < SAMPLES_MAX) {
        s->at[s->count++] = value;
    }
}

static double mean(const struct samples *s)
{
    double sum = 0;
    for (unsigned i = 0; i < s->count; i++) {
        sum += s->at[i];
    }
    return s->count == 0 ? 0 : sum / s->count;
}

static double variance(const struct samples *s)
{
    double sum = 0, middle = mean(s);
    for (unsigned i = 0; i < s->count; i++) {
        sum += (s->at[i] - middle) * (s->at[i] - middle);
    }
    return s->count < 2 ? 0 : sum / (s->count - 1);
}

static void add_event(struct samples *figures, double half_ms, double all_ms)
{
    add(&figures[EVENT_HALF_MS], half_ms);
    add(&figures[EVENT_LATE], all_ms > LATE_MS ? 100 : 0);
    if (all_ms <= LATE_MS) {
        add(&figures[EVENT_ALL_MS], all_ms);
    }
}

/* Of the difference of the means. Few real samples may lie together by chance: they vary at least as the many virtual ones. */
static double standard_error(const struct samples *real, const struct samples *virtual)
{
    double one = variance(real), other = variance(virtual);
    return real->count == 0 || virtual->count == 0 ? 0 : sqrt(fmax(one, other) / real->count + other / virtual->count);
}

/* ---- real agents: what a hop takes --------------------------------------------------------------------------------------------------- */

struct pinger {
    int fd;
    uint64_t sent_at[1u << 16]; /* CLOCK_REALTIME in ns, by sequence */
    uint32_t sequence;
};

static uint64_t real_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pinger_open(struct pinger *p)
{
    int on = 1;
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

static void pinger_send(struct pinger *p, const struct agent *agent)
{
    uint8_t bytes[128];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct message ping = {.type = MESSAGE_PING, .ping = {.sequence = ++p->sequence, .node = bytes_of_string(agent->name)}};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7946)};
    inet_pton(AF_INET, agent->address, &to.sin_addr);
    message_encode(&w, &ping);
    p->sent_at[p->sequence & 0xffff] = real_ns();
    (void)!sendto(p->fd, bytes, w.size, 0, (struct sockaddr *)&to, sizeof to);
}

/* Acks come alone or in a compound; with rumours the ack is the first part. */
static bool is_ack(struct hearsay_bytes bytes, uint32_t *sequence)
{
    struct message m;
    if (bytes.size > 5 && bytes.data[0] == MESSAGE_CRC) {
        bytes = bytes_of(bytes.data + 5, bytes.size - 5);
    }
    if (bytes.size > 4 && bytes.data[0] == MESSAGE_COMPOUND) {
        size_t head = 2 + 2u * bytes.data[1], size = (size_t)bytes.data[2] << 8 | bytes.data[3];
        if (head + size > bytes.size) {
            return false;
        }
        bytes = bytes_of(bytes.data + head, size);
    }
    bool is_read = message_decode(bytes, &m) && m.type == MESSAGE_ACK;
    *sequence = is_read ? m.ack.sequence : 0;
    return is_read;
}

static void pinger_read(struct pinger *p, struct samples *hops_us)
{
    uint8_t bytes[65536], room[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    for (ssize_t size; (size = recvmsg(p->fd, &m, 0)) > 0; m.msg_controllen = sizeof room) {
        uint32_t sequence;
        const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        struct timespec t;
        if (c == NULL || c->cmsg_type != SCM_TIMESTAMPNS || !is_ack(bytes_of(bytes, (size_t)size), &sequence)) {
            continue;
        }
        memcpy(&t, CMSG_DATA(c), sizeof t);
        add(hops_us, (double)((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - p->sent_at[sequence & 0xffff]) / 1e3);
    }
}

/* ---- real agents: events --------------------------------------------------------------------------------------------------------------- */

static void measure_event(struct agents *a, struct pinger *p, struct rpc *senders, unsigned number, struct world *real)
{
    unsigned sender = number * 37 % a->count;
    char name[24];
    struct hearing h = {.name = name, .heard_at = calloc(a->count, sizeof(uint64_t)), .count = a->count};
    double *took_ms = calloc(a->count, sizeof *took_ms);
    snprintf(name, sizeof name, "event-%u", number);
    agents_listen(a, clock_seconds(1), seen_hear, NULL, &h); /* the one before ebbs away */
    rpc_event(&senders[sender], name);
    for (unsigned i = 0; i < PINGS; i++) {
        pinger_send(p, &a->at[(number * 31 + i * 17) % a->count]);
        agents_listen(a, clock_us() + PING_EVERY_US, seen_hear, NULL, &h);
    }
    agents_listen(a, clock_seconds(10), seen_hear, seen_by_all, &h);
    pinger_read(p, &real->hops_us);
    real->unheard += h.count - h.heard;
    for (unsigned i = 0; i < a->count; i++) {
        uint64_t begin = h.heard_at[sender];
        took_ms[i] = h.heard_at[i] == 0 || begin == 0 ? 10e3 : h.heard_at[i] < begin ? 0 : (double)(h.heard_at[i] - begin) / 1e3;
    }
    median_sort(took_ms, a->count);
    if (h.heard == h.count) {
        add_event(real->figures, took_ms[(a->count + 1) / 2 - 1], took_ms[a->count - 1]);
    }
    free(took_ms);
    free(h.heard_at);
}

/* ---- real agents: crashes ---------------------------------------------------------------------------------------------------------------- */

static void measure_crash(struct agents *a, unsigned victim, struct world *real)
{
    struct noticing n = {.victim = a->at[victim].name, .has_noticed = calloc(a->count, sizeof(bool)), .others = victim};
    agents_listen(a, clock_us() + 500000 + (uint64_t)(victim * 7919 % 1000) * 1000, seen_failed, NULL, &n); /* at any phase of the probes */
    uint64_t killed_at = clock_us();
    agents_kill(a, victim);
    agents_listen(a, clock_seconds(90), seen_failed, seen_failed_by_all, &n);
    real->unnoticed += n.others - n.noticed;
    real->wrong += n.wrong;
    if (n.noticed == n.others) {
        add(&real->figures[CRASH_FIRST_S], (double)(n.first_at - killed_at) / 1e6);
        add(&real->figures[CRASH_ALL_S], (double)(n.last_at - killed_at) / 1e6);
    }
    free(n.has_noticed);
}

/* ---- real agents: what a waking costs ---------------------------------------------------------------------------------------------------- */

struct cost {
    double cpu_us, wakings;
    uint64_t at;
};

/* The first number after the label in a file of /proc/PROCESS; without a label the first of all. */
static double proc_number(const char *process, const char *file_name, const char *label)
{
    char path[64], line[200];
    unsigned long long number = 0;
    snprintf(path, sizeof path, "/proc/%s/%s", process, file_name);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, label, strlen(label)) == 0) {
            number = strtoull(line + strlen(label), NULL, 10);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return (double)number;
}

static struct cost cost_now(const struct agents *a)
{
    struct cost cost = {.at = clock_us(), .cpu_us = proc_number("self", "schedstat", "") / 1e3};
    for (unsigned i = 0; i < a->count; i++) {
        char process[16];
        snprintf(process, sizeof process, "%d", (int)a->at[i].pid);
        cost.cpu_us += proc_number(process, "schedstat", "") / 1e3;
        cost.wakings += proc_number(process, "status", "voluntary_ctxt_switches:");
    }
    return cost;
}

/* From quiet begin..middle and events middle..end. */
static double waking_us(const struct cost *begin, const struct cost *middle, const struct cost *end)
{
    double share = (double)(end->at - middle->at) / (double)(middle->at - begin->at);
    double cpu_us = end->cpu_us - middle->cpu_us - (middle->cpu_us - begin->cpu_us) * share;
    double wakings = end->wakings - middle->wakings - (middle->wakings - begin->wakings) * share;
    return wakings > 0 && cpu_us > 0 ? cpu_us / wakings : 1;
}

/* ---- real agents: all --------------------------------------------------------------------------------------------------------------------- */

static void measure_quiet(const struct agents *a, struct rpc *others, double seconds, struct world *real)
{
    static const char *const names[] = {"packets_out", "bytes_out"};
    uint64_t(*before)[2] = calloc(a->count, sizeof *before), after[2];
    uint64_t began_at = clock_us();
    for (unsigned i = 0; i < a->count; i++) {
        rpc_counters(&others[i], names, before[i], 2);
    }
    usleep((useconds_t)(seconds * 1e6));
    for (unsigned i = 0; i < a->count; i++) {
        double span = (double)(clock_us() - began_at) / 1e6;
        if (rpc_counters(&others[i], names, after, 2)) {
            add(&real->figures[PACKETS], (double)(after[0] - before[i][0]) / span);
            add(&real->figures[BYTES], (double)(after[1] - before[i][1]) / span);
        }
    }
    free(before);
}

static void live(const struct plan *plan, struct world *real)
{
    struct agents a = {.kind = AGENTS_HEARSAY, .count = plan->agents, .config = config};
    struct pinger *pinger = calloc(1, sizeof *pinger);
    report_progress("agents meet");
    agents_gather(&a);
    (void)setpriority(PRIO_PROCESS, 0, -10); /* who measures should not wait; without the right to, it does */
    struct rpc *others = calloc(a.count, sizeof *others); /* beside those that listen */
    for (unsigned i = 0; i < a.count; i++) {
        rpc_open(&others[i], a.at[i].address, 7373, clock_seconds(10));
    }
    agents_watch(&a, "user,member-failed");
    report_progress("agents in quiet");
    usleep((useconds_t)(plan->settle_s * 1e6));
    struct cost begin = cost_now(&a);
    measure_quiet(&a, others, plan->quiet_s, real);
    struct cost middle = cost_now(&a);
    pinger_open(pinger);
    for (unsigned i = 0; i < plan->events; i++) {
        report_progress("agents hear events");
        measure_event(&a, pinger, others, i, real);
    }
    struct cost end = cost_now(&a);
    real->waking_us = waking_us(&begin, &middle, &end);
    for (unsigned i = 0; i < plan->crashes; i++) {
        report_progress("agents detect crashes");
        measure_crash(&a, a.count - 1 - i, real);
    }
    close(pinger->fd);
    free(pinger);
    for (unsigned i = 0; i < a.count; i++) {
        rpc_close(&others[i]);
    }
    free(others);
    agents_stop(&a);
}

/* ---- the simulator ------------------------------------------------------------------------------------------------------------------------ */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        fprintf(stderr, "bench: cannot write %s\n", path);
        exit(1);
    }
}

/* The same order of things: quiet, events a second apart, crashes each after the one before is known to all. */
static void write_scenario(const struct plan *plan, const struct world *real)
{
    char text[500];
    const struct samples *hops_us = &real->hops_us;
    double least = 1e9, quiet_s = plan->settle_s + plan->quiet_s;
    for (unsigned i = 0; i < hops_us->count; i++) {
        least = hops_us->at[i] < least ? hops_us->at[i] : least;
    }
    snprintf(text, sizeof text,
             "{\"timer_grain\": 0.001, \"latency\": %.6f, \"cores\": %ld, \"wake_cpu\": %.6f, \"faults\": [\n"
             " {\"fault\": \"event\", \"at\": %.1f, \"nodes\": %u, \"spacing\": 1},\n"
             " {\"fault\": \"crash\", \"at\": %.1f, \"nodes\": %u, \"spacing\": 29.7}]}\n",
             fmax(least - real->waking_us, 0) / 1e6, sysconf(_SC_NPROCESSORS_ONLN), fmax(real->waking_us, 1) / 1e6, quiet_s, plan->events,
             quiet_s + plan->events + 2, plan->crashes);
    write_file(scenario, text);
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void read_run(const struct plan *plan, const json_t *root, struct world *virtual)
{
    const json_t *samples = json_object_get(root, "samples"), *one;
    size_t index;
    json_array_foreach(json_object_get(root, "events"), index, one) {
        virtual->unheard += number(one, "all_s") < 0;
        if (number(one, "all_s") >= 0) {
            add_event(virtual->figures, number(one, "half_s") * 1e3, number(one, "all_s") * 1e3);
        }
    }
    json_array_foreach(json_object_get(root, "deaths"), index, one) {
        virtual->unnoticed += (unsigned)(number(one, "observers") - number(one, "seen"));
        add(&virtual->figures[CRASH_FIRST_S], number(one, "first_s"));
        add(&virtual->figures[CRASH_ALL_S], number(one, "last_s"));
    }
    virtual->wrong += (unsigned)number(root, "false_positives");
    const json_t *begin = json_array_get(samples, (size_t)plan->settle_s), *end = json_array_get(samples, (size_t)(plan->settle_s + plan->quiet_s));
    add(&virtual->figures[PACKETS], (number(end, "packets") - number(begin, "packets")) / plan->quiet_s / plan->agents);
    add(&virtual->figures[BYTES], (number(end, "packet_bytes") - number(begin, "packet_bytes")) / plan->quiet_s / plan->agents);
}

static void simulate(const struct plan *plan, unsigned seed, struct world *virtual)
{
    char command[600];
    json_error_t why;
    const char *program = getenv("HEARSAY");
    snprintf(command, sizeof command, "'%s' sim cluster --nodes %u --scenario %s --config-file %s --seed %u --duration %.0f --format json",
             program != NULL ? program : BUILT_HEARSAY, plan->agents, scenario, config, seed,
             plan->settle_s + plan->quiet_s + plan->events + plan->crashes * 29.7 + 100);
    FILE *out = popen(command, "r");
    json_t *root = out == NULL ? NULL : json_loadf(out, 0, &why);
    if (out == NULL || root == NULL || pclose(out) != 0) {
        fprintf(stderr, "bench: this failed: %s\n", command);
        exit(1);
    }
    read_run(plan, root, virtual);
    json_decref(root);
}

/* ---- side by side --------------------------------------------------------------------------------------------------------------------------- */

static void compare(const struct world *real, const struct world *virtual)
{
    static const struct {
        const char *what, *unit;
    } names[FIGURES] = {{"an event reaches half", "ms"}, {"an event reaches all at once", "ms"}, {"events that left somebody to a tick", "%"},
                        {"a crash: the first", "s"},
                        {"a crash: all", "s"},           {"quiet, per node", "packets/s"}, {"quiet, per node", "bytes/s"}};
    for (unsigned i = 0; i < FIGURES; i++) {
        const struct samples *r = &real->figures[i], *v = &virtual->figures[i];
        double error = 2 * standard_error(r, v);
        char what[80];
        snprintf(what, sizeof what, "%s (+- %.2g, %u and %u)", names[i].what, error, r->count, v->count);
        report_agreement(what, names[i].unit, mean(r), "simulator", mean(v), TENTH + (mean(v) == 0 ? 0 : error / mean(v)));
    }
    report_value("a hop, mean", "us", mean(&real->hops_us));
    report_value("waking an agent, on a core", "us", real->waking_us);
    report_ratio("not heard or noticed", "", real->unheard + real->unnoticed, "simulator", virtual->unheard + virtual->unnoticed, NAN);
    report_ratio("living nodes called failed", "", real->wrong, "simulator", virtual->wrong, NAN);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("truth", argc, argv);
    static struct world real, virtual;
    struct plan plan = {.agents = 100, .events = 60, .crashes = 20, .seeds = 10, .settle_s = 20, .quiet_s = 40};
    if (flags.is_quick) {
        plan = (struct plan){.agents = 20, .events = 15, .crashes = 6, .seeds = 10, .settle_s = 8, .quiet_s = 12};
    }
    if (mkdtemp(folder) == NULL) {
        perror("bench: /tmp");
        return 1;
    }
    snprintf(config, sizeof config, "%s/agent.json", folder);
    snprintf(scenario, sizeof scenario, "%s/scenario.json", folder);
    write_file(config, CONFIG);
    live(&plan, &real);
    write_scenario(&plan, &real);
    for (unsigned seed = 1; seed <= plan.seeds; seed++) {
        report_progress("simulator");
        simulate(&plan, seed, &virtual);
    }
    compare(&real, &virtual);
    remove(config);
    remove(scenario);
    rmdir(folder);
    return report_end();
}
