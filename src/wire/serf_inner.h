/* SPDX-License-Identifier: MIT
 *
 * What Serf's internal queries carry: requests about keys and their answers, and who a disputed name is. Each starts with its own type byte,
 * but for the question about a name, which is the name. Reference: serf messages.go, internal_query.go.
 */
#ifndef HEARSAY_WIRE_SERF_INNER_H
#define HEARSAY_WIRE_SERF_INNER_H

#include "base/cursor.h"

/* Names of internal queries begin so; users never see them. */
#define SERF_INNER_PREFIX "_serf_"

/* 07 {Key}: raw bytes; none when the list of keys is asked for. */
void serf_inner_put_key_request(struct writer *w, struct hearsay_bytes key);
bool serf_inner_read_key_request(struct hearsay_bytes in, struct hearsay_bytes *key);

/* 08 {Keys, Message, PrimaryKey, Result} */
struct serf_inner_keys {
    bool is_ok;
    struct hearsay_bytes message; /* what went wrong */
    struct reader keys;           /* at the array of base64 texts, checked */
    struct hearsay_bytes primary; /* base64 */
};
/* key_count 0 with keys NULL: no list was asked for. The first key is the primary one. */
void serf_inner_put_keys(struct writer *w, bool is_ok, const char *message, const struct hearsay_key *keys, size_t key_count);
bool serf_inner_read_keys(struct hearsay_bytes in, struct serf_inner_keys *out);
/* base64 of 16, 24 or 32 bytes. */
bool serf_inner_parse_key(struct hearsay_bytes base64, struct hearsay_key *key);

/* 06 {Addr, …, Status, Tags}; member NULL: unknown, 06 nil. */
void serf_inner_put_conflict(struct writer *w, const struct hearsay_member *member);
/* Does an answer say that the disputed name is at this address? */
bool serf_inner_agrees(struct hearsay_bytes in, const struct hearsay_address *address);

#endif
