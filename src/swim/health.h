/* SPDX-License-Identifier: MIT
 *
 * Our own health score (Lifeguard, section IV.A): from 0, healthy, to awareness_max - 1. A node that is slow itself hears few
 * acks; the score makes it probe more patiently instead of blaming others.
 */
#ifndef HEARSAY_SWIM_HEALTH_H
#define HEARSAY_SWIM_HEALTH_H

#include "spread/turn.h"

struct health {
    uint8_t score;
};

static inline void health_change(struct health *h, const struct turn *turn, int by)
{
    int score = h->score + by;
    int most = (int)turn->options->awareness_max - 1;
    score = score > most ? most : score;
    h->score = (uint8_t)(score < 0 ? 0 : score);
}

#endif
