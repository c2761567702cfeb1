/* SPDX-License-Identifier: MIT
 *
 * What paper and pencil say about a setting: formulas that fit, and else the mean field (every round turns the expected share of those who
 * do not know into the next one), which neglects the luck of the first few calls. Without a stopping rule and a limit on incoming calls only.
 */
#ifndef HEARSAY_SIM_SPREAD_THEORY_H
#define HEARSAY_SIM_SPREAD_THEORY_H

#include "sim/spread_model.h"

struct spread_theory {
    const char *formula; /* in words */
    double rounds;       /* until everybody knows */
    double curve[SPREAD_CURVE_MAX];
    size_t curve_count, curve_per_round;
};

/* False when there is nothing to say. */
bool spread_theory_of(const struct spread_setting *setting, struct spread_theory *theory);
/* The share that does not know after one more round. */
double spread_theory_next(const struct spread_setting *setting, double ignorant);

#endif
