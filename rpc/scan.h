/* SPDX-License-Identifier: MIT
 *
 * Where one msgpack object ends in bytes that arrive piece by piece. It remembers how far it came, so that a request fed byte
 * by byte costs no more than one fed at once. It judges nothing but the shape.
 */
#ifndef HEARSAY_RPC_SCAN_H
#define HEARSAY_RPC_SCAN_H

#include <hearsay/types.h>

#define SCAN_DEPTH 16

struct scan {
    size_t at; /* everything before is understood */
    uint32_t left[SCAN_DEPTH]; /* values missing per level */
    uint32_t depth;            /* 0 = not begun, else levels in use */
};

enum scan_result { SCAN_MORE, SCAN_DONE, SCAN_BAD };

/* Looks at data[scan->at..size). DONE: an object ends at scan->at; the next call begins the next one. BAD: not msgpack, nested
 * too deep, or some length above most. */
enum scan_result scan_object(struct scan *scan, const uint8_t *data, size_t size, size_t most);

#endif
