/* SPDX-License-Identifier: MIT
 *
 * An inspection from inside: inspect.c talks to a node with it, dissect.c takes datagrams apart.
 */
#ifndef HEARSAY_NODE_INSPECTION_H
#define HEARSAY_NODE_INSPECTION_H

#include <hearsay/inspect.h>

#include "wire/stream.h"

/* One member of the answer. */
struct told {
    uint32_t offset; /* of its map in the body */
    uint32_t name;   /* where its name begins in `names` */
    uint8_t status;
    uint64_t ltime;
};

struct hearsay_inspection {
    struct hearsay_allocator memory;
    struct envelope envelope;
    struct stream_reader reader;
    struct buffer out, scratch[2];
    struct buffer names; /* NUL-terminated, one after the other */
    struct told *entries;
    struct hearsay_bytes user_state; /* in the body */
    enum hearsay_inspect_status status;
    struct hearsay_inspect_facts facts;
    uint64_t clock_ms; /* of the last ack */
    char text[256];
};

#endif
