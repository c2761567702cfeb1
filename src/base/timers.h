/* SPDX-License-Identifier: MIT
 *
 * Timers: an intrusive pairing heap (Fredman et al. 1986), so that arming a timer never allocates and cannot fail. The owner embeds
 * a struct timer and says what it means by `kind` and `number`; whoever asks timers_due routes on them.
 */
#ifndef HEARSAY_BASE_TIMERS_H
#define HEARSAY_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    uint64_t at;
    struct timer *child, *next, *previous; /* previous: elder sibling, or parent of a first child */
    uint32_t number;                       /* of the owner: a slot, a stream id … */
    uint8_t kind;
    bool is_armed;
};

struct timers {
    struct timer *root;
};

/* Arms or re-arms. */
void timers_set(struct timers *timers, struct timer *timer, uint64_t at);
/* Harmless when not armed. */
void timers_cancel(struct timers *timers, struct timer *timer);
/* The earliest instant, or UINT64_MAX. */
static inline uint64_t timers_next(const struct timers *timers)
{
    return timers->root == NULL ? UINT64_MAX : timers->root->at;
}
/* Disarms and answers the earliest timer that is due at now, or NULL. */
struct timer *timers_due(struct timers *timers, uint64_t now);

#endif
