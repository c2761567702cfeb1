/* SPDX-License-Identifier: MIT
 *
 * Answers that are maps of named figures: read as they come, whatever the agent has to tell, and shown in columns or as JSON. So an agent
 * that knows more than this program is not told to be silent about it.
 */
#ifndef HEARSAY_CLI_FACTS_H
#define HEARSAY_CLI_FACTS_H

#include "base/cursor.h"
#include "cli/client.h"

#include <jansson.h>

/* The next object of an answer; NULL after saying why. Strings that are not UTF-8 get replacements. */
json_t *facts_next(struct client *client);
/* Member by member: "name = value", names right-aligned; lists and maps are left out. */
void facts_print(const json_t *object, const char *indent);
/* An array of objects as a table, whose columns are the keys of the first one. */
void facts_print_table(const json_t *array);
void facts_print_json(const json_t *value);

#endif
