/* SPDX-License-Identifier: MIT
 *
 * See gossip.h. Reference: memberlist state.go (gossip).
 *
 * Differs: with healing on, the dead are told of their own death only (which is what lets them refute). memberlist tells them
 * everything, and so fuses two clusters when the address has gone to a node of another one.
 */
#include "swim/gossip.h"

#include "spread/packing.h"
#include "spread/rumors.h"

#define GOSSIP_PMAX_CRC 5
#define GOSSIP_EAGER_MAX 85 /* members told in one flush */

static bool may_be_told(const struct members *m, uint32_t slot, const void *context)
{
    const struct turn *turn = context;
    const struct member *member = members_at(m, slot);
    if (slot == m->self || member->state == MESSAGE_STATE_LEFT) {
        return false;
    }
    return member->state != MESSAGE_STATE_DEAD ||
           members_state_age_ms(member, turn) <= turn->options->gossip_to_the_dead_ms;
}

static bool is_alive(const struct members *m, uint32_t slot, const void *context)
{
    (void)context;
    return slot != m->self && members_at(m, slot)->state == MESSAGE_STATE_ALIVE;
}

void gossip_on_tick(struct beliefs *b, struct turn *turn)
{
    struct rumors *r = turn->rumors;
    uint32_t slots[255];
    uint32_t count = members_choose(&b->members, turn->rng, turn->options->gossip_nodes, may_be_told, turn, slots);
    for (uint32_t i = 0; i < count && rumors_any(r); i++) {
        const struct member *member = members_at(&b->members, slots[i]);
        if (member->state == MESSAGE_STATE_DEAD && turn->options->healing) {
            claims_tell_own_death(b, turn, slots[i]);
        } else {
            packing_send_rumors(turn, &member->identity->address, member->identity->versions[1] >= GOSSIP_PMAX_CRC);
        }
    }
    if (rumors_any(r) && turn->population > 1) { /* alone, we sleep: whoever comes is news, and starts the ticks again */
        uint64_t interval = turn_ms(turn->options->gossip_interval_ms);
        uint64_t next = r->gossip.at + interval;
        timers_set(turn->timers, &r->gossip, next > turn->now ? next : turn->now + interval);
    }
}

void gossip_on_eager(struct beliefs *b, struct turn *turn)
{
    struct rumors *r = turn->rumors;
    uint32_t slots[GOSSIP_EAGER_MAX];
    uint32_t wanted = rumors_eager_most(r) + 1; /* one more: a rumour never goes back to whom it came from */
    wanted = wanted > GOSSIP_EAGER_MAX ? GOSSIP_EAGER_MAX : wanted;
    uint32_t count = members_choose(&b->members, turn->rng, wanted, is_alive, NULL, slots);
    bool sent = false;
    for (uint32_t i = 0; i < count && r->eager_count > 0; i++) {
        const struct identity *to = members_at(&b->members, slots[i])->identity;
        if (!rumors_eager_token(turn)) {
            rumors_eager_clear(r);
            return;
        }
        if (packing_send_eager(turn, &to->address, to->versions[1] >= GOSSIP_PMAX_CRC)) {
            sent = true;
        }
    }
    if (!sent || count + 1 < wanted) { /* fewer are alive than copies are owed: nobody gets two */
        rumors_eager_clear(r);
    } else if (r->eager_count > 0) { /* more than a packet holds: go on soon, with other members */
        timers_set(turn->timers, &r->eager, turn->now + turn->options->eager_delay_us / 3 + 1);
    }
}
