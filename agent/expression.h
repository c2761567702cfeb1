/* SPDX-License-Identifier: MIT
 *
 * Regular expressions in RE2's syntax, answered in time proportional to expression times text (K. Thompson, "Regular expression search algorithm",
 * 1968) and in bounded memory, whatever a stranger sends. It only says whether there is a match, so greediness and groups mean nothing.
 *
 * Not as RE2: \p{…} and \C are refused; case is folded for ASCII letters only; a group's name may be used twice.
 */
#ifndef HEARSAY_AGENT_EXPRESSION_H
#define HEARSAY_AGENT_EXPRESSION_H

#include <hearsay/types.h>

struct expression;

/* NULL: no expression, or one that would need too much. */
struct expression *expression_create(struct hearsay_bytes text);
void expression_destroy(struct expression *e);
/* Is there a match anywhere in text? */
bool expression_matches(const struct expression *e, struct hearsay_bytes text);

/* The matcher of struct hearsay_options: compiled, asked, forgotten. */
bool expression_match(void *context, struct hearsay_bytes expression, struct hearsay_bytes text);

#endif
