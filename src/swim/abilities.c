/* SPDX-License-Identifier: MIT
 *
 * See abilities.h.
 */
#include "swim/abilities.h"

#include "swim/probe.h"

uint32_t abilities_own(const struct hearsay_options *options)
{
    return options->announce_abilities ? HEARSAY_WIRE_VERSION | (options->store ? HEARSAY_CAN_STORE : 0) : 0;
}

bool abilities_learn(struct members *m, uint32_t slot, uint32_t abilities)
{
    struct member *member = members_at(m, slot);
    bool could = member->can_store, can = (abilities & HEARSAY_CAN_STORE) != 0;
    member->abilities = (uint8_t)abilities;
    member->can_store = can;
    member->is_asked = true;
    return can && !could;
}

void abilities_ask(struct abilities *a, struct beliefs *b, struct turn *turn, uint32_t slot)
{
    struct member *member = members_at(&b->members, slot);
    uint32_t place = a->next++ % ABILITIES_ASKED;
    member->is_asked = true;
    a->asked[place].sequence = ++b->members.next_sequence;
    a->asked[place].slot = slot;
    probe_send_ping(b, turn, pool_name(member->identity), &member->identity->address, a->asked[place].sequence, true);
}

uint32_t abilities_on_ack(struct abilities *a, uint32_t sequence)
{
    for (uint32_t i = 0; i < ABILITIES_ASKED; i++) {
        if (a->asked[i].sequence == sequence && sequence != 0) {
            a->asked[i].sequence = 0;
            return a->asked[i].slot;
        }
    }
    return MEMBERS_NONE;
}
