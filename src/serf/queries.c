/* SPDX-License-Identifier: MIT
 *
 * See queries.h.
 */
#include "serf/queries.h"

#include "spread/packing.h"
#include "wire/message.h"
#include "wire/msgpack.h"

#define SLOT_QUERIES_MAX 1024

void queries_init(struct queries *q, struct turn *turn)
{
    *q = (struct queries){.clock.time = 1, .slot_count = turn->options->event_buffer};
    if (turn->options->query_clock > 0) {
        lamport_witness(&q->clock, turn->options->query_clock);
        q->least = turn->options->query_clock + 1;
    }
}

void queries_deinit(struct queries *q, const struct hearsay_allocator *memory)
{
    for (uint32_t i = 0; q->slots != NULL && i < q->slot_count; i++) {
        memory_free(memory, q->slots[i].ids);
    }
    memory_free(memory, q->slots);
}

static bool remember(struct query_slot *slot, struct turn *turn, uint32_t id)
{
    if (slot->count == slot->capacity) {
        uint32_t capacity = slot->capacity == 0 ? 4 : slot->capacity * 2;
        uint32_t *ids = capacity > SLOT_QUERIES_MAX ? NULL : memory_resize(turn->memory, slot->ids, capacity * sizeof *ids);
        if (ids == NULL) {
            turn->counters->drop_queue_full++;
            return false;
        }
        slot->ids = ids;
        slot->capacity = capacity;
    }
    slot->ids[slot->count++] = id;
    return true;
}

static bool is_named(struct reader names, struct hearsay_bytes name)
{
    bool is_there = false;
    for (uint32_t n = msgpack_get_array(&names); n > 0 && !names.is_bad; n--) {
        is_there |= bytes_equal(msgpack_get_raw(&names), name);
    }
    return is_there;
}

static bool means_us(const struct serf_query *query, struct hearsay_bytes own_name)
{
    struct reader filters = serf_filters_begin(query->filters);
    struct serf_filter filter;
    while (serf_next_filter(&filters, &filter)) {
        if (filter.type != SERF_FILTER_NAMES || !is_named(filter.names, own_name)) {
            return false;
        }
    }
    return true;
}

static void send_user(struct turn *turn, const struct hearsay_address *to, const struct serf_message *message)
{
    uint8_t bytes[2048];
    struct writer w = writer_of(bytes, sizeof bytes);
    writer_u8(&w, MESSAGE_USER);
    serf_message_encode(&w, message);
    if (!w.is_full && w.size - 1 <= turn->options->query_bytes_max) {
        packing_send(turn, to, writer_bytes(&w), false);
    }
}

#define RELAY_PMAX 5 /* protocol version from which a peer relays */

static bool may_relay(const struct members *m, uint32_t slot, const void *context)
{
    (void)context;
    const struct member *member = members_at(m, slot);
    return slot != m->self && member->state == MESSAGE_STATE_ALIVE && member->identity->versions[1] >= RELAY_PMAX;
}

static void send_through_relays(const struct beliefs *b, struct turn *turn, const struct serf_query *query, struct hearsay_bytes answer)
{
    uint32_t relays[255];
    if (turn->population < query->relay_factor + 1u) {
        return;
    }
    uint32_t most = query->relay_factor;
    uint32_t count = members_choose(&b->members, turn->rng, most > 8 ? 8 : most, may_relay, NULL, relays);
    struct serf_message relay = {.type = SERF_RELAY, .relay = {.destination = query->address, .destination_name = query->source_node,
                                                               .inner = answer}};
    for (uint32_t i = 0; i < count; i++) {
        send_user(turn, members_address(&b->members, relays[i]), &relay);
    }
}

/* Says that we got the query, if it asks for that and its filters mean us; also through as many relays as it asks for. Filters by tag are regular
 * expressions, which the core does not have: whoever they mean is not told yet. */
static void acknowledge(const struct beliefs *b, struct turn *turn, const struct serf_query *query)
{
    struct hearsay_bytes own_name = pool_name(members_at(&b->members, b->members.self)->identity);
    if ((query->flags & SERF_QUERY_ACK) == 0 || !means_us(query, own_name)) {
        return;
    }
    uint32_t asker = members_find(&b->members, query->source_node);
    if (asker == MEMBERS_NONE || !address_same_place(members_address(&b->members, asker), &query->address)) {
        turn->counters->drop_address++; /* a query may have come far: only members are answered, at their own address */
        return;
    }
    uint8_t bytes[512];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct serf_message ack = {.type = SERF_QUERY_RESPONSE, .response = {.ltime = query->ltime, .id = query->id, .from = own_name,
                                                                         .flags = SERF_QUERY_ACK}};
    send_user(turn, &query->address, &ack);
    serf_message_encode(&w, &ack);
    if (query->relay_factor > 0 && !w.is_full) {
        send_through_relays(b, turn, query, writer_bytes(&w));
    }
}

bool queries_receive(struct queries *q, struct turn *turn, const struct beliefs *b, const struct serf_query *query)
{
    lamport_witness(&q->clock, query->ltime);
    if (query->ltime < q->least || (q->clock.time > q->slot_count && query->ltime < q->clock.time - q->slot_count)) {
        return false;
    }
    if (q->slots == NULL) {
        q->slots = memory_zeros(turn->memory, q->slot_count * sizeof *q->slots);
        if (q->slots == NULL) {
            turn->counters->drop_no_memory++;
            return false;
        }
    }
    struct query_slot *slot = &q->slots[query->ltime % q->slot_count];
    if (slot->ltime != query->ltime) {
        slot->ltime = query->ltime;
        slot->count = 0;
    }
    for (uint32_t i = 0; i < slot->count; i++) {
        if (slot->ids[i] == query->id) {
            return false;
        }
    }
    if (!remember(slot, turn, query->id)) {
        return false;
    }
    acknowledge(b, turn, query);
    return (query->flags & SERF_QUERY_NO_BROADCAST) == 0;
}

void queries_relay(const struct beliefs *b, struct turn *turn, const struct serf_relay *relay)
{
    uint32_t slot = members_find(&b->members, relay->destination_name);
    if (slot == MEMBERS_NONE || !address_same_place(members_address(&b->members, slot), &relay->destination) ||
        relay->inner.size > turn->options->query_bytes_max) {
        turn->counters->drop_address++;
        return;
    }
    struct buffer message;
    static const uint8_t type = MESSAGE_USER;
    buffer_init(&message, turn->memory);
    if (buffer_append(&message, &type, 1) && buffer_append(&message, relay->inner.data, relay->inner.size)) {
        packing_send(turn, &relay->destination, buffer_bytes(&message), false);
    }
    buffer_deinit(&message);
}
