/* SPDX-License-Identifier: MIT
 *
 * The agent's part of the shared store: with --data-dir it is loaded from the disk at the start, and what the node wants to be durable is
 * written on a worker thread. Without --data-dir it costs nothing here: the store lives in memory.
 */
#ifndef HEARSAY_AGENT_STORE_H
#define HEARSAY_AGENT_STORE_H

#include "agent/commits.h"
#include "agent/config.h"

#include <hearsay/hearsay_uv.h>

struct store {
    struct storage *storage; /* NULL = in memory */
    struct commits *commits;
    struct hearsay_uv *uv;
    bool is_failing; /* the last batch could not be written */
};

/* Opens the storage if the options have a store and the configuration a folder, and amends the options. False with a line in error. */
bool store_open(struct store *store, const struct config *config, struct hearsay_uv_options *options, char *error, size_t size);
/* Gives the node what was on disk. Before anything else is done with it. */
bool store_load(struct store *store, struct hearsay_uv *uv, uv_loop_t *loop, char *error, size_t size);
/* The driver's on_persist. */
void store_persist(struct store *store, const struct hearsay_persist *persist);
/* Bytes that wait for the disk. */
size_t store_waiting(const struct store *store);
/* The node stops: it is told nothing any more. */
void store_mute(struct store *store);
/* After the loop has ended: writes the rest. */
void store_close(struct store *store);

#endif
