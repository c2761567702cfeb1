/* SPDX-License-Identifier: MIT
 *
 * Writing seeds: one small file each, in a folder per target. seeds.c cuts them out of captured conversations, seeds_own.c has those of our
 * own formats, seeds_parley.c those of the shared store, seeds_dns.c those of DNS.
 */
#ifndef HEARSAY_FUZZ_SEEDS_H
#define HEARSAY_FUZZ_SEEDS_H

#include <hearsay/types.h>

/* settings < 0: the target wants none, else they are the first byte. */
void seed(const char *target, int settings, struct hearsay_bytes bytes);
/* Where the next seed of that target may be written by somebody else. */
const char *seed_path(const char *target);
/* Ends the program with one line. */
void seed_stop(const char *what, const char *why);

void seeds_own(void);
void seeds_dns(void);
void seeds_parley(void);

#endif
