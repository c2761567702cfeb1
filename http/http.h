/* SPDX-License-Identifier: MIT
 *
 * The door between the agent and its HTTP module. The module moves requests and answers between sockets and the agent and knows no routes;
 * the agent answers and knows no sockets. The module is a shared object of its own, loaded only when HTTP is wanted, because libwebsockets
 * brings libssl with it.
 */
#ifndef HEARSAY_HTTP_HTTP_H
#define HEARSAY_HTTP_HTTP_H

#include <hearsay/types.h>
#include <uv.h>

#define HTTP_DOOR 2u /* changes when this header does */
#define HTTP_ARGUMENTS 16
#define HTTP_BODY_MAX (1u << 20)

/* Everything borrowed; lives until answer returns. */
struct http_request {
    const char *method;    /* "GET", "PUT", … */
    const char *path;      /* percent-decoded, begins with '/' */
    const char *arguments[HTTP_ARGUMENTS]; /* "key=value", percent-decoded; ends with NULL when there are fewer */
    const char *authorization, *host, *origin, *last_event_id; /* header fields; "" when absent */
    struct hearsay_bytes body;
    void **memory;         /* the agent's, for this request: NULL at first, kept from one try to the next and for the stream */
    bool is_last_try;      /* its time to wait is over: an answer is due */
};

struct http_answer {
    int status;
    const char *type;   /* of the content; static */
    const char *allow;  /* with 405: the methods that there are */
    char *body;         /* from malloc; the module frees it */
    size_t size;
    const char *bytes;  /* instead of body: content that lives for ever */
    const char *cache;  /* Cache-Control; NULL = no-store */
    bool is_stream;     /* server-sent events follow until somebody hangs up */
    bool has_index;     /* X-Hearsay-Index */
    uint64_t index;
    uint32_t wait_ms;   /* not 0: nothing to say yet; ask again at the next wake, and at last after so long */
};

struct http_host {
    uv_loop_t *loop;
    const char *address;   /* numeric */
    int port;
    const char *certificate, *key; /* PEM files; NULL = no TLS */
    void *context;
    void (*answer)(void *context, const struct http_request *request, struct http_answer *answer);
    /* Asked before a body is read, so that nobody without the right to it makes us hold one. True: answer has been filled in. */
    bool (*refuse)(void *context, const struct http_request *request, struct http_answer *answer);
    /* What a stream is to be sent next; false when there is nothing yet. bytes live until the next call. */
    bool (*next_event)(void *context, void *memory, struct hearsay_bytes *bytes);
    /* The request or stream with this memory is over. */
    void (*forget)(void *context, void *memory);
};

/* A file that the module carries: the page for people, and the description for programs. */
struct http_file {
    const char *path, *type, *bytes;
    size_t size;
};

struct http;

struct http_module {
    uint32_t door;
    /* Listens. NULL with a line in error. *port gets the port that was opened. */
    struct http *(*open)(const struct http_host *host, int *port, char *error, size_t size);
    /* There may be something for streams and for those who wait. */
    void (*wake)(struct http *http);
    /* Stops at once; the loop must run once more. */
    void (*close)(struct http *http);
    /* NULL when there is none of that path. */
    const struct http_file *(*file)(const char *path);
};

/* What the module exports, under this name. */
#define HTTP_MODULE_SYMBOL "hearsay_http_module"

#endif
