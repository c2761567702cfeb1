/* SPDX-License-Identifier: MIT
 *
 * Seeded chance: xoshiro256** (D. Blackman, S. Vigna, 2018), seeded by splitmix64. The same seed gives the same choices on
 * every machine. Not for secrets.
 */
#ifndef HEARSAY_BASE_RNG_H
#define HEARSAY_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
/* Uniform in [0, 1). */
double rng_unit(struct rng *rng);

#endif
