/* SPDX-License-Identifier: MIT
 *
 * See allocator_counting.h.
 */
#include "allocator_counting.h"

#include <stdlib.h>

static void *resize(void *context, void *old, size_t size)
{
    struct allocator_counting *state = context;
    if (size == 0) {
        state->blocks -= old != NULL;
        free(old);
        return NULL;
    }
    state->calls++;
    if (state->fail_from > 0 && (state->fail_once ? state->calls == state->fail_from : state->calls >= state->fail_from)) {
        return NULL;
    }
    void *p = realloc(old, size);
    state->blocks += old == NULL && p != NULL;
    return p;
}

struct hearsay_allocator allocator_counting_of(struct allocator_counting *state)
{
    return (struct hearsay_allocator){state, resize};
}
