/* SPDX-License-Identifier: MIT
 *
 * The square root out of additions, multiplications and divisions, for the same reason as logarithm.h: no C library is needed, and all machines
 * agree on every bit. Newton's iteration (Heron's method) from a guess that halves the exponent; good to the last bit or one beside it.
 */
#ifndef HEARSAY_BASE_ROOT_H
#define HEARSAY_BASE_ROOT_H

#include <stdint.h>
#include <string.h>

/* 0 for what is not positive; what is not finite stays so. */
static inline double root(double x)
{
    uint64_t bits;
    double y;
    if (!(x > 0) || x - x != 0) {
        return x > 0 || x != x ? x : 0;
    }
    memcpy(&bits, &x, sizeof bits);
    bits = (bits >> 1) + (UINT64_C(1023) << 51);
    memcpy(&y, &bits, sizeof y); /* within 7 % but for numbers next to 0, which take a few steps more */
    for (int i = 0; i < 6; i++) {
        y = 0.5 * (y + x / y);
    }
    return y;
}

#endif
