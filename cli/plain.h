/* SPDX-License-Identifier: MIT
 *
 * Strangers' bytes as text that is safe to show: always UTF-8, and nothing that steers a terminal.
 */
#ifndef HEARSAY_CLI_PLAIN_H
#define HEARSAY_CLI_PLAIN_H

#include <hearsay/types.h>

/* An owned copy where every byte that is not UTF-8, and NUL, is replaced by U+FFFD. NULL when memory is out. */
char *plain_copy(struct hearsay_bytes bytes);
/* The same into memory of the caller, cut at a whole character. */
void plain_into(char *out, size_t size, struct hearsay_bytes bytes);
/* Replaces control characters by '?', in place. Text that goes into JSON need not come here: it is escaped there. */
void plain_tame(char *text);
/* The same, but lines and tabs stay what they are. */
void plain_tame_lines(char *text);

#endif
