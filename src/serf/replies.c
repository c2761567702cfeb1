/* SPDX-License-Identifier: MIT
 *
 * See replies.h.
 * Differs: only members are answered, and only at their own address, since a query may have come far and anybody can write any address into it;
 * and at most eight relays are used, whatever the query asks for.
 */
#include "serf/replies.h"

#include "spread/packing.h"
#include "wire/message.h"

#define REPLIES_MAX 1024
#define REPLY_RELAYS_MAX 8
#define REPLY_PMAX_RELAY 5 /* protocol version from which a peer relays */
#define REPLY_ROOM 1024    /* beside the payload: names, addresses, keys of maps */
#define REPLY_LIFE_MAX_US UINT64_C(86400000000)

struct reply {
    struct reply *next;
    uint64_t handle, until, ltime;
    struct hearsay_address address;
    uint32_t id;
    uint8_t relay_factor;
    bool is_sent;
    uint8_t name_size;
    uint8_t name[]; /* of who asks */
};

void replies_deinit(struct replies *r, const struct hearsay_allocator *memory)
{
    while (r->first != NULL) {
        struct reply *next = r->first->next;
        memory_free(memory, r->first);
        r->first = next;
    }
    r->count = 0;
}

static void forget_old(struct replies *r, struct turn *turn)
{
    for (struct reply **at = &r->first; *at != NULL;) {
        struct reply *reply = *at;
        if (reply->until <= turn->now) {
            *at = reply->next;
            r->count--;
            memory_free(turn->memory, reply);
        } else {
            at = &reply->next;
        }
    }
}

uint64_t replies_keep(struct replies *r, struct turn *turn, const struct serf_query *query)
{
    forget_old(r, turn);
    struct reply *reply = NULL;
    if (r->count < REPLIES_MAX && query->source_node.size <= HEARSAY_NAME_MAX) {
        reply = memory_zeros(turn->memory, sizeof *reply + query->source_node.size);
    }
    if (reply == NULL) {
        turn->counters->drop_queue_full++;
        return 0;
    }
    uint64_t span = query->timeout_ns <= 0 ? 0 : (uint64_t)query->timeout_ns / 1000;
    *reply = (struct reply){.next = r->first, .handle = ++r->last_handle, .ltime = query->ltime, .address = query->address, .id = query->id,
                            .until = turn->now + (span < REPLY_LIFE_MAX_US ? span : REPLY_LIFE_MAX_US), .relay_factor = query->relay_factor,
                            .name_size = (uint8_t)query->source_node.size};
    bytes_copy(reply->name, query->source_node.data, query->source_node.size);
    r->first = reply;
    r->count++;
    return reply->handle;
}

hearsay_err replies_respond(struct replies *r, struct asks *asks, const struct beliefs *b, struct turn *turn, uint64_t handle,
                            struct hearsay_bytes payload)
{
    struct reply *reply = r->first;
    while (reply != NULL && reply->handle != handle) {
        reply = reply->next;
    }
    if (reply == NULL || reply->until <= turn->now) {
        return HEARSAY_ERR_UNKNOWN_QUERY;
    }
    if (reply->is_sent) {
        return HEARSAY_ERR_ANSWERED;
    }
    struct serf_query query = {.ltime = reply->ltime, .id = reply->id, .address = reply->address, .relay_factor = reply->relay_factor,
                               .source_node = bytes_of(reply->name, reply->name_size)};
    if (!replies_send(asks, b, turn, &query, 0, payload)) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    reply->is_sent = true;
    return HEARSAY_OK;
}

/* ---- on the wire ---------------------------------------------------------------------------------------------------------------- */

static void send_user(struct turn *turn, const struct hearsay_address *to, struct hearsay_bytes inner)
{
    struct buffer message;
    static const uint8_t type = MESSAGE_USER;
    buffer_init(&message, turn->memory);
    if (buffer_append(&message, &type, 1) && buffer_append(&message, inner.data, inner.size)) {
        packing_send(turn, to, buffer_bytes(&message), false);
    } else {
        turn->counters->drop_no_memory++;
    }
    buffer_deinit(&message);
}

static bool may_relay(const struct members *m, uint32_t slot, const void *context)
{
    (void)context;
    const struct member *member = members_at(m, slot);
    return slot != m->self && member->state == MESSAGE_STATE_ALIVE && member->identity->versions[1] >= REPLY_PMAX_RELAY;
}

static void send_through_relays(const struct beliefs *b, struct turn *turn, const struct serf_query *query, struct hearsay_bytes answer)
{
    uint32_t relays[REPLY_RELAYS_MAX];
    if (turn->population < query->relay_factor + 1u) {
        return;
    }
    uint32_t most = query->relay_factor < REPLY_RELAYS_MAX ? query->relay_factor : REPLY_RELAYS_MAX;
    uint32_t count = members_choose(&b->members, turn->rng, most, may_relay, NULL, relays);
    uint8_t bytes[HEARSAY_EVENT_HARD_MAX + 2 * REPLY_ROOM];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct serf_message relay = {.type = SERF_RELAY, .relay = {.destination = query->address, .destination_name = query->source_node,
                                                               .inner = answer}};
    serf_message_encode(&w, &relay);
    for (uint32_t i = 0; !w.is_full && w.size <= turn->options->response_bytes_max && i < count; i++) {
        send_user(turn, members_address(&b->members, relays[i]), writer_bytes(&w));
    }
}

bool replies_send(struct asks *asks, const struct beliefs *b, struct turn *turn, const struct serf_query *query, uint32_t flags,
                  struct hearsay_bytes payload)
{
    uint8_t bytes[HEARSAY_EVENT_HARD_MAX + REPLY_ROOM];
    const struct identity *self = members_at(&b->members, b->members.self)->identity;
    struct writer w = writer_of(bytes, sizeof bytes);
    struct serf_message m = {.type = SERF_QUERY_RESPONSE, .response = {.ltime = query->ltime, .id = query->id, .from = pool_name(self),
                                                                       .flags = flags, .payload = payload}};
    serf_message_encode(&w, &m);
    if (w.is_full || w.size > turn->options->response_bytes_max) {
        return false;
    }
    uint32_t asker = members_find(&b->members, query->source_node);
    if (asker == MEMBERS_NONE || !address_same_place(members_address(&b->members, asker), &query->address)) {
        turn->counters->drop_address++;
    } else if (asker == b->members.self) {
        asks_on_response(asks, turn, &self->address, &m.response);
    } else {
        send_user(turn, &query->address, writer_bytes(&w));
        if (query->relay_factor > 0) {
            send_through_relays(b, turn, query, writer_bytes(&w));
        }
    }
    return true;
}

void replies_relay(const struct beliefs *b, struct turn *turn, const struct serf_relay *relay)
{
    uint32_t slot = members_find(&b->members, relay->destination_name);
    if (slot == MEMBERS_NONE || !address_same_place(members_address(&b->members, slot), &relay->destination) ||
        relay->inner.size > turn->options->response_bytes_max) {
        turn->counters->drop_address++;
        return;
    }
    send_user(turn, &relay->destination, relay->inner);
}
