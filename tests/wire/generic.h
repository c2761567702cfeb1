/* SPDX-License-Identifier: MIT
 *
 * msgpack values of any shape: compared with the capture's reading, and written again from what was read.
 */
#ifndef HEARSAY_TESTS_GENERIC_H
#define HEARSAY_TESTS_GENERIC_H

#include "vector.h"

/* Reads one value and compares it. */
void generic_compare(struct reader *r, const json_t *wanted);
/* Reads one value and writes it again. is_rpc: in RPC's dialect. Answers how many positive numbers stood in a signed form, which
 * the newer codec emits; these are written as they stood. */
unsigned generic_copy(struct reader *r, struct writer *w, bool is_rpc);
/* Both, for all values in bytes; wanted is an array of readings. The copy must be byte-identical. */
void generic_check(struct hearsay_bytes bytes, const json_t *wanted, bool is_rpc);

#endif
