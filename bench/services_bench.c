/* SPDX-License-Identifier: MIT
 *
 * Services: how long until all agents know that a check failed; what it costs to look one up among 10,000 instances on 100 nodes, and to
 * hold them; what 1,000 checks cost one agent. The floor of a DNS answer from memory is 50 us, of which the look-up is the part measured
 * here.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"
#include "wire/message.h"
#include "wire/msgpack.h"

#include <arpa/inet.h>
#include <hearsay/services.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FLIPS 31
#define PER_NODE 100
#define CHECKS 1000

/* ---- from the failing check to everybody ------------------------------------------------------------------------------------ */

struct hearing {
    const char *output;
    uint64_t *heard_at; /* per agent, 0 = not yet */
    unsigned heard, count;
};

static void hear(void *context, unsigned agent, const char *event, const char *name)
{
    struct hearing *h = context;
    if (strcmp(event, "services") == 0 && strcmp(name, h->output) == 0 && h->heard_at[agent] == 0) {
        h->heard_at[agent] = clock_us();
        h->heard++;
    }
}

static bool all_heard(void *context)
{
    const struct hearing *h = context;
    return h->heard == h->count;
}

static void ask(struct rpc *rpc, const char *command, const struct writer *body)
{
    struct hearsay_bytes answer;
    if (!rpc_ask(rpc, command, writer_bytes(body), &answer)) {
        fprintf(stderr, "bench services: an agent refused %s\n", command);
        exit(1);
    }
}

static void report_state(struct rpc *rpc, const char *output, unsigned state)
{
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "ID");
    msgpack_put_text(&w, "flip");
    msgpack_put_text(&w, "State");
    msgpack_put_uint(&w, state);
    msgpack_put_text(&w, "Output");
    msgpack_put_text(&w, output);
    ask(rpc, "service-report", &w);
}

/* The service fails and recovers at one agent; took[i] is the time until 99 % know. */
static void flip(struct agents *a, struct rpc *owner, unsigned flips, double *took, double *all)
{
    for (unsigned i = 0; i < flips; i++) {
        char output[16];
        snprintf(output, sizeof output, "flip-%u", i);
        struct hearing h = {output, calloc(a->count, sizeof(uint64_t)), 0, a->count};
        agents_listen(a, clock_seconds(0.5), hear, NULL, &h); /* the one before ebbs away */
        uint64_t begun = clock_us();
        report_state(owner, output, i % 2 == 0 ? HEARSAY_SERVICE_PASSING : HEARSAY_SERVICE_CRITICAL);
        agents_listen(a, clock_seconds(20), hear, all_heard, &h);
        double *times = calloc(a->count, sizeof *times);
        for (unsigned k = 0; k < a->count; k++) {
            times[k] = h.heard_at[k] == 0 ? 20e3 : (double)(h.heard_at[k] - begun) / 1e3;
        }
        median_sort(times, a->count);
        took[i] = times[(a->count * 99 + 99) / 100 - 1];
        all[i] = times[a->count - 1];
        free(times);
        free(h.heard_at);
    }
}

static void register_flip(struct rpc *rpc)
{
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Definition");
    msgpack_put_text(&w, "{\"name\":\"flip\",\"checks\":[{\"ttl\":\"1h\"}]}");
    ask(rpc, "service-register", &w);
}

static void write_config(char path[64], unsigned services, const char *check)
{
    snprintf(path, 64, "/tmp/hearsay-bench-%d.json", (int)getpid());
    FILE *f = fopen(path, "w");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    fputs("{\"services\":[", f);
    for (unsigned i = 0; i < services; i++) {
        fprintf(f, "%s{\"name\":\"svc-%u\",\"port\":80,\"tags\":[\"v1\",\"primary\"],\"meta\":{\"rack\":\"7\"}%s}", i == 0 ? "" : ",\n", i,
                check);
    }
    fputs("]}\n", f);
    fclose(f);
}

static void spread(bool is_quick)
{
    unsigned count = is_quick ? 20 : 100, flips = is_quick ? 11 : FLIPS;
    char what[96], path[64];
    double took[FLIPS], all[FLIPS];
    struct agents a = {.kind = AGENTS_HEARSAY, .count = count, .has_store = true};
    report_progress("agents meet");
    agents_gather(&a);
    struct rpc owner;
    rpc_open(&owner, a.at[count / 2].address, 7373, clock_seconds(10));
    register_flip(&owner);
    usleep(is_quick ? 3000000 : 10000000); /* they learn who has a store */
    for (unsigned i = 0; i < count; i++) {
        if (!rpc_watch_service(&a.at[i].rpc, "flip")) {
            fprintf(stderr, "bench services: an agent cannot watch\n");
            exit(1);
        }
    }
    report_progress("checks fail");
    flip(&a, &owner, flips, took, all);
    rpc_close(&owner);
    struct agents_cost without = agents_measure(&a, 2);
    agents_stop(&a);
    snprintf(what, sizeof what, "from a failing check to 99 %% of %u agents", count);
    report_limit(what, "ms", median(took, flips), 50);
    report_value("the same, to the last one", "ms", median(all, flips));
    write_config(path, PER_NODE, "");
    struct agents b = {.kind = AGENTS_HEARSAY, .count = count, .has_store = true, .config = path};
    report_progress("agents with 100 services each");
    agents_gather(&b);
    usleep(20000000); /* each has read all of it into its catalog */
    struct agents_cost with = agents_measure(&b, is_quick ? 3 : 10);
    agents_stop(&b);
    unlink(path);
    snprintf(what, sizeof what, "memory of an agent that knows %u instances", count * PER_NODE);
    report_value(what, "kB PSS", with.pss_kb);
    report_value("the same without services", "kB PSS", without.pss_kb);
}

/* ---- looking up --------------------------------------------------------------------------------------------------------------------- */

static void meet(struct hearsay_node *node, uint64_t now, const char *name, unsigned number)
{
    uint8_t room[512];
    static const uint8_t versions[6] = {1, 5, 2, 2, 5, 5};
    struct writer w = writer_of(room, sizeof room);
    struct message m = {.type = MESSAGE_ALIVE};
    m.alive = (struct message_alive){.incarnation = 1, .node = bytes_of_string(name), .versions = bytes_of(versions, 6)};
    m.alive.address =
        (struct hearsay_address){.bytes = {10, 0, (uint8_t)(number / 250), (uint8_t)(number % 250 + 1)}, .size = 4, .port = 7946};
    message_encode(&w, &m);
    hearsay_receive_packet(node, now, &m.alive.address, w.data, w.size);
}

/* names services on 100 nodes, 10,000 instances in all. */
static struct hearsay_node *world(unsigned names)
{
    static const char *const tags[] = {"v1", "primary"};
    struct hearsay_options options;
    struct hearsay_output output;
    hearsay_options_lan(&options);
    options.name = "n0";
    options.advertise = (struct hearsay_address){.bytes = {10, 0, 0, 1}, .size = 4, .port = 7946};
    options.store = 1;
    struct hearsay_node *node = hearsay_create(&options, 1, NULL);
    for (unsigned i = 0; i < 10000; i++) {
        char owner[16], name[16], id[16];
        uint8_t key[HEARSAY_KEY_MAX], value[HEARSAY_SERVICE_VALUE_MAX];
        snprintf(owner, sizeof owner, "n%u", i % 100);
        snprintf(name, sizeof name, "svc-%u", i / 100 % names);
        snprintf(id, sizeof id, "svc-%u", i / 100);
        struct hearsay_service_definition d = {.name = name, .id = id, .address.port = 80, .tags = tags, .tag_count = 2};
        struct hearsay_entry entry = {.version = {1700000000000u << 16, i}};
        entry.key = bytes_of(key, hearsay_service_key(owner, id, key));
        entry.value = bytes_of(value, hearsay_service_value(&d, value));
        if (hearsay_store_load(node, &entry) != HEARSAY_OK) {
            exit(1);
        }
    }
    hearsay_set_wall_clock(node, 1, 1700000001000u);
    for (unsigned i = 1; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        meet(node, 1, name, i);
    }
    while (hearsay_next_output(node, &output)) {
    }
    return node;
}

static bool take_some(void *context, const struct hearsay_service *service)
{
    unsigned *left = context;
    return service->is_healthy && --*left > 0;
}

/* As the DNS responder and `service list` would: healthy ones of one name, so many of them. */
static double look_up(struct hearsay_services *services, unsigned names, unsigned most, unsigned times)
{
    uint64_t begun = clock_ns();
    for (unsigned i = 0; i < times; i++) {
        char name[16];
        unsigned left = most;
        snprintf(name, sizeof name, "svc-%u", i * 7 % names);
        struct hearsay_services_query q = {.name = bytes_of_string(name), .tag = bytes_of_string("v1"), .is_healthy_only = true, .turn = i};
        hearsay_services_find(services, 1 + i, &q, take_some, &left);
        if (left == most) {
            fprintf(stderr, "bench services: nothing is found\n");
            exit(1);
        }
    }
    return (double)(clock_ns() - begun) / times / 1e3;
}

static void lookups(bool is_quick)
{
    unsigned times = is_quick ? 20000 : 200000;
    for (int one = 0; one < 2; one++) {
        unsigned names = one ? 1 : 100;
        struct hearsay_node *node = world(names);
        uint64_t begun = clock_ns();
        struct hearsay_services *services = hearsay_services_create(node, NULL);
        hearsay_services_update(services);
        report_value(one ? "10,000 instances of one service are read in" : "10,000 instances of 100 services are read in", "ms",
                     (double)(clock_ns() - begun) / 1e6);
        report_limit(one ? "16 of 10,000 healthy instances of one service" : "16 healthy instances of one of 100 services", "us",
                     look_up(services, names, 16, times), 50);
        report_limit(one ? "the first of 10,000" : "all 100 of one of 100 services", "us", look_up(services, names, one ? 1 : 100, times),
                     50);
        struct hearsay_services_stats stats;
        struct hearsay_store_stats store;
        hearsay_services_get_stats(services, &stats);
        hearsay_get_store_stats(node, &store);
        if (!one) {
            report_value("memory of the catalog, 10,000 instances", "kB", (double)stats.memory / 1024);
            report_value("memory of the store with them", "kB", (double)store.memory / 1024);
        }
        hearsay_services_destroy(services);
        hearsay_destroy(node);
    }
}

/* ---- 1,000 checks ----------------------------------------------------------------------------------------------------------------------
 */

/* A process that takes connections and answers whatever is asked with 200; its port. */
static pid_t serve(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 512) != 0) {
        perror("bench services");
        exit(1);
    }
    getsockname(listener, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        static const char answer[] = "HTTP/1.0 200 OK\r\n\r\nfine\n";
        char room[4096];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            int client = accept(listener, NULL, NULL);
            if (client >= 0 && read(client, room, sizeof room) > 0) {
                (void)!write(client, answer, sizeof answer - 1);
            }
            close(client);
        }
    }
    close(listener);
    return pid;
}

static void check_many(const char *kind, const char *check, double seconds, double most)
{
    char path[64], what[96];
    write_config(path, CHECKS, check);
    struct agents a = {.kind = AGENTS_HEARSAY, .count = 1, .has_store = true, .config = path};
    report_progress(kind);
    agents_gather(&a);
    usleep(5000000); /* the first results are published */
    struct agents_cost cost = agents_measure(&a, seconds);
    agents_stop(&a);
    unlink(path);
    snprintf(what, sizeof what, "1,000 checks of kind %s, every 10 s: of a core", kind);
    if (most > 0) {
        report_limit(what, "%", cost.cpu_ms_per_s / 10, most);
    } else {
        report_value(what, "%", cost.cpu_ms_per_s / 10);
    }
}

static void checks(bool is_quick)
{
    char check[128];
    int port;
    pid_t server = serve(&port);
    double seconds = is_quick ? 11 : 30;
    check_many("none", "", seconds, 0);
    check_many("ttl", ",\"checks\":[{\"ttl\":\"1h\"}]", seconds, 5);
    snprintf(check, sizeof check, ",\"checks\":[{\"tcp\":\"127.0.0.1:%d\"}]", port);
    check_many("tcp", check, seconds, 5);
    snprintf(check, sizeof check, ",\"checks\":[{\"http\":\"http://127.0.0.1:%d/health\"}]", port);
    check_many("http", check, seconds, 5);
    check_many("script", ",\"checks\":[{\"script\":\"exit 0\"}]", seconds, 0); /* the agent's part; the shells cost what shells cost */
    kill(server, SIGKILL);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("services", argc, argv);
    if (!agents_available()) {
        return 1;
    }
    lookups(flags.is_quick);
    checks(flags.is_quick);
    spread(flags.is_quick);
    return report_end();
}
