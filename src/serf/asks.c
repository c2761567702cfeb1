/* SPDX-License-Identifier: MIT
 *
 * See asks.h. Who has answered is remembered as a hash of the name with a secret of the ask, so that nobody can make names that collide.
 */
#include "serf/asks.h"

#include "spread/outbox.h"
#include "wire/serf_inner.h"

#define ASKS_MAX 1024
#define ASK_SLACK 64 /* answers taken beyond two per member: members may have come since */

struct ask {
    struct timer timer; /* number: the ticket */
    struct ask *next;
    uint64_t ltime, secret;
    uint32_t id;
    enum ask_kind kind;
    uint32_t members, acks, answers, errors, agreeing;
    uint64_t *seen; /* hashes, lowest bit: of an ack; 0 = free; open addressing, at most 3/4 full */
    uint32_t seen_capacity;
};

void asks_deinit(struct asks *asks, const struct hearsay_allocator *memory)
{
    while (asks->first != NULL) {
        struct ask *next = asks->first->next;
        memory_free(memory, asks->first->seen);
        memory_free(memory, asks->first);
        asks->first = next;
    }
    asks->count = 0;
}

hearsay_err asks_open(struct asks *asks, struct turn *turn, enum ask_kind kind, const struct serf_query *query, uint32_t members,
                      uint32_t *ticket)
{
    if (asks->count >= ASKS_MAX) {
        return HEARSAY_ERR_BUSY;
    }
    struct ask *ask = memory_zeros(turn->memory, sizeof *ask);
    if (ask == NULL) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    *ask = (struct ask){.timer.kind = TIMER_QUERY, .next = asks->first, .ltime = query->ltime, .id = query->id, .kind = kind,
                        .secret = rng_next(turn->rng), .members = members};
    asks->last_ticket += asks->last_ticket == UINT32_MAX ? 2 : 1;
    ask->timer.number = asks->last_ticket;
    asks->first = ask;
    asks->count++;
    timers_set(turn->timers, &ask->timer, turn->now + (uint64_t)query->timeout_ns / 1000);
    *ticket = ask->timer.number;
    return HEARSAY_OK;
}

bool asks_any(const struct asks *asks, enum ask_kind kind)
{
    const struct ask *ask = asks->first;
    while (ask != NULL && ask->kind != kind) {
        ask = ask->next;
    }
    return ask != NULL;
}

/* ---- each once --------------------------------------------------------------------------------------------------------------- */

static uint64_t *place_of(uint64_t *seen, uint32_t capacity, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 1) & (capacity - 1);
    while (seen[at] != 0 && seen[at] != hash) {
        at = (at + 1) & (capacity - 1);
    }
    return &seen[at];
}

static bool grow(struct ask *ask, struct turn *turn)
{
    uint32_t capacity = ask->seen_capacity == 0 ? 32 : ask->seen_capacity * 2;
    uint64_t *seen = memory_zeros(turn->memory, capacity * sizeof *seen);
    if (seen == NULL) {
        turn->counters->drop_no_memory++;
        return false;
    }
    for (uint32_t i = 0; i < ask->seen_capacity; i++) {
        if (ask->seen[i] != 0) {
            *place_of(seen, capacity, ask->seen[i]) = ask->seen[i];
        }
    }
    memory_free(turn->memory, ask->seen);
    ask->seen = seen;
    ask->seen_capacity = capacity;
    return true;
}

static bool is_first(struct ask *ask, struct turn *turn, struct hearsay_bytes from, bool is_ack)
{
    uint64_t hash = (bytes_hash(from, ask->secret) & ~UINT64_C(1)) | is_ack;
    uint32_t count = ask->acks + ask->answers;
    hash += hash < 2 ? 2 : 0;
    if (count >= 2 * ask->members + ASK_SLACK || ((count + 1) * 4 > ask->seen_capacity * 3 && !grow(ask, turn))) {
        return false;
    }
    uint64_t *place = place_of(ask->seen, ask->seen_capacity, hash);
    if (*place == hash) {
        return false;
    }
    *place = hash;
    return true;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------------ */

static void tell_key_result(struct ask *ask, struct turn *turn, struct hearsay_event *event, struct hearsay_bytes payload)
{
    char text[512];
    struct serf_inner_keys keys;
    event->type = HEARSAY_KEY_RESULT;
    if (!serf_inner_read_keys(payload, &keys)) {
        event->text = "its answer cannot be read";
        event->payload = bytes_of(NULL, 0);
    } else {
        size_t size = keys.message.size < sizeof text - 1 ? keys.message.size : sizeof text - 1;
        bytes_copy(text, keys.message.data, size);
        text[size] = 0;
        event->text = size == 0 ? NULL : text;
        event->is_ok = keys.is_ok;
    }
    ask->errors += !event->is_ok;
    outbox_notify(turn->outbox, event);
}

static void tell_end(const struct ask *ask, struct turn *turn)
{
    struct hearsay_event done = {.type = HEARSAY_QUERY_DONE, .ticket = ask->timer.number, .members = ask->members, .acks = ask->acks,
                                 .answers = ask->answers, .errors = ask->errors};
    if (ask->kind == ASK_CONFLICT) { /* majority: more than half of those who answered know us at our address */
        done.type = HEARSAY_CONFLICT_RESOLVED;
        done.acks = ask->agreeing;
        done.is_ok = ask->agreeing >= ask->answers / 2 + 1;
    }
    outbox_notify(turn->outbox, &done);
}

static void drop(struct asks *asks, struct turn *turn, struct ask *ask)
{
    struct ask **at = &asks->first;
    while (*at != ask) {
        at = &(*at)->next;
    }
    *at = ask->next;
    asks->count--;
    timers_cancel(turn->timers, &ask->timer);
    memory_free(turn->memory, ask->seen);
    memory_free(turn->memory, ask);
}

static struct ask *find(const struct asks *asks, uint32_t ticket)
{
    struct ask *ask = asks->first;
    while (ask != NULL && ask->timer.number != ticket) {
        ask = ask->next;
    }
    return ask;
}

void asks_cancel(struct asks *asks, struct turn *turn, uint32_t ticket)
{
    struct ask *ask = find(asks, ticket);
    if (ask != NULL) {
        drop(asks, turn, ask);
    }
}

void asks_on_timer(struct asks *asks, struct turn *turn, uint32_t ticket)
{
    struct ask *ask = find(asks, ticket);
    if (ask != NULL) {
        tell_end(ask, turn);
        drop(asks, turn, ask);
    }
}

void asks_on_response(struct asks *asks, struct turn *turn, const struct hearsay_address *own, const struct serf_response *response)
{
    bool is_ack = (response->flags & SERF_QUERY_ACK) != 0;
    struct ask *ask = asks->first;
    while (ask != NULL && (ask->ltime != response->ltime || ask->id != response->id)) {
        ask = ask->next;
    }
    if (ask == NULL || response->from.size == 0 || response->from.size > HEARSAY_NAME_MAX || !is_first(ask, turn, response->from, is_ack)) {
        turn->counters->drop_answer++; /* asked by nobody here, over, or said before (as every relayed one is) */
        return;
    }
    char from[HEARSAY_NAME_MAX + 1];
    bytes_copy(from, response->from.data, response->from.size);
    from[response->from.size] = 0;
    *(is_ack ? &ask->acks : &ask->answers) += 1;
    struct hearsay_event event = {.type = is_ack ? HEARSAY_QUERY_ACK : HEARSAY_QUERY_RESPONSE, .ticket = ask->timer.number, .from = from,
                                  .payload = is_ack ? bytes_of(NULL, 0) : response->payload, .ltime = response->ltime};
    if (ask->kind == ASK_CONFLICT) {
        ask->agreeing += !is_ack && serf_inner_agrees(response->payload, own);
    } else if (ask->kind == ASK_KEYS && !is_ack) {
        tell_key_result(ask, turn, &event, response->payload);
        if (ask->answers >= ask->members) {
            tell_end(ask, turn);
            drop(asks, turn, ask);
        }
    } else {
        outbox_notify(turn->outbox, &event);
    }
}
