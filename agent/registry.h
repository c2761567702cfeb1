/* SPDX-License-Identifier: MIT
 *
 * The services of this node: defined by the configuration or by clients, checked (checks.h), and published in the shared store under the
 * node's name, when something changed and only then. It also keeps that part of the store true: what a former life left there is taken
 * back, what others deleted is written again, and entries of a node that was reaped are deleted by whoever comes first in the order of
 * names.
 */
#ifndef HEARSAY_AGENT_REGISTRY_H
#define HEARSAY_AGENT_REGISTRY_H

#include "agent/checks.h"
#include "agent/service.h"

#define REGISTRY_MOST 4096 /* services of one node */

struct own;

struct registry {
    struct service *service;
    struct checks checks;
    struct own *first;
    uint32_t count;
    char *path;      /* where those that clients registered are kept; NULL = nowhere */
    uint64_t number; /* of the store's changes */
    bool has_listed;
    struct words buried; /* names of nodes that were reaped */
    uint64_t bury_at_ms;
    uint64_t writes; /* entries put so far */
    void *context;
    void (*want)(void *context, uint64_t ms); /* registry_run is to be called after so long */
};

/* configured: each a JSON object. False with a line in error. */
bool registry_open(struct registry *r, uv_loop_t *loop, struct service *service, const char *data_dir, const struct words *configured,
                   char *error, size_t size);
/* The configuration was read again. */
bool registry_configure(struct registry *r, const struct words *configured, char *error, size_t size);
void registry_run(struct registry *r);
void registry_event(struct registry *r, const struct hearsay_event *event);
/* Before the node stops. */
void registry_close(struct registry *r);

/* What clients wish; "" or what is wrong, borrowed until the next call. */
const char *registry_register(struct registry *r, struct hearsay_bytes json);
const char *registry_deregister(struct registry *r, const char *id);
/* reason NULL: it is back in service. */
const char *registry_maintain(struct registry *r, const char *id, const char *reason);
/* check "": the only heartbeat it has. */
const char *registry_report(struct registry *r, const char *id, const char *check, enum hearsay_service_state state,
                            struct hearsay_bytes output);
/* {"services":[{…,"checks":[…]}]}: with everything that is known here only. */
void registry_json(const struct registry *r, struct text *out);

#endif
