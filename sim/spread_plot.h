/* SPDX-License-Identifier: MIT
 *
 * Coverage over rounds as one SVG file that needs nothing else: a curve per setting, the theory dashed; it follows the reader's light or
 * dark scheme.
 */
#ifndef HEARSAY_SIM_SPREAD_PLOT_H
#define HEARSAY_SIM_SPREAD_PLOT_H

#include "sim/spread_report.h"

/* Most curves that can be told apart. */
#define SPREAD_PLOT_MAX 10

/* Draws the first SPREAD_PLOT_MAX runs. */
void spread_plot_write(FILE *out, const struct spread_run *runs, size_t count);

#endif
