/* SPDX-License-Identifier: MIT
 *
 * The shared store under faults: nodes chosen by chance write and delete, and what was acknowledged is remembered by an oracle that no fault
 * touches. Copies that are confirmed are there. In the end all replicas must be equal; roots are equal exactly when contents are; nothing
 * acknowledged is lost unless its only holders lost memory and disk; nothing deleted or expired is back.
 */
#ifndef HEARSAY_SIM_STORE_WATCH_H
#define HEARSAY_SIM_STORE_WATCH_H

#include "sim/checkers.h"
#include "sim/faults.h"

struct store_watch;

/* Draws the options of the nodes' stores. */
void store_watch_draw(uint64_t seed, struct hearsay_options *node);
/* Some seeds have one fault more: a partition for longer than the nodes wait for anybody (then they wait for some minutes only). True: *fault is
 * it. */
bool store_watch_draw_fault(uint64_t seed, uint64_t span_us, const struct link *usual, struct hearsay_options *node, struct fault *fault);
struct store_watch *store_watch_create(struct cluster *cluster, struct checkers *checkers, uint64_t seed);
void store_watch_destroy(struct store_watch *w);
/* Somebody writes or deletes now and then, until stopped. */
void store_watch_begin(struct store_watch *w);
void store_watch_stop(struct store_watch *w);
void store_watch_on_event(struct store_watch *w, struct seat *seat, const struct hearsay_event *event);
/* The disk of this host, which is down, is about to be wiped. */
void store_watch_on_wipe(struct store_watch *w, struct seat *seat);
/* All clocks that run are set right, as NTP would. */
void store_watch_set_clocks(struct store_watch *w);
/* Lets time pass until all replicas are equal, and looks into them. */
void store_watch_expect_equal(struct store_watch *w, uint64_t patience_us);

struct store_watch_figures {
    uint64_t writes, deletes, acknowledged, excused;
    double equal_s;
};
void store_watch_get_figures(const struct store_watch *w, struct store_watch_figures *figures);

#endif
