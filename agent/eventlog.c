/* SPDX-License-Identifier: MIT
 *
 * See eventlog.h.
 */
#include "agent/eventlog.h"

#include <unistd.h>

static void visit_number(eventlog_visit visit, void *context, const char *key, uint64_t number)
{
    if (number != 0) {
        visit(context, key, NULL, number);
    }
}

static void visit_path(eventlog_visit visit, void *context, const char *key, enum hearsay_path path)
{
    if (path != HEARSAY_PATH_NOT_TRIED) {
        visit(context, key, hearsay_path_text(path), 0);
    }
}

static void visit_probe(const struct hearsay_cause *cause, eventlog_visit visit, void *context)
{
    visit_path(visit, context, "probe_direct", cause->probe.direct);
    visit_path(visit, context, "probe_indirect", cause->probe.indirect);
    visit_path(visit, context, "probe_stream", cause->probe.stream);
    visit_number(visit, context, "probe_relays_asked", cause->probe.relays_asked);
    visit_number(visit, context, "probe_nacks", cause->probe.nacks);
    visit_number(visit, context, "probe_acks", cause->probe.acks);
    visit_number(visit, context, "probe_waited_ms", cause->probe.waited_ms);
}

void eventlog_visit_cause(const struct hearsay_cause *cause, eventlog_visit visit, void *context)
{
    if (cause->reason != HEARSAY_BECAUSE_UNKNOWN) {
        visit(context, "reason", hearsay_reason_text(cause->reason), 0);
    }
    if (cause->accuser != NULL) {
        visit(context, "accuser", cause->accuser, 0);
    }
    visit_number(visit, context, "incarnation", cause->incarnation);
    visit_probe(cause, visit, context);
    visit_number(visit, context, "confirmations", cause->confirmations);
    visit_number(visit, context, "confirmations_wanted", cause->confirmations_wanted);
    visit_number(visit, context, "timer_min_ms", cause->timer_min_ms);
    visit_number(visit, context, "timer_max_ms", cause->timer_max_ms);
    visit_number(visit, context, "timer_ran_ms", cause->timer_ran_ms);
    visit_number(visit, context, "own_health", cause->own_health);
    visit_number(visit, context, "own_pause_ms", cause->own_pause_ms);
}

struct cause_writer {
    struct text *out;
    bool has_any, is_in_probe;
};

/* The probe_… pieces follow each other, so they can go into an object of their own while they last. */
static void write_piece(void *context, const char *key, const char *text, uint64_t number)
{
    struct cause_writer *w = context;
    bool is_probe = strncmp(key, "probe_", 6) == 0;
    if (w->is_in_probe && !is_probe) {
        text_puts(w->out, "}");
        w->is_in_probe = false;
    }
    text_puts(w->out, w->has_any ? "," : "");
    if (is_probe && !w->is_in_probe) {
        text_puts(w->out, "\"probe\":{");
        w->is_in_probe = true;
    }
    w->has_any = true;
    text_printf(w->out, "\"%s\":", is_probe ? key + 6 : key);
    if (text != NULL) {
        text_json_c(w->out, text);
    } else {
        text_printf(w->out, "%llu", (unsigned long long)number);
    }
}

static void put_cause(struct text *out, const struct hearsay_cause *cause)
{
    struct cause_writer w = {out, false, false};
    text_puts(out, ",\"cause\":{");
    eventlog_visit_cause(cause, write_piece, &w);
    text_puts(out, w.is_in_probe ? "}}" : "}");
}

static void put_place(struct text *out, const struct hearsay_address *address)
{
    char ip[46];
    text_ip(address, ip);
    text_printf(out, "\"addr\":\"%s\",\"port\":%u", ip, (unsigned)address->port);
}

static void put_member(struct text *out, const struct hearsay_member *member)
{
    struct hearsay_bytes key, value;
    size_t position = 0;
    text_puts(out, ",\"member\":{\"name\":");
    text_json_c(out, member->name == NULL ? "" : member->name);
    text_puts(out, ",");
    put_place(out, &member->address);
    text_puts(out, ",\"tags\":{");
    for (bool is_first = true; hearsay_next_tag(member, &position, &key, &value); is_first = false) {
        text_puts(out, is_first ? "" : ",");
        text_json(out, key);
        text_puts(out, ":");
        text_json(out, value);
    }
    text_puts(out, "}}");
}

static void put_payload(struct text *out, const struct hearsay_event *event)
{
    text_puts(out, ",\"payload\":\"");
    text_base64(out, event->payload);
    text_puts(out, "\"");
}

/* Answers to what was asked go to who asked. */
static bool is_logged(enum hearsay_event_type type)
{
    return type != HEARSAY_JOIN_RESULT && type != HEARSAY_LEAVE_DONE && (type < HEARSAY_QUERY_ACK || type > HEARSAY_CONFLICT_RESOLVED);
}

bool eventlog_line(struct text *out, const struct hearsay_event *event, uint64_t unix_ms)
{
    if (!is_logged(event->type)) {
        return false;
    }
    bool is_user = event->type == HEARSAY_USER_EVENT || event->type == HEARSAY_LARGE_EVENT || event->type == HEARSAY_QUERY,
         is_message = event->type == HEARSAY_MESSAGE;
    text_printf(out, "{\"schema\":1,\"time_ms\":%llu,\"event\":\"%s\"", (unsigned long long)unix_ms, hearsay_event_text(event->type));
    if (is_user) {
        text_puts(out, ",\"name\":");
        text_json_c(out, event->name == NULL ? "" : event->name);
        text_printf(out, ",\"ltime\":%llu", (unsigned long long)event->ltime);
        if (event->type == HEARSAY_QUERY) {
            text_puts(out, ",\"from\":");
            text_json_c(out, event->from == NULL ? "" : event->from);
        }
    }
    if (is_user || is_message) {
        put_payload(out, event);
    } else {
        put_member(out, &event->member);
        if (event->type == HEARSAY_CONFLICT || event->type == HEARSAY_FOREIGN_CLUSTER) {
            text_puts(out, ",\"other\":{");
            put_place(out, &event->other_address);
            text_puts(out, "}");
        }
        put_cause(out, &event->cause);
    }
    text_puts(out, "}\n");
    return true;
}

void eventlog_ready(struct text *out, const char *name, const struct hearsay_address *address, const char *rpc_addr, int pid)
{
    text_puts(out, "{\"schema\":1,\"event\":\"ready\",\"name\":");
    text_json_c(out, name);
    text_puts(out, ",");
    put_place(out, address);
    text_puts(out, ",\"rpc_addr\":");
    text_json_c(out, rpc_addr);
    text_printf(out, ",\"pid\":%d}\n", pid);
}

bool eventlog_open(struct eventlog *log, const char *path, char *error, size_t size)
{
    *log = (struct eventlog){.path = path, .sink = {.fd = -1}};
    if (path != NULL && strcmp(path, "-") == 0) {
        sink_init(&log->sink, STDOUT_FILENO);
        return true;
    }
    return path == NULL || sink_open(&log->sink, path, error, size);
}

bool eventlog_reopen(struct eventlog *log, char *error, size_t size)
{
    if (log->path == NULL || strcmp(log->path, "-") == 0) {
        return true;
    }
    struct sink fresh;
    if (!sink_open(&fresh, log->path, error, size)) {
        return false;
    }
    (void)sink_retry(&log->sink);
    fresh.dropped = log->sink.dropped;
    sink_deinit(&log->sink);
    log->sink = fresh;
    return true;
}

void eventlog_close(struct eventlog *log)
{
    (void)sink_retry(&log->sink);
    sink_deinit(&log->sink);
    text_deinit(&log->line);
}

bool eventlog_write(struct eventlog *log)
{
    bool is_left = sink_put(&log->sink, log->line.data, log->line.size);
    text_shrink(&log->line);
    return is_left;
}
