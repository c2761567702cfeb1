/* SPDX-License-Identifier: MIT
 *
 * "host:port" to socket addresses and connections, for commands that talk to agents and nodes.
 */
#ifndef HEARSAY_CLI_PLACE_H
#define HEARSAY_CLI_PLACE_H

#include <hearsay/types.h>
#include <sys/socket.h>

struct place {
    struct sockaddr_storage address;
    socklen_t size;
};

struct places { /* a host name may stand for several; the first is preferred */
    struct place at[8];
    size_t count;
};

/* Splits "host", "host:port", "[v6]", "[v6]:port"; default_port if there is none. False when a part is missing or too long. */
bool place_split(const char *text, const char *default_port, char host[256], char port[16]);
/* Resolves it; at least one place. False after saying why. */
bool place_resolve(const char *text, const char *default_port, struct places *places);
/* Connects within wait_ms and answers a socket that does not block; -1 with an errno in *why. */
int place_connect(const struct place *place, int wait_ms, int *why);
/* Between the sockets' addresses and the wire's. place_of: false for an address that is neither IPv4 nor IPv6, or has no port. */
bool place_of(const struct hearsay_address *address, struct place *place);
void place_address(const struct place *place, struct hearsay_address *address);

#endif
