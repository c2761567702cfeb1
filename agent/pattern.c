/* SPDX-License-Identifier: MIT
 *
 * See pattern.h. The anchors are put around the text as they are in Serf, so that "a|b" means what it means there: begins with a, or
 * ends with b.
 */
#include "agent/pattern.h"

#include <string.h>

#define PATTERN_BYTES 256

bool pattern_set(struct pattern *pattern, struct hearsay_bytes text, bool is_optional)
{
    uint8_t anchored[PATTERN_BYTES + 2];
    if (text.size == 0 && is_optional) {
        return true;
    }
    if (pattern->expression != NULL || text.size > PATTERN_BYTES) {
        return false;
    }
    anchored[0] = '^';
    if (text.size > 0) {
        memcpy(anchored + 1, text.data, text.size);
    }
    anchored[text.size + 1] = '$';
    pattern->expression = expression_create((struct hearsay_bytes){anchored, text.size + 2});
    return pattern->expression != NULL;
}

bool pattern_matches(const struct pattern *pattern, struct hearsay_bytes subject)
{
    return pattern->expression == NULL || expression_matches(pattern->expression, subject);
}

void pattern_free(struct pattern *pattern)
{
    expression_destroy(pattern->expression);
    pattern->expression = NULL;
}
