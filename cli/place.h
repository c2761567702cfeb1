/* SPDX-License-Identifier: MIT
 *
 * "host:port" to socket addresses, for commands that talk to nodes themselves.
 */
#ifndef HEARSAY_CLI_PLACE_H
#define HEARSAY_CLI_PLACE_H

#include <stdbool.h>
#include <sys/socket.h>

struct place {
    struct sockaddr_storage address;
    socklen_t size;
};

/* Splits "host", "host:port", "[v6]:port"; default_port if there is none. False when a part is too long. */
bool place_split(const char *text, const char *default_port, char host[256], char port[16]);
/* Resolves it. False after saying why. */
bool place_resolve(const char *text, const char *default_port, struct place *place);

#endif
