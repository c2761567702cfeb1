/* SPDX-License-Identifier: MIT
 *
 * See seen.h.
 */
#include "bench/seen.h"

#include "bench/clock.h"

#include <string.h>

void seen_hear(void *hearing, unsigned agent, const char *event, const char *name)
{
    struct hearing *h = hearing;
    if (strcmp(event, "user") == 0 && strcmp(name, h->name) == 0 && h->heard_at[agent] == 0) {
        h->heard_at[agent] = clock_us();
        h->heard++;
    }
}

bool seen_by_all(void *hearing)
{
    const struct hearing *h = hearing;
    return h->heard == h->count;
}

void seen_failed(void *noticing, unsigned agent, const char *event, const char *name)
{
    struct noticing *n = noticing;
    if (strcmp(event, "member-failed") != 0) {
        return;
    }
    if (strcmp(name, n->victim) != 0) {
        n->wrong++;
    } else if (!n->has_noticed[agent]) {
        n->has_noticed[agent] = true;
        n->last_at = clock_us();
        n->first_at = n->noticed++ == 0 ? n->last_at : n->first_at;
    }
}

bool seen_failed_by_all(void *noticing)
{
    const struct noticing *n = noticing;
    return n->noticed == n->others;
}
