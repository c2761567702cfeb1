/* SPDX-License-Identifier: MIT
 *
 * What agents that look for each other say by multicast DNS (RFC 6762, RFC 6763), as Serf's do: the service "_serf_NAME._tcp.local.", asked for
 * with one question, answered by each agent with its PTR, SRV, address and TXT in one message. Bytes only: discovery.c has the sockets.
 */
#ifndef HEARSAY_AGENT_MDNS_H
#define HEARSAY_AGENT_MDNS_H

#include "dns/message.h"

#define MDNS_BYTES 1232u /* room for any question or answer of ours */

struct mdns {
    struct dns_name service;        /* _serf_NAME._tcp.local. */
    struct dns_name instance;       /* ours: our name and the service */
    struct hearsay_address address; /* that we advertise, with its port */
    char text[256];                 /* of the TXT, length byte first */
};

/* False when the name of the cluster is too long for DNS (more than 57 bytes), or empty. */
bool mdns_init(struct mdns *m, const char *cluster, const char *node, const struct hearsay_address *address);
/* The question for everybody. */
struct hearsay_bytes mdns_question(const struct mdns *m, uint8_t room[MDNS_BYTES]);
/* The answer to a message, when it asks for us; empty when it does not. *is_for_all: it may as well go to everybody. */
struct hearsay_bytes mdns_answer(const struct mdns *m, struct hearsay_bytes asked, uint8_t room[MDNS_BYTES], bool *is_for_all);
/* Where the agents are of whom a message tells: at most most addresses, ours left out. */
size_t mdns_read(const struct mdns *m, struct hearsay_bytes told, struct hearsay_address *found, size_t most);

#endif
