/* SPDX-License-Identifier: MIT
 *
 * What HTTP shows of the node, as JSON. Names and tags are strangers' bytes: they are written by text_json, which escapes them.
 */
#include "agent/eventlog.h"
#include "agent/web.h"

#include <math.h>

static uint64_t unix_of(const struct service *service, uint64_t at_us)
{
    uint64_t now = service->now_us(service->context);
    return service->unix_ms(service->context) - (now > at_us ? (now - at_us) / 1000 : 0);
}

static void put_tags(struct text *out, const struct hearsay_member *member)
{
    struct hearsay_bytes key, value;
    bool is_first = true;
    text_puts(out, "{");
    for (size_t position = 0; hearsay_next_tag(member, &position, &key, &value); is_first = false) {
        text_puts(out, is_first ? "" : ",");
        text_json(out, key);
        text_puts(out, ":");
        text_json(out, value);
    }
    text_puts(out, "}");
}

/* Where it is in the network, and the round trip from us that this makes likely. */
static void put_coordinate(struct text *out, const struct service *service, const struct hearsay_coordinate *own, const char *name)
{
    struct hearsay_coordinate c;
    if (!hearsay_get_coordinate(service->node, name, &c)) {
        return;
    }
    text_puts(out, ",\"coordinate\":[");
    for (int i = 0; i < HEARSAY_DIMENSIONS; i++) {
        text_printf(out, "%s%.6g", i == 0 ? "" : ",", isfinite(c.vec[i]) ? c.vec[i] : 0);
    }
    text_printf(out, "],\"height\":%.6g", isfinite(c.height) ? c.height : 0);
    double ms = own == NULL ? NAN : hearsay_round_trip(own, &c) * 1000;
    if (isfinite(ms)) {
        text_printf(out, ",\"rtt_ms\":%.3f", ms);
    }
}

void web_members(const struct service *service, struct text *out)
{
    struct hearsay_coordinate own;
    bool is_placed = hearsay_get_coordinate(service->node, service->name, &own);
    struct hearsay_member m;
    char ip[46];
    text_puts(out, "[");
    for (size_t position = 0, count = 0; hearsay_next_member(service->node, &position, &m); count++) {
        text_ip(&m.address, ip);
        text_puts(out, count == 0 ? "\n" : ",\n");
        text_puts(out, "{\"name\":");
        text_json_c(out, m.name);
        text_printf(out, ",\"addr\":\"%s\",\"port\":%u,\"status\":\"%s\",\"incarnation\":%u,\"since_ms\":%llu,\"self\":%s,\"hearsay\":%s,\"tags\":",
                    ip, m.address.port, hearsay_status_text(m.status), m.incarnation,
                    (unsigned long long)unix_of(service, m.status_since_us), m.is_self ? "true" : "false",
                    m.abilities != 0 ? "true" : "false");
        put_tags(out, &m);
        put_coordinate(out, service, is_placed && !m.is_self ? &own : NULL, m.name);
        text_puts(out, "}");
    }
    text_puts(out, "\n]\n");
}

static void put_store(struct text *out, const struct service *service)
{
    static const char *const modes[] = {"", "push", "pull", "push-pull"};
    struct hearsay_store_stats s;
    hearsay_get_store_stats(service->node, &s);
    if (!s.is_on) {
        text_puts(out, "null");
        return;
    }
    text_printf(out, "{\"entries\":%llu,\"tombstones\":%llu,\"bytes\":%llu,\"memory_bytes\":%llu,\"pending\":%llu,\"unsettled\":%llu,"
                     "\"root_epoch\":%u,\"root_entries\":%llu,\"root\":\"",
                (unsigned long long)s.entries, (unsigned long long)s.tombstones, (unsigned long long)s.bytes, (unsigned long long)s.memory,
                (unsigned long long)s.pending, (unsigned long long)s.unsettled, s.root_epoch, (unsigned long long)s.root_count);
    for (size_t i = 0; i < sizeof s.root; i++) {
        text_printf(out, "%02x", s.root[i]);
    }
    text_printf(out, "\",\"change\":%llu,\"purged_until_ms\":%llu,\"clock_ahead_ms\":%lld,\"clock_astray\":%s,\"mode\":\"%s\",\"fanout\":%u,"
                     "\"interval_ms\":%u,\"durable\":%s}",
                (unsigned long long)s.change, (unsigned long long)(s.purge_hlc >> 16), (long long)s.clock_ahead_ms,
                s.is_clock_astray ? "true" : "false", modes[service->store.mode & 3], service->store.fanout, service->store.interval_ms,
                service->store.path != NULL ? "true" : "false");
}

void web_status(const struct service *service, struct text *out)
{
    const struct hearsay_counters *counters = hearsay_counters(service->node);
    struct hearsay_stats s;
    hearsay_get_stats(service->node, &s);
    text_puts(out, "{\"name\":");
    text_json_c(out, service->name);
    text_printf(out,
                ",\"version\":\"%s\",\"unix_ms\":%llu,\"encrypted\":%s,\"leaving\":%s,\"health_score\":%u,\n"
                "\"members\":{\"all\":%u,\"alive\":%u,\"suspect\":%u,\"failed\":%u,\"left\":%u},\n"
                "\"clocks\":{\"members\":%llu,\"events\":%llu,\"queries\":%llu},\n"
                "\"queues\":{\"members\":%u,\"intents\":%u,\"events\":%u,\"queries\":%u},\"streams\":%u,\n\"counters\":{",
                hearsay_version(), (unsigned long long)service->unix_ms(service->context), s.is_encrypted ? "true" : "false",
                s.is_leaving ? "true" : "false", s.health_score, s.members, s.alive, s.suspect, s.failed, s.left,
                (unsigned long long)s.member_time, (unsigned long long)s.event_time, (unsigned long long)s.query_time, s.member_queue,
                s.intent_queue, s.event_queue, s.query_queue, s.streams);
    const char *comma = "";
#define PUT_ONE(field, sentence)                                                                                                           \
    text_printf(out, "%s\"" #field "\":%llu", comma, (unsigned long long)counters->field);                                                 \
    comma = ",";
    HEARSAY_COUNTERS(PUT_ONE)
#undef PUT_ONE
    text_puts(out, "},\n\"store\":");
    put_store(out, service);
    text_puts(out, "}\n");
}

void web_store(const struct service *service, struct text *out)
{
    struct hearsay_store_peer peer;
    const char *comma = "";
    text_puts(out, "{\"store\":");
    put_store(out, service);
    text_puts(out, ",\n\"peers\":[");
    for (size_t position = 0; hearsay_next_store_peer(service->node, &position, &peer);) {
        if (peer.name != NULL) {
            text_printf(out, "%s\n{\"name\":", comma);
            text_json_c(out, peer.name);
            text_printf(out,
                        ",\"up\":%s,\"equal_epoch\":%u,\"repairs\":%llu,\"bytes_in\":%llu,\"bytes_out\":%llu,\"entries_in\":%llu,"
                        "\"entries_out\":%llu}",
                        peer.is_up ? "true" : "false", peer.equal_epoch, (unsigned long long)peer.sessions, (unsigned long long)peer.bytes_in,
                        (unsigned long long)peer.bytes_out, (unsigned long long)peer.entries_in, (unsigned long long)peer.entries_out);
            comma = ",";
        }
    }
    text_puts(out, "\n]}\n");
}

struct pieces {
    struct text *out;
    bool is_any;
};

static void put_piece(void *context, const char *key, const char *word, uint64_t number)
{
    struct pieces *pieces = context;
    text_printf(pieces->out, "%s\"%s\":", pieces->is_any ? "," : "", key);
    if (word != NULL) {
        text_json_c(pieces->out, word);
    } else {
        text_printf(pieces->out, "%llu", (unsigned long long)number);
    }
    pieces->is_any = true;
}

void web_why(const struct service *service, const char *name, struct text *out)
{
    struct hearsay_record record;
    const char *comma = "";
    text_puts(out, "{\"name\":");
    text_json_c(out, name);
    text_puts(out, ",\"observer\":");
    text_json_c(out, service->name);
    text_puts(out, ",\"records\":[");
    for (size_t position = 0; hearsay_next_record(service->node, &position, &record);) {
        if (record.name == NULL || strcmp(record.name, name) != 0) {
            continue;
        }
        struct pieces pieces = {.out = out};
        text_printf(out, "%s\n{\"at_ms\":%llu,\"event\":\"%s\",\"cause\":{", comma, (unsigned long long)unix_of(service, record.at_us),
                    record.type == HEARSAY_EVENT_COUNT ? "note" : hearsay_event_text(record.type));
        eventlog_visit_cause(&record.cause, put_piece, &pieces);
        text_puts(out, "}}");
        comma = ",";
    }
    text_puts(out, "\n]}\n");
}
