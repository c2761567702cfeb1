/* SPDX-License-Identifier: MIT
 *
 * Published figures, exact ones and ours side by side, with a verdict.
 *
 * Means agree within four combined standard errors plus half a unit of the last printed digit; a published mean counts as one of a hundred
 * trials, which their authors do not tell. A percentile agrees when the published one lies in our 99.9 % interval. Rates agree within
 * the exact binomial interval of 99.9 %. Where nothing but a formula exists, half a round is allowed besides.
 */
#ifndef HEARSAY_SIM_PAPER_H
#define HEARSAY_SIM_PAPER_H

#include "sim/spread_model.h"

#include <stdio.h>

struct paper {
    FILE *out;
    uint32_t trials;
    uint64_t seed;
    bool is_whole; /* the large tables too: minutes */
    unsigned agreed, differed;
    /* May be NULL: what is being measured, and how much of it is done. Called on the thread of whoever called. */
    void (*watch)(void *context, const char *what, double share);
    void *context;
    const char *doing;
    uint32_t of;
};

struct paper_row {
    const char *what;
    const char *published, *exact; /* as printed, or NULL */
    double ours, sd;               /* of one trial */
    uint32_t trials;
    double least, most; /* for a percentile: the interval; both 0 = none */
    double slack;       /* relative, for sentences like "within 2 %" and for limits */
    double theory;      /* of a formula, shown where no exact value is known; 0 = none */
    bool is_unsure;     /* the published figure was not to be had in print: shown, but not counted */
};

/* The median of a sample and the interval in which the true one lies with 99.9 %. Sorts the values. */
struct paper_median {
    double value, least, most;
};

/* A headline over the rows to come, and a line on the model behind them. */
void paper_section(struct paper *paper, const char *title, const char *model);
void paper_row(struct paper *paper, const struct paper_row *row);
/* count of so many trials, where the exact probability is known. */
void paper_rate(struct paper *paper, const char *what, double exact, uint32_t count, uint32_t trials);
/* A claim that holds or not. */
void paper_claim(struct paper *paper, const char *what, bool holds);
struct paper_median paper_median(double *values, uint32_t count);

/* Something long begins, of so many steps; paper_done is for the hooks that count them. */
void paper_begin(struct paper *paper, const char *what, uint32_t steps);
void paper_done(void *paper, uint32_t steps);

/* One setting of the spread model; large networks take a share of the trials only. False when memory is out. */
uint32_t paper_trials(const struct paper *paper, uint32_t nodes);
bool paper_measure(struct paper *paper, struct spread_setting setting, struct spread_result *result);
/* Whole rounds may besides be one apart. */
void paper_p99_row(struct paper *paper, const char *what, const char *published, const char *exact, const struct spread_statistic *s,
                   bool is_whole);

/* The tables. False when memory is out. */
bool paper_rounds(struct paper *paper);
bool paper_sizes(struct paper *paper);
bool paper_spread(struct paper *paper);
bool paper_demers(struct paper *paper);
bool paper_store(struct paper *paper);
bool paper_swim(struct paper *paper);
bool paper_crash(struct paper *paper);
bool paper_lifeguard(struct paper *paper);

#endif
