/* SPDX-License-Identifier: MIT
 *
 * Published figures, exact ones and ours side by side, with a verdict.
 *
 * Means agree within four combined standard errors plus half a unit of the last printed digit; a published mean counts as one of a hundred
 * trials, which their authors do not tell. A 99th percentile agrees when the published one lies in our 99.9 % interval. Rates agree within
 * the exact binomial interval of 99.9 %.
 */
#ifndef HEARSAY_SIM_PAPER_H
#define HEARSAY_SIM_PAPER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct paper {
    FILE *out;
    uint32_t trials;
    uint64_t seed;
    unsigned agreed, differed;
};

struct paper_row {
    const char *what;
    const char *published, *exact; /* as printed, or NULL */
    double ours, sd;               /* of one trial */
    uint32_t trials;
    double least, most;            /* for a percentile: the interval; both 0 = none */
    double slack;                  /* relative, for sentences like "within 2 %" and for limits */
};

/* A headline over the rows to come, and a line on the model behind them. */
void paper_section(struct paper *paper, const char *title, const char *model);
void paper_row(struct paper *paper, const struct paper_row *row);
/* count of so many trials, where the exact probability is known. */
void paper_rate(struct paper *paper, const char *what, double exact, uint32_t count, uint32_t trials);
/* A claim that holds or not. */
void paper_claim(struct paper *paper, const char *what, bool holds);

/* The tables. False when memory is out. */
bool paper_spread(struct paper *paper);
bool paper_swim(struct paper *paper);

#endif
