/* SPDX-License-Identifier: MIT
 *
 * Reads the body of an RPC request key by key: for each key of the map, the reader stands at its value. What a command does not know it
 * skips; what makes no sense sticks in the reader, to be asked once at the end.
 */
#ifndef HEARSAY_AGENT_FIELDS_H
#define HEARSAY_AGENT_FIELDS_H

#include "agent/text.h"
#include "wire/msgpack.h"

/* while (fields_next(&f)) … */
struct fields {
    struct reader r;
    uint32_t left;
    struct hearsay_bytes key;
};

static inline struct fields fields_of(struct hearsay_bytes body)
{
    struct fields f = {.r = reader_of(body)};
    f.left = msgpack_get_map(&f.r);
    return f;
}

static inline bool fields_next(struct fields *f)
{
    if (f->left == 0 || f->r.is_bad) {
        return false;
    }
    f->left--;
    f->key = msgpack_get_raw(&f->r);
    return !f->r.is_bad;
}

/* A string with a NUL behind it, to be freed. */
static inline char *fields_string(struct hearsay_bytes bytes)
{
    return must(strndup(bytes.size == 0 ? "" : (const char *)bytes.data, bytes.size));
}

#endif
