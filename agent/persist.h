/* SPDX-License-Identifier: MIT
 *
 * What survives the process: the snapshot and the address book, kept up to date from events. Without either of them it
 * remembers nothing and costs nothing.
 */
#ifndef HEARSAY_AGENT_PERSIST_H
#define HEARSAY_AGENT_PERSIST_H

#include "agent/book.h"
#include "agent/config.h"
#include "agent/snapshot.h"

#include <hearsay/hearsay_uv.h>

struct persist {
    struct places places;
    struct snapshot snapshot;
    char *book_path; /* NULL = none */
    bool is_kept, is_book_dirty, rejoins, has_left;
    struct words rejoin; /* "name/addr:port" of those alive in the former life, in random order */
};

/* Opens what the configuration names; damaged lines are reported in the log. */
bool persist_open(struct persist *p, const struct config *config, char *error, size_t size);
/* The Lamport times of the former life. */
void persist_set_clocks(const struct persist *p, struct hearsay_options *options);
/* Gives everybody from the former life to the node's healing. */
void persist_remember(const struct persist *p, struct hearsay_uv *uv, const char *own);
/* Answers whether persist_flush should be called soon. */
bool persist_event(struct persist *p, const struct hearsay_event *event);
/* Notes the clocks of the node. */
void persist_clocks(struct persist *p, const struct hearsay_node *node);
void persist_leave(struct persist *p);
/* Snapshot lines; failures are logged. */
void persist_flush(struct persist *p);
/* The book, if it changed or if it is due anyway. */
void persist_flush_book(struct persist *p, const char *own, bool is_due);
/* Writes everything, then forgets it. */
void persist_close(struct persist *p, const char *own);
/* Forgets without writing: the agent could not start. */
void persist_abandon(struct persist *p);

#endif
