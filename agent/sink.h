/* SPDX-License-Identifier: MIT
 *
 * A file descriptor that takes whole lines and never makes the agent wait: what a full pipe or socket does not take is kept up
 * to a limit, later lines are dropped and counted.
 */
#ifndef HEARSAY_AGENT_SINK_H
#define HEARSAY_AGENT_SINK_H

#include "agent/text.h"

struct sink {
    int fd; /* -1 = closed: lines vanish */
    bool is_socket;
    struct text rest; /* of a line that was taken in part */
    uint64_t dropped; /* lines */
};

void sink_init(struct sink *sink, int fd);
/* Appends to path (created 0640), or to what path names: a pipe, a device. */
bool sink_open(struct sink *sink, const char *path, char *error, size_t size);
void sink_deinit(struct sink *sink);
/* line ends with '\n'. Answers whether something is left over: call sink_retry later. */
bool sink_put(struct sink *sink, const char *line, size_t size);
bool sink_retry(struct sink *sink);

#endif
