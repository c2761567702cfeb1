/* SPDX-License-Identifier: MIT
 *
 * See suspicion.h. Reference: memberlist suspicion.go; A. Dadgar et al., "Lifeguard: Local Health Awareness for More Accurate Failure
 * Detection" (2017).
 */
#include "swim/suspicion.h"

#include "base/logarithm.h"
#include "base/memory.h"

#define SUSPICION_EXACT 1e-9 /* log10(1000) is 3, whatever rounding makes of it */

void suspicions_deinit(struct suspicions *s, const struct hearsay_allocator *memory)
{
    while (s->first != NULL) {
        struct suspicion *next = s->first->next;
        memory_free(memory, s->first);
        s->first = next;
    }
}

uint32_t suspicion_least_ms(const struct turn *turn)
{
    double n = turn->population < 10 ? 10 : turn->population;
    uint32_t thousandths = (uint32_t)(1000 * (logarithm(n) / LOGARITHM_OF_10) + SUSPICION_EXACT);
    double ms = turn->options->suspicion_mult * (thousandths / 1000.0) * turn->options->probe_interval_ms;
    return ms > 4e9 ? UINT32_MAX : (uint32_t)ms;
}

static uint64_t accuser_hash(struct hearsay_bytes accuser)
{
    return bytes_hash(accuser, 7);
}

bool suspicion_start(struct suspicions *s, struct turn *turn, uint32_t slot, struct hearsay_bytes accuser, const struct hearsay_cause *cause)
{
    const struct hearsay_options *o = turn->options;
    uint32_t wanted = o->suspicion_mult > 2 ? o->suspicion_mult - 2 : 0;
    if (turn->population < wanted + 2 || !o->lha_suspicion) {
        wanted = 0;
    }
    struct suspicion *n = memory_zeros(turn->memory, sizeof *n + (wanted + 1) * sizeof n->seen[0] + accuser.size + 1);
    if (n == NULL) {
        turn->counters->drop_no_memory++;
        return false;
    }
    n->min_ms = suspicion_least_ms(turn);
    uint64_t max_ms = (uint64_t)n->min_ms * o->suspicion_max_mult;
    n->max_ms = max_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)max_ms;
    n->wanted = wanted;
    n->started_at = turn->now;
    n->seen[0] = accuser_hash(accuser);
    n->cause = *cause;
    n->cause.accuser = NULL;
    n->accuser = (const char *)(n->seen + wanted + 1);
    bytes_copy((char *)(n->seen + wanted + 1), accuser.data, accuser.size);
    n->next = s->first;
    s->first = n;
    n->timer.kind = TIMER_SUSPICION;
    n->timer.number = slot;
    timers_set(turn->timers, &n->timer, turn->now + turn_ms(wanted < 1 ? n->min_ms : n->max_ms));
    return true;
}

struct suspicion *suspicion_find(const struct suspicions *s, uint32_t slot)
{
    struct suspicion *i = s->first;
    while (i != NULL && i->timer.number != slot) {
        i = i->next;
    }
    return i;
}

bool suspicion_confirm(struct suspicion *n, struct turn *turn, struct hearsay_bytes accuser)
{
    if (n->confirmed >= n->wanted) {
        return false;
    }
    uint64_t hash = accuser_hash(accuser);
    for (uint32_t i = 0; i <= n->confirmed; i++) {
        if (n->seen[i] == hash) {
            return false;
        }
    }
    n->seen[++n->confirmed] = hash;
    double part = logarithm(n->confirmed + 1.0) / logarithm(n->wanted + 1.0);
    uint32_t ms = (uint32_t)(n->max_ms - ((double)n->max_ms - n->min_ms) * part);
    uint64_t timeout = turn_ms(ms < n->min_ms ? n->min_ms : ms);
    uint64_t at = n->started_at + timeout;
    timers_set(turn->timers, &n->timer, at < turn->now ? turn->now : at);
    return true;
}

void suspicion_stop(struct suspicions *s, struct turn *turn, uint32_t slot)
{
    for (struct suspicion **at = &s->first; *at != NULL; at = &(*at)->next) {
        struct suspicion *n = *at;
        if (n->timer.number == slot) {
            timers_cancel(turn->timers, &n->timer);
            *at = n->next;
            memory_free(turn->memory, n);
            return;
        }
    }
}

uint32_t suspicion_ran_ms(const struct suspicion *n, const struct turn *turn)
{
    return (uint32_t)((turn->now - n->started_at) / 1000);
}
