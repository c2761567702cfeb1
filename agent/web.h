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

/* What a request keeps from one try to the next, and a stream from one chunk to the next. */
struct web_talk {
    struct web_talk *next, **here; /* in web->talks */
    enum { TALK_EVENTS, TALK_CHANGES, TALK_SERVICES, TALK_WAIT, TALK_WISH } kind;
    uint64_t number;               /* of the last event or change that was told, or looked at */
    struct text prefix, after;     /* TALK_CHANGES: which keys; of the last one listed. TALK_SERVICES: name and tag */
    bool is_resumed, is_listing, is_reset, is_healthy_only;
    bool is_done, is_ok;           /* TALK_WISH: the node has reported */
    uint32_t ticket, copies;
    uint64_t hlc, origin;
    char error[128];
};

struct web {
    struct web_settings settings;
    struct service *service;
    const struct http_module *module;
    struct http *http; /* NULL = HTTP is off */
    struct backlog backlog;
    struct text chunk; /* of a stream */
    struct web_talk *talks;
    uint32_t waiting;  /* talks that wait for what may never come */
    uint64_t epoch;    /* tells this life's event numbers from a former life's */
    int port;
};

/* Loads the module and listens, if an address is set. What settings point to must outlive web. */
bool web_open(struct web *web, uv_loop_t *loop, struct service *service, const struct web_settings *settings, char *error, size_t size);
/* One line of the event log, for /v1/events. */
void web_event(struct web *web, const struct hearsay_event *event);
/* A write is done. False when it was not made over HTTP. */
bool web_done(struct web *web, const struct hearsay_event *event);
/* The store changed, or a write is done: whoever waits is to look again. */
void web_wake(struct web *web);
void web_close(struct web *web);
void web_deinit(struct web *web);

/* An answer of JSON, which takes the body; and one that says what is wrong. */
void web_give(struct http_answer *answer, int status, struct text *body);
void web_complain(struct http_answer *answer, int status, const char *what);
/* Memory for this request. NULL, and an answer that says so, when too many wait already. */
struct web_talk *web_talk(struct web *web, const struct http_request *request, int kind, struct http_answer *answer);
/* Begins a stream, unless too many are open; is_resumed when the reader says where it was. */
void web_follow(struct web *web, const struct http_request *request, int kind, struct http_answer *answer);

/* web_kv.c: /v1/kv/, and the next chunk of a TALK_CHANGES into web->chunk. */
void web_kv(struct web *web, const struct http_request *request, struct http_answer *answer);
bool web_kv_next(struct web *web, struct web_talk *talk);

/* web_services.c: /v1/services, and the next chunk of a TALK_SERVICES. */
void web_services(struct web *web, const struct http_request *request, struct http_answer *answer);
bool web_services_next(struct web *web, struct web_talk *talk);

/* web_views.c: the JSON of one view each. */
void web_members(const struct service *service, struct text *out);
void web_status(const struct service *service, struct text *out);
void web_store(const struct service *service, struct text *out);
void web_why(const struct service *service, const char *name, struct text *out);
/* web_metrics.c: Prometheus' text format. */
void web_metrics(const struct service *service, const char *names, struct text *out);

#endif
