/* SPDX-License-Identifier: MIT
 *
 * See dns.h: DNS over TCP (RFC 7766). Questions of one connection are answered in their order; who asks and does not read is not asked for
 * more.
 */
#include "agent/dns.h"

#define FRAME 2u /* the length before each message */

struct dns_connection {
    struct dns *dns;
    struct dns_connection *next;
    uv_tcp_t tcp;
    struct sockaddr_storage from;
    uint64_t used_ms; /* when its last whole question came */
    size_t size;
    uint8_t input[FRAME + DNS_QUESTION_BYTES];
    bool is_reading, is_over, is_waiting; /* for its turn */
};

struct sending {
    uv_write_t request;
    uint8_t bytes[];
};

static void settle(struct dns_connection *c);

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end(struct dns_connection *c)
{
    if (c->is_over) {
        return;
    }
    c->is_over = true;
    struct dns_connection **at = &c->dns->connections;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    c->dns->count--;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    struct dns_connection *c = request->handle->data;
    free(request);
    if (status < 0) {
        end(c);
    } else {
        settle(c);
    }
}

static bool send_answer(struct dns_connection *c, struct hearsay_bytes answer)
{
    struct sending *sending = must(malloc(sizeof *sending + FRAME + answer.size));
    bytes_put_u16(sending->bytes, (uint16_t)answer.size);
    memcpy(sending->bytes + FRAME, answer.data, answer.size);
    uv_buf_t buffer = uv_buf_init((char *)sending->bytes, (unsigned)(FRAME + answer.size));
    if (uv_write(&sending->request, (uv_stream_t *)&c->tcp, &buffer, 1, on_written) != 0) {
        free(sending);
        return false;
    }
    return true;
}

/* The first becomes the last, so that everybody comes first in turn. */
static void rotate(struct dns *dns)
{
    struct dns_connection *first = dns->connections, **end_at = &dns->connections;
    if (first == NULL) {
        return;
    }
    dns->connections = first->next;
    first->next = NULL;
    while (*end_at != NULL) {
        end_at = &(*end_at)->next;
    }
    *end_at = first;
}

static void on_turn(uv_idle_t *again)
{
    struct dns *dns = again->data;
    uv_idle_stop(again);
    rotate(dns);
    for (struct dns_connection *c = dns->connections, *next; c != NULL; c = next) {
        next = c->next;
        if (c->is_waiting) {
            settle(c);
        }
    }
}

/* May one more be answered now? Else it is when timers and packets have had their turn. */
static bool is_turn(struct dns_connection *c)
{
    struct dns *dns = c->dns;
    uint64_t now = uv_now(c->tcp.loop);
    if (dns->answers_ms != now) {
        dns->answers_ms = now;
        dns->answers = 0;
    }
    c->is_waiting = dns->answers >= DNS_ANSWERS_AT_ONCE;
    if (c->is_waiting) {
        uv_idle_start(&dns->again, on_turn);
    }
    return !c->is_waiting;
}

/* One whole question from the front of the input. False: there is none, or the connection is over. */
static bool answer_next(struct dns_connection *c)
{
    size_t size = c->size < FRAME ? 0 : bytes_get_u16(c->input);
    if (size > DNS_QUESTION_BYTES) {
        end(c);
        return false;
    }
    if (c->size < FRAME + size || c->size < FRAME || !is_turn(c)) {
        return false;
    }
    c->dns->answers++;
    struct hearsay_bytes answer = dns_answer(c->dns, bytes_of(c->input + FRAME, size), (struct sockaddr *)&c->from, true);
    if (answer.size == 0 || !send_answer(c, answer)) { /* who sends what cannot be answered is not a client */
        end(c);
        return false;
    }
    c->used_ms = uv_now(c->tcp.loop);
    c->size -= FRAME + size;
    memmove(c->input, c->input + FRAME + size, c->size);
    return true;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct dns_connection *c = handle->data;
    (void)suggested;
    *buffer = uv_buf_init((char *)c->input + c->size, (unsigned)(sizeof c->input - c->size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct dns_connection *c = stream->data;
    (void)buffer;
    if (size < 0) {
        end(c);
        return;
    }
    c->size += (size_t)size;
    settle(c);
}

/* Answers what can be answered, and reads on when there is room for it. */
static void settle(struct dns_connection *c)
{
    uv_stream_t *stream = (uv_stream_t *)&c->tcp;
    while (!c->is_over && uv_stream_get_write_queue_size(stream) < DNS_WAITING_BYTES && answer_next(c)) {
    }
    if (c->is_over) {
        return;
    }
    bool is_wanted = !c->is_waiting && uv_stream_get_write_queue_size(stream) < DNS_WAITING_BYTES;
    if (is_wanted != c->is_reading) {
        c->is_reading = is_wanted && uv_read_start(stream, give_room, on_read) == 0;
        if (!is_wanted) {
            uv_read_stop(stream);
        }
    }
}

/* ---- limits ---- */

static void on_idle(uv_timer_t *timer)
{
    struct dns *dns = timer->data;
    uint64_t now = uv_now(timer->loop);
    for (struct dns_connection *c = dns->connections, *next; c != NULL; c = next) {
        next = c->next;
        if (now - c->used_ms >= DNS_IDLE_MS) {
            dns->evicted++;
            end(c);
        }
    }
    dns->is_timing = dns->count > 0;
    if (dns->is_timing) {
        uv_timer_start(timer, on_idle, DNS_IDLE_MS / 4, 0);
    }
}

static void make_room(struct dns *dns)
{
    struct dns_connection *idle = dns->connections;
    for (struct dns_connection *c = dns->connections; c != NULL; c = c->next) {
        idle = c->used_ms < idle->used_ms ? c : idle;
    }
    dns->evicted++;
    end(idle);
}

void dns_on_connection(uv_stream_t *listener, int status)
{
    struct dns *dns = listener->data;
    if (status < 0) {
        return;
    }
    struct dns_connection *c = must(calloc(1, sizeof *c));
    int length = sizeof c->from;
    c->dns = dns;
    c->used_ms = uv_now(listener->loop);
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 || uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&c->from, &length) != 0) {
        c->is_over = true;
        uv_close((uv_handle_t *)&c->tcp, on_closed);
        return;
    }
    if (dns->count >= DNS_CONNECTIONS) {
        make_room(dns);
    }
    uv_tcp_nodelay(&c->tcp, 1);
    dns->accepted++;
    c->next = dns->connections;
    dns->connections = c;
    dns->count++;
    settle(c);
    if (!dns->is_timing) {
        dns->is_timing = true;
        uv_timer_start(&dns->idle, on_idle, DNS_IDLE_MS / 4, 0);
    }
}

void dns_end_connections(struct dns *dns)
{
    while (dns->connections != NULL) {
        end(dns->connections);
    }
}
