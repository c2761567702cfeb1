/* SPDX-License-Identifier: MIT
 *
 * Finding the agents of the same --discover name on this network, by multicast DNS as Serf does: asks when it starts and once a minute, joins whom
 * it finds and does not know, and answers who asks. Serf's agents find ours, and ours theirs.
 */
#ifndef HEARSAY_AGENT_DISCOVERY_H
#define HEARSAY_AGENT_DISCOVERY_H

#include "agent/config.h"
#include "agent/mdns.h"
#include "agent/service.h"

#include <uv.h>

#define DISCOVERY_FOUND_MAX 64 /* joined at once; the rest is found again in a minute */
#define DISCOVERY_SOCKETS 2    /* IPv4 and IPv6 */

struct discovery {
    struct mdns mdns;
    struct service *service;
    bool is_open, is_replaying;
    struct discovery_socket {
        uv_udp_t hearing; /* port 5353, shared with others on this machine */
        uv_udp_t asking;  /* a port of our own, where answers to our questions come */
        bool is_open, is_six;
    } sockets[DISCOVERY_SOCKETS];
    uv_timer_t timer;
    bool is_joining;
    unsigned closing; /* handles */
    uint64_t next_question_ms, join_ms; /* on the loop's clock; join_ms 0 = nobody to join */
    uint64_t second_ms;
    unsigned answers; /* in this second */
    struct hearsay_address found[DISCOVERY_FOUND_MAX];
    size_t count;
    uint8_t room[9000];
};

/* Does nothing without config->discover. False with a line in error. */
bool discovery_open(struct discovery **discovery, uv_loop_t *loop, struct service *service, const struct config *config,
                    const struct hearsay_address *advertised, char *error, size_t size);
/* Its memory is free when the loop has closed the sockets. */
void discovery_close(struct discovery *discovery);

#endif
