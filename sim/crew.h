/* SPDX-License-Identifier: MIT
 *
 * A crew: jobs by number, shared out among threads. Each job answers for its own number only, so the number of threads leaves no trace.
 */
#ifndef HEARSAY_SIM_CREW_H
#define HEARSAY_SIM_CREW_H

#include <stdint.h>

/* Calls run(context, 0 … jobs - 1), each once, on this many threads (0 = one per processor), and returns when all are done. is_done, which
 * may be NULL, is told on the caller's thread how many are. */
void crew_work(uint32_t jobs, unsigned threads, void (*run)(void *context, uint32_t number), void *context,
               void (*is_done)(void *listener, uint32_t done), void *listener);

#endif
