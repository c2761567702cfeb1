/* SPDX-License-Identifier: MIT
 *
 * What the core alone costs, in nanoseconds: one ping plus its ack (decode, decide, encode, on both sides) and one event heard and relayed,
 * beside sendto and recvfrom of the same run. No agent, no socket in between; time is made up. The cost must not grow with the cluster.
 */
#include "bench/clock.h"
#include "bench/report.h"

#include "serf/events.h"
#include "wire/message.h"
#include <hearsay/hearsay.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCHES 21

struct bench {
    struct hearsay_node *node;
    uint64_t now;
    uint64_t next_event;
    unsigned members, packets;
    uint32_t sequence; /* of the last ping that left */
    struct hearsay_address asked;
};

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench core: %s\n", text);
    exit(1);
}

static struct hearsay_address address_of(unsigned i)
{
    return (struct hearsay_address){.bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}, .size = 4, .port = 7946};
}

static struct hearsay_bytes name_of(unsigned i, char text[16])
{
    return bytes_of(text, (size_t)snprintf(text, 16, "n%u", i));
}

/* Takes what the node wants done; remembers the ping among it. */
static void drain(struct bench *b)
{
    struct hearsay_output output;
    while (hearsay_next_output(b->node, &output)) {
        if (output.type != HEARSAY_SEND_PACKET) {
            continue;
        }
        struct message m;
        b->packets++;
        /* while rumours ride along, the ping is the first part of a compound */
        struct hearsay_bytes first = output.bytes;
        if (first.data[0] == MESSAGE_COMPOUND) {
            size_t head = 2 + 2u * first.data[1];
            first = bytes_of(first.data + head, bytes_get_u16(first.data + 2));
        }
        if (first.data[0] == MESSAGE_PING && message_decode(first, &m)) {
            b->sequence = m.ping.sequence;
            b->asked = output.address;
        }
    }
}

static void receive(struct bench *b, const struct hearsay_address *from, const struct message *m)
{
    uint8_t bytes[1024];
    struct writer w = writer_of(bytes, sizeof bytes);
    message_encode(&w, m);
    hearsay_receive_packet(b->node, b->now, from, bytes, w.size);
}

static void meet(struct bench *b, unsigned i)
{
    static const uint8_t versions[6] = {1, 5, 2, 2, 5, 5};
    char text[16];
    struct hearsay_address address = address_of(i);
    struct message m = {.type = MESSAGE_ALIVE, .alive = {.incarnation = 1, .node = name_of(i, text), .address = address,
                                                         .versions = bytes_of(versions, sizeof versions)}};
    receive(b, &address, &m);
    drain(b);
}

/* Lets time pass to what is due next; a ping that leaves is answered at once. True when there was one. */
static bool go_on(struct bench *b)
{
    b->sequence = 0;
    b->now = hearsay_next_deadline(b->node);
    hearsay_tick(b->node, b->now);
    drain(b);
    if (b->sequence == 0) {
        return false;
    }
    struct message m = {.type = MESSAGE_ACK, .ack = {.sequence = b->sequence}};
    receive(b, &b->asked, &m);
    drain(b);
    return true;
}

/* Until nothing is due within a second: then no rumour is left. */
static void tell_all(struct bench *b)
{
    while (hearsay_next_deadline(b->node) < b->now + 1000000) {
        (void)go_on(b);
    }
}

static struct bench start(unsigned members)
{
    struct hearsay_options o;
    hearsay_options_lan(&o);
    o.name = "n0";
    o.advertise = address_of(0);
    o.seed = 1;
    o.push_pull_interval_ms = 0;
    o.compression = 0; /* its cost is the content's, not the cluster's */
    o.attended_time = 0;
    o.eager_packets_per_second = 1000000;
    o.reap_interval_ms = 86400000; /* not what is measured here */
    o.probe_interval_ms = 10000; /* rarely, so that tell_all ends in between */
    struct bench b = {.now = 1000000, .members = members, .next_event = 1};
    b.node = hearsay_create(&o, b.now, NULL);
    if (b.node == NULL) {
        die("no memory for a node");
    }
    for (unsigned i = 1; i < members; i++) {
        meet(&b, i);
    }
    tell_all(&b);
    return b;
}

/* What it costs when nobody else is using the machine: the least of the batches. */
static double least(const double batches[BATCHES])
{
    double best = batches[0];
    for (unsigned i = 1; i < BATCHES; i++) {
        best = batches[i] < best ? batches[i] : best;
    }
    return best;
}

/* Somebody's ping arrives and our ack leaves. */
static void answer_ping(struct bench *b, unsigned i)
{
    char text[16];
    struct hearsay_address from = address_of(1 + i % (b->members - 1));
    struct message m = {.type = MESSAGE_PING, .ping = {.node = bytes_of_string("n0"), .sequence = i, .source = from,
                                                       .source_node = name_of(1 + i % (b->members - 1), text)}};
    receive(b, &from, &m);
    drain(b);
}

/* Our ping leaves and its ack arrives. */
static void probe(struct bench *b)
{
    while (!go_on(b)) {
    }
}

static double ping_and_ack_ns(struct bench *b, unsigned rounds)
{
    double batches[BATCHES];
    for (unsigned k = 0; k < BATCHES; k++) {
        uint64_t begin = clock_ns();
        for (unsigned i = 0; i < rounds; i++) {
            answer_ping(b, k * rounds + i);
            probe(b);
        }
        batches[k] = (double)(clock_ns() - begin) / rounds;
    }
    return least(batches);
}

/* An event arrives, is delivered and told as often as the cluster's size asks. *packets: how many datagrams carried it. */
static double event_ns(struct bench *b, unsigned rounds, double *packets)
{
    double batches[BATCHES];
    b->packets = 0;
    for (unsigned k = 0; k < BATCHES; k++) {
        uint64_t begin = clock_ns();
        for (unsigned i = 0; i < rounds; i++) {
            uint8_t bytes[256];
            struct writer w = writer_of(bytes, sizeof bytes);
            struct serf_message m = {.type = SERF_USER_EVENT, .user_event = {.ltime = b->next_event++, .name = bytes_of_string("deploy"),
                                                                             .payload = bytes_of_string("v1.2.3 on every host")}};
            struct hearsay_address from = address_of(1 + i % (b->members - 1));
            writer_u8(&w, MESSAGE_USER);
            serf_message_encode(&w, &m);
            hearsay_receive_packet(b->node, b->now, &from, bytes, w.size);
            tell_all(b);
        }
        batches[k] = (double)(clock_ns() - begin) / rounds;
    }
    *packets = (double)b->packets / (BATCHES * rounds);
    return least(batches);
}

static void floor_ns(unsigned rounds, double *send_ns, double *receive_ns)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof self;
    if (fd < 0 || bind(fd, (struct sockaddr *)&self, size) != 0 || getsockname(fd, (struct sockaddr *)&self, &size) != 0) {
        die("no UDP socket on 127.0.0.1");
    }
    double sends[BATCHES], receives[BATCHES];
    char ping[75] = {0};
    for (unsigned k = 0; k < BATCHES; k++) {
        uint64_t sending = 0, receiving = 0;
        for (unsigned i = 0; i < rounds; i++) {
            uint64_t begin = clock_ns();
            if (sendto(fd, ping, sizeof ping, 0, (struct sockaddr *)&self, size) < 0) {
                die("sendto on 127.0.0.1 failed");
            }
            uint64_t middle = clock_ns();
            if (recvfrom(fd, ping, sizeof ping, 0, NULL, NULL) < 0) {
                die("recvfrom on 127.0.0.1 failed");
            }
            sending += middle - begin;
            receiving += clock_ns() - middle;
        }
        sends[k] = (double)sending / rounds;
        receives[k] = (double)receiving / rounds;
    }
    close(fd);
    *send_ns = least(sends);
    *receive_ns = least(receives);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("core", argc, argv);
    unsigned rounds = flags.is_quick ? 500 : 5000;
    static const unsigned sizes[] = {10, 100, 1000, 10000};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    double ping[SIZES], event[SIZES], packets[SIZES], send_ns, receive_ns;
    char what[64];
    for (unsigned i = 0; i < SIZES; i++) {
        struct bench b = start(sizes[i]);
        (void)ping_and_ack_ns(&b, rounds / 5); /* warm */
        ping[i] = ping_and_ack_ns(&b, rounds);
        event[i] = event_ns(&b, rounds / 10, &packets[i]);
        hearsay_destroy(b.node);
    }
    floor_ns(rounds, &send_ns, &receive_ns);
    report_value("sendto, 75 bytes", "ns", send_ns);
    report_value("recvfrom, 75 bytes", "ns", receive_ns);
    for (unsigned i = 0; i < SIZES; i++) {
        snprintf(what, sizeof what, "ping + ack, both ends, %u members", sizes[i]);
        report_ratio(what, "ns", ping[i], "2 send+receive", 2 * (send_ns + receive_ns), 1);
    }
    report_limit("ping + ack, 10,000 members : 10", "times", ping[SIZES - 1] / ping[0], 1.5);
    for (unsigned i = 0; i < SIZES; i++) {
        snprintf(what, sizeof what, "event heard and relayed, %u members", sizes[i]);
        report_value(what, "ns", event[i]);
        snprintf(what, sizeof what, "per datagram (%.1f of them)", packets[i]);
        report_value(what, "ns", event[i] / packets[i]);
    }
    return report_end();
}
