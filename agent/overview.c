/* SPDX-License-Identifier: MIT
 *
 * The RPC request "top" of hearsay top: this node's figures, all members with their round trips, and the last records of the flight recorder,
 * in one answer, so that what is shown together was true together.
 */
#include "agent/requests.h"
#include "base/check.h"
#include "wire/msgpack.h"

#include <math.h>

#define RECORDS 256u /* the newest of the recorder */

static void put(struct text *out, const struct writer *w)
{
    CHECK(!w->is_full);
    text_put(out, w->data, w->size);
}

static void number(struct writer *w, const char *key, uint64_t value)
{
    msgpack_put_text(w, key);
    msgpack_put_uint(w, value);
}

static void word(struct writer *w, const char *key, const char *value)
{
    msgpack_put_text(w, key);
    msgpack_put_str(w, bytes_of_string(value));
}

static uint64_t ms_ago(const struct service *service, uint64_t at_us)
{
    uint64_t now = service->now_us(service->context);
    return now > at_us ? (now - at_us) / 1000 : 0;
}

static void put_figures(struct text *out, const struct service *service)
{
    const struct hearsay_counters *c = hearsay_counters(service->node);
    struct hearsay_store_stats store;
    struct hearsay_stats s;
    uint8_t room[HEARSAY_NAME_MAX + 512];
    struct writer w = writer_of(room, sizeof room);
    hearsay_get_stats(service->node, &s);
    hearsay_get_store_stats(service->node, &store);
    msgpack_put_map(&w, 14);
    word(&w, "Name", service->name);
    word(&w, "Version", hearsay_version());
    number(&w, "Now", service->now_us(service->context) / 1000);
    number(&w, "Health", s.health_score);
    number(&w, "PacketsIn", c->packets_in);
    number(&w, "PacketsOut", c->packets_out);
    number(&w, "BytesIn", c->bytes_in);
    number(&w, "BytesOut", c->bytes_out);
    number(&w, "Probes", c->probes);
    number(&w, "ProbesFailed", c->probes_failed);
    number(&w, "Waiting", hearsay_rumors_waiting(service->node));
    msgpack_put_text(&w, "Store");
    msgpack_put_bool(&w, store.is_on);
    number(&w, "Entries", store.entries);
    number(&w, "StoreBytes", store.bytes);
    put(out, &w);
}

/* In microseconds; 0 = not known. */
static uint64_t round_trip_us(const struct service *service, const struct hearsay_coordinate *own, const struct hearsay_member *m)
{
    struct hearsay_coordinate other;
    if (own == NULL || m->is_self || !hearsay_get_coordinate(service->node, m->name, &other)) {
        return 0;
    }
    double us = hearsay_round_trip(own, &other) * 1e6;
    return isfinite(us) && us >= 1 && us < 1e12 ? (uint64_t)us : 0;
}

static uint32_t put_members(struct text *out, const struct service *service)
{
    struct hearsay_coordinate own;
    bool is_placed = hearsay_get_coordinate(service->node, service->name, &own);
    struct hearsay_member m;
    uint32_t count = 0;
    for (size_t position = 0; hearsay_next_member(service->node, &position, &m);) {
        struct hearsay_bytes key, value;
        uint8_t room[HEARSAY_NAME_MAX + HEARSAY_META_MAX + 512];
        char place[56];
        struct writer w = writer_of(room, sizeof room);
        struct text tags = {0};
        if (m.status == HEARSAY_NONE) {
            continue;
        }
        text_place(&m.address, place);
        for (size_t at = 0; hearsay_next_tag(&m, &at, &key, &value);) {
            text_puts(&tags, tags.size == 0 ? "" : ",");
            text_put(&tags, key.data, key.size);
            text_puts(&tags, "=");
            text_put(&tags, value.data, value.size);
        }
        msgpack_put_map(&w, 7);
        word(&w, "Name", m.name);
        word(&w, "Address", place);
        word(&w, "Status", hearsay_status_text(m.status));
        number(&w, "Since", ms_ago(service, m.status_since_us));
        number(&w, "RoundTrip", round_trip_us(service, is_placed ? &own : NULL, &m));
        msgpack_put_text(&w, "Self");
        msgpack_put_bool(&w, m.is_self);
        msgpack_put_text(&w, "Tags");
        msgpack_put_str(&w, bytes_of(tags.data, tags.size));
        put(out, &w);
        text_deinit(&tags);
        count++;
    }
    return count;
}

static uint32_t put_records(struct text *out, const struct service *service)
{
    struct hearsay_record record;
    uint32_t all = 0, count = 0;
    for (size_t position = 0; hearsay_next_record(service->node, &position, &record);) {
        all++;
    }
    for (size_t position = 0; hearsay_next_record(service->node, &position, &record);) {
        uint8_t room[2 * HEARSAY_NAME_MAX + 256];
        struct writer w = writer_of(room, sizeof room);
        if (all-- > RECORDS || record.name == NULL) {
            continue;
        }
        msgpack_put_map(&w, 5);
        word(&w, "Name", record.name);
        word(&w, "Event", record.type == HEARSAY_EVENT_COUNT ? "note" : hearsay_event_text(record.type));
        word(&w, "Reason", hearsay_reason_text(record.cause.reason));
        word(&w, "Accuser", record.cause.accuser == NULL ? "" : record.cause.accuser);
        number(&w, "Ago", ms_ago(service, record.at_us));
        put(out, &w);
        count++;
    }
    return count;
}

static void put_list(struct text *out, const char *key, uint32_t count, const struct text *items)
{
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_text(&w, key);
    msgpack_put_array(&w, count);
    put(out, &w);
    text_put(out, items->data, items->size);
}

bool overview_answer(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    const struct service *service = session->service;
    struct text members = {0}, records = {0};
    uint32_t member_count = put_members(&members, service), record_count = put_records(&records, service);
    uint8_t room[16];
    struct writer w = writer_of(room, sizeof room);
    (void)body;
    session_reply(session, seq, "");
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "Node");
    put(&session->output, &w);
    put_figures(&session->output, service);
    put_list(&session->output, "Members", member_count, &members);
    put_list(&session->output, "Records", record_count, &records);
    text_deinit(&members);
    text_deinit(&records);
    return true;
}
