/* SPDX-License-Identifier: MIT
 *
 * What RPC can do with an agent: the node, and the few deeds that need more than the node. The sessions of all clients
 * hang on it, so that events find them. Tests put their own deeds in.
 */
#ifndef HEARSAY_AGENT_SERVICE_H
#define HEARSAY_AGENT_SERVICE_H

#include "agent/lists.h"

#include <hearsay/hearsay.h>

struct dns;
struct handlers;
struct hearsay_services;
struct registry;
struct hearsay_uv;
struct session;
struct asked;
struct key_round;

/* error is NULL when somebody was contacted. */
typedef void (*service_joined)(void *user, size_t contacted, const char *error);

/* How the shared store is run. */
struct service_store {
    uint32_t mode, fanout, interval_ms;
    const char *path;                 /* NULL = in memory */
    size_t (*waiting)(void *context); /* bytes that wait for the disk; NULL = none ever */
};

struct service {
    struct hearsay_node *node;
    struct hearsay_uv *uv; /* wishes go through it, so that they stand on its tape; NULL in tests */
    const struct handlers *handlers; /* for stats; NULL = none */
    const char *rpc_auth; /* NULL = no token is asked for */
    uint32_t event_bytes_max, query_bytes_max, response_bytes_max;
    const char *name;
    void *context;
    uint64_t (*now_us)(void *context);
    uint64_t (*unix_ms)(void *context);
    void (*flush)(void *context); /* after a wish made on the node */
    void (*join)(void *context, const char *const *peers, size_t count, bool replay, service_joined done, void *user);
    void (*leave)(void *context); /* service_left follows */
    /* The tags changed by RPC; false with a line in error if they could not be kept on disk. */
    bool (*save_tags)(void *context, const struct taglist *tags, char *error, size_t size);
    uint64_t (*lines_dropped)(void *context); /* of log and event log */
    /* Member events of the same type that wait to be told together: encoded members. */
    struct text members;
    uint32_t member_count;
    enum hearsay_event_type member_type;
    struct session *sessions;
    struct asked *asked; /* queries of clients (asking.c) */
    struct service_store store;
    void (*want_watchers)(void *context);            /* kv_tell_watchers is to be called soon */
    void (*want_expiry)(void *context, uint64_t ms); /* and kv_expire after so long */
    struct kv_wish *wishes, *last_wish;   /* of kv.c */
    uint64_t accepted, commands; /* connections and requests so far */
    struct key_round *key_rounds; /* wishes about keys (keys.c) */
    struct hearsay_services *catalog; /* of the services of all nodes */
    const struct dns *dns; /* for figures; NULL = none */
    struct registry *registry;        /* of the services of this one; NULL = it has none */
};

/* Tells streams. Member events are held until service_flush_events or an event of another type. */
void service_event(struct service *service, const struct hearsay_event *event);
void service_flush_events(struct service *service);
/* The leaving that some client may have asked for is done. */
void service_left(struct service *service);
void service_deinit(struct service *service);

#endif
