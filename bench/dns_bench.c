/* SPDX-License-Identifier: MIT
 *
 * What an answer of DNS costs the agent: CPU of a process that serves the agent's DNS on loopback, with 10,000 instances of 100 services on
 * 100 nodes in its catalog, per question by UDP; beside a UDP echo on the same loop of the same process, in turn with it. The median of
 * batches.
 */
#include "agent/dns.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"

#include "wire/message.h"

#include <arpa/inet.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODES 100u
#define SERVICES 100u
#define BATCH 200u
#define ECHO_PORT 8601

static char host[16];

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench dns: %s\n", text);
    exit(1);
}

/* ---- the server ---- */

static uint64_t now_us(void *context)
{
    (void)context;
    return clock_us();
}

static uint64_t unix_ms(void *context)
{
    (void)context;
    return (uint64_t)time(NULL) * 1000;
}

static void drain(struct hearsay_node *node)
{
    struct hearsay_output output;
    while (hearsay_next_output(node, &output)) {
    }
}

static void meet(struct hearsay_node *node, unsigned i)
{
    static const uint8_t versions[6] = {1, 5, 2, 2, 5, 5};
    char name[16];
    uint8_t bytes[1024];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct hearsay_address address = {.bytes = {10, 0, 0, (uint8_t)(i + 1)}, .size = 4, .port = 7946};
    struct message m = {.type = MESSAGE_ALIVE,
                        .alive = {.incarnation = 1,
                                  .node = bytes_of(name, (size_t)snprintf(name, sizeof name, "n%u", i)),
                                  .address = address,
                                  .versions = bytes_of(versions, sizeof versions)}};
    message_encode(&w, &m);
    hearsay_receive_packet(node, clock_us(), &address, bytes, w.size);
    drain(node);
}

static void offer(struct hearsay_node *node, unsigned i, unsigned service)
{
    char owner[16], name[16];
    uint8_t key[HEARSAY_KEY_MAX], value[HEARSAY_SERVICE_VALUE_MAX];
    const char *const tags[] = {service % 2 == 0 ? "v1" : "v2", "production"};
    snprintf(owner, sizeof owner, "n%u", i);
    snprintf(name, sizeof name, "web%u", service);
    struct hearsay_service_definition d = {.name = name,
                                           .address.port = (uint16_t)(8000 + service),
                                           .tags = tags,
                                           .tag_count = 2,
                                           .output = bytes_of_string("HTTP 200 in 3 ms")};
    size_t key_size = hearsay_service_key(owner, name, key), size = hearsay_service_value(&d, value);
    struct hearsay_entry entry = {.key = bytes_of(key, key_size),
                                  .value = bytes_of(value, size),
                                  .version = {.hlc = (i * SERVICES + service + 1) << 16, .origin = 1}};
    if (hearsay_store_load(node, &entry) != HEARSAY_OK) {
        die("an entry is refused");
    }
}

static struct hearsay_node *make_node(void)
{
    struct hearsay_options o;
    hearsay_options_lan(&o);
    o.name = "n0";
    o.advertise = (struct hearsay_address){.bytes = {10, 0, 0, 1}, .size = 4, .port = 7946};
    o.store = 1;
    struct hearsay_node *node = hearsay_create(&o, clock_us(), NULL);
    if (node == NULL) {
        die("no memory for a node");
    }
    for (unsigned i = 0; i < NODES; i++) {
        if (i > 0) {
            meet(node, i);
        }
        for (unsigned service = 0; service < SERVICES; service++) {
            offer(node, i, service);
        }
    }
    return node;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char room[4096];
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(room, sizeof room);
}

static void echo(uv_udp_t *udp, ssize_t size, const uv_buf_t *buffer, const struct sockaddr *from, unsigned flags)
{
    (void)flags;
    if (size > 0 && from != NULL) {
        uv_buf_t out = uv_buf_init(buffer->base, (unsigned)size);
        (void)uv_udp_try_send(udp, &out, 1, from);
    }
}

static _Noreturn void serve(int ready)
{
    static struct dns dns;
    uv_loop_t loop;
    uv_udp_t floor_udp;
    struct sockaddr_in place;
    char address[32], error[400];
    struct service service = {.node = make_node(), .name = "n0", .now_us = now_us, .unix_ms = unix_ms};
    service.catalog = hearsay_services_create(service.node, NULL);
    snprintf(address, sizeof address, "%s:8600", host);
    struct dns_settings settings = {.address = address, .domain = "hearsay."};
    uv_loop_init(&loop);
    if (!dns_open(&dns, &loop, &service, &settings, error, sizeof error)) {
        die(error);
    }
    uv_udp_init(&loop, &floor_udp);
    uv_ip4_addr(host, ECHO_PORT, &place);
    if (uv_udp_bind(&floor_udp, (struct sockaddr *)&place, 0) != 0 || uv_udp_recv_start(&floor_udp, give_room, echo) != 0) {
        die("cannot listen for the echo");
    }
    hearsay_services_update(service.catalog);
    struct hearsay_services_stats stats;
    hearsay_services_get_stats(service.catalog, &stats);
    if (write(ready, &stats, sizeof stats) != sizeof stats) {
        die("nobody listens");
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    exit(0);
}

/* ---- the client ---- */

static clockid_t server_clock;

static double server_us(void)
{
    struct timespec t;
    clock_gettime(server_clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = 10};
    inet_pton(AF_INET, host, &place.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        connect(fd, (struct sockaddr *)&place, sizeof place) != 0) {
        die("cannot make a socket");
    }
    return fd;
}

struct kind {
    const char *what, *name;
    uint16_t type, udp_bytes;
    unsigned least; /* records that a right answer has at least */
};

static struct hearsay_bytes question_of(const struct kind *kind, unsigned number, uint8_t room[512])
{
    struct dns_writer w;
    struct dns_question q = {.type = kind->type, .class = DNS_IN};
    char name[80];
    snprintf(name, sizeof name, kind->name, number % SERVICES);
    dns_write(&w, room, 512, (uint16_t)number, DNS_RD);
    if (!dns_name_parse(&q.name, name) || !dns_put_question(&w, &q) ||
        (kind->udp_bytes > 0 && !dns_put_opt(&w, kind->udp_bytes, DNS_NOERROR, bytes_of(NULL, 0)))) {
        die("a question that does not fit");
    }
    return dns_finish(&w);
}

/* CPU of the server per question, in microseconds. */
static double ask_batch(int fd, const struct kind *kind, unsigned *number, bool is_echo)
{
    static uint8_t answer[65536];
    double start = server_us();
    for (unsigned i = 0; i < BATCH; i++) {
        uint8_t room[512];
        struct hearsay_bytes question = question_of(kind, ++*number, room);
        if (send(fd, question.data, question.size, 0) < 0) {
            die("cannot send");
        }
        ssize_t size = recv(fd, answer, sizeof answer, 0);
        if (size < (ssize_t)DNS_HEADER || memcmp(answer, question.data, 2) != 0) {
            die("no answer, or not to this question");
        }
        if (!is_echo && bytes_get_u16(answer + 6) < kind->least) {
            die("an answer with too few records");
        }
    }
    return (server_us() - start) / BATCH;
}

static void compare(const struct kind *kind, unsigned batches)
{
    static double ours[1000], floor_us[1000];
    int dns = connect_to(8600), plain = connect_to(ECHO_PORT);
    unsigned number = 0;
    char what[120];
    report_progress(kind->what);
    for (unsigned i = 0; i < batches; i++) {
        ours[i] = ask_batch(dns, kind, &number, false);
        floor_us[i] = ask_batch(plain, kind, &number, true);
    }
    close(dns);
    close(plain);
    double median_ours = median(ours, batches), median_floor = median(floor_us, batches);
    report_ratio(kind->what, "us CPU", median_ours, "UDP echo", median_floor, NAN);
    snprintf(what, sizeof what, "%s: beyond the echo", kind->what);
    report_limit(what, "us CPU", median_ours - median_floor, 50);
}

int main(int argc, char **argv)
{
    static const struct kind kinds[] = {
        {"A of 100 instances, 512 bytes", "web%u.service.hearsay", DNS_A, 0, 25},
        {"A of 100 instances, all of them", "web%u.service.hearsay", DNS_A, 4096, 100},
        {"A of those with a tag", "production.web%u.service.hearsay", DNS_A, 4096, 100},
        {"SRV of 100 instances, 1232 bytes", "_web%u._tcp.service.hearsay", DNS_SRV, 1232, 25},
        {"SRV of 100 instances, all of them", "_web%u._tcp.service.hearsay", DNS_SRV, 8192, 100},
        {"A of a node", "n%u.node.hearsay", DNS_A, 0, 1},
        {"a service that does not exist", "mail%u.service.hearsay", DNS_A, 0, 0},
    };
    struct report_flags flags = report_begin("dns", argc, argv);
    struct hearsay_services_stats stats;
    int ready[2];
    snprintf(host, sizeof host, "127.%u.%u.1", (unsigned)getpid() / 250 % 250 + 1, (unsigned)getpid() % 250 + 1);
    if (pipe(ready) != 0) {
        die("no pipe");
    }
    pid_t server = fork();
    if (server == 0) {
        serve(ready[1]);
    }
    close(ready[1]);
    if (server < 0 || read(ready[0], &stats, sizeof stats) != sizeof stats || clock_getcpuclockid(server, &server_clock) != 0) {
        die("the server did not start");
    }
    report_value("instances in the catalog", "", stats.instances);
    report_value("memory of the catalog", "kB", (double)stats.memory / 1024);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        compare(&kinds[i], flags.is_quick ? 21 : 201);
    }
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    if (stats.instances != NODES * SERVICES) {
        die("the catalog does not have all instances");
    }
    return report_end();
}
