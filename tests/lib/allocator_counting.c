/* SPDX-License-Identifier: MIT
 *
 * See allocator_counting.h. In front of every block stands its size.
 */
#include "allocator_counting.h"

#include <stdlib.h>

struct head {
    _Alignas(max_align_t) size_t size;
};

static bool must_fail(const struct allocator_counting *state)
{
    return (state->fail_from > 0 && (state->fail_once ? state->calls == state->fail_from : state->calls >= state->fail_from)) ||
           (state->fail_every > 0 && state->calls % state->fail_every == 0);
}

static void *resize(void *context, void *old, size_t size)
{
    struct allocator_counting *state = context;
    struct head *head = old == NULL ? NULL : (struct head *)old - 1;
    size_t before = head == NULL ? 0 : head->size;
    if (size == 0) {
        state->blocks -= head != NULL;
        state->bytes -= before;
        free(head);
        return NULL;
    }
    state->calls++;
    if (must_fail(state) || (head = realloc(head, sizeof *head + size)) == NULL) {
        state->failures++;
        return NULL;
    }
    head->size = size;
    state->blocks += old == NULL;
    state->bytes += size - before;
    state->bytes_most = state->bytes > state->bytes_most ? state->bytes : state->bytes_most;
    return head + 1;
}

struct hearsay_allocator allocator_counting_of(struct allocator_counting *state)
{
    return (struct hearsay_allocator){state, resize};
}
