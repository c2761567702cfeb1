/* SPDX-License-Identifier: MIT
 *
 * See scan.h.
 */
#include "rpc/scan.h"

struct head {
    uint32_t head;     /* bytes before the content */
    uint64_t content;  /* bytes of a string or number */
    uint64_t children; /* values inside an array or map */
};

/* Bytes of the length or number that follow first; content and children as far as first alone tells. False: no such type. */
static bool look_up(uint8_t first, uint32_t *length_bytes, struct head *h)
{
    static const uint8_t kinds[32] = {
        /* c0 nil, c1 unused, c2 c3 bool, c4-c6 bin, c7-c9 ext, ca cb float, cc-cf uint, d0-d3 int, d4-d8 fixext, d9-db str, dc.. */
        0, 255, 0, 0, 101, 102, 104, 255, 255, 255, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 101, 102, 104, 112, 114, 122, 124};
    *h = (struct head){.head = 1};
    *length_bytes = 0;
    if (first < 0x80 || first >= 0xe0) {
        return true;
    }
    if (first < 0xa0) {
        h->children = (uint64_t)(first & 15) * (first < 0x90 ? 2 : 1);
        return true;
    }
    if (first < 0xc0) {
        h->content = first & 31;
        return true;
    }
    uint8_t kind = kinds[first - 0xc0];
    if (kind >= 100 && kind != 255) {
        *length_bytes = kind % 10;
    } else {
        h->content = kind;
    }
    return kind != 255;
}

/* 1: understood, 0: more bytes are needed, -1: bad. */
static int read_head(const uint8_t *p, size_t left, struct head *h)
{
    uint32_t length_bytes;
    uint64_t length = 0;
    if (left == 0) {
        return 0;
    }
    if (!look_up(p[0], &length_bytes, h)) {
        return -1;
    }
    if (length_bytes == 0) {
        return 1;
    }
    if (left < 1 + length_bytes) {
        return 0;
    }
    for (uint32_t i = 0; i < length_bytes; i++) {
        length = length << 8 | p[1 + i];
    }
    h->head += length_bytes;
    if (p[0] >= 0xde) {
        h->children = length * 2;
    } else if (p[0] >= 0xdc) {
        h->children = length;
    } else {
        h->content = length;
    }
    return 1;
}

enum scan_result scan_object(struct scan *scan, const uint8_t *data, size_t size, size_t most)
{
    if (scan->depth == 0) {
        scan->depth = 1;
        scan->left[0] = 1;
    }
    while (scan->depth > 0) {
        if (scan->left[scan->depth - 1] == 0) {
            scan->depth--;
            continue;
        }
        struct head h;
        int known = read_head(data + scan->at, size - scan->at, &h);
        if (known <= 0) {
            return known == 0 ? SCAN_MORE : SCAN_BAD;
        }
        if (h.content > most || h.children > most) {
            return SCAN_BAD;
        }
        if (size - scan->at - h.head < h.content) {
            return SCAN_MORE;
        }
        scan->at += h.head + (size_t)h.content;
        scan->left[scan->depth - 1]--;
        if (h.children > 0) {
            if (scan->depth == SCAN_DEPTH) {
                return SCAN_BAD;
            }
            scan->left[scan->depth++] = (uint32_t)h.children;
        }
    }
    return SCAN_DONE;
}
