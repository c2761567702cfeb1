/* SPDX-License-Identifier: MIT
 *
 * See queries.h.
 */
#include "serf/queries.h"

#include "serf/filters.h"
#include "spread/outbox.h"
#include "spread/rumors.h"
#include "wire/message.h"

#define SLOT_QUERIES_MAX 1024
#define QUERY_NUMBERS 0x7fffffff /* Go's rand.Int31 */

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
    asks_deinit(&q->asks, memory);
    replies_deinit(&q->replies, memory);
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

static bool is_new(struct queries *q, struct turn *turn, const struct serf_query *query)
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
    return remember(slot, turn, query->id);
}

bool queries_receive(struct queries *q, struct turn *turn, const struct beliefs *b, const struct serf_query *query, bool *is_for_us)
{
    const struct identity *self = members_at(&b->members, b->members.self)->identity;
    *is_for_us = false;
    if (!is_new(q, turn, query)) {
        return false;
    }
    *is_for_us = filters_match(&turn->options->matcher, query->filters, pool_name(self), pool_meta(self));
    if (*is_for_us && (query->flags & SERF_QUERY_ACK) != 0) {
        (void)replies_send(&q->asks, b, turn, query, SERF_QUERY_ACK, bytes_of(NULL, 0));
    }
    return true;
}

static const char *text_of(char *out, size_t capacity, struct hearsay_bytes bytes)
{
    size_t size = bytes.size < capacity ? bytes.size : capacity - 1;
    bytes_copy(out, bytes.data, size);
    out[size] = 0;
    return out;
}

void queries_deliver(struct queries *q, struct turn *turn, const struct serf_query *query)
{
    char name[HEARSAY_EVENT_HARD_MAX + 1], from[HEARSAY_NAME_MAX + 1];
    if (query->name.size + query->payload.size > HEARSAY_EVENT_HARD_MAX) {
        turn->counters->drop_event_large++;
        return;
    }
    struct hearsay_event event = {.type = HEARSAY_QUERY, .payload = query->payload, .ltime = query->ltime};
    event.name = text_of(name, sizeof name, query->name);
    event.from = text_of(from, sizeof from, query->source_node);
    event.query = replies_keep(&q->replies, turn, query);
    event.until_us = turn->host_now + (query->timeout_ns > 0 ? (uint64_t)query->timeout_ns / 1000 : 0);
    turn->counters->queries_in++;
    outbox_notify(turn->outbox, &event);
}

/* ---- ours ------------------------------------------------------------------------------------------------------------------------ */

static int64_t timeout_ns(const struct turn *turn, const struct hearsay_question *question, uint32_t members)
{
    uint64_t us = question->timeout_us;
    if (us == 0) {
        uint32_t interval = turn->options->gossip_interval_ms > 0 ? turn->options->gossip_interval_ms : 200;
        uint64_t digits = 0;
        for (uint64_t power = 1; power < (uint64_t)members + 1; power *= 10) {
            digits++;
        }
        us = turn_ms(interval) * turn->options->query_timeout_mult * digits;
    }
    return us > (uint64_t)INT64_MAX / 1000 ? INT64_MAX : (int64_t)us * 1000;
}

static hearsay_err tell(struct turn *turn, const struct serf_query *query)
{
    size_t capacity = turn->options->query_bytes_max + (size_t)2;
    uint8_t *bytes = memory_resize(turn->memory, NULL, capacity);
    if (bytes == NULL) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    struct writer w = writer_of(bytes, capacity);
    struct serf_message m = {.type = SERF_QUERY, .query = *query};
    struct rumor_source source = {0};
    writer_u8(&w, MESSAGE_USER);
    serf_message_encode(&w, &m);
    /* 5: the compound that it will travel in */
    bool fits = !w.is_full && w.size - 1 <= turn->options->query_bytes_max &&
                w.size + 5 + envelope_overhead(turn->envelope) <= turn->options->packet_bytes_max;
    if (fits) {
        rumors_add(turn, RUMOR_QUERY, writer_bytes(&w), source);
    }
    memory_free(turn->memory, bytes);
    return fits ? HEARSAY_OK : HEARSAY_ERR_TOO_LARGE;
}

hearsay_err queries_ask(struct queries *q, struct turn *turn, const struct beliefs *b, enum ask_kind kind,
                        const struct hearsay_question *question, struct buffer *room, struct serf_query *query, uint32_t *ticket)
{
    const struct identity *self = members_at(&b->members, b->members.self)->identity;
    uint32_t members = 1 + members_count_others(&b->members, true);
    *query = (struct serf_query){.ltime = q->clock.time, .id = (uint32_t)rng_below(turn->rng, QUERY_NUMBERS), .address = self->address,
                                 .source_node = pool_name(self), .flags = question->wants_acks ? SERF_QUERY_ACK : 0,
                                 .relay_factor = question->relay_factor, .timeout_ns = timeout_ns(turn, question, members),
                                 .name = bytes_of_string(question->name), .payload = question->payload};
    if (question->node_count > turn->options->query_bytes_max || question->tag_count > turn->options->query_bytes_max) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    if (!buffer_reserve(room, turn->options->query_bytes_max)) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    struct writer w = writer_of(room->data, turn->options->query_bytes_max);
    filters_write(&w, question);
    if (w.is_full) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    query->filters = writer_bytes(&w);
    hearsay_err err = asks_open(&q->asks, turn, kind, query, members, ticket);
    if (err == HEARSAY_OK) {
        err = tell(turn, query);
        if (err != HEARSAY_OK) {
            asks_cancel(&q->asks, turn, *ticket);
        }
    }
    return err;
}
