/* SPDX-License-Identifier: MIT
 *
 * One trial of the spread model: its state, and what came of it.
 */
#ifndef HEARSAY_SIM_SPREAD_TRIAL_H
#define HEARSAY_SIM_SPREAD_TRIAL_H

#include "base/rng.h"
#include "sim/spread_model.h"

struct spread_outcome {
    double last_at;     /* when the last node that hears has heard */
    double reach_at[3]; /* when 50, 90, 99 % knew, -1 = never */
    uint64_t payloads, messages;
    uint32_t reached, busiest, connections;
};

struct spread_trial {
    const struct spread_setting *setting;
    struct rng rng;
    uint64_t spare; /* the other half of the last random number, with a 1 above it */
    uint64_t *known, *fresh; /* a bit per node: knew at the start of the round, knows now; the same with timers */
    uint64_t *active;        /* knows and still tells; the same as known without a stopping rule */
    uint8_t *counts;         /* towards the stopping rule */
    uint8_t *marks;          /* calls of this round as far as a rule needs them: useful, useless */
    uint32_t *incoming;      /* calls received in this round */
    uint32_t *load;          /* messages so far */
    uint32_t *order;         /* who calls first, with a limit on incoming calls */
    float *phase;            /* of the timers, ascending */
    uint32_t actives, sample, reach;
    double now;
    uint64_t *curve;         /* sums of nodes that know */
    uint32_t longest;        /* steps of the longest trial so far */
    struct spread_outcome outcome;
};

/* Room for trials of one setting. False when memory is out; deinit is due all the same. */
bool spread_trial_init(struct spread_trial *trial, const struct spread_setting *setting);
void spread_trial_deinit(struct spread_trial *trial);
/* Runs the trial of this number; trial->outcome then tells. */
void spread_trial_run(struct spread_trial *trial, uint32_t number);

#endif
