/* SPDX-License-Identifier: MIT
 *
 * Datagrams taken apart for people: hearsay_inspect_datagram. The same decoders as the node's, so what it cannot read here it would not
 * have believed either. It judges nothing and keeps nothing.
 */
#include "node/inspection.h"

#include "wire/message.h"
#include "wire/packet.h"
#include "wire/parley.h"
#include "wire/serf_message.h"

static struct hearsay_field *add(struct hearsay_dissection *d, const char *name, enum hearsay_field_kind kind)
{
    struct hearsay_field *f = &d->fields[d->count < HEARSAY_FIELDS_MAX ? d->count++ : HEARSAY_FIELDS_MAX - 1];
    *f = (struct hearsay_field){.name = name, .kind = kind};
    return f;
}

static void number(struct hearsay_dissection *d, const char *name, uint64_t value)
{
    add(d, name, HEARSAY_FIELD_NUMBER)->number = value;
}

static void text(struct hearsay_dissection *d, const char *name, struct hearsay_bytes value)
{
    add(d, name, HEARSAY_FIELD_TEXT)->bytes = value;
}

static void bytes(struct hearsay_dissection *d, const char *name, struct hearsay_bytes value)
{
    if (value.size > 0) {
        add(d, name, HEARSAY_FIELD_BYTES)->bytes = value;
    }
}

static void address(struct hearsay_dissection *d, const char *name, const struct hearsay_address *value)
{
    if (value->size > 0) {
        add(d, name, HEARSAY_FIELD_ADDRESS)->address = *value;
    }
}

/* ---- Serf ------------------------------------------------------------------------------------------------------------------------ */

static void take_query(struct hearsay_dissection *d, const struct serf_query *q)
{
    d->type = "query";
    number(d, "ltime", q->ltime);
    number(d, "id", q->id);
    text(d, "name", q->name);
    text(d, "source", q->source_node);
    address(d, "answers_to", &q->address);
    number(d, "flags", q->flags);
    number(d, "relay_factor", q->relay_factor);
    number(d, "timeout_ms", q->timeout_ns < 0 ? 0 : (uint64_t)q->timeout_ns / 1000000);
    bytes(d, "payload", q->payload);
}

static void take_serf(struct hearsay_dissection *d, struct hearsay_bytes in)
{
    struct serf_message m;
    if (!serf_message_decode(in, &m)) {
        d->type = "user";
        bytes(d, "payload", in);
        return;
    }
    switch (m.type) {
    case SERF_LEAVE:
    case SERF_JOIN:
        d->type = m.type == SERF_JOIN ? "join-intent" : "leave-intent";
        number(d, "ltime", m.intent.ltime);
        text(d, "node", m.intent.node);
        if (m.intent.prune) {
            number(d, "prune", 1);
        }
        break;
    case SERF_USER_EVENT:
        d->type = "user-event";
        number(d, "ltime", m.user_event.ltime);
        text(d, "name", m.user_event.name);
        number(d, "coalesce", m.user_event.coalesce);
        bytes(d, "payload", m.user_event.payload);
        break;
    case SERF_QUERY:
        take_query(d, &m.query);
        break;
    case SERF_QUERY_RESPONSE:
        d->type = (m.response.flags & SERF_QUERY_ACK) != 0 ? "query-ack" : "query-response";
        number(d, "ltime", m.response.ltime);
        number(d, "id", m.response.id);
        text(d, "from", m.response.from);
        bytes(d, "payload", m.response.payload);
        break;
    case SERF_RELAY:
        d->type = "relay";
        address(d, "destination", &m.relay.destination);
        text(d, "name", m.relay.destination_name);
        bytes(d, "inner", m.relay.inner);
        break;
    default:
        d->type = "serf";
        number(d, "number", m.type);
    }
}

/* ---- memberlist and hearsay's own ------------------------------------------------------------------------------------------------ */

static void take_parley(struct hearsay_dissection *d, struct hearsay_bytes in)
{
    static const char *const kinds[PARLEY_KINDS] = {"store",       "store-push",    "store-pull",  "store-push-pull", "store-ack",  "store-ack2",
                                                    "store-ask",   "store-tell",    "store-receipt", "store-fetch",   "store-item", "store-hello"};
    struct parley_message m;
    uint8_t version = 0;
    if (!parley_decode(in, &m, &version)) {
        d->type = "store, not understood";
        number(d, "version", version);
        return;
    }
    d->type = kinds[m.head.kind];
    number(d, "hlc_ms", m.head.hlc >> 16);
    if (m.has_beacon) {
        number(d, "epoch", m.beacon.epoch);
        number(d, "entries", m.beacon.count);
        number(d, "root", m.beacon.digest);
    }
    if (m.has_session) {
        number(d, "session", m.session.sequence);
        number(d, "part", m.session.part);
    }
    number(d, "bytes", in.size);
}

static void take_ping(struct hearsay_dissection *d, const struct message *m)
{
    bool is_indirect = m->type == MESSAGE_INDIRECT_PING;
    number(d, "sequence", is_indirect ? m->indirect_ping.sequence : m->ping.sequence);
    text(d, "node", is_indirect ? m->indirect_ping.node : m->ping.node);
    if (is_indirect) {
        address(d, "target", &m->indirect_ping.target);
        number(d, "nack", m->indirect_ping.nack);
    }
    text(d, "source", is_indirect ? m->indirect_ping.source_node : m->ping.source_node);
    address(d, "source_address", is_indirect ? &m->indirect_ping.source : &m->ping.source);
    if (!is_indirect && m->ping.abilities != 0) {
        number(d, "hearsay", m->ping.abilities);
    }
}

static void take_alive(struct hearsay_dissection *d, const struct message_alive *m)
{
    number(d, "incarnation", m->incarnation);
    text(d, "node", m->node);
    address(d, "address", &m->address);
    bytes(d, "versions", m->versions);
    bytes(d, "meta", m->meta);
}

/* False when it cannot be read. */
static bool take_message(struct hearsay_dissection *d, struct hearsay_bytes in)
{
    static const char *const names[] = {"ping", "indirect-ping", "ack", "suspect", "alive", "dead", "push-pull", "compound",
                                        "user", "compress",      "encrypt", "nack", "crc",   "error"};
    struct message m;
    if (in.data[0] == MESSAGE_PARLEY) {
        take_parley(d, in);
        return true;
    }
    d->type = in.data[0] < sizeof names / sizeof names[0] ? names[in.data[0]] : "unknown";
    if (!message_decode(in, &m)) {
        number(d, "type_not_understood", in.data[0]);
        bytes(d, "bytes", in);
        return false;
    }
    switch (m.type) {
    case MESSAGE_PING:
    case MESSAGE_INDIRECT_PING:
        take_ping(d, &m);
        break;
    case MESSAGE_ACK:
        number(d, "sequence", m.ack.sequence);
        bytes(d, "payload", m.ack.payload);
        if (m.ack.clock_ms != 0) {
            number(d, "clock_ms", m.ack.clock_ms);
        }
        if (m.ack.abilities != 0) {
            number(d, "hearsay", m.ack.abilities);
        }
        break;
    case MESSAGE_NACK:
        number(d, "sequence", m.nack_sequence);
        break;
    case MESSAGE_SUSPECT:
    case MESSAGE_DEAD:
        number(d, "incarnation", m.accusation.incarnation);
        text(d, "node", m.accusation.node);
        text(d, "from", m.accusation.from);
        break;
    case MESSAGE_ALIVE:
        take_alive(d, &m.alive);
        break;
    case MESSAGE_USER:
        take_serf(d, m.user);
        break;
    default:
        text(d, "text", m.error);
    }
    return true;
}

static const char *fault_text(enum envelope_fault fault)
{
    static const char *const words[] = {
        [ENVELOPE_LABEL] = "a label that is cut short",
        [ENVELOPE_CIPHER] = "encrypted, and no key of ours opens it",
        [ENVELOPE_PLAINTEXT] = "not encrypted",
        [ENVELOPE_CRC] = "a wrong checksum",
        [ENVELOPE_LZW] = "broken compression",
        [ENVELOPE_NESTED] = "an envelope inside an envelope",
        [ENVELOPE_TRUNCATED] = "cut short",
        [ENVELOPE_UNKNOWN_TYPE] = "an unknown type",
        [ENVELOPE_MALFORMED] = "malformed",
        [ENVELOPE_NO_MEMORY] = "no memory",
    };
    return fault == ENVELOPE_OK ? NULL : words[fault];
}

void hearsay_inspect_datagram(struct hearsay_inspection *s, const void *data, size_t size, struct hearsay_datagram_facts *facts,
                              void (*show)(void *context, const struct hearsay_dissection *message), void *context)
{
    struct envelope envelope = s->envelope;
    struct packet packet;
    const uint8_t *p = data;
    *facts = (struct hearsay_datagram_facts){.fault = "empty"};
    if (size == 0) {
        return;
    }
    if (p[0] == MESSAGE_LABEL && size > 2 && size >= 2u + p[1]) {
        facts->label = bytes_of(p + 2, p[1]);
    }
    envelope.label_size = (uint8_t)facts->label.size;
    bytes_copy(envelope.label, facts->label.data, facts->label.size);
    enum envelope_fault fault = packet_open(&envelope, bytes_of(data, size), s->scratch, &packet);
    memory_wipe(envelope.keys, sizeof envelope.keys);
    facts->fault = fault_text(fault);
    if (fault != ENVELOPE_OK) {
        return;
    }
    facts->is_encrypted = packet.was_encrypted;
    facts->is_compressed = packet.was_compressed;
    facts->has_checksum = packet.had_crc;
    facts->is_cut = packet.was_cut;
    facts->messages = packet.count;
    for (unsigned i = 0; i < packet.count; i++) {
        struct hearsay_dissection d = {.type = "unknown"};
        if (!take_message(&d, packet.parts[i]) && packet.count == 1 && packet.parts[i].data[0] <= 1 && !packet.was_encrypted) {
            facts->fault = s->envelope.key_count == 0 ? "not understood: encrypted, perhaps, and no key was given"
                                                      : "not understood: encrypted, perhaps, with another key"; /* it begins like a ping */
            return;
        }
        show(context, &d);
    }
}
