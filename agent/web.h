/* SPDX-License-Identifier: MIT
 *
 * HTTP for programs, browsers and orchestrators: which path is answered by what, and who may ask. Sockets belong to the module that is loaded
 * for it (http/http.h). On loopback anybody of this machine may ask; elsewhere a token or TLS is demanded, or nothing is opened.
 */
#ifndef HEARSAY_AGENT_WEB_H
#define HEARSAY_AGENT_WEB_H

#include "agent/backlog.h"
#include "agent/service.h"

#include "http/http.h"

struct web_settings {
    const char *address;            /* "127.0.0.1:7380"; NULL = no HTTP */
    const char *token;              /* NULL = none is asked for */
    const char *certificate, *key;  /* PEM files, or NULL */
    const char *metrics;            /* whose names: "hearsay", or a list such as "hearsay,serf,memberlist" */
    bool wants_peers;               /* ready only when somebody else is known */
};

struct web {
    struct web_settings settings;
    struct service *service;
    const struct http_module *module;
    struct http *http; /* NULL = HTTP is off */
    struct backlog backlog;
    struct text chunk; /* of a stream */
    uint64_t epoch;    /* tells this life's event numbers from a former life's */
    int port;
};

/* Loads the module and listens, if an address is set. What settings point to must outlive web. */
bool web_open(struct web *web, uv_loop_t *loop, struct service *service, const struct web_settings *settings, char *error, size_t size);
/* One line of the event log, for /v1/events. */
void web_event(struct web *web, const struct hearsay_event *event);
void web_close(struct web *web);
void web_deinit(struct web *web);

/* web_views.c: the JSON of one view each. */
void web_members(const struct service *service, struct text *out);
void web_status(const struct service *service, struct text *out);
void web_why(const struct service *service, const char *name, struct text *out);
/* web_metrics.c: Prometheus' text format. */
void web_metrics(const struct service *service, const char *names, struct text *out);

#endif
