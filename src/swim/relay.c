/* SPDX-License-Identifier: MIT
 *
 * See relay.h.
 */
#include "swim/relay.h"

#include "spread/packing.h"
#include "swim/probe.h"

#define RELAYS_MAX 1024

struct relay {
    struct timer timer; /* number: our sequence */
    struct relay *next;
    uint32_t asked_sequence;
    struct hearsay_address reply_to;
    bool wants_nack, is_dead;
};

void relays_deinit(struct relays *r, const struct hearsay_allocator *memory)
{
    while (r->first != NULL) {
        struct relay *next = r->first->next;
        memory_free(memory, r->first);
        r->first = next;
    }
    r->count = 0;
}

void relay_on_request(struct relays *r, struct beliefs *b, struct turn *turn, const struct message_indirect_ping *request,
                      const struct hearsay_address *reply_to)
{
    if (request->target.size == 0 || r->count >= RELAYS_MAX) {
        turn->counters->drop_malformed += request->target.size == 0;
        return;
    }
    struct relay *n = memory_zeros(turn->memory, sizeof *n);
    if (n == NULL) {
        turn->counters->drop_no_memory++;
        return;
    }
    struct hearsay_address target = request->target;
    if (target.port == 0) {
        target.port = turn->options->advertise.port;
    }
    uint32_t slot = members_find(&b->members, request->node);
    n->is_dead = slot != MEMBERS_NONE && members_at(&b->members, slot)->state == MESSAGE_STATE_DEAD;
    n->asked_sequence = request->sequence;
    n->reply_to = *reply_to;
    n->wants_nack = request->nack;
    n->timer.kind = TIMER_RELAY;
    n->timer.number = ++b->members.next_sequence;
    n->next = r->first;
    r->first = n;
    r->count++;
    probe_send_ping(b, turn, request->node, &target, n->timer.number, !n->is_dead);
    timers_set(turn->timers, &n->timer, turn->now + turn_ms(turn->options->probe_timeout_ms));
}

static struct relay *take(struct relays *r, struct turn *turn, uint32_t sequence)
{
    for (struct relay **at = &r->first; *at != NULL; at = &(*at)->next) {
        struct relay *n = *at;
        if (n->timer.number == sequence) {
            timers_cancel(turn->timers, &n->timer);
            *at = n->next;
            r->count--;
            return n;
        }
    }
    return NULL;
}

static void answer(struct turn *turn, const struct hearsay_address *to, const struct message *m)
{
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof bytes);
    message_encode(&w, m);
    packing_send(turn, to, writer_bytes(&w), true);
}

bool relay_on_ack(struct relays *r, struct turn *turn, uint32_t sequence, bool *was_dead)
{
    struct relay *n = take(r, turn, sequence);
    if (n == NULL) {
        return false;
    }
    *was_dead = n->is_dead;
    struct message ack = {.type = MESSAGE_ACK, .ack.sequence = n->asked_sequence};
    answer(turn, &n->reply_to, &ack);
    memory_free(turn->memory, n);
    return true;
}

void relay_on_timer(struct relays *r, struct turn *turn, uint32_t sequence)
{
    struct relay *n = take(r, turn, sequence);
    if (n != NULL && n->wants_nack) {
        struct message nack = {.type = MESSAGE_NACK, .nack_sequence = n->asked_sequence};
        answer(turn, &n->reply_to, &nack);
    }
    memory_free(turn->memory, n);
}
