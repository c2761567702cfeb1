/* SPDX-License-Identifier: MIT
 *
 * Scenarios: a cluster's link and the faults that befall it, written as JSON. Times are seconds. An error names line and column.
 */
#ifndef HEARSAY_SIM_SCENARIO_H
#define HEARSAY_SIM_SCENARIO_H

#include "sim/faults.h"

#define SCENARIO_FAULTS_MAX 64

struct scenario {
    char description[200];
    struct link link;
    uint32_t timer_grain_us, cores, wake_cpu_us; /* see world.h */
    struct fault faults[SCENARIO_FAULTS_MAX];
    size_t fault_count;
};

struct scenario_file {
    const char *name, *text;
};
/* The ready ones; ends with name NULL. */
extern const struct scenario_file scenario_files[];

/* name is for error lines; false with one line in error. nodes: the size of the cluster, which no crowd may exceed; 0 = not known. */
bool scenario_parse(struct scenario *scenario, const char *text, const char *name, uint32_t nodes, char *error, size_t size);

#endif
