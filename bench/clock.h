/* SPDX-License-Identifier: MIT
 *
 * The time of the benchmarks: monotonic, in microseconds or nanoseconds.
 */
#ifndef HEARSAY_BENCH_CLOCK_H
#define HEARSAY_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_us(void)
{
    return clock_ns() / 1000;
}

static inline uint64_t clock_seconds(double seconds)
{
    return clock_us() + (uint64_t)(seconds * 1e6);
}

#endif
