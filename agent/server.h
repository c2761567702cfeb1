/* SPDX-License-Identifier: MIT
 *
 * The sockets of RPC: a TCP listener and its connections. It moves bytes between sockets and sessions and keeps the limits on
 * connections, on silence before the handshake and on output that nobody reads.
 */
#ifndef HEARSAY_AGENT_SERVER_H
#define HEARSAY_AGENT_SERVER_H

#include "agent/service.h"

#include <uv.h>

#define SERVER_CONNECTIONS 256 /* one more makes room for itself: the longest idle one goes */
#define SERVER_GREETING_MS 10000 /* a stranger must have shaken hands and authenticated by then */

struct server {
    struct service *service;
    uv_tcp_t listener;
    uv_timer_t greeting;
    struct connection *connections;
    uint32_t count;
    bool is_open, is_timing;
    char *room; /* where reads land; one for all */
};

/* address is "host:port", numeric or localhost. bound gets what was opened. A service without a token is only offered on loopback. */
bool server_open(struct server *server, uv_loop_t *loop, struct service *service, const char *address,
                 struct hearsay_address *bound, char *error, size_t size);
/* Stops listening and closes connections when their output is sent, or at once. */
void server_close(struct server *server, bool at_once);

#endif
