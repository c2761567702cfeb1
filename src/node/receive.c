/* SPDX-License-Identifier: MIT
 *
 * The journey of a received datagram: opened by wire/, then one call per message. Everything that makes no sense is counted and dropped.
 *
 * Answers go to the address a message asks for only if that is where the datagram came from or a known member's; else to where it came
 * from. At most eight answers per datagram. Otherwise a forged packet would make us shoot at others.
 */
#include "node/answers.h"
#include "node/exchanges.h"
#include "node/inquiries.h"
#include "node/node.h"

#include "spread/packing.h"
#include "wire/packet.h"

#define RECEIVE_ANSWERS_MAX 8

/* One received datagram. */
struct arrival {
    struct hearsay_node *node;
    struct turn *turn;
    const struct hearsay_address *from;
    unsigned answers;
    bool is_doubtful; /* who sent it may belong to another cluster: what follows in it is not believed */
};

static bool may_answer(struct arrival *a)
{
    if (a->answers >= RECEIVE_ANSWERS_MAX) {
        a->turn->counters->drop_ack_limit++;
        return false;
    }
    a->answers++;
    return true;
}

/* slot: of the member that asks, or MEMBERS_NONE. */
static struct hearsay_address answer_address(const struct arrival *a, const struct hearsay_address *asked, uint32_t slot)
{
    if (asked->size == 0 || asked->port == 0 || address_same_place(asked, a->from)) {
        return *a->from;
    }
    const struct members *m = &a->node->beliefs.members;
    return slot != MEMBERS_NONE && address_same_place(members_address(m, slot), asked) ? *asked : *a->from;
}

static void learn_abilities(struct arrival *a, uint32_t slot, uint32_t abilities)
{
    struct members *m = &a->node->beliefs.members;
    if (slot != MEMBERS_NONE && address_same_place(members_address(m, slot), a->from) && abilities_learn(m, slot, abilities)) {
        exchanges_on_able(a->node, a->turn, slot);
    }
}

static bool is_for_us(struct arrival *a, struct hearsay_bytes name)
{
    const struct members *m = &a->node->beliefs.members;
    return name.size == 0 || bytes_equal(name, pool_name(members_at(m, m->self)->identity));
}

/* Differs: memberlist never tells those who left, so a member that returned after its goodbye with the same incarnation, which some still hold
 * against it, would never hear of that. Who asks us by name, from its own place, is not gone. The same of those we show as leaving: a merge may
 * bring an old goodbye with a time above that of the greeting that followed it, and who came back must greet again. */
static void tell_the_gone(struct arrival *a, uint32_t slot)
{
    const struct members *m = &a->node->beliefs.members;
    if (!a->turn->options->healing || slot == MEMBERS_NONE || !address_same_place(members_address(m, slot), a->from)) {
        return;
    }
    const struct member *member = members_at(m, slot);
    if (slot == m->self || member->is_remembered) {
        return;
    }
    if (member->state == MESSAGE_STATE_LEFT || member->state == MESSAGE_STATE_DEAD) {
        claims_tell_own_death(&a->node->beliefs, a->turn, slot);
    } else if (member->status == MEMBERS_STATUS_LEAVING) {
        presence_tell_leaving(&a->node->beliefs, a->turn, slot);
    }
}

static void on_ping(struct arrival *a, const struct message_ping *ping)
{
    if (!is_for_us(a, ping->node)) {
        a->turn->counters->drop_not_for_us++;
        a->is_doubtful = true; /* its sender means somebody who had our address before */
        return;
    }
    if (!may_answer(a)) {
        return;
    }
    uint32_t source = members_find(&a->node->beliefs.members, ping->source_node);
    learn_abilities(a, source, ping->abilities);
    uint8_t bytes[64 + COORDINATES_WIRE_BYTES], room[COORDINATES_WIRE_BYTES];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct message ack = {.type = MESSAGE_ACK, .ack.sequence = ping->sequence};
    ack.ack.payload = coordinates_payload(&a->node->coordinates, room);
    ack.ack.abilities = a->turn->options->announce_abilities && ping->abilities != 0 ? abilities_own(a->turn->options) : 0;
    ack.ack.clock_ms = ack.ack.abilities != 0 && (ping->abilities & HEARSAY_ASKS_CLOCK) ? node_wall_ms(a->node) : 0;
    message_encode(&w, &ack);
    struct hearsay_address to = answer_address(a, &ping->source, source);
    packing_send(a->turn, &to, writer_bytes(&w), true);
    tell_the_gone(a, source);
}

/* Is this the answer of a member that was declared dead while it was being probed? */
static bool is_late_for(const struct hearsay_node *node, uint32_t sequence)
{
    const struct members *m = &node->beliefs.members;
    if (node->probe.target == NULL || node->probe.sequence != sequence) {
        return false;
    }
    uint32_t slot = members_find(m, pool_name(node->probe.target));
    return slot != MEMBERS_NONE && members_at(m, slot)->state == MESSAGE_STATE_DEAD;
}

static void on_ack(struct arrival *a, const struct message_ack *ack)
{
    struct hearsay_node *node = a->node;
    if (node->probe.target != NULL && node->probe.sequence == ack->sequence) {
        learn_abilities(a, members_find(&node->beliefs.members, pool_name(node->probe.target)), ack->abilities);
    } else {
        learn_abilities(a, abilities_on_ack(&node->abilities, ack->sequence), ack->abilities);
    }
    if (probe_is_direct(&node->probe, ack->sequence)) {
        coordinates_on_ack(&node->coordinates, a->turn, pool_name(node->probe.target), a->turn->now - node->probe.started_at, ack->payload);
    }
    if (is_late_for(node, ack->sequence) || ack->sequence == node->rejoin.sequence) {
        a->is_doubtful = true; /* somebody answers at a dead member's address: healing looks first whether it is kin */
    }
    if (probe_on_ack(&node->probe, &node->beliefs, a->turn, ack->sequence, a->from) ||
        relay_on_ack(&node->relays, a->turn, ack->sequence, &a->is_doubtful)) {
        return;
    }
    const struct identity *found = rejoin_on_ack(&node->rejoin, a->turn, ack->sequence);
    if (found != NULL) {
        streams_heal(node, a->turn, found);
        rejoin_release(&node->rejoin, &node->beliefs);
    }
}

static void on_indirect_ping(struct arrival *a, const struct message_indirect_ping *request)
{
    if (may_answer(a)) {
        uint32_t source = members_find(&a->node->beliefs.members, request->source_node);
        struct hearsay_address to = answer_address(a, &request->source, source);
        relay_on_request(&a->node->relays, &a->node->beliefs, a->turn, request, &to);
    }
}

static void on_message(struct arrival *a, const struct message *m)
{
    struct hearsay_node *node = a->node;
    struct claim_source source = {.from = a->from};
    switch (m->type) {
    case MESSAGE_PING:
        on_ping(a, &m->ping);
        break;
    case MESSAGE_INDIRECT_PING:
        on_indirect_ping(a, &m->indirect_ping);
        break;
    case MESSAGE_ACK:
        on_ack(a, &m->ack);
        break;
    case MESSAGE_NACK:
        (void)probe_on_nack(&node->probe, m->nack_sequence);
        break;
    case MESSAGE_SUSPECT:
        claims_suspect(&node->beliefs, a->turn, &m->accusation, &source);
        break;
    case MESSAGE_ALIVE:
        claims_alive(&node->beliefs, a->turn, &m->alive, &source);
        break;
    case MESSAGE_DEAD:
        claims_dead(&node->beliefs, a->turn, &m->accusation, &source);
        break;
    case MESSAGE_USER:
        receive_user(node, a->turn, m->user, a->from);
        break;
    default:
        a->turn->counters->drop_unknown_type++;
    }
}

static bool is_known_type(uint8_t type)
{
    return type <= MESSAGE_DEAD || type == MESSAGE_USER || type == MESSAGE_NACK;
}

void hearsay_receive_packet(struct hearsay_node *node, uint64_t now, const struct hearsay_address *from, const void *data, size_t size)
{
    struct arrival a = {.node = node, .turn = node_begin(node, now), .from = from};
    struct packet packet;
    node->counters.packets_in++;
    node->counters.bytes_in += size;
    enum envelope_fault fault = packet_open(&node->envelope, bytes_of(data, size), node->opened, &packet);
    answers_count_fault(&node->counters, fault);
    node->counters.drop_truncated += fault == ENVELOPE_OK && packet.was_cut;
    for (unsigned i = 0; fault == ENVELOPE_OK && !a.is_doubtful && i < packet.count; i++) {
        struct message message;
        if (packet.parts[i].data[0] == MESSAGE_PARLEY) {
            exchanges_on_packet(node, a.turn, packet.parts[i], from);
        } else if (message_decode(packet.parts[i], &message)) {
            on_message(&a, &message);
        } else if (is_known_type(packet.parts[i].data[0])) {
            node->counters.drop_malformed++;
        } else {
            node->counters.drop_unknown_type++;
        }
    }
    node_end(node);
}

/* ---- user messages --------------------------------------------------------------------------------------------------------- */

static void tell_on(struct turn *turn, enum rumor_class class, struct hearsay_bytes payload, const struct hearsay_address *from)
{
    struct buffer message;
    static const uint8_t type = MESSAGE_USER;
    struct rumor_source source = {.from = from};
    buffer_init(&message, turn->memory);
    if (buffer_append(&message, &type, 1) && buffer_append(&message, payload.data, payload.size)) {
        rumors_add(turn, class, buffer_bytes(&message), source);
    } else {
        turn->counters->drop_no_memory++;
    }
    buffer_deinit(&message);
}

/* Plain personality: delivered and told on unless it was among the last seen. */
static void receive_raw(struct hearsay_node *node, struct turn *turn, struct hearsay_bytes payload, const struct hearsay_address *from)
{
    if (node->seen_messages == NULL) {
        node->seen_messages = memory_zeros(&node->memory, NODE_MESSAGES_REMEMBERED * sizeof *node->seen_messages);
        if (node->seen_messages == NULL) {
            turn->counters->drop_no_memory++;
            return;
        }
    }
    uint64_t hash = bytes_hash(payload, 3) | 1;
    for (uint32_t i = 0; i < NODE_MESSAGES_REMEMBERED; i++) {
        if (node->seen_messages[i] == hash) {
            turn->counters->drop_event_duplicate++;
            return;
        }
    }
    node->seen_messages[node->seen_next++ % NODE_MESSAGES_REMEMBERED] = hash;
    if (from != NULL) {
        struct hearsay_event event = {.type = HEARSAY_MESSAGE, .payload = payload};
        outbox_notify(turn->outbox, &event);
    }
    tell_on(turn, RUMOR_EVENT, payload, from);
}

void receive_user(struct hearsay_node *node, struct turn *turn, struct hearsay_bytes payload, const struct hearsay_address *from)
{
    struct serf_message m;
    if (turn->options->personality != HEARSAY_SERF) {
        receive_raw(node, turn, payload, from);
        return;
    }
    if (!serf_message_decode(payload, &m)) {
        bool is_known = payload.size > 0 && payload.data[0] <= SERF_RELAY;
        *(is_known ? &turn->counters->drop_malformed : &turn->counters->drop_unknown_type) += 1;
        return;
    }
    switch (m.type) {
    case SERF_LEAVE:
    case SERF_JOIN:
        if (presence_on_intent(&node->serf.presence, &node->beliefs, turn, m.type == SERF_LEAVE, &m.intent)) {
            tell_on(turn, RUMOR_INTENT, payload, from);
        }
        break;
    case SERF_USER_EVENT:
        if (events_receive(&node->serf.events, turn, &m.user_event)) {
            tell_on(turn, RUMOR_EVENT, payload, from);
        }
        break;
    case SERF_QUERY:
        if (inquiries_on_query(node, turn, &m.query)) {
            tell_on(turn, RUMOR_QUERY, payload, from);
        }
        break;
    case SERF_QUERY_RESPONSE:
        asks_on_response(&node->serf.queries.asks, turn, members_address(&node->beliefs.members, node->beliefs.members.self), &m.response);
        break;
    case SERF_RELAY:
        replies_relay(&node->beliefs, turn, &m.relay);
        break;
    default: /* has no place in a datagram */
        break;
    }
}
