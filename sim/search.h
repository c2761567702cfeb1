/* SPDX-License-Identifier: MIT
 *
 * Search: one seed draws a cluster, its options and a list of faults, runs it and asks whether every promise was kept. A seed is one run,
 * whatever else runs beside it. A failing one is shrunk: faults are left out as long as the run still fails.
 */
#ifndef HEARSAY_SIM_SEARCH_H
#define HEARSAY_SIM_SEARCH_H

#include "sim/checkers.h"
#include "sim/faults.h"
#include "sim/store_watch.h"

#define SEARCH_FAULTS_MAX 16

struct search_options {
    uint32_t least_nodes, most_nodes;
    uint64_t duration_us;       /* of the run; the faults end after two thirds of it */
    uint64_t bound_us;          /* within which all agree again */
    bool store;                 /* all hold the shared store, and it is watched */
    double allocation_failures; /* chance of each allocation to fail while there are faults */
};

struct search_result {
    uint64_t seed, digest, inputs;
    uint32_t nodes, faults;
    uint64_t kept;              /* bits: the faults of the list that took place */
    double converged_s;         /* from the end of the faults until all agreed; -1 = not */
    double failed_at_s;
    uint64_t failed_allocations;
    struct store_watch_figures store;
    size_t bytes_peak;          /* of the largest node */
    char claim[CHECKERS_CLAIM_BYTES]; /* the broken promise, or empty */
};

struct search_options search_options_default(void);
/* Runs a seed with those of its faults whose bit is set in `kept`. */
void search_run(uint64_t seed, uint64_t kept, const struct search_options *options, struct search_result *result);
/* Leaves out faults of a failing run one after the other; *result is the smallest that still fails. Answers the number of runs. */
unsigned search_shrink(const struct search_options *options, struct search_result *result);
/* The list of faults of a seed. */
size_t search_faults(uint64_t seed, const struct search_options *options, struct fault list[SEARCH_FAULTS_MAX]);

#endif
