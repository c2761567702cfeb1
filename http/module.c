/* SPDX-License-Identifier: MIT
 *
 * See http.h: HTTP/1.1 by libwebsockets on the agent's own loop. Every connection has a time limit at every stage, bodies are bounded, and a
 * reader that is too slow for its stream is cut off. It decides nothing about content.
 */
#include "files.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 256     /* beyond these the longest idle one has to go */
#define CONNECTIONS_HARD 384 /* going takes a turn of the loop */
#define SILENCE_S 10       /* a request must be complete by then */
#define KEEPALIVE_S 15
#define HEARTBEAT_US (15 * 1000000ull)
#define FIELD_MAX 4096
#define CHUNK 32768

struct http {
    struct http_host host;
    struct lws_context *context;
    struct lws_protocols protocols[2];
    struct lws_http_mount *mounts;
    struct conversation *waiting; /* those who wait, streams included */
    struct seat *oldest, *newest;
    unsigned connections;
};

/* One connection, whether or not it ever asks. */
struct seat {
    struct lws *wsi;
    struct seat *older, *newer;
    bool is_busy, is_going;
};

/* One request on its way; lives in libwebsockets' per-session memory, zeroed. */
struct conversation {
    struct http *http;
    struct lws *wsi;
    struct conversation *next, **here; /* in http->waiting */
    char *fields[5];                   /* path, authorization, host, origin, last event id */
    char *arguments[HTTP_ARGUMENTS];
    const char *method;
    uint8_t *body;
    size_t body_size, body_wanted;
    struct http_answer answer;
    size_t sent;
    void *memory; /* the agent's */
    uint64_t until_us;
    bool is_last; /* the connection ends with this answer */
    bool is_open, is_flushed; /* is_flushed: something could be written since the last heartbeat */
};

enum { FIELD_PATH, FIELD_AUTHORIZATION, FIELD_HOST, FIELD_ORIGIN, FIELD_EVENT, FIELDS };

/* ---- connections ---------------------------------------------------------------------------------------------------------------- */

static int take_seat(struct http *http, struct lws *wsi)
{
    struct seat *seat = calloc(1, sizeof *seat);
    if (seat == NULL) {
        return -1;
    }
    seat->wsi = wsi;
    seat->older = http->newest;
    *(http->newest == NULL ? &http->oldest : &http->newest->newer) = seat;
    http->newest = seat;
    http->connections++;
    lws_set_opaque_user_data(wsi, seat);
    return 0;
}

static void leave_seat(struct http *http, struct lws *wsi)
{
    struct seat *seat = lws_get_opaque_user_data(wsi);
    if (seat == NULL) {
        return;
    }
    *(seat->older == NULL ? &http->oldest : &seat->older->newer) = seat->newer;
    *(seat->newer == NULL ? &http->newest : &seat->newer->older) = seat->older;
    http->connections--;
    lws_set_opaque_user_data(wsi, NULL);
    free(seat);
}

static void set_busy(struct lws *wsi, bool is_busy)
{
    struct seat *seat = lws_get_opaque_user_data(wsi);
    if (seat != NULL) {
        seat->is_busy = is_busy;
    }
}

/* Somebody new knocks: is there a place, or can one be made? */
static int make_place(struct http *http)
{
    struct seat *seat = http->oldest;
    if (http->connections >= CONNECTIONS) {
        while (seat != NULL && (seat->is_busy || seat->is_going)) {
            seat = seat->newer;
        }
        if (seat != NULL) {
            seat->is_going = true;
            lws_set_timeout(seat->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        }
    }
    return http->connections >= CONNECTIONS_HARD;
}

/* ---- a request ------------------------------------------------------------------------------------------------------------------ */

static char *copy_token(struct lws *wsi, enum lws_token_indexes token)
{
    int size = lws_hdr_total_length(wsi, token);
    if (size < 0 || size > FIELD_MAX) {
        return NULL;
    }
    char *text = malloc((size_t)size + 1);
    if (text != NULL && lws_hdr_copy(wsi, text, size + 1, token) < 0) {
        text[0] = '\0';
    }
    return text;
}

static char *copy_custom(struct lws *wsi, const char *name)
{
    int length = (int)strlen(name), size = lws_hdr_custom_length(wsi, name, length);
    char *text = malloc((size_t)(size < 0 ? 0 : size) + 1);
    if (text != NULL && (size <= 0 || size > FIELD_MAX || lws_hdr_custom_copy(wsi, text, size + 1, name, length) < 0)) {
        text[0] = '\0';
    }
    return text;
}

static void leave_waiting(struct conversation *c)
{
    if (c->here != NULL) {
        *c->here = c->next;
        if (c->next != NULL) {
            c->next->here = c->here;
        }
        c->here = NULL;
    }
}

static void join_waiting(struct conversation *c)
{
    if (c->here == NULL) {
        c->next = c->http->waiting;
        c->here = &c->http->waiting;
        if (c->next != NULL) {
            c->next->here = &c->next;
        }
        c->http->waiting = c;
    }
}

static void forget(struct conversation *c)
{
    leave_waiting(c);
    for (int i = 0; i < FIELDS; i++) {
        free(c->fields[i]);
    }
    for (int i = 0; i < HTTP_ARGUMENTS; i++) {
        free(c->arguments[i]);
    }
    free(c->body);
    free(c->answer.body);
    if (c->memory != NULL) {
        c->http->host.forget(c->http->host.context, c->memory);
    }
    if (c->wsi != NULL) {
        set_busy(c->wsi, false);
    }
    *c = (struct conversation){.http = c->http};
}

static const char *method_of(struct lws *wsi)
{
    static const char *const names[] = {"GET", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "CONNECT", "HEAD"};
    char *uri;
    int length, method = lws_http_get_uri_and_method(wsi, &uri, &length);
    return method >= 0 && method < (int)(sizeof names / sizeof names[0]) ? names[method] : NULL;
}

static bool read_arguments(struct conversation *c)
{
    char room[FIELD_MAX];
    for (int i = 0; i < HTTP_ARGUMENTS; i++) {
        int size = lws_hdr_copy_fragment(c->wsi, room, sizeof room, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (size < 0) {
            return true;
        }
        c->arguments[i] = strndup(room, (size_t)size);
        if (c->arguments[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* How long the body says it is; -1 when it is not said in one plain number. Chunked bodies are not taken: two ways to tell a length are how
 * requests are smuggled. */
static long long body_length(struct lws *wsi)
{
    char text[24];
    int size = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
        return -1;
    }
    if (size == 0) {
        return 0;
    }
    if (size >= (int)sizeof text || lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) < 0 ||
        strspn(text, "0123456789") != (size_t)size) {
        return -1;
    }
    return atoll(text);
}

/* ---- an answer ------------------------------------------------------------------------------------------------------------------ */

static int put_header(struct conversation *c)
{
    uint8_t room[LWS_PRE + 1024], *start = room + LWS_PRE, *at = start, *end = room + sizeof room - 1;
    const struct http_answer *a = &c->answer;
    const char *type = a->type == NULL ? "application/json" : a->type, *cache = a->cache == NULL ? "no-store" : a->cache;
    static const struct {
        const char *name, *value;
    } guards[] = {{"x-content-type-options:", "nosniff"},
                  {"x-frame-options:", "DENY"},
                  {"referrer-policy:", "no-referrer"},
                  {"content-security-policy:", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}};
    lws_filepos_t size = a->is_stream ? LWS_ILLEGAL_HTTP_CONTENT_LEN : a->size;
    if (lws_add_http_common_headers(c->wsi, (unsigned)a->status, type, size, &at, end) != 0 ||
        lws_add_http_header_by_token(c->wsi, WSI_TOKEN_HTTP_CACHE_CONTROL, (const uint8_t *)cache, (int)strlen(cache), &at, end) != 0) {
        return -1;
    }
    if (a->status == 401 &&
        lws_add_http_header_by_token(c->wsi, WSI_TOKEN_HTTP_WWW_AUTHENTICATE, (const uint8_t *)"Bearer", 6, &at, end) != 0) {
        return -1;
    }
    if (a->allow != NULL && lws_add_http_header_by_token(c->wsi, WSI_TOKEN_HTTP_ALLOW, (const uint8_t *)a->allow, (int)strlen(a->allow),
                                                         &at, end) != 0) {
        return -1;
    }
    if (a->has_index) {
        char index[24];
        int length = snprintf(index, sizeof index, "%llu", (unsigned long long)a->index);
        if (lws_add_http_header_by_name(c->wsi, (const uint8_t *)"x-hearsay-index:", (const uint8_t *)index, length, &at, end) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++) {
        if (lws_add_http_header_by_name(c->wsi, (const uint8_t *)guards[i].name, (const uint8_t *)guards[i].value,
                                        (int)strlen(guards[i].value), &at, end) != 0) {
            return -1;
        }
    }
    return lws_finalize_write_http_header(c->wsi, start, &at, end);
}

static int finish(struct conversation *c)
{
    struct lws *wsi = c->wsi;
    bool is_last = c->is_last;
    forget(c);
    return is_last || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int begin_answer(struct conversation *c)
{
    leave_waiting(c);
    if (put_header(c) != 0) {
        return -1;
    }
    c->sent = 0;
    if (c->answer.is_stream) {
        lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
        lws_set_timer_usecs(c->wsi, HEARTBEAT_US);
        c->is_flushed = true;
        join_waiting(c);
    } else if (c->answer.size == 0 || (c->method != NULL && strcmp(c->method, "HEAD") == 0)) {
        return finish(c);
    } else {
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SILENCE_S); /* a reader that takes nothing holds our copy no longer */
    }
    lws_callback_on_writable(c->wsi);
    return 0;
}

static struct http_request request_of(struct conversation *c, bool is_last_try)
{
    struct http_request request = {.method = c->method,
                                   .path = c->fields[FIELD_PATH],
                                   .authorization = c->fields[FIELD_AUTHORIZATION],
                                   .host = c->fields[FIELD_HOST],
                                   .origin = c->fields[FIELD_ORIGIN],
                                   .last_event_id = c->fields[FIELD_EVENT],
                                   .body = {c->body, c->body_size},
                                   .memory = &c->memory,
                                   .is_last_try = is_last_try};
    for (int i = 0; i < HTTP_ARGUMENTS; i++) {
        request.arguments[i] = c->arguments[i];
    }
    return request;
}

/* Asks the agent. What has no answer yet waits for the next wake. */
static int ask(struct conversation *c, bool is_last_try)
{
    struct http_request request = request_of(c, is_last_try);
    c->answer = (struct http_answer){.status = 500};
    c->http->host.answer(c->http->host.context, &request, &c->answer);
    if (c->answer.wait_ms == 0 || is_last_try) {
        return begin_answer(c);
    }
    if (c->until_us == 0) {
        c->until_us = (uint64_t)lws_now_usecs() + (uint64_t)c->answer.wait_ms * 1000;
        lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
        lws_set_timer_usecs(c->wsi, (lws_usec_t)c->answer.wait_ms * 1000);
    }
    join_waiting(c);
    return 0;
}

/* And hangs up: what follows on this connection cannot be trusted. why is JSON, and lives for ever. */
static int refuse(struct conversation *c, int status, const char *why)
{
    c->is_last = true;
    c->answer = (struct http_answer){.status = status, .bytes = why, .size = strlen(why)};
    return begin_answer(c);
}

static int on_request(struct conversation *c, struct lws *wsi, const char *path, size_t length)
{
    struct http *http = lws_context_user(lws_get_context(wsi));
    forget(c);
    c->http = http;
    c->wsi = wsi;
    c->is_open = true;
    set_busy(wsi, true);
    long long wanted = body_length(wsi);
    c->method = method_of(wsi);
    if (wanted < 0 || c->method == NULL || memchr(path, 0, length) != NULL) {
        return refuse(c, 400, "{\"error\":\"tell the length of the body once, by a plain Content-Length\"}\n");
    }
    if (wanted > HTTP_BODY_MAX) {
        return refuse(c, 413, "{\"error\":\"the body is larger than 1 MiB\"}\n");
    }
    c->body_wanted = (size_t)wanted;
    c->fields[FIELD_PATH] = strndup(path, length);
    c->fields[FIELD_AUTHORIZATION] = copy_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
    c->fields[FIELD_HOST] = copy_token(wsi, WSI_TOKEN_HOST);
    c->fields[FIELD_ORIGIN] = copy_token(wsi, WSI_TOKEN_ORIGIN);
    c->fields[FIELD_EVENT] = copy_custom(wsi, "last-event-id:");
    for (int i = 0; i < FIELDS; i++) {
        if (c->fields[i] == NULL) {
            return refuse(c, 400, "{\"error\":\"a header field is too long\"}\n");
        }
    }
    if (!read_arguments(c)) {
        return -1;
    }
    if (wanted > 0) {
        struct http_request request = request_of(c, false);
        if (http->host.refuse(http->host.context, &request, &c->answer)) {
            c->is_last = true; /* what follows is the body that nobody wants */
            return begin_answer(c);
        }
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, SILENCE_S);
        return 0; /* the body comes next */
    }
    return ask(c, false);
}

static int on_body(struct conversation *c, const void *data, size_t size)
{
    if (c->is_last) {
        return 0; /* it is being told that nobody wants this */
    }
    if (c->body_size + size > c->body_wanted) {
        return -1;
    }
    uint8_t *more = realloc(c->body, c->body_size + size); /* grows with what has come, not with what was announced */
    if (more == NULL) {
        return -1;
    }
    memcpy(more + c->body_size, data, size);
    c->body = more;
    c->body_size += size;
    return 0;
}

static int write_some(struct conversation *c, const void *data, size_t size, enum lws_write_protocol how)
{
    uint8_t *room = malloc(LWS_PRE + size);
    if (room == NULL) {
        return -1;
    }
    memcpy(room + LWS_PRE, data, size);
    int written = lws_write(c->wsi, room + LWS_PRE, size, how);
    free(room);
    return written < (int)size ? -1 : 0;
}

static int on_writable(struct conversation *c)
{
    struct http_answer *a = &c->answer;
    if (a->is_stream) {
        struct hearsay_bytes chunk;
        c->is_flushed = true;
        if (!c->http->host.next_event(c->http->host.context, c->memory, &chunk)) {
            return 0;
        }
        lws_callback_on_writable(c->wsi);
        return write_some(c, chunk.data, chunk.size, LWS_WRITE_HTTP);
    }
    size_t left = a->size - c->sent, size = left > CHUNK ? CHUNK : left;
    const char *content = a->bytes != NULL ? a->bytes : a->body;
    if (write_some(c, content + c->sent, size, size == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) != 0) {
        return -1;
    }
    c->sent += size;
    if (c->sent < a->size) {
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SILENCE_S);
        lws_callback_on_writable(c->wsi);
        return 0;
    }
    return finish(c);
}

static int on_timer(struct conversation *c)
{
    if (!c->is_open || c->here == NULL) {
        return 0;
    }
    if (!c->answer.is_stream) {
        return ask(c, true);
    }
    if (!c->is_flushed) {
        return -1; /* nothing went out for a whole heartbeat: nobody reads */
    }
    c->is_flushed = false;
    lws_set_timer_usecs(c->wsi, HEARTBEAT_US);
    lws_callback_on_writable(c->wsi);
    return write_some(c, ":\n\n", 3, LWS_WRITE_HTTP);
}

static int on_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct http *http = lws_context_user(lws_get_context(wsi));
    struct conversation *c = user;
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return make_place(http);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return take_seat(http, wsi);
    case LWS_CALLBACK_WSI_DESTROY:
        leave_seat(http, wsi);
        return 0;
    case LWS_CALLBACK_HTTP:
        return on_request(c, wsi, in, length);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(c, in, length);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return !c->is_open ? -1 : c->is_last || c->body_wanted == 0 ? 0 : ask(c, false);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return c != NULL && c->is_open ? on_writable(c) : 0;
    case LWS_CALLBACK_TIMER:
        return c != NULL ? on_timer(c) : 0;
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (c != NULL && c->http != NULL) {
            forget(c);
        }
        return 0;
    default:
        return 0;
    }
}

/* ---- the module ----------------------------------------------------------------------------------------------------------------- */

static void no_log(int level, const char *line)
{
    (void)level;
    (void)line;
}

static void http_close(struct http *http)
{
    lws_context_destroy(http->context); /* its handles close on the loop, and http lives on for them */
}

static struct http *http_open(const struct http_host *host, int *port, char *error, size_t size)
{
    struct http *http = calloc(1, sizeof *http);
    void *loops[] = {host->loop};
    if (http == NULL) {
        snprintf(error, size, "HTTP: out of memory");
        return NULL;
    }
    http->host = *host;
    http->protocols[0] = (struct lws_protocols){.name = "http", .callback = on_callback, .per_session_data_size = sizeof(struct conversation)};
    struct lws_context_creation_info info = {
        .iface = host->address,
        .port = host->port,
        .protocols = http->protocols,
        .foreign_loops = loops,
        .user = http,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .timeout_secs = SILENCE_S,
        .keepalive_timeout = KEEPALIVE_S,
        .max_http_header_data = FIELD_MAX,
        .max_http_header_pool = CONNECTIONS_HARD,
        .pt_serv_buf_size = 16384,
        .server_string = "hearsay",
        .alpn = "http/1.1",
        .ssl_cert_filepath = host->certificate,
        .ssl_private_key_filepath = host->key,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (host->certificate != NULL ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0) |
                   (strchr(host->address, ':') == NULL ? LWS_SERVER_OPTION_DISABLE_IPV6 : 0),
    };
    lws_set_log_level(0, no_log);
    http->context = lws_create_context(&info);
    struct lws_vhost *vhost = http->context == NULL ? NULL : lws_get_vhost_by_name(http->context, "default");
    if (vhost == NULL) {
        snprintf(error, size, "HTTP cannot listen on %s port %d%s: is the port taken, or the address not ours?", host->address, host->port,
                 host->certificate != NULL ? " with this certificate and key" : "");
        return NULL; /* http stays: what libwebsockets still has on the loop may come back to it */
    }
    *port = lws_get_vhost_listen_port(vhost);
    return http;
}

static void http_wake(struct http *http)
{
    struct conversation *next;
    for (struct conversation *c = http->waiting; c != NULL; c = next) {
        next = c->next;
        if (c->answer.is_stream) {
            lws_callback_on_writable(c->wsi);
        } else if (ask(c, false) != 0) {
            lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        }
    }
}

LWS_VISIBLE const struct http_module hearsay_http_module = {HTTP_DOOR, http_open, http_wake, http_close, files_find};
