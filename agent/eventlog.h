/* SPDX-License-Identifier: MIT
 *
 * The event log: every event as one JSON line, schema 1. It knows the words of the core, no sockets.
 */
#ifndef HEARSAY_AGENT_EVENTLOG_H
#define HEARSAY_AGENT_EVENTLOG_H

#include "agent/sink.h"

#include <hearsay/hearsay.h>

/* Appends the line of event, newline included. False (nothing appended) for events that are answers to our own wishes. */
bool eventlog_line(struct text *out, const struct hearsay_event *event, uint64_t unix_ms);
/* The first line, once the sockets are open. */
void eventlog_ready(struct text *out, const char *name, const struct hearsay_address *address, const char *rpc_addr, int pid);

/* One piece of evidence under its name; fields that do not apply are not visited. text NULL = it is a number. */
typedef void (*eventlog_visit)(void *context, const char *key, const char *text, uint64_t number);
/* Visits reason, accuser, …, own_pause_ms and, flattened, probe_direct … probe_waited_ms. */
void eventlog_visit_cause(const struct hearsay_cause *cause, eventlog_visit visit, void *context);

struct eventlog {
    struct sink sink;
    const char *path; /* NULL = none, "-" = stdout; borrowed */
    struct text line;
};

bool eventlog_open(struct eventlog *log, const char *path, char *error, size_t size);
/* Closes and opens the same path, for log rotation. The old file stays if that fails. */
bool eventlog_reopen(struct eventlog *log, char *error, size_t size);
void eventlog_close(struct eventlog *log);
/* Writes log->line and clears it. Answers whether something is left over (sink_retry). */
bool eventlog_write(struct eventlog *log);

#endif
