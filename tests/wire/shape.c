/* SPDX-License-Identifier: MIT
 *
 * See shape.h.
 */
#include "shape.h"

#include "generic.h"
#include "wire/message.h"
#include "wire/msgpack.h"
#include "wire/serf_message.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint8_t type;
} message_names[] = {{"ping", 0},     {"indirectPing", 1}, {"ackResp", 2}, {"suspect", 3}, {"alive", 4}, {"dead", 5},
                     {"pushPull", 6}, {"user", 8},         {"nackResp", 11}, {"err", 13}},
  serf_names[] = {{"leave", 0}, {"join", 1},          {"pushPull", 2},         {"userEvent", 3},  {"query", 4},
                  {"queryResponse", 5}, {"conflictResponse", 6}, {"keyRequest", 7}, {"keyResponse", 8}, {"relay", 9}};

#define TYPE_OF(names, name) type_of(name, names, sizeof names / sizeof names[0])

static uint8_t type_of(const char *name, const void *table, size_t count)
{
    const struct {
        const char *name;
        uint8_t type;
    } *names = table;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return names[i].type;
        }
    }
    vector_expect(false, "\"%s\" is a known kind", name);
    return 255;
}

static struct hearsay_bytes address_raw(const struct hearsay_address *a)
{
    return bytes_of(a->size == 0 ? NULL : a->bytes, a->size);
}

/* Signed forms of positive numbers in values of msgpack; bytes after them are left alone. */
static unsigned count_odd(struct reader r, size_t values)
{
    unsigned odd = 0;
    size_t size = reader_left(&r) * 2 + 16;
    uint8_t *scratch = malloc(size);
    struct writer w = writer_of(scratch, size);
    while (values-- > 0) {
        odd += generic_copy(&r, &w, false);
    }
    free(scratch);
    return odd;
}

void shape_expect_same(const struct writer *w, struct hearsay_bytes in, size_t head)
{
    vector_expect(!w->is_full, "encoding has room");
    if (count_odd(reader_of(bytes_of(in.data + head, in.size - head)), 1) == 0) {
        vector_expect_bytes(writer_bytes(w), in, "encoded again");
    }
}

/* What stands inside a Payload: a coordinate, or one of Serf's messages that have no struct here. */
static void compare_payload(struct hearsay_bytes payload, const json_t *body)
{
    const json_t *inner = json_object_get(body, "_payload");
    if (inner == NULL) {
        return;
    }
    const json_t *value = json_object_get(inner, "coord");
    json_int_t type = json_integer_value(json_object_get(inner, "ver"));
    if (value == NULL) {
        value = json_object_get(inner, "body");
        type = TYPE_OF(serf_names, vector_text(inner, "serf"));
    }
    vector_expect(payload.size > 1 && payload.data[0] == type, "type of the payload");
    json_t *list = json_pack("[O]", value);
    generic_check(bytes_of(payload.data + 1, payload.size - 1), list, false);
    json_decref(list);
}

static void compare_tags(struct hearsay_bytes meta)
{
    struct reader r;
    uint32_t count;
    if (!serf_tags_begin(meta, &r, &count)) {
        vector_expect(meta.size == 0 || meta.data[0] != 0xff, "meta without tags");
        return;
    }
    struct hearsay_tag tags[16];
    vector_expect(count <= 16, "number of tags");
    for (uint32_t i = 0; i < count; i++) {
        struct hearsay_bytes key = msgpack_get_raw(&r), value = msgpack_get_raw(&r);
        tags[i] = (struct hearsay_tag){strndup((const char *)key.data, key.size), strndup((const char *)value.data, value.size)};
    }
    uint8_t out[HEARSAY_META_MAX];
    struct writer w = writer_of(out, sizeof out);
    serf_tags_encode(&w, tags, count);
    vector_expect_bytes(writer_bytes(&w), meta, "tags encoded again");
    for (uint32_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)tags[i].key);
        free((char *)(uintptr_t)tags[i].value);
    }
}

static void compare_alive(struct vector_fields *f, const struct message_alive *m, const char *name_key)
{
    vector_field_raw(f, "Addr", address_raw(&m->address));
    vector_field_number(f, "Incarnation", m->incarnation);
    vector_field_raw(f, "Meta", m->meta);
    vector_field_raw(f, name_key, m->node);
    vector_field_number(f, "Port", m->address.port);
    vector_field_raw(f, "Vsn", m->versions);
    compare_tags(m->meta);
}

static void compare_source(struct vector_fields *f, const struct hearsay_address *source, struct hearsay_bytes node)
{
    vector_field_raw(f, "SourceAddr", address_raw(source));
    vector_field_number(f, "SourcePort", source->port);
    vector_field_raw(f, "SourceNode", node);
}

static void compare_body(const struct message *m, const json_t *body)
{
    struct vector_fields f = {body, 0};
    switch (m->type) {
    case MESSAGE_PING:
        vector_field_raw(&f, "Node", m->ping.node);
        vector_field_number(&f, "SeqNo", m->ping.sequence);
        compare_source(&f, &m->ping.source, m->ping.source_node);
        vector_expect(m->ping.abilities == 0, "no abilities");
        break;
    case MESSAGE_INDIRECT_PING:
        vector_field_bool(&f, "Nack", m->indirect_ping.nack);
        vector_field_raw(&f, "Node", m->indirect_ping.node);
        vector_field_number(&f, "SeqNo", m->indirect_ping.sequence);
        vector_field_raw(&f, "Target", address_raw(&m->indirect_ping.target));
        vector_field_number(&f, "Port", m->indirect_ping.target.port);
        compare_source(&f, &m->indirect_ping.source, m->indirect_ping.source_node);
        break;
    case MESSAGE_ACK:
        vector_field_number(&f, "SeqNo", m->ack.sequence);
        vector_field_raw(&f, "Payload", m->ack.payload);
        compare_payload(m->ack.payload, body);
        break;
    case MESSAGE_NACK:
        vector_field_number(&f, "SeqNo", m->nack_sequence);
        break;
    case MESSAGE_SUSPECT:
    case MESSAGE_DEAD:
        vector_field_raw(&f, "From", m->accusation.from);
        vector_field_number(&f, "Incarnation", m->accusation.incarnation);
        vector_field_raw(&f, "Node", m->accusation.node);
        break;
    case MESSAGE_ALIVE:
        compare_alive(&f, &m->alive, "Node");
        break;
    case MESSAGE_ERROR:
        vector_field_raw(&f, "Error", m->error);
        break;
    default:
        vector_expect(false, "type %d has a body", m->type);
    }
    vector_fields_end(&f);
}

static void compare_user(struct hearsay_bytes user, const json_t *msg)
{
    if (json_is_null(json_object_get(msg, "serf"))) {
        vector_expect_bytes(user, vector_hex_of(msg, "raw_hex"), "user message");
    } else {
        shape_serf(user, msg);
    }
}

void shape_message(struct hearsay_bytes in, const json_t *wanted)
{
    struct message m;
    uint8_t out[65536];
    struct writer w = writer_of(out, sizeof out);
    vector_expect(in.size > 0 && in.data[0] == TYPE_OF(message_names, vector_text(wanted, "t")), "type of the message");
    vector_expect(message_decode(in, &m), "the message can be decoded");
    message_encode(&w, &m);
    if (m.type == MESSAGE_USER) {
        compare_user(m.user, json_object_get(wanted, "msg"));
        vector_expect_bytes(writer_bytes(&w), in, "encoded again");
    } else {
        compare_body(&m, json_object_get(wanted, "body"));
        shape_expect_same(&w, in, 1);
    }
}

/* ---- Serf ---------------------------------------------------------------------------------------------------------- */

static void compare_filters(const struct serf_query *m, struct vector_fields *f)
{
    const json_t *wanted = vector_field(f, "Filters"), *readings = json_object_get(f->object, "_filters");
    struct reader r = serf_filters_begin(m->filters), raw = r;
    struct serf_filter filter;
    size_t i = 0;
    for (; serf_next_filter(&r, &filter); i++) {
        const json_t *reading = json_array_get(readings, i), *value = json_object_get(reading, "val");
        vector_expect_bytes(msgpack_get_raw(&raw), vector_raw(json_array_get(wanted, i)), "filter");
        if (readings == NULL) { /* no real filter: the codec vectors */
            vector_expect(filter.type == SERF_FILTER_UNKNOWN, "an unknown filter");
            continue;
        }
        vector_expect(filter.type == json_integer_value(json_object_get(reading, "type")), "type of a filter");
        if (filter.type == SERF_FILTER_NAMES) {
            generic_compare(&filter.names, value);
        } else {
            struct vector_fields fields = {value, 0};
            vector_field_raw(&fields, "Expr", filter.expression);
            vector_field_raw(&fields, "Tag", filter.tag);
            vector_fields_end(&fields);
        }
    }
    vector_expect(i == json_array_size(wanted) && (readings == NULL || i == json_array_size(readings)), "number of filters");
}

static void compare_query(const struct serf_query *m, struct vector_fields *f)
{
    vector_field_raw(f, "Addr", address_raw(&m->address));
    compare_filters(m, f);
    vector_field_number(f, "Flags", m->flags);
    vector_field_number(f, "ID", m->id);
    vector_field_number(f, "LTime", (int64_t)m->ltime);
    vector_field_raw(f, "Name", m->name);
    vector_field_raw(f, "Payload", m->payload);
    vector_field_number(f, "Port", m->address.port);
    vector_field_number(f, "RelayFactor", m->relay_factor);
    vector_field_raw(f, "SourceNode", m->source_node);
    vector_field_number(f, "Timeout", m->timeout_ns);
    compare_payload(m->payload, f->object);
}

static void compare_relay(const struct serf_relay *m, const json_t *wanted)
{
    const json_t *header = json_object_get(wanted, "header");
    struct vector_fields f = {header, 0}, address = {vector_field(&f, "DestAddr"), 0};
    vector_field_raw(&address, "IP", address_raw(&m->destination));
    vector_field_number(&address, "Port", m->destination.port);
    vector_expect(json_string_length(vector_field(&address, "Zone")) == 0, "no zone");
    vector_fields_end(&address);
    vector_field_raw(&f, "DestName", m->destination_name);
    vector_fields_end(&f);
    shape_serf(m->inner, json_object_get(wanted, "inner"));
}

static void compare_serf_body(const struct serf_message *m, const json_t *body)
{
    struct vector_fields f = {body, 0};
    switch (m->type) {
    case SERF_LEAVE:
    case SERF_JOIN:
        vector_field_number(&f, "LTime", (int64_t)m->intent.ltime);
        vector_field_raw(&f, "Node", m->intent.node);
        vector_field_bool(&f, "Prune", m->intent.prune);
        break;
    case SERF_USER_EVENT:
        vector_field_number(&f, "LTime", (int64_t)m->user_event.ltime);
        vector_field_raw(&f, "Name", m->user_event.name);
        vector_field_raw(&f, "Payload", m->user_event.payload);
        vector_field_bool(&f, "CC", m->user_event.coalesce);
        break;
    case SERF_QUERY:
        compare_query(&m->query, &f);
        break;
    case SERF_QUERY_RESPONSE:
        vector_field_number(&f, "Flags", m->response.flags);
        vector_field_raw(&f, "From", m->response.from);
        vector_field_number(&f, "ID", m->response.id);
        vector_field_number(&f, "LTime", (int64_t)m->response.ltime);
        vector_field_raw(&f, "Payload", m->response.payload);
        compare_payload(m->response.payload, body);
        break;
    default:
        vector_expect(false, "Serf's type %d has a body", m->type);
    }
    vector_fields_end(&f);
}

void shape_serf(struct hearsay_bytes in, const json_t *wanted)
{
    struct serf_message m;
    uint8_t out[65536];
    struct writer w = writer_of(out, sizeof out);
    vector_expect(in.size > 0 && in.data[0] == TYPE_OF(serf_names, vector_text(wanted, "serf")), "type of Serf's message");
    if (in.data[0] == SERF_PUSH_PULL) {
        shape_state(in, json_object_get(wanted, "body"));
        return;
    }
    vector_expect(serf_message_decode(in, &m), "Serf's message can be decoded");
    serf_message_encode(&w, &m);
    if (m.type == SERF_RELAY) {
        compare_relay(&m.relay, wanted);
    } else {
        compare_serf_body(&m, json_object_get(wanted, "body"));
    }
    shape_expect_same(&w, in, 1);
}

static void compare_lists(struct serf_state *s, struct vector_fields *f)
{
    const json_t *left = vector_field(f, "LeftMembers"), *statuses = vector_field(f, "StatusLTimes");
    struct hearsay_bytes name;
    uint64_t ltime;
    size_t i = 0;
    for (; serf_state_next_left(s, &name); i++) {
        vector_expect_bytes(name, vector_raw(json_array_get(left, i)), "a left member");
    }
    vector_expect(i == json_array_size(left), "number of left members");
    for (i = 0; serf_state_next_status(s, &name, &ltime); i++) {
        char text[256] = "";
        memcpy(text, name.data, name.size);
        const json_t *value = json_object_get(statuses, text);
        vector_expect(json_is_integer(value) && json_integer_value(value) == (json_int_t)ltime, "ltime of %s", text);
    }
    vector_expect(i == json_object_size(statuses), "number of ltimes");
}

static void compare_events(struct serf_state *s, struct vector_fields *f)
{
    const json_t *ring = vector_field(f, "Events"), *slots = json_object_get(ring, "non_nil");
    struct serf_state_event_walk walk = {0};
    struct serf_user_event event;
    size_t count = 0;
    vector_expect(s->event_count == json_integer_value(json_object_get(ring, "array_len")), "slots of events");
    for (size_t i = 0; i < json_array_size(slots); i++) {
        const json_t *slot = json_object_get(json_array_get(slots, i), "value");
        const json_t *events = json_object_get(json_object_get(slot, "Events"), "non_nil");
        for (size_t k = 0; k < json_array_size(events); k++, count++) {
            vector_expect(serf_state_next_event(s, &walk, &event), "event %zu", count);
            struct vector_fields fields = {json_object_get(json_array_get(events, k), "value"), 0};
            vector_field_raw(&fields, "Name", event.name);
            vector_field_raw(&fields, "Payload", event.payload);
            vector_fields_end(&fields);
            vector_expect((json_int_t)event.ltime == json_integer_value(json_object_get(slot, "LTime")), "ltime of an event");
        }
    }
    vector_expect(!serf_state_next_event(s, &walk, &event), "no more than %zu events", count);
}

/* Events are written slot by slot; a slot is empty when nobody claims it. The ring holds one slot per LTime modulo its length. */
static void encode_state(struct serf_state s, struct writer *w)
{
    struct serf_state_event_walk walk = {0};
    struct serf_user_event events[512];
    struct hearsay_bytes name;
    uint32_t count = 0, slots = s.event_count;
    uint64_t ltime;
    while (count < 512 && serf_state_next_event(&s, &walk, &events[count])) {
        count++;
    }
    serf_state_put_begin(w, s.event_ltime, slots);
    for (uint32_t slot = 0; slot < slots; slot++) {
        uint32_t first = 0, more = 0;
        while (first < count && (slots < 512 ? slot != 1 : events[first].ltime % slots != slot)) {
            first++;
        }
        while (first + more < count && events[first + more].ltime == events[first].ltime) {
            more++;
        }
        if (more == 0) {
            serf_state_put_empty_slot(w);
        } else {
            serf_state_put_slot_begin(w, more);
            for (uint32_t i = 0; i < more; i++) {
                serf_state_put_slot_event(w, &events[first + i]);
            }
            serf_state_put_slot_end(w, events[first].ltime);
        }
    }
    serf_state_put_left(w, s.ltime, s.left_count);
    while (serf_state_next_left(&s, &name)) {
        msgpack_put_raw(w, name);
    }
    serf_state_put_status(w, s.query_ltime, s.status_count);
    while (serf_state_next_status(&s, &name, &ltime)) {
        msgpack_put_raw(w, name);
        msgpack_put_uint(w, ltime);
    }
}

void shape_state(struct hearsay_bytes in, const json_t *body)
{
    struct serf_state s;
    uint8_t out[65536];
    struct writer w = writer_of(out, sizeof out);
    struct vector_fields f = {body, 0};
    vector_expect(serf_state_decode(in, &s), "the state can be decoded");
    vector_field_number(&f, "LTime", (int64_t)s.ltime);
    vector_field_number(&f, "EventLTime", (int64_t)s.event_ltime);
    vector_field_number(&f, "QueryLTime", (int64_t)s.query_ltime);
    if (!json_is_null(json_object_get(body, "Events"))) { /* a real sender never leaves the lists nil */
        encode_state(s, &w);
        shape_expect_same(&w, in, 1);
    }
    compare_lists(&s, &f);
    compare_events(&s, &f);
    vector_fields_end(&f);
}

/* ---- streams ------------------------------------------------------------------------------------------------------ */

static void compare_push_pull(struct hearsay_bytes body, const json_t *wanted)
{
    struct reader r = reader_of(body);
    struct message_push_pull_header header;
    struct message_alive entry;
    enum message_state state;
    uint8_t out[65536];
    struct writer w = writer_of(out, sizeof out);
    const json_t *nodes = json_object_get(wanted, "nodes"), *user = json_object_get(wanted, "user_state");
    (void)reader_u8(&r);
    struct reader values = r;
    struct vector_fields f = {json_object_get(wanted, "header"), 0};
    vector_expect(message_decode_push_pull_header(&r, &header), "header");
    vector_field_bool(&f, "Join", header.is_join);
    vector_field_number(&f, "Nodes", header.nodes);
    vector_field_number(&f, "UserStateLen", header.user_state_size);
    vector_fields_end(&f);
    vector_expect(header.nodes == json_array_size(nodes), "number of nodes");
    message_encode_push_pull_header(&w, &header);
    for (uint32_t i = 0; i < header.nodes; i++) {
        vector_expect(message_decode_push_pull_entry(&r, &entry, &state), "entry %u", i);
        message_encode_push_pull_entry(&w, &entry, state);
        f = (struct vector_fields){json_array_get(nodes, i), 0};
        compare_alive(&f, &entry, "Name");
        vector_field_number(&f, "State", state);
        vector_fields_end(&f);
    }
    struct hearsay_bytes tail = bytes_of(r.at, reader_left(&r));
    vector_expect(tail.size == header.user_state_size, "user state");
    writer_put(&w, tail.data, tail.size);
    if (count_odd(values, 1 + header.nodes) == 0) {
        vector_expect_bytes(writer_bytes(&w), body, "encoded again");
    }
    if (json_is_null(json_object_get(user, "serf"))) {
        vector_expect_bytes(tail, vector_hex_of(user, "raw_hex"), "user state");
    } else {
        shape_serf(tail, user);
    }
}

static void compare_user_stream(struct hearsay_bytes body, const json_t *wanted)
{
    struct reader r = reader_of(bytes_of(body.data + 1, body.size - 1));
    struct hearsay_bytes payload;
    uint8_t out[65536];
    struct writer w = writer_of(out, sizeof out);
    struct vector_fields f = {json_object_get(wanted, "header"), 0};
    vector_expect(message_decode_user_stream(&r, &payload), "user message");
    vector_expect(reader_left(&r) == 0, "nothing after the user message");
    vector_field_number(&f, "UserMsgLen", (int64_t)payload.size);
    vector_fields_end(&f);
    vector_expect_bytes(payload, vector_hex_of(wanted, "payload"), "user message");
    message_encode_user_stream(&w, payload);
    shape_expect_same(&w, body, 1);
}

void shape_stream(struct hearsay_bytes body, const json_t *wanted)
{
    vector_expect(body.size > 0 && body.data[0] == TYPE_OF(message_names, vector_text(wanted, "t")), "type of the stream");
    switch (body.data[0]) {
    case MESSAGE_PUSH_PULL:
        compare_push_pull(body, wanted);
        break;
    case MESSAGE_USER:
        compare_user_stream(body, wanted);
        break;
    default:
        shape_message(body, wanted);
    }
}
