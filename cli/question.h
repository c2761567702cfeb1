/* SPDX-License-Identifier: MIT
 *
 * A query over RPC: what is asked of whom, and the answers as they come until its time is over.
 */
#ifndef HEARSAY_CLI_QUESTION_H
#define HEARSAY_CLI_QUESTION_H

#include "cli/client.h"
#include "cli/command.h"

struct question {
    const char *name;
    struct hearsay_bytes payload; /* data NULL = none */
    const struct flag_list *nodes, *tags; /* filters: names, KEY=REGEXP; NULL = none */
    bool wants_acks;
    uint8_t relays;
    int64_t timeout_ms; /* 0 = the agent's default */
    /* Acks and answers. from and payload are borrowed. */
    void (*on_ack)(void *context, struct hearsay_bytes from);
    void (*on_answer)(void *context, struct hearsay_bytes from, struct hearsay_bytes payload);
    void *context;
};

/* Asks. False after saying why the agent did not take it. */
bool question_send(struct client *client, const struct question *question);
/* Waits until the time of the question is over. False after saying why. */
bool question_wait(struct client *client, const struct question *question);

#endif
