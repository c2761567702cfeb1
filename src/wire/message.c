/* SPDX-License-Identifier: MIT
 *
 * See message.h. Every body is a map of fields by name, written in the order of their names. A field that is not there is
 * zero, one that nobody here knows is skipped. A struct as an array, which nobody sends, is refused.
 */
#include "wire/message.h"

#include "wire/msgpack.h"

#define NODES_MOST 1048576u
#define RAW_MOST (20u << 20)

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static uint32_t get_u32(struct reader *r)
{
    return (uint32_t)msgpack_get_uint(r, UINT32_MAX);
}

static uint16_t get_port(struct reader *r)
{
    return (uint16_t)msgpack_get_uint(r, UINT16_MAX);
}

static bool decode_ping(struct reader *r, struct message_ping *out)
{
    *out = (struct message_ping){.sequence = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Node")) {
            out->node = msgpack_get_raw(r);
        } else if (msgpack_is(key, "SeqNo")) {
            out->sequence = get_u32(r);
        } else if (msgpack_is(key, "SourceAddr")) {
            msgpack_get_address(r, &out->source);
        } else if (msgpack_is(key, "SourcePort")) {
            out->source.port = get_port(r);
        } else if (msgpack_is(key, "SourceNode")) {
            out->source_node = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Hearsay")) {
            out->abilities = get_u32(r);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

static bool decode_indirect_ping(struct reader *r, struct message_indirect_ping *out)
{
    *out = (struct message_indirect_ping){.sequence = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Node")) {
            out->node = msgpack_get_raw(r);
        } else if (msgpack_is(key, "SeqNo")) {
            out->sequence = get_u32(r);
        } else if (msgpack_is(key, "Target")) {
            msgpack_get_address(r, &out->target);
        } else if (msgpack_is(key, "Port")) {
            out->target.port = get_port(r);
        } else if (msgpack_is(key, "Nack")) {
            out->nack = msgpack_get_bool(r);
        } else if (msgpack_is(key, "SourceAddr")) {
            msgpack_get_address(r, &out->source);
        } else if (msgpack_is(key, "SourcePort")) {
            out->source.port = get_port(r);
        } else if (msgpack_is(key, "SourceNode")) {
            out->source_node = msgpack_get_raw(r);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

/* nack has the shape of an ack without payload. */
static bool decode_ack(struct reader *r, struct message_ack *out)
{
    *out = (struct message_ack){.sequence = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "SeqNo")) {
            out->sequence = get_u32(r);
        } else if (msgpack_is(key, "Payload")) {
            out->payload = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Hearsay")) {
            out->abilities = get_u32(r);
        } else if (msgpack_is(key, "Clock")) {
            out->clock_ms = msgpack_get_uint(r, UINT64_MAX);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

static bool decode_accusation(struct reader *r, struct message_accusation *out)
{
    *out = (struct message_accusation){.incarnation = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Incarnation")) {
            out->incarnation = get_u32(r);
        } else if (msgpack_is(key, "Node")) {
            out->node = msgpack_get_raw(r);
        } else if (msgpack_is(key, "From")) {
            out->from = msgpack_get_raw(r);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

/* Do these very bytes come next? Then they are read. */
static inline bool takes(struct reader *r, const char *bytes, size_t size)
{
    if (reader_left(r) < size || !bytes_same(r->at, (const uint8_t *)bytes, size)) {
        return false;
    }
    r->at += size;
    return true;
}
#define TAKES(r, bytes) takes(r, bytes, sizeof(bytes) - 1)

/* Fields by the names and in the order in which everybody writes them, so that nobody has to look names up: a list of members has
 * thousands of these. Whatever is different is left to the loop below. */
static bool decode_usual_alive(struct reader *r, bool is_entry, struct message_alive *out, uint32_t *state)
{
    struct reader ahead = *r;
    if (!(is_entry ? TAKES(&ahead, "\x87\xa4" "Addr") : TAKES(&ahead, "\x86\xa4" "Addr"))) {
        return false;
    }
    msgpack_get_address(&ahead, &out->address);
    bool is_usual = TAKES(&ahead, "\xab" "Incarnation");
    out->incarnation = get_u32(&ahead);
    is_usual = is_usual && TAKES(&ahead, "\xa4" "Meta");
    out->meta = msgpack_get_raw(&ahead);
    is_usual = is_usual && (is_entry ? TAKES(&ahead, "\xa4" "Name") : TAKES(&ahead, "\xa4" "Node"));
    out->node = msgpack_get_raw(&ahead);
    is_usual = is_usual && TAKES(&ahead, "\xa4" "Port");
    out->address.port = get_port(&ahead);
    if (is_entry) {
        is_usual = is_usual && TAKES(&ahead, "\xa5" "State");
        *state = get_u32(&ahead);
    }
    is_usual = is_usual && TAKES(&ahead, "\xa3" "Vsn");
    out->versions = msgpack_get_raw(&ahead);
    if (!is_usual || ahead.is_bad) {
        return false;
    }
    *r = ahead;
    return true;
}

/* The node is "Name" in a push/pull entry and "Node" in an alive message, which has no "State". */
static bool decode_alive(struct reader *r, bool is_entry, struct message_alive *out, uint32_t *state)
{
    const char *name_key = is_entry ? "Name" : "Node";
    *out = (struct message_alive){.incarnation = 0};
    *state = 0;
    if (decode_usual_alive(r, is_entry, out, state)) {
        return true;
    }
    *out = (struct message_alive){.incarnation = 0};
    *state = 0;
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Addr")) {
            msgpack_get_address(r, &out->address);
        } else if (msgpack_is(key, "Incarnation")) {
            out->incarnation = get_u32(r);
        } else if (msgpack_is(key, "Meta")) {
            out->meta = msgpack_get_raw(r);
        } else if (msgpack_is(key, name_key)) {
            out->node = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Port")) {
            out->address.port = get_port(r);
        } else if (msgpack_is(key, "Vsn")) {
            out->versions = msgpack_get_raw(r);
        } else if (msgpack_is(key, "State")) {
            *state = get_u32(r);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

static bool decode_error(struct reader *r, struct hearsay_bytes *out)
{
    *out = (struct hearsay_bytes){NULL, 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        if (msgpack_is(msgpack_get_raw(r), "Error")) {
            *out = msgpack_get_raw(r);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

bool message_decode(struct hearsay_bytes in, struct message *out)
{
    struct reader r = reader_of(in);
    struct message_ack ack;
    uint32_t state;
    out->type = (enum message_type)reader_u8(&r);
    if (r.is_bad) {
        return false;
    }
    switch (out->type) {
    case MESSAGE_PING:
        return decode_ping(&r, &out->ping);
    case MESSAGE_INDIRECT_PING:
        return decode_indirect_ping(&r, &out->indirect_ping);
    case MESSAGE_ACK:
        return decode_ack(&r, &out->ack);
    case MESSAGE_NACK:
        if (!decode_ack(&r, &ack)) {
            return false;
        }
        out->nack_sequence = ack.sequence;
        return true;
    case MESSAGE_SUSPECT:
    case MESSAGE_DEAD:
        return decode_accusation(&r, &out->accusation);
    case MESSAGE_ALIVE:
        return decode_alive(&r, false, &out->alive, &state);
    case MESSAGE_USER:
        out->user = reader_take(&r, reader_left(&r));
        return true;
    case MESSAGE_ERROR:
        return decode_error(&r, &out->error);
    default:
        return false;
    }
}

static bool get_length(struct reader *r, uint32_t *out, uint32_t most)
{
    *out = (uint32_t)msgpack_get_uint(r, most);
    return !r->is_bad;
}

bool message_decode_push_pull_header(struct reader *r, struct message_push_pull_header *header)
{
    *header = (struct message_push_pull_header){.nodes = 0};
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Join")) {
            header->is_join = msgpack_get_bool(r);
        } else if (msgpack_is(key, "Nodes")) {
            (void)get_length(r, &header->nodes, NODES_MOST);
        } else if (msgpack_is(key, "UserStateLen")) {
            (void)get_length(r, &header->user_state_size, RAW_MOST);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

bool message_skip_usual_entry(struct reader *r)
{
    struct message_alive entry;
    uint32_t state;
    return decode_usual_alive(r, true, &entry, &state);
}

bool message_decode_push_pull_entry(struct reader *r, struct message_alive *entry, enum message_state *state)
{
    uint32_t number;
    if (!decode_alive(r, true, entry, &number) || number > MESSAGE_STATE_LEFT) {
        r->is_bad = true;
        return false;
    }
    *state = (enum message_state)number;
    return true;
}

bool message_decode_user_length(struct reader *r, uint32_t *size)
{
    *size = 0;
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        if (msgpack_is(msgpack_get_raw(r), "UserMsgLen")) {
            (void)get_length(r, size, RAW_MOST);
        } else {
            msgpack_skip(r);
        }
    }
    return !r->is_bad;
}

bool message_decode_user_stream(struct reader *r, struct hearsay_bytes *payload)
{
    uint32_t size;
    if (!message_decode_user_length(r, &size)) {
        return false;
    }
    *payload = reader_take(r, size);
    return !r->is_bad;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static uint32_t count_source(const struct hearsay_address *source, struct hearsay_bytes source_node)
{
    return (source->size > 0) + (source_node.size > 0) + (source->port > 0);
}

/* Left out piece by piece where empty, as Go's omitempty does. */
static void put_source(struct writer *w, const struct hearsay_address *source, struct hearsay_bytes source_node)
{
    if (source->size > 0) {
        msgpack_put_text(w, "SourceAddr");
        msgpack_put_address(w, source);
    }
    if (source_node.size > 0) {
        msgpack_put_text(w, "SourceNode");
        msgpack_put_raw(w, source_node);
    }
    if (source->port > 0) {
        msgpack_put_text(w, "SourcePort");
        msgpack_put_uint(w, source->port);
    }
}

static void encode_ping(struct writer *w, const struct message_ping *m)
{
    msgpack_put_map(w, 2 + (m->abilities != 0) + count_source(&m->source, m->source_node));
    if (m->abilities != 0) {
        msgpack_put_text(w, "Hearsay");
        msgpack_put_uint(w, m->abilities);
    }
    msgpack_put_text(w, "Node");
    msgpack_put_raw(w, m->node);
    msgpack_put_text(w, "SeqNo");
    msgpack_put_uint(w, m->sequence);
    put_source(w, &m->source, m->source_node);
}

static void encode_indirect_ping(struct writer *w, const struct message_indirect_ping *m)
{
    msgpack_put_map(w, 5 + count_source(&m->source, m->source_node));
    msgpack_put_text(w, "Nack");
    msgpack_put_bool(w, m->nack);
    msgpack_put_text(w, "Node");
    msgpack_put_raw(w, m->node);
    msgpack_put_text(w, "Port");
    msgpack_put_uint(w, m->target.port);
    msgpack_put_text(w, "SeqNo");
    msgpack_put_uint(w, m->sequence);
    put_source(w, &m->source, m->source_node);
    msgpack_put_text(w, "Target");
    msgpack_put_address(w, &m->target);
}

static void encode_ack(struct writer *w, const struct message_ack *m)
{
    msgpack_put_map(w, 2 + (m->clock_ms != 0) + (m->abilities != 0));
    if (m->clock_ms != 0) {
        msgpack_put_text(w, "Clock");
        msgpack_put_uint(w, m->clock_ms);
    }
    if (m->abilities != 0) {
        msgpack_put_text(w, "Hearsay");
        msgpack_put_uint(w, m->abilities);
    }
    msgpack_put_text(w, "Payload");
    msgpack_put_raw_or_nil(w, m->payload);
    msgpack_put_text(w, "SeqNo");
    msgpack_put_uint(w, m->sequence);
}

static void encode_accusation(struct writer *w, const struct message_accusation *m)
{
    msgpack_put_map(w, 3);
    msgpack_put_text(w, "From");
    msgpack_put_raw(w, m->from);
    msgpack_put_text(w, "Incarnation");
    msgpack_put_uint(w, m->incarnation);
    msgpack_put_text(w, "Node");
    msgpack_put_raw(w, m->node);
}

static void put_alive(struct writer *w, const struct message_alive *m, const char *name_key, const enum message_state *state)
{
    msgpack_put_map(w, state == NULL ? 6 : 7);
    msgpack_put_text(w, "Addr");
    msgpack_put_address(w, &m->address);
    msgpack_put_text(w, "Incarnation");
    msgpack_put_uint(w, m->incarnation);
    msgpack_put_text(w, "Meta");
    msgpack_put_raw_or_nil(w, m->meta);
    msgpack_put_text(w, name_key);
    msgpack_put_raw(w, m->node);
    msgpack_put_text(w, "Port");
    msgpack_put_uint(w, m->address.port);
    if (state != NULL) {
        msgpack_put_text(w, "State");
        msgpack_put_uint(w, *state);
    }
    msgpack_put_text(w, "Vsn");
    msgpack_put_raw_or_nil(w, m->versions);
}

void message_encode(struct writer *w, const struct message *m)
{
    writer_u8(w, (uint8_t)m->type);
    switch (m->type) {
    case MESSAGE_PING:
        encode_ping(w, &m->ping);
        break;
    case MESSAGE_INDIRECT_PING:
        encode_indirect_ping(w, &m->indirect_ping);
        break;
    case MESSAGE_ACK:
        encode_ack(w, &m->ack);
        break;
    case MESSAGE_NACK:
        msgpack_put_map(w, 1);
        msgpack_put_text(w, "SeqNo");
        msgpack_put_uint(w, m->nack_sequence);
        break;
    case MESSAGE_SUSPECT:
    case MESSAGE_DEAD:
        encode_accusation(w, &m->accusation);
        break;
    case MESSAGE_ALIVE:
        put_alive(w, &m->alive, "Node", NULL);
        break;
    case MESSAGE_USER:
        writer_put(w, m->user.data, m->user.size);
        break;
    case MESSAGE_ERROR:
        msgpack_put_map(w, 1);
        msgpack_put_text(w, "Error");
        msgpack_put_raw(w, m->error);
        break;
    default: /* nothing else is one message */
        w->is_full = true;
    }
}

void message_encode_push_pull_header(struct writer *w, const struct message_push_pull_header *header)
{
    writer_u8(w, MESSAGE_PUSH_PULL);
    msgpack_put_map(w, 3);
    msgpack_put_text(w, "Join");
    msgpack_put_bool(w, header->is_join);
    msgpack_put_text(w, "Nodes");
    msgpack_put_uint(w, header->nodes);
    msgpack_put_text(w, "UserStateLen");
    msgpack_put_uint(w, header->user_state_size);
}

void message_encode_push_pull_entry(struct writer *w, const struct message_alive *entry, enum message_state state)
{
    put_alive(w, entry, "Name", &state);
}

void message_encode_user_stream(struct writer *w, struct hearsay_bytes payload)
{
    writer_u8(w, MESSAGE_USER);
    msgpack_put_map(w, 1);
    msgpack_put_text(w, "UserMsgLen");
    msgpack_put_uint(w, payload.size);
    writer_put(w, payload.data, payload.size);
}
