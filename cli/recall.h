/* SPDX-License-Identifier: MIT
 *
 * The memories of many nodes about one member, gathered by a query and told as one timeline.
 */
#ifndef HEARSAY_CLI_RECALL_H
#define HEARSAY_CLI_RECALL_H

#include "cli/client.h"
#include "cli/story.h"

struct recall_record {
    struct story_record record;
    char observer[256];
};

struct recall {
    struct recall_record *at;
    size_t count, capacity;
    char (*observers)[256]; /* who answered, whether or not they remembered anything */
    size_t observer_count;
    uint64_t now_ms;
};

/* Asks the whole cluster through this agent; records are sorted by time. False after saying why. */
bool recall_ask(struct recall *recall, struct client *client, const char *name, int64_t timeout_ms);
void recall_free(struct recall *recall);
/* recall_verdict.c: what all of it amounts to, in a few sentences. */
void recall_verdict(const struct recall *recall, const char *name, char *out, size_t size);

#endif
