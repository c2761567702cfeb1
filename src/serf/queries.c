/* SPDX-License-Identifier: MIT
 *
 * See queries.h.
 */
#include "serf/queries.h"

#include "spread/packing.h"
#include "wire/message.h"

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

bool queries_receive(struct queries *q, struct turn *turn, const struct serf_query *query)
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
    return remember(slot, turn, query->id) && (query->flags & SERF_QUERY_NO_BROADCAST) == 0;
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
