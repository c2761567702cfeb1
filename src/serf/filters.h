/* SPDX-License-Identifier: MIT
 *
 * Whom a query means: names, and regular expressions over tags. The core has no regular expressions; the host hands a matcher in, and without
 * one no member with a filter by tag is meant. Reference: serf query.go (shouldProcessQuery).
 */
#ifndef HEARSAY_SERF_FILTERS_H
#define HEARSAY_SERF_FILTERS_H

#include "base/cursor.h"
#include <hearsay/hearsay.h>

/* Do all filters of a query (as in struct serf_query) mean the member of this name and meta? */
bool filters_match(const struct hearsay_matcher *matcher, struct hearsay_bytes filters, struct hearsay_bytes name, struct hearsay_bytes meta);
/* Writes the filters of a question as the array that queries carry; nothing when it has none. */
void filters_write(struct writer *w, const struct hearsay_question *question);

#endif
