/* SPDX-License-Identifier: MIT
 *
 * Event handlers: scripts that are run for events, with Serf's environment and standard input; what one prints for a query is the
 * answer; and a judge's exit code decides whether a large event is told on. They come from the configuration only, never from a remote
 * call. One handler runs one script at a time, in the order of events; how many run in all, how many events wait and for how long a script
 * may run is limited.
 */
#ifndef HEARSAY_AGENT_HANDLERS_H
#define HEARSAY_AGENT_HANDLERS_H

#include "agent/filter.h"

#include <hearsay/hearsay.h>
#include <uv.h>

#define HANDLERS_WAITING 1024                     /* events per handler, */
#define HANDLERS_WAITING_BYTES ((size_t)4 << 20) /* and their size */

struct handler;

struct handlers {
    uv_loop_t *loop;
    const struct hearsay_node *node; /* whose tags scripts are told; set before the first event is delivered */
    const char *name;
    uint64_t limit_ms; /* of one script; 0 = none */
    uint32_t running_max, running;
    /* Answers a query with what a script printed; false with a line in error. */
    bool (*respond)(void *context, uint64_t query, struct hearsay_bytes answer, char *error, size_t size);
    /* All judges of a large event have ended, or could not be asked. */
    void (*judged)(void *context, uint64_t item, bool is_good);
    void (*on_run)(void *context, const char *script, uint64_t ms); /* a script ended; may be NULL */
    void *context;
    struct handler *first; /* in the order of the configuration */
    struct handler *gone;  /* of older configurations, while their scripts run */
    uint32_t turn;         /* whose turn it is to start */
    /* Member events of one type that are told together. */
    struct text members;
    enum hearsay_event_type member_type;
    uint64_t dropped; /* events, because a handler was too far behind */
};

/* Replaces the handlers by these lines: "SCRIPT", "FILTER=SCRIPT", "judge=SCRIPT" or "judge:NAME=SCRIPT". What runs goes on; lines that
 * stay keep their waiting events.
 * False with a line in error, and nothing changed. */
bool handlers_set(struct handlers *h, const struct words *lines, char *error, size_t size);
/* Member events wait for handlers_flush, or for one of another type. */
void handlers_event(struct handlers *h, const struct hearsay_event *event);
void handlers_flush(struct handlers *h);
/* query is what respond gets. */
void handlers_query(struct handlers *h, const char *name, uint64_t ltime, struct hearsay_bytes payload, uint64_t query);
/* Shall this large event be told on? False: nobody wants to judge it. Else judged follows, perhaps at once. */
bool handlers_judge(struct handlers *h, const struct hearsay_event *event);
/* Visits "user:deploy" and its script. */
void handlers_visit(const struct handlers *h, void (*visit)(void *context, const char *filter, const char *script), void *context);
/* Forgets everything; scripts that run go on by themselves, as Serf's do. */
void handlers_close(struct handlers *h);

#endif
