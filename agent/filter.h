/* SPDX-License-Identifier: MIT
 *
 * Which events somebody wants, in Serf's words: "member-join,user:deploy", "query", "*". Streams of RPC and event handlers
 * understand the same words. It knows no events, only their names.
 */
#ifndef HEARSAY_AGENT_FILTER_H
#define HEARSAY_AGENT_FILTER_H

#include "agent/lists.h"

struct filter {
    struct words words; /* "member-join", "user", "user:deploy", "*" */
};

/* A comma list; an empty one wants everything. False if a word is no kind of event; filter_free it all the same. */
bool filter_parse(struct filter *filter, const char *list, size_t size);
/* event is "member-join", "user", "query", …; name is that of a user event or query, else NULL. */
bool filter_wants(const struct filter *filter, const char *event, const char *name);
void filter_free(struct filter *filter);

#endif
