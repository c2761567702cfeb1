/* SPDX-License-Identifier: MIT
 *
 * See events.h.
 */
#include "serf/events.h"

#include "spread/outbox.h"
#include "spread/rumors.h"
#include "wire/message.h"

#define SLOT_EVENTS_MAX 1024 /* events of one Lamport time; an honest cluster has a handful */
#define EVENT_HEAD 6

void events_init(struct events *e, struct turn *turn)
{
    *e = (struct events){.clock.time = 1, .slot_count = turn->options->event_buffer};
    if (turn->options->event_clock > 0) {
        lamport_witness(&e->clock, turn->options->event_clock);
        e->least = turn->options->event_clock + 1;
    }
}

void events_deinit(struct events *e, const struct hearsay_allocator *memory)
{
    for (uint32_t i = 0; e->slots != NULL && i < e->slot_count; i++) {
        memory_free(memory, e->slots[i].events.data);
    }
    memory_free(memory, e->slots);
}

bool events_next_in_slot(const struct event_slot *slot, size_t *offset, struct serf_user_event *event)
{
    if (*offset >= slot->events.size) {
        return false;
    }
    const uint8_t *at = slot->events.data + *offset;
    size_t name_size = bytes_get_u16(at), payload_size = bytes_get_u32(at + 2);
    *event = (struct serf_user_event){.ltime = slot->ltime, .name = bytes_of(at + EVENT_HEAD, name_size),
                                      .payload = bytes_of(at + EVENT_HEAD + name_size, payload_size)};
    *offset += EVENT_HEAD + name_size + payload_size;
    return true;
}

static bool is_in_slot(const struct event_slot *slot, const struct serf_user_event *event)
{
    struct serf_user_event seen;
    for (size_t offset = 0; events_next_in_slot(slot, &offset, &seen);) {
        if (bytes_equal(seen.name, event->name) && bytes_equal(seen.payload, event->payload)) {
            return true;
        }
    }
    return false;
}

static bool remember(struct event_slot *slot, struct turn *turn, const struct serf_user_event *event)
{
    uint8_t head[EVENT_HEAD];
    size_t before = slot->events.size;
    bytes_put_u16(head, (uint16_t)event->name.size);
    bytes_put_u32(head + 2, (uint32_t)event->payload.size);
    slot->events.memory = turn->memory;
    if (!buffer_append(&slot->events, head, sizeof head) || !buffer_append(&slot->events, event->name.data, event->name.size) ||
        !buffer_append(&slot->events, event->payload.data, event->payload.size)) {
        slot->events.size = before;
        turn->counters->drop_no_memory++;
        return false;
    }
    slot->count++;
    return true;
}

static struct event_slot *slot_of(struct events *e, struct turn *turn, uint64_t ltime)
{
    if (e->slots == NULL) {
        e->slots = memory_zeros(turn->memory, e->slot_count * sizeof *e->slots);
        if (e->slots == NULL) {
            turn->counters->drop_no_memory++;
            return NULL;
        }
    }
    return &e->slots[ltime % e->slot_count];
}

static void deliver(struct turn *turn, const struct serf_user_event *event)
{
    char name[HEARSAY_EVENT_HARD_MAX + 1];
    size_t size = event->name.size < sizeof name - 1 ? event->name.size : sizeof name - 1;
    bytes_copy(name, event->name.data, size);
    name[size] = 0;
    struct hearsay_event out = {.type = HEARSAY_USER_EVENT, .name = name, .payload = event->payload, .ltime = event->ltime,
                                .coalesce = event->coalesce};
    turn->counters->events_in++;
    outbox_notify(turn->outbox, &out);
}

bool events_receive(struct events *e, struct turn *turn, const struct serf_user_event *event)
{
    lamport_witness(&e->clock, event->ltime);
    if (event->ltime < e->least || (e->clock.time > e->slot_count && event->ltime < e->clock.time - e->slot_count)) {
        turn->counters->drop_event_old++;
        return false;
    }
    if (event->name.size + event->payload.size > HEARSAY_EVENT_HARD_MAX) {
        turn->counters->drop_event_large++;
        return false;
    }
    struct event_slot *slot = slot_of(e, turn, event->ltime);
    if (slot == NULL) {
        return false;
    }
    if (slot->ltime != event->ltime) {
        slot->ltime = event->ltime;
        buffer_clear(&slot->events);
        slot->count = 0;
    } else if (is_in_slot(slot, event)) {
        turn->counters->drop_event_duplicate++;
        return false;
    }
    if (slot->count >= SLOT_EVENTS_MAX) {
        turn->counters->drop_queue_full++;
        return false;
    }
    if (!remember(slot, turn, event)) {
        return false;
    }
    deliver(turn, event);
    return true;
}

hearsay_err events_send(struct events *e, struct turn *turn, struct hearsay_bytes name, struct hearsay_bytes payload, bool coalesce)
{
    uint8_t bytes[HEARSAY_EVENT_HARD_MAX + 128];
    uint32_t most = turn->options->event_bytes_max;
    if (name.size + payload.size > most) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    struct serf_message m = {.type = SERF_USER_EVENT, .user_event = {.ltime = e->clock.time, .name = name, .payload = payload,
                                                                     .coalesce = coalesce}};
    struct writer w = writer_of(bytes, sizeof bytes);
    writer_u8(&w, MESSAGE_USER);
    serf_message_encode(&w, &m);
    if (w.is_full || w.size - 1 > most) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    e->clock.time++;
    if (!events_receive(e, turn, &m.user_event)) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    struct rumor_source source = {0};
    rumors_add(turn, RUMOR_EVENT, writer_bytes(&w), source);
    return HEARSAY_OK;
}
