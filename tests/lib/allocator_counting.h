/* SPDX-License-Identifier: MIT
 *
 * An allocator for tests that fails when told to and knows what is still allocated.
 */
#ifndef HEARSAY_TESTS_ALLOCATOR_COUNTING_H
#define HEARSAY_TESTS_ALLOCATOR_COUNTING_H

#include <hearsay/types.h>

struct allocator_counting {
    size_t calls;      /* allocations and growths so far */
    size_t fail_from;  /* the call with this number and all later ones fail; 0 = none */
    bool fail_once;    /* only that one */
    size_t fail_every; /* every call whose number is a multiple of this fails; 0 = none */
    size_t failures;   /* so far */
    size_t blocks;     /* still allocated */
    size_t bytes;      /* in them */
    size_t bytes_most; /* that there ever were at once */
};

/* The allocator borrows state. */
struct hearsay_allocator allocator_counting_of(struct allocator_counting *state);

#endif
