/* SPDX-License-Identifier: MIT
 *
 * Regular expressions by which clients filter members, anchored at both ends as Serf does. What could cost much time or memory is
 * refused, as expression.h says.
 */
#ifndef HEARSAY_AGENT_PATTERN_H
#define HEARSAY_AGENT_PATTERN_H

#include "agent/expression.h"

struct pattern {
    struct expression *expression; /* NULL: everything matches */
};

/* False: no pattern, or one that is refused. is_optional: an empty text means no pattern. */
bool pattern_set(struct pattern *pattern, struct hearsay_bytes text, bool is_optional);
bool pattern_matches(const struct pattern *pattern, struct hearsay_bytes subject);
void pattern_free(struct pattern *pattern);

#endif
