/* SPDX-License-Identifier: MIT
 *
 * DNS of the agent: UDP and TCP on one address, from which questions go to the responder (dns/responder.h) and answers come back. It keeps
 * the limits: on connections, on silence, on what waits to be sent. What there is to answer dns_zone.c takes from node and catalog.
 */
#ifndef HEARSAY_AGENT_DNS_H
#define HEARSAY_AGENT_DNS_H

#include "agent/service.h"

#include "dns/responder.h"

#include <hearsay/services.h>
#include <uv.h>

#define DNS_PORT 8600
#define DNS_CONNECTIONS 128           /* one more makes room for itself: who was silent for longest goes */
#define DNS_IDLE_MS 10000             /* without a whole question */
#define DNS_QUESTION_BYTES 4096       /* longer ones are not read */
#define DNS_ANSWERS_AT_ONCE 64u       /* by TCP in one millisecond; then gossip comes first */
#define DNS_WAITING_BYTES (64u << 10) /* no further question of a connection is answered above this */

struct dns_settings {
    const char *address; /* NULL = no DNS; "127.0.0.1:8600", or ":8600" for this machine only */
    const char *domain;  /* "hearsay." */
    int64_t ttl_ms;
};

/* Names of members that have capital letters: DNS forgets case, the node does not. */
struct dns_capitals {
    char **names;
    size_t count;
    bool is_known; /* nobody came or went since they were gathered */
};

struct dns {
    struct service *service;
    struct responder *responder; /* NULL = DNS is off */
    struct dns_capitals capitals;
    struct hearsay_address bound;
    uv_udp_t udp;
    uv_tcp_t listener;
    uv_timer_t idle;
    uv_idle_t again; /* runs while questions of connections wait for their turn */
    struct dns_connection *connections;
    uint32_t count;
    uint64_t accepted, evicted, unsent; /* connections; those that made room or were silent; answers that did not leave */
    uint32_t turn, answers;             /* answers by TCP since answers_ms */
    uint64_t answers_ms;
    bool is_timing;
    uint8_t *room; /* a question by UDP, then an answer */
};

/* Listens, if an address is set. What settings point to is copied. */
bool dns_open(struct dns *dns, uv_loop_t *loop, struct service *service, const struct dns_settings *settings, char *error, size_t size);
/* Somebody came or went. */
void dns_event(struct dns *dns, const struct hearsay_event *event);
/* Stops at once; the loop must run once more. */
void dns_close(struct dns *dns);
/* After the loop has run. */
void dns_deinit(struct dns *dns);

/* dns_zone.c: what the responder asks. dns is its context. */
struct dns_zone dns_zone_of(struct dns *dns);
void dns_zone_deinit(struct dns *dns);
/* dns_tcp.c: connections. */
void dns_on_connection(uv_stream_t *listener, int status);
void dns_end_connections(struct dns *dns);
/* dns.c: asks the responder; the answer stands in dns->room. */
struct hearsay_bytes dns_answer(struct dns *dns, struct hearsay_bytes question, const struct sockaddr *from, bool is_stream);

#endif
