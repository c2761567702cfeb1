/* SPDX-License-Identifier: MIT
 *
 * See leave.h.
 */
#include "node/leave.h"

#include "node/node.h"

static void enter(struct hearsay_node *node, struct turn *turn, enum leave_stage stage)
{
    struct leave *l = &node->leave;
    struct beliefs *b = &node->beliefs;
    struct hearsay_bytes self = pool_name(members_at(&b->members, b->members.self)->identity);
    l->stage = stage;
    l->timer.kind = TIMER_LEAVE;
    timers_cancel(turn->timers, &l->timer);
    switch (stage) {
    case LEAVE_TELLING_INTENT:
        members_at(&b->members, b->members.self)->status = MEMBERS_STATUS_LEAVING;
        members_at(&b->members, b->members.self)->status_ltime = node->serf.presence.clock.time;
        presence_tell_intent(&node->serf.presence, turn, true, self, false, RUMOR_NOTICE_INTENT);
        timers_set(turn->timers, &l->timer, turn->now + turn_ms(turn->options->broadcast_timeout_ms));
        break;
    case LEAVE_SPREADING_INTENT: {
        uint64_t ticks = 2 * rumors_limit(turn) / turn->options->retransmit_mult;
        timers_set(turn->timers, &l->timer, turn->now + ticks * turn_ms(turn->options->gossip_interval_ms));
        break;
    }
    case LEAVE_TELLING_GOODBYE:
        claims_leave(b, turn);
        timers_set(turn->timers, &l->timer, turn->now + turn_ms(turn->options->broadcast_timeout_ms));
        break;
    case LEAVE_LINGERING:
        timers_set(turn->timers, &l->timer, turn->now + turn_ms(turn->options->leave_propagate_ms));
        break;
    case LEAVE_DONE: {
        members_at(&b->members, b->members.self)->status = MEMBERS_STATUS_LEFT;
        struct hearsay_event event = {.type = HEARSAY_LEAVE_DONE};
        outbox_notify(turn->outbox, &event);
        break;
    }
    case LEAVE_NOT:
        break;
    }
}

/* Serf calls failed whoever says goodbye before its leave intent arrives. */
static bool has_strangers(const struct members *m)
{
    for (uint32_t i = 0; i < m->listed; i++) {
        const struct member *member = members_at(m, m->list[i]);
        if (member->state == MESSAGE_STATE_ALIVE && member->abilities == 0) {
            return true;
        }
    }
    return false;
}

/* Differs: Serf says goodbye as soon as the intent has left; our goodbye travels faster than others relay the intent, so it waits for them. */
static enum leave_stage after(const struct hearsay_node *node, enum leave_stage stage)
{
    const struct members *m = &node->beliefs.members;
    bool is_alone = members_count_others(m, true) == 0;
    if (stage == LEAVE_TELLING_INTENT && (is_alone || !has_strangers(m))) {
        return LEAVE_TELLING_GOODBYE;
    }
    return stage == LEAVE_TELLING_GOODBYE && is_alone ? LEAVE_DONE : (enum leave_stage)(stage + 1);
}

void leave_start(struct hearsay_node *node, struct turn *turn)
{
    bool has_intents = turn->options->personality == HEARSAY_SERF;
    node->beliefs.members.is_leaving = true;
    enter(node, turn, has_intents ? LEAVE_TELLING_INTENT : LEAVE_TELLING_GOODBYE);
    leave_advance(node, turn);
}

void leave_advance(struct hearsay_node *node, struct turn *turn)
{
    for (;;) {
        enum leave_stage stage = node->leave.stage;
        uint8_t told = node->rumors.told;
        bool is_alone = members_count_others(&node->beliefs.members, true) == 0;
        bool goes_on = (stage == LEAVE_TELLING_INTENT && (is_alone || (told & RUMOR_NOTICE_INTENT))) ||
                       (stage == LEAVE_TELLING_GOODBYE && (is_alone || (told & RUMOR_NOTICE_DEAD)));
        if (!goes_on) {
            return;
        }
        enter(node, turn, after(node, stage));
    }
}

void leave_on_timer(struct hearsay_node *node, struct turn *turn)
{
    enter(node, turn, after(node, node->leave.stage));
    leave_advance(node, turn);
}
