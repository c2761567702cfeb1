/* SPDX-License-Identifier: MIT
 *
 * See records.h.
 */
#include "agent/records.h"

#include "agent/asking.h"
#include "agent/catalog.h"
#include "agent/filter.h"
#include "agent/kv.h"
#include "wire/msgpack.h"

#include <ctype.h>

#define FILTER_BYTES 1024

/* One stream and what it wants. */
struct subscription {
    struct subscription *next;
    uint64_t seq;
    struct filter filter;
};

static bool parse_filter(struct subscription *s, struct hearsay_bytes text)
{
    return text.size <= FILTER_BYTES && filter_parse(&s->filter, (const char *)text.data, text.size);
}

static void free_subscription(struct subscription *s)
{
    filter_free(&s->filter);
    free(s);
}

static bool has_seq(const struct session *session, uint64_t seq)
{
    const struct subscription *s = session->subscriptions;
    while (s != NULL && s->seq != seq) {
        s = s->next;
    }
    return s != NULL;
}

/* The one string in bodies such as {Type: "…"}. */
static bool read_string(struct hearsay_bytes body, const char *wanted, struct hearsay_bytes *value)
{
    struct reader r = reader_of(body);
    *value = (struct hearsay_bytes){NULL, 0};
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        if (msgpack_is(msgpack_get_raw(&r), wanted)) {
            *value = msgpack_get_raw(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad;
}

/* Those that follow something keep their place; so they may not take all. */
static bool is_crowded(const struct session *session)
{
    uint32_t count = 0;
    for (const struct session *s = session->service->sessions; s != NULL; s = s->next) {
        count += s != session && (s->subscriptions != NULL || s->is_monitoring);
    }
    return count >= SESSION_STREAMERS;
}

bool records_stream(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct hearsay_bytes type;
    if (!read_string(body, "Type", &type)) {
        return false;
    }
    struct subscription *s = must(calloc(1, sizeof *s));
    s->seq = seq;
    const char *error = has_seq(session, seq)                            ? "Stream with given sequence exists"
                        : session->subscription_count >= SESSION_STREAMS ? "Too many streams on this connection"
                        : is_crowded(session)                            ? "Too many connections with streams"
                        : !parse_filter(s, type)                         ? "Invalid event filter"
                                                                         : "";
    session_reply(session, seq, error);
    if (error[0] != '\0') {
        free_subscription(s);
        return true;
    }
    s->next = session->subscriptions;
    session->subscriptions = s;
    session->subscription_count++;
    return true;
}

static void on_line(struct log_monitor *monitor, const char *line)
{
    struct session *session = (struct session *)(void *)((char *)monitor - offsetof(struct session, monitor));
    if (session->is_closing) {
        return;
    }
    uint8_t room[1200];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Log");
    msgpack_put_str(&w, bytes_of_string(line));
    session_reply(session, session->monitor_seq, "");
    text_put(&session->output, room, w.size);
    if (session->is_monitoring) {
        session_wake(session);
    }
}

bool records_monitor(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct hearsay_bytes name;
    char word[24], error[64];
    if (!read_string(body, "LogLevel", &name)) {
        return false;
    }
    size_t size = name.size < sizeof word ? name.size : sizeof word - 1;
    bytes_copy(word, name.data, size);
    word[size] = '\0';
    for (char *p = word; *p != '\0'; p++) {
        *p = (char)toupper((unsigned char)*p);
    }
    if (!log_parse_level(word, &session->monitor.least)) {
        snprintf(error, sizeof error, "Unknown log level: %s", word);
        session_reply(session, seq, error);
        return true;
    }
    if (session->is_monitoring || is_crowded(session)) {
        session_reply(session, seq, session->is_monitoring ? "Monitor already exists" : "Too many connections with streams");
        return true;
    }
    session_reply(session, seq, "");
    session->monitor_seq = seq;
    session->monitor.on_line = on_line;
    log_attach(&session->monitor);
    session->is_monitoring = true; /* from here on lines come outside of requests */
    return true;
}

static void stop_monitor(struct session *session)
{
    if (session->is_monitoring) {
        log_detach(&session->monitor);
        session->is_monitoring = false;
    }
}

bool records_stop(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    uint64_t stop = 0;
    struct reader r = reader_of(body);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        if (msgpack_is(msgpack_get_raw(&r), "Stop")) {
            stop = msgpack_get_uint(&r, UINT64_MAX);
        } else {
            msgpack_skip(&r);
        }
    }
    if (r.is_bad) {
        return false;
    }
    if (session->is_monitoring && session->monitor_seq == stop) {
        stop_monitor(session);
    }
    for (struct subscription **at = &session->subscriptions; *at != NULL; at = &(*at)->next) {
        if ((*at)->seq == stop) {
            struct subscription *gone = *at;
            *at = gone->next;
            free_subscription(gone);
            session->subscription_count--;
            break;
        }
    }
    kv_unwatch(session, stop);
    catalog_unwatch(session, stop);
    session_reply(session, seq, "");
    return true;
}

void records_forget(struct session *session)
{
    stop_monitor(session);
    while (session->subscriptions != NULL) {
        struct subscription *gone = session->subscriptions;
        session->subscriptions = gone->next;
        free_subscription(gone);
    }
}

void records_put_event(struct session *session, enum hearsay_event_type type, const char *name, const struct text *body)
{
    bool is_any = false;
    for (const struct subscription *s = session->subscriptions; s != NULL && !session->is_closing; s = s->next) {
        if (filter_wants(&s->filter, hearsay_event_text(type), name)) {
            session_reply(session, s->seq, "");
            text_put(&session->output, body->data, body->size);
            is_any = true;
        }
    }
    if (is_any) {
        session_wake(session);
    }
}

void records_put_query(struct session *session, const struct hearsay_event *event)
{
    const struct subscription *s = session->subscriptions;
    while (s != NULL && !filter_wants(&s->filter, "query", event->name)) {
        s = s->next;
    }
    if (s == NULL || session->is_closing) {
        return;
    }
    size_t size = event->payload.size + strlen(event->name) + 128;
    uint8_t *room = must(malloc(size));
    struct writer w = writer_of(room, size);
    msgpack_put_map(&w, 5);
    msgpack_put_text(&w, "Event");
    msgpack_put_text(&w, "query");
    msgpack_put_text(&w, "ID");
    msgpack_put_uint(&w, asking_offer(session, event));
    msgpack_put_text(&w, "LTime");
    msgpack_put_uint(&w, event->ltime);
    msgpack_put_text(&w, "Name");
    msgpack_put_str(&w, bytes_of_string(event->name));
    msgpack_put_text(&w, "Payload");
    msgpack_put_bin(&w, event->payload.size == 0 ? (struct hearsay_bytes){NULL, 0} : event->payload);
    struct text body = {0};
    text_put(&body, room, w.size);
    free(room);
    records_put_event(session, HEARSAY_QUERY, event->name, &body);
    text_deinit(&body);
}

bool records_any(const struct service *service)
{
    for (const struct session *s = service->sessions; s != NULL; s = s->next) {
        if (s->subscriptions != NULL) {
            return true;
        }
    }
    return false;
}
