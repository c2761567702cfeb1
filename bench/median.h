/* SPDX-License-Identifier: MIT
 *
 * The middle of some measurements.
 */
#ifndef HEARSAY_BENCH_MEDIAN_H
#define HEARSAY_BENCH_MEDIAN_H

#include <stdlib.h>

static inline int median_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void median_sort(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, median_compare);
}

/* Sorts values. */
static inline double median(double *values, unsigned count)
{
    median_sort(values, count);
    return values[count / 2];
}

#endif
