/* SPDX-License-Identifier: MIT
 *
 * Lamport clocks as Serf uses them: 0 means "no time", each clock starts at 1. L. Lamport, "Time, Clocks, and the Ordering of
 * Events in a Distributed System" (1978).
 */
#ifndef HEARSAY_SERF_LAMPORT_H
#define HEARSAY_SERF_LAMPORT_H

#include <stdint.h>

struct lamport {
    uint64_t time;
};

static inline void lamport_witness(struct lamport *clock, uint64_t seen)
{
    if (seen >= clock->time && seen < UINT64_MAX) {
        clock->time = seen + 1;
    }
}

#endif
