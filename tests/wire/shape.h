/* SPDX-License-Identifier: MIT
 *
 * Messages of memberlist and Serf: decoded into their structs, compared field by field with the capture's reading, and encoded
 * back. Where the newer codec put a positive number into a signed form the bytes differ by rule and only the meaning is compared.
 */
#ifndef HEARSAY_TESTS_SHAPE_H
#define HEARSAY_TESTS_SHAPE_H

#include "vector.h"

/* One message of a datagram with its type byte; wanted has "t" and "body" or "msg". */
void shape_message(struct hearsay_bytes in, const json_t *wanted);
/* One Serf message with its type byte; wanted has "serf" and "body" (or "header" and "inner"). */
void shape_serf(struct hearsay_bytes in, const json_t *wanted);
/* A push/pull's user state with its type byte. */
void shape_state(struct hearsay_bytes in, const json_t *body);
/* A whole stream body with its type byte. */
void shape_stream(struct hearsay_bytes body, const json_t *wanted);
/* Compares bytes with what was encoded from a decoded `in`, unless `in` has numbers in signed forms. */
void shape_expect_same(const struct writer *w, struct hearsay_bytes in, size_t head);

#endif
