/* SPDX-License-Identifier: MIT
 *
 * See rejoin.h.
 */
#include "swim/rejoin.h"

#include "swim/probe.h"

#define REJOIN_SLOWING_US 300000000u /* every five minutes of age add one to the factor */
#define REJOIN_SLOWING_MOST 60

void rejoin_init(struct rejoin *r)
{
    *r = (struct rejoin){.next.kind = TIMER_HEAL, .ping.kind = TIMER_HEAL_PING};
}

void rejoin_release(struct rejoin *r, struct beliefs *b)
{
    pool_release(b->members.pool, r->target);
    r->target = NULL;
}

void rejoin_deinit(struct rejoin *r, struct beliefs *b)
{
    rejoin_release(r, b);
}

static bool is_wanted(const struct members *m, uint32_t slot, const struct turn *turn)
{
    const struct member *member = members_at(m, slot);
    if (member->identity == NULL || slot == m->self || member->state != MESSAGE_STATE_DEAD || member->status == MEMBERS_STATUS_LEFT ||
        member->status == MEMBERS_STATUS_LEAVING || member->is_foreign) {
        return false;
    }
    return members_state_age_ms(member, turn) <= turn->options->healing_window_ms;
}

static void arm(struct rejoin *r, struct beliefs *b, struct turn *turn)
{
    uint64_t interval = turn_ms(turn->options->reconnect_interval_ms);
    if (interval > 0) { /* as Serf, but not all in step */
        if (!r->next.is_armed) {
            timers_set(turn->timers, &r->next, turn->now + interval / 2 + rng_below(turn->rng, interval + 1));
        }
        return;
    }
    uint64_t others = members_count_others(&b->members, true) + 1;
    uint64_t age = turn->host_now - r->youngest_at;
    uint64_t slowing = 1 + age / REJOIN_SLOWING_US;
    slowing = slowing > REJOIN_SLOWING_MOST ? REJOIN_SLOWING_MOST : slowing;
    uint64_t mean = turn_ms(turn->options->healing_interval_ms) * others * slowing;
    uint64_t at = turn->now + mean / 2 + rng_below(turn->rng, mean + 1);
    if (!r->next.is_armed || at < r->next.at) {
        timers_set(turn->timers, &r->next, at);
    }
}

void rejoin_on_failure(struct rejoin *r, struct beliefs *b, struct turn *turn)
{
    if (!turn->options->healing) {
        return;
    }
    bool is_soon = r->next.is_armed && turn->host_now - r->youngest_at < REJOIN_SLOWING_US; /* when thousands fail at once, one look will do */
    r->youngest_at = turn->host_now;
    if (!is_soon) {
        arm(r, b, turn);
    }
}

static uint32_t choose(struct beliefs *b, struct turn *turn, uint32_t *missing)
{
    const struct members *m = &b->members;
    uint32_t chosen = MEMBERS_NONE, seen = 0;
    for (uint32_t slot = 0; slot < m->used; slot++) {
        if (is_wanted(m, slot, turn) && rng_below(turn->rng, ++seen) == 0) {
            chosen = slot;
        }
    }
    *missing = seen;
    return chosen;
}

/* Of reconnect_interval: so that all members together try each missing one about as often, however many they are. */
static bool is_our_turn(struct beliefs *b, struct turn *turn, uint32_t missing)
{
    return turn->options->reconnect_interval_ms == 0 || rng_below(turn->rng, members_count_others(&b->members, true) + 1) < missing;
}

void rejoin_on_next(struct rejoin *r, struct beliefs *b, struct turn *turn)
{
    if (b->members.is_leaving) {
        return;
    }
    uint32_t missing, slot = choose(b, turn, &missing);
    if (slot == MEMBERS_NONE) {
        return; /* nobody is missing: the next failure arms the timer again */
    }
    arm(r, b, turn);
    if (r->target != NULL || !is_our_turn(b, turn, missing)) {
        return;
    }
    r->target = pool_hold(members_at(&b->members, slot)->identity);
    r->sequence = ++b->members.next_sequence;
    turn->counters->looks++;
    probe_send_ping(b, turn, pool_name(r->target), &r->target->address, r->sequence, false);
    timers_set(turn->timers, &r->ping, turn->now + turn_ms(turn->options->probe_timeout_ms) * 2);
}

void rejoin_on_ping_timeout(struct rejoin *r, struct beliefs *b)
{
    rejoin_release(r, b);
}

const struct identity *rejoin_on_ack(struct rejoin *r, struct turn *turn, uint32_t sequence)
{
    if (r->target == NULL || !r->ping.is_armed || r->sequence != sequence) {
        return NULL;
    }
    timers_cancel(turn->timers, &r->ping);
    return r->target;
}
