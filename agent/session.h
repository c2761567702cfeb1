/* SPDX-License-Identifier: MIT
 *
 * One RPC conversation: bytes in, bytes out, no socket. It knows the order of things (handshake, authentication, one request
 * after the other) and the limits; requests.c knows what requests mean. Serf's protocol, version 1.
 */
#ifndef HEARSAY_AGENT_SESSION_H
#define HEARSAY_AGENT_SESSION_H

#include "agent/log.h"
#include "rpc/scan.h"
#include "agent/service.h"

#define SESSION_STRANGER_BYTES ((size_t)64 << 10) /* longest request before handshake and authentication */
#define SESSION_REQUEST_BYTES ((size_t)1088 << 10) /* and after: a value of the store, its key and some words */
#define SESSION_STREAMS 32
#define SESSION_STREAMERS 192 /* connections with streams or monitors: others must find a place (server.h) */

struct subscription; /* of stream */
struct offer;
struct watch;        /* of kv-watch */
struct catalog_watch; /* of service-watch */

struct session {
    struct service *service;
    void *owner;
    void (*wake)(struct session *session); /* there is output, or is_closing became true, outside session_feed */
    struct text input, output;
    struct scan scan;
    size_t header_size; /* of the request under way; 0 = its header is not complete */
    char command[32];   /* what the last header said */
    uint64_t seq;
    bool is_shaken, is_trusted;
    bool is_running; /* a request is being handled right now */
    bool is_busy;    /* a request waits for something; no other is begun */
    bool is_paused;  /* by the owner: output is not taken */
    bool is_closing; /* send what is in output, then close */
    bool is_leaving; /* it asked for the leave, and waits */
    uint64_t busy_seq;
    struct subscription *subscriptions;
    uint32_t subscription_count;
    struct log_monitor monitor;
    uint64_t monitor_seq;
    bool is_monitoring;
    void *pending_join;
    struct offer *offers; /* queries it may answer (asking.c) */
    uint64_t last_offer;
    struct watch *watches;
    struct catalog_watch *catalog_watches;
    uint32_t wishes;   /* puts and repairs under way */
    bool is_crowded;   /* it is busy because of them */
    struct session *next;
};

void session_init(struct session *session, struct service *service);
void session_deinit(struct session *session);
/* Bytes from the client. Afterwards look at output and is_closing. */
void session_feed(struct session *session, const void *data, size_t size);
/* Goes on with what was fed, after is_busy or is_paused ended. */
void session_resume(struct session *session);
/* Appends a response header to some text, or to the output. */
void session_put_reply(struct text *out, uint64_t seq, const char *error);
void session_reply(struct session *session, uint64_t seq, const char *error);
/* Tells the owner that output was appended, unless a request is being handled: then it will look by itself. */
void session_wake(struct session *session);
/* Ends the waiting of is_busy. The reply must have been appended. */
void session_ready(struct session *session);

#endif
