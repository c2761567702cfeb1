/* SPDX-License-Identifier: MIT
 *
 * What time it is: for waits and round trips a clock that never steps, for people Unix time.
 */
#ifndef HEARSAY_CLI_CLOCK_H
#define HEARSAY_CLI_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Monotonic; its zero means nothing. */
static inline uint64_t clock_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

static inline uint64_t clock_unix_ms(void)
{
    return clock_us(CLOCK_REALTIME) / 1000;
}

#endif
