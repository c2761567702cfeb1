/* SPDX-License-Identifier: MIT
 *
 * Asks the processor to bring memory near before it is needed. In large clusters what a node knows does not fit into caches: whoever walks over
 * thousands of members and waits for each piece of memory in turn does little else. A hint only: nothing depends on it.
 */
#ifndef HEARSAY_BASE_FETCH_H
#define HEARSAY_BASE_FETCH_H

#define FETCH_AHEAD 16 /* so many steps before it is needed; also how many are asked for at once */

static inline void fetch(const void *place)
{
#if defined(__GNUC__)
    __builtin_prefetch(place);
#else
    (void)place;
#endif
}

#endif
