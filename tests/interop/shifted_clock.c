/* SPDX-License-Identifier: MIT
 *
 * Loaded before a process (LD_PRELOAD): its wall clock is $SHIFT_S seconds ahead of the computer's; what is measured from a start stays right.
 * So a test has a node whose clock is wrong without touching the computer's.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *shift = getenv("SHIFT_S");
    long result = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && shift != NULL) {
        now->tv_sec += atol(shift);
    }
    return (int)result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    now->tv_sec = t.tv_sec;
    now->tv_usec = t.tv_nsec / 1000;
    return 0;
}
