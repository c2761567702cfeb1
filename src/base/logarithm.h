/* SPDX-License-Identifier: MIT
 *
 * The natural logarithm out of additions, multiplications and divisions only, which IEEE 754 rounds the same on every machine; the C
 * library's log may differ in the last bit from one to the next, and one seed would be two runs. Good to about 1e-15.
 */
#ifndef HEARSAY_BASE_LOGARITHM_H
#define HEARSAY_BASE_LOGARITHM_H

#include <stdint.h>
#include <string.h>

#define LOGARITHM_OF_2 0.693147180559945309417
#define LOGARITHM_OF_10 2.302585092994045684018

/* x must be positive and not tiny (a normal number). */
static inline double logarithm(double x)
{
    uint64_t bits;
    double m, sum = 0;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
    memcpy(&m, &bits, sizeof m); /* x = m * 2^exponent, 1 <= m < 2 */
    if (m > 1.4142135623730951) {
        m /= 2;
        exponent++;
    }
    double s = (m - 1) / (m + 1), square = s * s; /* ln m = 2 (s + s^3/3 + s^5/5 ...), and |s| < 0.172 */
    for (int k = 21; k >= 1; k -= 2) {
        sum = sum * square + 1.0 / k;
    }
    return exponent * LOGARITHM_OF_2 + 2 * s * sum;
}

#endif
