/* SPDX-License-Identifier: MIT
 *
 * What benchmarks wait for with agents_listen: that all agents hear an event, that the others call an agent failed.
 */
#ifndef HEARSAY_BENCH_SEEN_H
#define HEARSAY_BENCH_SEEN_H

#include <stdbool.h>
#include <stdint.h>

/* Who has heard the event of this name, and when. */
struct hearing {
    const char *name;
    uint64_t *heard_at; /* per agent, 0 = not yet */
    unsigned heard, count;
};
void seen_hear(void *hearing, unsigned agent, const char *event, const char *name);
bool seen_by_all(void *hearing);

/* When the first and the last of the others called the victim failed; others called failed are wrong. */
struct noticing {
    const char *victim;
    uint64_t first_at, last_at;
    bool *has_noticed; /* per agent */
    unsigned noticed, others, wrong;
};
void seen_failed(void *noticing, unsigned agent, const char *event, const char *name);
bool seen_failed_by_all(void *noticing);

#endif
