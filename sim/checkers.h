/* SPDX-License-Identifier: MIT
 *
 * Checkers: the promises of the protocol, watched while a cluster runs. Safety at every notification and at every look: incarnations
 * never go back, who left does not come back without starting again, nobody who runs is buried in quiet times, counters of impossible
 * things stay zero, memory stays within limits. Whether all agree in the end is asked by search.c.
 */
#ifndef HEARSAY_SIM_CHECKERS_H
#define HEARSAY_SIM_CHECKERS_H

#include "sim/cluster.h"

#define CHECKERS_CLAIM_BYTES 200

struct checkers;

struct checkers *checkers_create(struct cluster *cluster);
void checkers_destroy(struct checkers *checkers);
/* For the cluster's on_event. */
void checkers_on_event(struct checkers *checkers, struct seat *seat, const struct hearsay_event *event);
/* Looks at every view of every node. */
void checkers_look(struct checkers *checkers);
/* From this instant on nobody who runs may be declared dead. */
void checkers_expect_quiet(struct checkers *checkers, uint64_t from);
/* Noise was sent: the counters of impossible things say nothing any more. */
void checkers_forgive_noise(struct checkers *checkers);
/* Records a broken promise; the first one counts. */
void checkers_blame(struct checkers *checkers, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The first broken promise, or NULL, and when (world time). */
const char *checkers_verdict(const struct checkers *checkers, uint64_t *at);

#endif
