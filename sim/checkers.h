/* SPDX-License-Identifier: MIT
 *
 * Checkers: the promises of the protocol, watched while a cluster runs, at every notification and at every look. What memberlist itself does
 * not promise is excused, and only that: an incarnation goes back, and who left is shown again, only after gossip_to_the_dead_ms by the
 * observer's clock, when it has forgotten the name and takes any claim; nobody is buried in quiet times where packets arrive or a stream
 * is tried when they do not. Without, a wrong suspicion is frequent, and a refutation, told some 8 times by each of 100, misses one node in
 * 3000 (e^-8), which buries at the end of its timer. But whoever can be reached is never held for dead longer than the bound, anywhere.
 * Counters of impossible things stay zero, memory stays within limits. Whether all agree in the end is asked by search.c.
 */
#ifndef HEARSAY_SIM_CHECKERS_H
#define HEARSAY_SIM_CHECKERS_H

#include "sim/cluster.h"

#define CHECKERS_CLAIM_BYTES 200

struct checkers;

/* bound_us: nobody who can be reached is held for dead longer than this. */
struct checkers *checkers_create(struct cluster *cluster, uint64_t bound_us);
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
