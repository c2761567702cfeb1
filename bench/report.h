/* SPDX-License-Identifier: MIT
 *
 * What a benchmark found: rows of ours beside theirs with the ratio and what was required of it; a table for people, or JSON lines.
 */
#ifndef HEARSAY_BENCH_REPORT_H
#define HEARSAY_BENCH_REPORT_H

#include <stdbool.h>

/* Reads the flags common to all benchmarks: --quick, --format table|json. Exits with 2 on others. */
struct report_flags {
    bool is_quick, is_json;
};
struct report_flags report_begin(const char *benchmark, int argc, char **argv);

/* One row: ours must be at most `most` times theirs; NAN = the ratio is only told. */
void report_ratio(const char *what, const char *unit, double ours, const char *peer, double theirs, double most);
/* One row: ours must be at most `most`. */
void report_limit(const char *what, const char *unit, double ours, double most);
/* One row: the two must not differ by more than `share` of the peer's. */
void report_agreement(const char *what, const char *unit, double ours, const char *peer, double theirs, double share);
/* One row that demands nothing. */
void report_value(const char *what, const char *unit, double value);
/* Progress, on a terminal only. */
void report_progress(const char *text);
/* Prints; the exit code: 0 when all that was required holds, else 1. */
int report_end(void);

#endif
