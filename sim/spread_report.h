/* SPDX-License-Identifier: MIT
 *
 * Results of the spread model as a table for people, as JSON (one object per setting, each on a line) and as CSV.
 */
#ifndef HEARSAY_SIM_SPREAD_REPORT_H
#define HEARSAY_SIM_SPREAD_REPORT_H

#include "sim/spread_model.h"
#include "sim/spread_theory.h"

#include <stdio.h>

struct spread_run { /* a setting and what came of it */
    struct spread_setting setting;
    struct spread_result result;
    struct spread_theory theory;
    bool has_theory;
};

/* "push", "pull", … */
const char *spread_report_mode(enum spread_mode mode);
void spread_report_table(FILE *out, const struct spread_run *runs, size_t count);
void spread_report_json(FILE *out, const struct spread_run *runs, size_t count);
void spread_report_csv(FILE *out, const struct spread_run *runs, size_t count);

#endif
