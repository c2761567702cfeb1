/* SPDX-License-Identifier: MIT
 *
 * A client of Serf's RPC: connects, shakes hands, authenticates, asks, waits for answers with a deadline. It speaks to hearsay agents and to
 * Serf agents alike. Whatever goes wrong is said in one line on stderr.
 */
#ifndef HEARSAY_CLI_CLIENT_H
#define HEARSAY_CLI_CLIENT_H

#include "base/cursor.h"
#include "rpc/scan.h"

struct client {
    int fd;
    uint64_t seq;
    struct scan scan;
    uint8_t *data;     /* received and not yet used */
    size_t size, capacity, used;
    uint8_t *waiting;  /* corked: requests that are not sent yet */
    size_t waiting_size;
    bool is_corked;
    int wait_ms;       /* longest silence, -1 = for ever */
    const char *closed_hint; /* what it may mean when the agent closes instead of answering, or NULL */
};

/* Connects to --rpc-addr and is ready to ask. False after saying why. */
bool client_open(struct client *c);
void client_close(struct client *c);
/* Sends a request; body is an encoded object or empty. */
bool client_send(struct client *c, const char *command, struct hearsay_bytes body);
/* From now on requests are sent together: when many have gathered, or when an answer is waited for. */
void client_cork(struct client *c);
/* The next object, borrowed until the next call. False after saying why (nothing is said when the agent closed and is_quiet). */
bool client_next(struct client *c, struct hearsay_bytes *object, bool is_quiet);
/* Reads a response header. *error is "" or the agent's text. False after saying why. */
bool client_header(struct client *c, uint64_t *seq, char *error, size_t size, bool is_quiet);
/* Sends and reads the header of the answer; false after saying the agent's error. has_body_on_error: skip one object then. */
bool client_ask(struct client *c, const char *command, struct hearsay_bytes body);

#endif
