/* SPDX-License-Identifier: MIT
 *
 * See serf_message.h. Same dialect and habits as message.c. Lamport times are carried, not judged.
 */
#include "wire/serf_message.h"

#include "wire/msgpack.h"

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static uint64_t get_ltime(struct reader *r)
{
    return msgpack_get_uint(r, UINT64_MAX);
}

static uint32_t get_number(struct reader *r)
{
    return (uint32_t)msgpack_get_uint(r, UINT32_MAX);
}

static void decode_intent(struct reader *r, struct serf_intent *out)
{
    *out = (struct serf_intent){.ltime = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "LTime")) {
            out->ltime = get_ltime(r);
        } else if (msgpack_is(key, "Node")) {
            out->node = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Prune")) {
            out->prune = msgpack_get_bool(r);
        } else {
            msgpack_skip(r);
        }
    }
}

static void decode_user_event(struct reader *r, struct serf_user_event *out)
{
    *out = (struct serf_user_event){.ltime = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "LTime")) {
            out->ltime = get_ltime(r);
        } else if (msgpack_is(key, "Name")) {
            out->name = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Payload")) {
            out->payload = msgpack_get_raw(r);
        } else if (msgpack_is(key, "CC")) {
            out->coalesce = msgpack_get_bool(r);
        } else {
            msgpack_skip(r);
        }
    }
}

/* The extent of an array of raw, or of nil. */
static struct hearsay_bytes get_filters(struct reader *r)
{
    const uint8_t *start = r->at;
    for (uint32_t n = msgpack_get_array(r); n > 0 && !r->is_bad; n--) {
        (void)msgpack_get_raw(r);
    }
    return r->is_bad ? (struct hearsay_bytes){NULL, 0} : bytes_of(start, (size_t)(r->at - start));
}

static void decode_query_field(struct reader *r, struct hearsay_bytes key, struct serf_query *out)
{
    if (msgpack_is(key, "LTime")) {
        out->ltime = get_ltime(r);
    } else if (msgpack_is(key, "ID")) {
        out->id = get_number(r);
    } else if (msgpack_is(key, "Addr")) {
        msgpack_get_address(r, &out->address);
    } else if (msgpack_is(key, "Port")) {
        out->address.port = (uint16_t)msgpack_get_uint(r, UINT16_MAX);
    } else if (msgpack_is(key, "SourceNode")) {
        out->source_node = msgpack_get_raw(r);
    } else if (msgpack_is(key, "Filters")) {
        out->filters = get_filters(r);
    } else if (msgpack_is(key, "Flags")) {
        out->flags = get_number(r);
    } else if (msgpack_is(key, "RelayFactor")) {
        out->relay_factor = (uint8_t)msgpack_get_uint(r, UINT8_MAX);
    } else if (msgpack_is(key, "Timeout")) {
        out->timeout_ns = msgpack_get_int(r);
    } else if (msgpack_is(key, "Name")) {
        out->name = msgpack_get_raw(r);
    } else if (msgpack_is(key, "Payload")) {
        out->payload = msgpack_get_raw(r);
    } else {
        msgpack_skip(r);
    }
}

static void decode_query(struct reader *r, struct serf_query *out)
{
    *out = (struct serf_query){.ltime = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        decode_query_field(r, key, out);
    }
}

static void decode_response(struct reader *r, struct serf_response *out)
{
    *out = (struct serf_response){.ltime = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "LTime")) {
            out->ltime = get_ltime(r);
        } else if (msgpack_is(key, "ID")) {
            out->id = get_number(r);
        } else if (msgpack_is(key, "From")) {
            out->from = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Flags")) {
            out->flags = get_number(r);
        } else if (msgpack_is(key, "Payload")) {
            out->payload = msgpack_get_raw(r);
        } else {
            msgpack_skip(r);
        }
    }
}

static void decode_destination(struct reader *r, struct hearsay_address *out)
{
    *out = (struct hearsay_address){.size = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "IP")) {
            msgpack_get_address(r, out);
        } else if (msgpack_is(key, "Port")) {
            out->port = (uint16_t)msgpack_get_uint(r, UINT16_MAX);
        } else {
            msgpack_skip(r);
        }
    }
}

static void decode_relay(struct reader *r, struct serf_relay *out)
{
    *out = (struct serf_relay){.destination = {.size = 0}};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "DestAddr")) {
            decode_destination(r, &out->destination);
        } else if (msgpack_is(key, "DestName")) {
            out->destination_name = msgpack_get_raw(r);
        } else {
            msgpack_skip(r);
        }
    }
    out->inner = reader_take(r, reader_left(r));
    r->is_bad = r->is_bad || out->inner.size == 0;
}

bool serf_message_decode(struct hearsay_bytes in, struct serf_message *out)
{
    struct reader r = reader_of(in);
    out->type = (enum serf_type)reader_u8(&r);
    if (r.is_bad) {
        return false;
    }
    switch (out->type) {
    case SERF_LEAVE:
    case SERF_JOIN:
        decode_intent(&r, &out->intent);
        break;
    case SERF_USER_EVENT:
        decode_user_event(&r, &out->user_event);
        break;
    case SERF_QUERY:
        decode_query(&r, &out->query);
        break;
    case SERF_QUERY_RESPONSE:
        decode_response(&r, &out->response);
        break;
    case SERF_RELAY:
        decode_relay(&r, &out->relay);
        break;
    default:
        return false;
    }
    return !r.is_bad;
}

/* ---- filters ------------------------------------------------------------------------------------------------------ */

struct reader serf_filters_begin(struct hearsay_bytes filters)
{
    struct reader r = reader_of(filters);
    if (filters.size > 0) {
        (void)msgpack_get_array(&r);
    }
    return r;
}

static bool names_are_good(struct reader r)
{
    for (uint32_t n = msgpack_get_array(&r); n > 0 && !r.is_bad; n--) {
        (void)msgpack_get_raw(&r);
    }
    return !r.is_bad;
}

bool serf_next_filter(struct reader *filters, struct serf_filter *out)
{
    if (reader_left(filters) == 0) {
        return false;
    }
    struct reader r = reader_of(msgpack_get_raw(filters));
    *out = (struct serf_filter){.type = reader_u8(&r)};
    if (filters->is_bad) {
        return false;
    }
    if (out->type == SERF_FILTER_NAMES && names_are_good(r)) {
        out->names = r;
        return true;
    }
    if (out->type == SERF_FILTER_TAG) {
        for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
            struct hearsay_bytes key = msgpack_get_raw(&r);
            if (msgpack_is(key, "Tag")) {
                out->tag = msgpack_get_raw(&r);
            } else if (msgpack_is(key, "Expr")) {
                out->expression = msgpack_get_raw(&r);
            } else {
                msgpack_skip(&r);
            }
        }
        if (!r.is_bad) {
            return true;
        }
    }
    out->type = SERF_FILTER_UNKNOWN;
    return true;
}

/* ---- push/pull user state, read ------------------------------------------------------------------------------------ */

static void get_event(struct reader *r, struct serf_user_event *out)
{
    *out = (struct serf_user_event){.ltime = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Name")) {
            out->name = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Payload")) {
            out->payload = msgpack_get_raw(r);
        } else {
            msgpack_skip(r);
        }
    }
}

/* Moves r past one slot and leaves in walk how to read its events; their LTime comes after them on the wire. */
static void get_slot(struct reader *r, struct serf_state_event_walk *walk)
{
    *walk = (struct serf_state_event_walk){.in_slot = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "LTime")) {
            walk->ltime = get_ltime(r);
        } else if (msgpack_is(key, "Events")) {
            uint32_t count = msgpack_get_array(r);
            walk->in_slot = count;
            walk->slot = *r;
            for (struct serf_user_event event; count > 0 && !r->is_bad; count--) {
                get_event(r, &event);
            }
        } else {
            msgpack_skip(r);
        }
    }
}

static void check_left(struct reader *r, struct serf_state *out)
{
    out->left_count = msgpack_get_array(r);
    out->left_members = *r;
    for (uint32_t n = out->left_count; n > 0 && !r->is_bad; n--) {
        (void)msgpack_get_raw(r);
    }
}

static void check_statuses(struct reader *r, struct serf_state *out)
{
    out->status_count = msgpack_get_map(r);
    out->status_ltimes = *r;
    for (uint32_t n = out->status_count; n > 0 && !r->is_bad; n--) {
        (void)msgpack_get_raw(r);
        (void)get_ltime(r);
    }
}

static void check_events(struct reader *r, struct serf_state *out)
{
    struct serf_state_event_walk walk;
    out->event_count = msgpack_get_array(r);
    out->events = *r;
    for (uint32_t n = out->event_count; n > 0 && !r->is_bad; n--) {
        get_slot(r, &walk);
    }
}

bool serf_state_decode(struct hearsay_bytes in, struct serf_state *out)
{
    struct reader r = reader_of(in);
    *out = (struct serf_state){.ltime = 0};
    if (reader_u8(&r) != SERF_PUSH_PULL) {
        return false;
    }
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "LTime")) {
            out->ltime = get_ltime(&r);
        } else if (msgpack_is(key, "EventLTime")) {
            out->event_ltime = get_ltime(&r);
        } else if (msgpack_is(key, "QueryLTime")) {
            out->query_ltime = get_ltime(&r);
        } else if (msgpack_is(key, "LeftMembers")) {
            check_left(&r, out);
        } else if (msgpack_is(key, "StatusLTimes")) {
            check_statuses(&r, out);
        } else if (msgpack_is(key, "Events")) {
            check_events(&r, out);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad;
}

bool serf_state_next_left(struct serf_state *s, struct hearsay_bytes *name)
{
    if (s->left_count == 0) {
        return false;
    }
    s->left_count--;
    *name = msgpack_get_raw(&s->left_members);
    return true;
}

bool serf_state_next_status(struct serf_state *s, struct hearsay_bytes *name, uint64_t *ltime)
{
    if (s->status_count == 0) {
        return false;
    }
    s->status_count--;
    *name = msgpack_get_raw(&s->status_ltimes);
    *ltime = get_ltime(&s->status_ltimes);
    return true;
}

bool serf_state_next_event(struct serf_state *s, struct serf_state_event_walk *walk, struct serf_user_event *event)
{
    while (walk->in_slot == 0) {
        if (s->event_count == 0) {
            return false;
        }
        s->event_count--;
        get_slot(&s->events, walk);
    }
    walk->in_slot--;
    get_event(&walk->slot, event);
    event->ltime = walk->ltime;
    return true;
}

bool serf_tags_begin(struct hearsay_bytes meta, struct reader *r, uint32_t *count)
{
    *count = 0;
    *r = reader_of(meta);
    if (meta.size == 0 || meta.data[0] != 0xff) {
        return false;
    }
    (void)reader_u8(r);
    uint32_t claimed = msgpack_get_map(r);
    struct reader check = *r;
    for (uint32_t i = 0; i < claimed * 2; i++) {
        (void)msgpack_get_raw(&check);
    }
    *count = check.is_bad ? 0 : claimed;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void put_number(struct writer *w, const char *key, uint64_t value)
{
    msgpack_put_text(w, key);
    msgpack_put_uint(w, value);
}

static void put_raw(struct writer *w, const char *key, struct hearsay_bytes value)
{
    msgpack_put_text(w, key);
    msgpack_put_raw(w, value);
}

static void put_raw_or_nil(struct writer *w, const char *key, struct hearsay_bytes value)
{
    msgpack_put_text(w, key);
    msgpack_put_raw_or_nil(w, value);
}

static void put_bool(struct writer *w, const char *key, bool value)
{
    msgpack_put_text(w, key);
    msgpack_put_bool(w, value);
}

static void encode_query(struct writer *w, const struct serf_query *m)
{
    msgpack_put_map(w, 11);
    msgpack_put_text(w, "Addr");
    msgpack_put_address(w, &m->address);
    msgpack_put_text(w, "Filters");
    if (m->filters.size == 0) {
        msgpack_put_nil(w);
    } else {
        writer_put(w, m->filters.data, m->filters.size);
    }
    put_number(w, "Flags", m->flags);
    put_number(w, "ID", m->id);
    put_number(w, "LTime", m->ltime);
    put_raw(w, "Name", m->name);
    put_raw_or_nil(w, "Payload", m->payload);
    put_number(w, "Port", m->address.port);
    put_number(w, "RelayFactor", m->relay_factor);
    put_raw(w, "SourceNode", m->source_node);
    msgpack_put_text(w, "Timeout");
    msgpack_put_int(w, m->timeout_ns);
}

static void encode_relay(struct writer *w, const struct serf_relay *m)
{
    msgpack_put_map(w, 2);
    msgpack_put_text(w, "DestAddr");
    msgpack_put_map(w, 3);
    msgpack_put_text(w, "IP");
    msgpack_put_address(w, &m->destination);
    put_number(w, "Port", m->destination.port);
    put_raw(w, "Zone", bytes_of("", 0));
    put_raw(w, "DestName", m->destination_name);
    writer_put(w, m->inner.data, m->inner.size);
}

static void encode_response(struct writer *w, const struct serf_response *m)
{
    msgpack_put_map(w, 5);
    put_number(w, "Flags", m->flags);
    put_raw(w, "From", m->from);
    put_number(w, "ID", m->id);
    put_number(w, "LTime", m->ltime);
    put_raw_or_nil(w, "Payload", m->payload);
}

void serf_message_encode(struct writer *w, const struct serf_message *m)
{
    writer_u8(w, (uint8_t)m->type);
    switch (m->type) {
    case SERF_LEAVE:
    case SERF_JOIN:
        msgpack_put_map(w, m->type == SERF_LEAVE ? 3 : 2);
        put_number(w, "LTime", m->intent.ltime);
        put_raw(w, "Node", m->intent.node);
        if (m->type == SERF_LEAVE) {
            put_bool(w, "Prune", m->intent.prune);
        }
        break;
    case SERF_USER_EVENT:
        msgpack_put_map(w, 4);
        put_bool(w, "CC", m->user_event.coalesce);
        put_number(w, "LTime", m->user_event.ltime);
        put_raw(w, "Name", m->user_event.name);
        put_raw_or_nil(w, "Payload", m->user_event.payload);
        break;
    case SERF_QUERY:
        encode_query(w, &m->query);
        break;
    case SERF_QUERY_RESPONSE:
        encode_response(w, &m->response);
        break;
    case SERF_RELAY:
        encode_relay(w, &m->relay);
        break;
    default: /* the others have no struct */
        w->is_full = true;
    }
}

void serf_state_put_begin(struct writer *w, uint64_t event_ltime, uint32_t event_slots)
{
    writer_u8(w, SERF_PUSH_PULL);
    msgpack_put_map(w, 6);
    put_number(w, "EventLTime", event_ltime);
    msgpack_put_text(w, "Events");
    msgpack_put_array(w, event_slots);
}

void serf_state_put_slot_begin(struct writer *w, uint32_t event_count)
{
    msgpack_put_map(w, 2);
    msgpack_put_text(w, "Events");
    msgpack_put_array(w, event_count);
}

void serf_state_put_slot_event(struct writer *w, const struct serf_user_event *event)
{
    msgpack_put_map(w, 2);
    put_raw(w, "Name", event->name);
    put_raw_or_nil(w, "Payload", event->payload);
}

void serf_state_put_slot_end(struct writer *w, uint64_t ltime)
{
    put_number(w, "LTime", ltime);
}

void serf_state_put_empty_slot(struct writer *w)
{
    msgpack_put_nil(w);
}

void serf_state_put_left(struct writer *w, uint64_t ltime, uint32_t left_count)
{
    put_number(w, "LTime", ltime);
    msgpack_put_text(w, "LeftMembers");
    msgpack_put_array(w, left_count);
}

void serf_state_put_status(struct writer *w, uint64_t query_ltime, uint32_t status_count)
{
    put_number(w, "QueryLTime", query_ltime);
    msgpack_put_text(w, "StatusLTimes");
    msgpack_put_map(w, status_count);
}

void serf_tags_encode(struct writer *w, const struct hearsay_tag *tags, size_t count)
{
    writer_u8(w, 0xff);
    msgpack_put_map(w, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        msgpack_put_text(w, tags[i].key);
        msgpack_put_text(w, tags[i].value);
    }
}
