/* SPDX-License-Identifier: MIT
 *
 * See server.h.
 */
#include "agent/server.h"

#include "agent/asking.h"
#include "agent/places.h"
#include "agent/session.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define READ_BYTES ((size_t)16384)
#define QUEUE_PAUSE ((size_t)256 << 10) /* no further request is begun above this */
#define QUEUE_CUT ((size_t)4 << 20)     /* a stream whose reader is this far behind is cut */

struct connection {
    struct session session;
    struct server *server;
    struct connection *next;
    uv_tcp_t tcp;
    uint64_t since_ms, used_ms;
    bool is_reading, is_ending, is_over;
};

struct sending {
    uv_write_t request;
    char *data;
};

static void on_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    free(c);
}

static void end(struct connection *c)
{
    if (c->is_over) {
        return;
    }
    c->is_over = true;
    struct connection **at = &c->server->connections;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    c->server->count--;
    session_deinit(&c->session);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct connection *c = handle->data;
    (void)suggested;
    if (c->server->room == NULL) {
        c->server->room = malloc(READ_BYTES);
    }
    *buffer = uv_buf_init(c->server->room, c->server->room == NULL ? 0 : READ_BYTES);
}

/* Reads as long as somebody can use what comes. */
static void set_reading(struct connection *c)
{
    bool is_wanted = !c->is_over && !c->is_ending && !c->session.is_busy && !c->session.is_paused;
    /* A client that waits for its leave or join must still be noticed when it goes away: it may not fill our memory, though. */
    is_wanted |= !c->is_over && !c->is_ending && c->session.is_busy && c->session.input.size < SESSION_STRANGER_BYTES;
    if (is_wanted && !c->is_reading) {
        c->is_reading = uv_read_start((uv_stream_t *)&c->tcp, give_room, on_read) == 0;
    } else if (!is_wanted && c->is_reading) {
        uv_read_stop((uv_stream_t *)&c->tcp);
        c->is_reading = false;
    }
}

static void settle(struct connection *c);

static void on_written(uv_write_t *request, int status)
{
    struct sending *sending = (struct sending *)request;
    struct connection *c = request->handle->data;
    free(sending->data);
    free(sending);
    if (c->is_over) {
        return;
    }
    if (status < 0) {
        end(c);
        return;
    }
    if (c->session.is_paused && uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) < QUEUE_PAUSE / 2) {
        c->session.is_paused = false;
        session_resume(&c->session);
        if (c->session.watches != NULL || c->session.catalog_watches != NULL) {
            c->server->service->want_watchers(c->server->service->context);
        }
    }
    settle(c);
}

/* Queues the output of the session. False: the connection is broken. */
static bool send_output(struct connection *c)
{
    struct text *output = &c->session.output;
    uv_buf_t buffer = uv_buf_init(output->data, (unsigned)output->size);
    int sent = 0;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) == 0) {
        sent = uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
        sent = sent == UV_EAGAIN ? 0 : sent;
    }
    if (sent < 0) {
        return false;
    }
    if ((size_t)sent == output->size) {
        text_shrink(output);
        return true;
    }
    struct sending *sending = must(malloc(sizeof *sending));
    sending->data = output->data;
    buffer = uv_buf_init(output->data + sent, (unsigned)(output->size - (size_t)sent));
    *output = (struct text){0};
    if (uv_write(&sending->request, (uv_stream_t *)&c->tcp, &buffer, 1, on_written) != 0) {
        free(sending->data);
        free(sending);
        return false;
    }
    return true;
}

static bool is_stranger(const struct connection *c)
{
    return !c->session.is_shaken || !c->session.is_trusted;
}

static bool has_streams(const struct session *session)
{
    return session->subscriptions != NULL || session->is_monitoring;
}

/* After anything happened to the session: sends, pauses, ends. */
static void settle(struct connection *c)
{
    if (c->is_over) {
        return;
    }
    if (c->session.output.size > 0 && !send_output(c)) {
        end(c);
        return;
    }
    size_t queue = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
    if (has_streams(&c->session) && queue > QUEUE_CUT) {
        end(c);
        return;
    }
    if (queue > QUEUE_PAUSE) {
        c->session.is_paused = true;
    }
    c->is_ending |= c->session.is_closing;
    if (c->is_ending && queue == 0) {
        end(c);
        return;
    }
    set_reading(c);
}

/* Whom nobody misses: a stranger, else a client that neither follows anything nor waits for something; of these who was silent for longest.
 * So neither a crowd of strangers nor one of idle clients keeps the operator out. */
static struct connection *most_idle(const struct server *server)
{
    struct connection *found = NULL;
    for (struct connection *c = server->connections; c != NULL; c = c->next) {
        if (c->session.is_busy || has_streams(&c->session) || asking_is_under_way(&c->session)) {
            continue;
        }
        bool is_better = found == NULL || is_stranger(c) > is_stranger(found)
                         || (is_stranger(c) == is_stranger(found) && c->used_ms < found->used_ms);
        found = is_better ? c : found;
    }
    return found;
}

static void on_wake(struct session *session)
{
    settle(session->owner);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *c = stream->data;
    c->used_ms = uv_now(stream->loop);
    if (size < 0) {
        end(c);
    } else if (size > 0) {
        session_feed(&c->session, buffer->base, (size_t)size);
        settle(c);
    }
}

/* Ends strangers that were silent for too long; sleeps again when none is left. */
static void on_greeting(uv_timer_t *timer)
{
    struct server *server = timer->data;
    uint64_t now = uv_now(timer->loop);
    bool is_any = false;
    for (struct connection *c = server->connections, *next; c != NULL; c = next) {
        next = c->next;
        if (is_stranger(c) && now - c->since_ms >= SERVER_GREETING_MS) {
            end(c);
        } else {
            is_any |= is_stranger(c);
        }
    }
    server->is_timing = is_any;
    if (is_any) {
        uv_timer_start(timer, on_greeting, SERVER_GREETING_MS / 2, 0);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    if (status < 0) {
        return;
    }
    struct connection *idle = server->count >= SERVER_CONNECTIONS ? most_idle(server) : NULL;
    if (idle != NULL) {
        end(idle);
    }
    struct connection *c = must(calloc(1, sizeof *c));
    c->server = server;
    c->since_ms = c->used_ms = uv_now(listener->loop);
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 || server->count >= SERVER_CONNECTIONS) {
        c->is_over = true;
        uv_close((uv_handle_t *)&c->tcp, on_closed);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    server->service->accepted++;
    session_init(&c->session, server->service);
    c->session.owner = c;
    c->session.wake = on_wake;
    c->next = server->connections;
    server->connections = c;
    server->count++;
    set_reading(c);
    if (!server->is_timing) {
        server->is_timing = true;
        uv_timer_start(&server->greeting, on_greeting, SERVER_GREETING_MS, 0);
    }
}

static bool parse_address(const char *text, struct hearsay_address *address, char *error, size_t size)
{
    struct text full = {0};
    const char *colon = strrchr(text, ':');
    if (colon != NULL && (colon == text || strncmp(text, "localhost:", 10) == 0)) {
        text_printf(&full, "%s%s", colon == text ? "0.0.0.0" : "127.0.0.1", colon);
    } else {
        text_puts(&full, text);
    }
    /* Port 0 lets the system choose, which places_parse does not know. */
    bool is_zero = full.size > 2 && strcmp(full.data + full.size - 2, ":0") == 0;
    if (is_zero) {
        full.data[full.size - 1] = '1';
    }
    bool is_fine = places_parse(full.data, full.size, address);
    if (is_zero) {
        address->port = 0;
    }
    if (!is_fine) {
        snprintf(error, size, "RPC address '%s' is not IP:PORT, such as 127.0.0.1:7373", text);
    }
    text_deinit(&full);
    return is_fine;
}

static void socket_address(const struct hearsay_address *address, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (address->size == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(address->port);
        memcpy(&in->sin_addr, address->bytes, 4);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(address->port);
        memcpy(&in->sin6_addr, address->bytes, 16);
    }
}

static bool listen_on(struct server *server, uv_loop_t *loop, struct hearsay_address *address, char *error, size_t size)
{
    struct sockaddr_storage place;
    char text[56];
    int length = sizeof place;
    socket_address(address, &place);
    text_place(address, text);
    uv_tcp_init(loop, &server->listener);
    server->listener.data = server;
    server->is_open = true;
    uv_timer_init(loop, &server->greeting);
    server->greeting.data = server;
    int problem = uv_tcp_bind(&server->listener, (struct sockaddr *)&place, 0);
    problem = problem != 0 ? problem : uv_listen((uv_stream_t *)&server->listener, 128, on_connection);
    if (problem != 0) {
        snprintf(error, size, "cannot listen for RPC on %s: %s%s", text, uv_strerror(problem),
                 problem == UV_EADDRINUSE ? "; is another agent running? choose another --rpc-addr" : "");
        return false;
    }
    uv_tcp_getsockname(&server->listener, (struct sockaddr *)&place, &length);
    address->port = ntohs(place.ss_family == AF_INET ? ((struct sockaddr_in *)&place)->sin_port
                                                     : ((struct sockaddr_in6 *)&place)->sin6_port);
    return true;
}

bool server_open(struct server *server, uv_loop_t *loop, struct service *service, const char *address,
                 struct hearsay_address *bound, char *error, size_t size)
{
    *server = (struct server){.service = service};
    if (!parse_address(address, bound, error, size)) {
        return false;
    }
    if (!places_is_loopback(bound) && service->rpc_auth == NULL) {
        snprintf(error, size, "RPC on %s would let anybody command this agent: give a token with --rpc-auth @FILE, or use 127.0.0.1",
                 address);
        return false;
    }
    return listen_on(server, loop, bound, error, size);
}

void server_close(struct server *server, bool at_once)
{
    if (server->is_open) {
        server->is_open = false;
        uv_close((uv_handle_t *)&server->listener, NULL);
        uv_close((uv_handle_t *)&server->greeting, NULL);
    }
    for (struct connection *c = server->connections, *next; c != NULL; c = next) {
        next = c->next;
        c->is_ending = true;
        if (at_once) {
            end(c);
        } else {
            settle(c);
        }
    }
    if (at_once) {
        free(server->room);
        server->room = NULL;
    }
}
