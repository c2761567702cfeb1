/* SPDX-License-Identifier: MIT
 *
 * The dialect of msgpack that memberlist, Serf and Serf's RPC speak: a bounded cursor codec without allocation.
 * Gossip emits the old raw family for strings and bytes alike (never str8 or bin); RPC emits str8 and bin (`is_new`).
 * Reading accepts every form either codec ever emitted; a wrong form or an overrun sets is_bad on the reader. Reference:
 * go-msgpack 0.5.5 with WriteExt off (gossip) and on (RPC).
 */
#ifndef HEARSAY_WIRE_MSGPACK_H
#define HEARSAY_WIRE_MSGPACK_H

#include "base/cursor.h"

void msgpack_put_map(struct writer *w, uint32_t count);
void msgpack_put_array(struct writer *w, uint32_t count);
void msgpack_put_nil(struct writer *w);
void msgpack_put_bool(struct writer *w, bool v);
void msgpack_put_uint(struct writer *w, uint64_t v);
void msgpack_put_int(struct writer *w, int64_t v); /* old codec: non-negative as unsigned */
void msgpack_put_double(struct writer *w, double v);
void msgpack_put_raw(struct writer *w, struct hearsay_bytes v);        /* a0.. da db */
void msgpack_put_raw_or_nil(struct writer *w, struct hearsay_bytes v); /* nil when data is NULL */
/* raw of a C string; inline, so that the names of fields cost no measuring */
static inline void msgpack_put_text(struct writer *w, const char *v)
{
    size_t size = strlen(v);
    if (size < 32) {
        writer_u8(w, (uint8_t)(0xa0 | size));
        writer_put(w, v, size);
    } else {
        msgpack_put_raw(w, bytes_of(v, size));
    }
}
void msgpack_put_address(struct writer *w, const struct hearsay_address *v); /* raw without the port; nil when size is 0 */
void msgpack_put_str(struct writer *w, struct hearsay_bytes v);        /* RPC: a0.. d9 da db */
void msgpack_put_bin(struct writer *w, struct hearsay_bytes v);        /* RPC: c4 c5 c6; nil when data is NULL */

/* nil counts as an empty map or array. */
uint32_t msgpack_get_map(struct reader *r);
uint32_t msgpack_get_array(struct reader *r);
bool msgpack_get_bool(struct reader *r);          /* c2 c3, also 00 01, nil = false */
uint64_t msgpack_get_long_uint(struct reader *r, uint64_t most);
/* any integer form; negative or above most is bad; nil = 0 */
static inline uint64_t msgpack_get_uint(struct reader *r, uint64_t most)
{
    bool is_short = reader_left(r) > 0 && *r->at < 0x80 && *r->at <= most;
    return is_short ? *r->at++ : msgpack_get_long_uint(r, most);
}
int64_t msgpack_get_int(struct reader *r);        /* any integer form that fits; nil = 0 */
double msgpack_get_double(struct reader *r);      /* ca, cb or an integer; nil = 0 */
struct hearsay_bytes msgpack_get_long_raw(struct reader *r);
/* any string or binary form; nil = {NULL, 0}; "" has data != NULL */
static inline struct hearsay_bytes msgpack_get_raw(struct reader *r)
{
    size_t left = reader_left(r);
    if (left > 0 && (*r->at & 0xe0) == 0xa0 && (*r->at & 31u) < left) { /* names of fields and most others */
        struct hearsay_bytes raw = bytes_of(r->at + 1, *r->at & 31u);
        r->at += 1 + raw.size;
        return raw;
    }
    return msgpack_get_long_raw(r);
}
void msgpack_get_address(struct reader *r, struct hearsay_address *out); /* raw of 0, 4 or 16 bytes; leaves the port alone */
bool msgpack_peek_nil(const struct reader *r);
/* Skips one value of any kind, nested at most 16 deep; cost is bounded by the bytes left. */
void msgpack_skip(struct reader *r);
/* Walks over whole values whose bytes arrive piece by piece: what was walked over is never looked at again. */
struct msgpack_scan {
    uint64_t left[17]; /* values still to come, per level of nesting */
    unsigned depth;
};
enum msgpack_scanned { MSGPACK_SCAN_MORE, MSGPACK_SCAN_DONE, MSGPACK_SCAN_BAD };
void msgpack_scan_init(struct msgpack_scan *scan, uint64_t values);
/* Moves r past what is there of the values. MORE: call again with a reader that starts where this one stopped. */
enum msgpack_scanned msgpack_scan_run(struct msgpack_scan *scan, struct reader *r);

/* True when the bytes are this text. */
static inline bool msgpack_is(struct hearsay_bytes raw, const char *text)
{
    return bytes_equal(raw, bytes_of_string(text));
}

#endif
