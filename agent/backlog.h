/* SPDX-License-Identifier: MIT
 *
 * The last events as JSON lines under ascending numbers, so that a reader that was away can go on where it stopped. Bounded in lines and
 * bytes; what falls out is counted by the gap in the numbers.
 */
#ifndef HEARSAY_AGENT_BACKLOG_H
#define HEARSAY_AGENT_BACKLOG_H

#include "agent/text.h"

#define BACKLOG_LINES 1024
#define BACKLOG_BYTES (1u << 20)

struct backlog {
    char **lines; /* a ring of BACKLOG_LINES, made when the first line comes */
    uint64_t newest; /* number of the last line; the first has 1 */
    uint64_t oldest; /* number of the oldest that is kept */
    size_t bytes;
};

/* Takes a copy, without the newline at its end. */
void backlog_put(struct backlog *backlog, const char *line, size_t size);
/* The line after *cursor, and *cursor moves there; *lost says how many between were dropped. NULL when there is none yet. */
const char *backlog_next(const struct backlog *backlog, uint64_t *cursor, uint64_t *lost);
void backlog_deinit(struct backlog *backlog);

#endif
