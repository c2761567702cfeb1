/* SPDX-License-Identifier: MIT
 *
 * See metrics.h. Names are those of github.com/armon/go-metrics with the service "serf-agent", as Serf's agent sets it up: the host's name stands
 * in gauges only. Differs: counters are summed over a second instead of one line per occurrence; figures of Go's runtime are not sent, nor
 * what has no counterpart here.
 */
#include "agent/metrics.h"

#include "agent/log.h"

#include <stdarg.h>
#include <unistd.h>

#define PACKET_BYTES 1400
#define RETRY_MS 10000
#define FLAP_MS 60000

/* ---- where they go ---- */

static void on_closed_again(uv_handle_t *handle)
{
    struct metrics_sink *sink = handle->data;
    sink->is_open = false;
}

static void reset(struct metrics_sink *sink)
{
    sink->is_ready = false;
    sink->retry_at_ms = uv_now(sink->owner->loop) + RETRY_MS;
    if (sink->is_open && !uv_is_closing((uv_handle_t *)&sink->socket)) {
        uv_close((uv_handle_t *)&sink->socket, on_closed_again);
    }
}

static void on_connected(uv_connect_t *request, int status)
{
    struct metrics_sink *sink = request->data;
    sink->is_busy = false;
    sink->is_ready = status == 0;
    if (status != 0 && status != UV_ECANCELED) {
        reset(sink);
        log_put(LOG_DEBUG, "agent: statsite %s:%s: %s", sink->host, sink->port, uv_strerror(status));
    }
}

static void connect_stream(struct metrics_sink *sink)
{
    sink->connecting.data = sink;
    sink->is_busy = uv_tcp_connect(&sink->connecting, &sink->socket.tcp, (struct sockaddr *)&sink->address, on_connected) == 0;
    if (!sink->is_busy) {
        reset(sink);
    }
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct metrics_sink *sink = request->data;
    sink->is_busy = false;
    if (status == 0 && sink->owner->is_on) {
        memcpy(&sink->address, found->ai_addr, found->ai_addrlen);
        sink->is_open = (sink->is_stream ? uv_tcp_init(sink->owner->loop, &sink->socket.tcp)
                                         : uv_udp_init(sink->owner->loop, &sink->socket.udp)) == 0;
        sink->socket.tcp.data = sink->socket.udp.data = sink;
        if (sink->is_open && sink->is_stream) {
            connect_stream(sink);
        }
        sink->is_ready = sink->is_open && !sink->is_stream;
    } else if (sink->owner->is_on) {
        sink->retry_at_ms = uv_now(sink->owner->loop) + RETRY_MS;
        log_put(LOG_WARN, "agent: figures cannot be sent to %s:%s: %s", sink->host, sink->port, uv_strerror(status));
    }
    uv_freeaddrinfo(found);
}

/* Looks the address up, again and again until it is found and, for a stream, connected. */
static void prepare(struct metrics_sink *sink)
{
    struct addrinfo hints = {.ai_socktype = sink->is_stream ? SOCK_STREAM : SOCK_DGRAM};
    if (sink->host == NULL || sink->is_ready || sink->is_busy || sink->is_open || uv_now(sink->owner->loop) < sink->retry_at_ms) {
        return;
    }
    sink->lookup.data = sink;
    sink->is_busy = uv_getaddrinfo(sink->owner->loop, &sink->lookup, on_found, sink->host, sink->port, &hints) == 0;
}

struct piece {
    uv_write_t request;
    char data[];
};

static void on_written(uv_write_t *request, int status)
{
    struct metrics_sink *sink = request->data;
    free(request);
    if (status < 0 && status != UV_ECANCELED) {
        reset(sink);
    }
}

static bool send_piece(struct metrics_sink *sink, const char *data, size_t size)
{
    uv_buf_t buffer = uv_buf_init((char *)data, (unsigned)size);
    if (!sink->is_stream) {
        return uv_udp_try_send(&sink->socket.udp, &buffer, 1, (struct sockaddr *)&sink->address) >= 0;
    }
    if (uv_stream_get_write_queue_size((uv_stream_t *)&sink->socket.tcp) + size > METRICS_QUEUE_MAX) {
        return false;
    }
    struct piece *piece = must(malloc(sizeof *piece + size));
    memcpy(piece->data, data, size);
    piece->request.data = sink;
    buffer.base = piece->data;
    if (uv_write(&piece->request, (uv_stream_t *)&sink->socket.tcp, &buffer, 1, on_written) != 0) {
        free(piece);
        reset(sink);
        return false;
    }
    return true;
}

static void send_lines(struct metrics *m)
{
    for (size_t i = 0; i < 2 && m->lines.size > 0; i++) {
        struct metrics_sink *sink = &m->sinks[i];
        bool is_sent = sink->is_ready && sink->sent < METRICS_PACKETS_MAX && send_piece(sink, m->lines.data, m->lines.size);
        sink->sent += is_sent;
        m->dropped += sink->host != NULL && !is_sent;
    }
    text_clear(&m->lines);
}

/* ---- lines ---- */

/* What would end a name or a line is replaced, as go-metrics does. */
static void put_name(struct text *line, const char *name)
{
    for (size_t i = 0; name[i] != '\0' && i < 300; i++) {
        char c = name[i];
        bool is_plain = (unsigned char)c > ' ' && c != ':' && c != '|' && c != '@' && c != 0x7f;
        text_put(line, is_plain ? &c : "_", 1);
    }
}

static void put_line(struct metrics *m, bool has_host, const char *prefix, const char *name, double value, const char *type)
{
    struct text line = {0};
    text_puts(&line, "serf-agent.");
    if (has_host) {
        put_name(&line, m->host);
        text_puts(&line, ".");
    }
    text_puts(&line, prefix);
    put_name(&line, name);
    text_printf(&line, ":%f|%s\n", value, type);
    if (m->lines.size + line.size > PACKET_BYTES) {
        send_lines(m);
    }
    text_put(&m->lines, line.data, line.size);
    text_deinit(&line);
}

static void count(struct metrics *m, const char *name, uint64_t value)
{
    if (value > 0) {
        put_line(m, false, name, "", (double)value, "c");
    }
}

static void sample(struct metrics *m, const char *name, double value)
{
    put_line(m, false, name, "", value, "ms");
}

/* ---- events ---- */

static uint64_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    }
    return hash | 1;
}

static bool is_flap(struct metrics *m, const char *name)
{
    uint64_t hash = hash_of(name), now = uv_now(m->loop);
    for (size_t i = 0; i < METRICS_FLAPS; i++) {
        if (m->gone[i].name == hash && now - m->gone[i].at_ms < FLAP_MS) {
            m->gone[i].name = 0;
            return true;
        }
    }
    return false;
}

static void note_gone(struct metrics *m, const char *name)
{
    m->gone[m->gone_next].name = hash_of(name);
    m->gone[m->gone_next].at_ms = uv_now(m->loop);
    m->gone_next = (m->gone_next + 1) % METRICS_FLAPS;
}

void metrics_event(struct metrics *m, const struct hearsay_event *event)
{
    if (!m->is_on) {
        return;
    }
    switch (event->type) {
    case HEARSAY_MEMBER_JOIN:
        count(m, "serf.member.flap", is_flap(m, event->member.name));
        count(m, "serf.member.join", 1);
        count(m, "memberlist.msg.alive", 1);
        break;
    case HEARSAY_MEMBER_FAILED:
        note_gone(m, event->member.name);
        count(m, "serf.member.failed", 1);
        count(m, "memberlist.msg.dead", 1);
        break;
    case HEARSAY_MEMBER_LEAVE:
        note_gone(m, event->member.name);
        count(m, "serf.member.left", 1);
        count(m, "memberlist.msg.dead", 1);
        break;
    case HEARSAY_MEMBER_UPDATE:
        count(m, "serf.member.update", 1);
        count(m, "memberlist.msg.alive", 1);
        break;
    case HEARSAY_USER_EVENT:
        count(m, "serf.events", 1);
        put_line(m, false, "serf.events.", event->name, 1, "c");
        break;
    case HEARSAY_QUERY:
        count(m, "serf.queries", 1);
        put_line(m, false, "serf.queries.", event->name, 1, "c");
        break;
    case HEARSAY_QUERY_ACK:
        count(m, "serf.query_acks", 1);
        break;
    case HEARSAY_QUERY_RESPONSE:
        count(m, "serf.query_responses", 1);
        break;
    default:
        break;
    }
}

void metrics_script(struct metrics *m, const char *script, uint64_t ms)
{
    if (m->is_on) {
        put_line(m, false, "agent.invoke.", script, (double)ms, "ms");
    }
}

/* ---- what the node counted ---- */

void metrics_tick(struct metrics *m, const struct hearsay_node *node, uint64_t accepted, uint64_t commands)
{
    struct hearsay_stats stats;
    if (!m->is_on) {
        return;
    }
    struct hearsay_counters now = *hearsay_counters(node);
    hearsay_get_stats(node, &stats);
    count(m, "memberlist.udp.sent", now.bytes_out - m->before.bytes_out);
    count(m, "memberlist.udp.received", now.bytes_in - m->before.bytes_in);
    count(m, "memberlist.tcp.connect", now.streams_out - m->before.streams_out);
    count(m, "memberlist.tcp.accept", now.streams_in - m->before.streams_in);
    count(m, "memberlist.msg.suspect", now.suspicions - m->before.suspicions);
    count(m, "memberlist.degraded.probe", now.probes_failed - m->before.probes_failed);
    count(m, "agent.ipc.accept", accepted - m->accepted_before);
    count(m, "agent.ipc.command", commands - m->commands_before);
    if (stats.health_score != m->score_before) {
        put_line(m, true, "memberlist.health.score", "", stats.health_score, "g");
    }
    sample(m, "memberlist.queue.broadcasts", stats.member_queue);
    sample(m, "serf.queue.Intent", stats.intent_queue);
    sample(m, "serf.queue.Event", stats.event_queue);
    sample(m, "serf.queue.Query", stats.query_queue);
    m->before = now;
    m->accepted_before = accepted;
    m->commands_before = commands;
    m->score_before = stats.health_score;
    send_lines(m);
    for (size_t i = 0; i < 2; i++) {
        m->sinks[i].sent = 0;
        prepare(&m->sinks[i]);
    }
}

/* ---- beginning and end ---- */

/* HOST:PORT, [HOST]:PORT */
static bool set_sink(struct metrics_sink *sink, const char *address, bool is_stream, char *error, size_t size)
{
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    if (address == NULL || address[0] == '\0') {
        return true;
    }
    if (colon == NULL || colon == address || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        snprintf(error, size, "%s '%s' is not HOST:PORT, such as 10.0.0.9:8125", is_stream ? "statsite_addr" : "statsd_addr", address);
        return false;
    }
    bool is_bracketed = address[0] == '[' && colon[-1] == ']';
    sink->host = must(strndup(address + is_bracketed, (size_t)(colon - address) - 2 * is_bracketed));
    sink->port = must(strdup(colon + 1));
    sink->is_stream = is_stream;
    return true;
}

bool metrics_open(struct metrics *m, uv_loop_t *loop, const char *statsd, const char *statsite, char *error, size_t size)
{
    *m = (struct metrics){.loop = loop};
    m->sinks[0].owner = m->sinks[1].owner = m;
    if (!set_sink(&m->sinks[0], statsd, false, error, size) || !set_sink(&m->sinks[1], statsite, true, error, size)) {
        return false;
    }
    (void)gethostname(m->host, sizeof m->host - 1);
    m->is_on = m->sinks[0].host != NULL || m->sinks[1].host != NULL;
    for (size_t i = 0; i < 2; i++) {
        prepare(&m->sinks[i]);
    }
    return true;
}

void metrics_close(struct metrics *m)
{
    if (m->is_on) {
        send_lines(m);
    }
    m->is_on = false;
    for (size_t i = 0; i < 2; i++) {
        struct metrics_sink *sink = &m->sinks[i];
        if (sink->is_open && !uv_is_closing((uv_handle_t *)&sink->socket)) {
            uv_close((uv_handle_t *)&sink->socket, NULL);
        }
        if (sink->is_busy && !sink->is_open) {
            uv_cancel((uv_req_t *)&sink->lookup);
        }
        free(sink->host);
        free(sink->port);
        sink->host = sink->port = NULL;
        sink->is_ready = false;
    }
    text_deinit(&m->lines);
}
