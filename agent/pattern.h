/* SPDX-License-Identifier: MIT
 *
 * Regular expressions that clients send: POSIX extended ones, anchored at both ends as Serf does, with the few words of Go's
 * syntax that people use. What could cost much time or memory is refused.
 */
#ifndef HEARSAY_AGENT_PATTERN_H
#define HEARSAY_AGENT_PATTERN_H

#include <hearsay/types.h>
#include <regex.h>

struct pattern {
    regex_t regex;
    bool is_set; /* else everything matches */
};

/* False: no pattern, or one that is refused. is_optional: an empty text means no pattern. */
bool pattern_set(struct pattern *pattern, struct hearsay_bytes text, bool is_optional);
bool pattern_matches(const struct pattern *pattern, struct hearsay_bytes subject);
void pattern_free(struct pattern *pattern);

#endif
