/* SPDX-License-Identifier: MIT
 *
 * See plain.h.
 */
#include "cli/plain.h"

#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* Bytes of the character that begins at p, 0 when there is none (RFC 3629: no long forms, no surrogates, at most U+10FFFF). */
static size_t character(const uint8_t *p, size_t left)
{
    if (p[0] > 0 && p[0] < 0x80) {
        return 1;
    }
    size_t size = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (size == 0 || left < size) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_bad = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
                  (p[0] == 0xf4 && p[1] > 0x8f);
    return is_bad ? 0 : size;
}

void plain_into(char *out, size_t size, struct hearsay_bytes bytes)
{
    size_t used = 0;
    for (size_t at = 0; at < bytes.size;) {
        size_t length = character(bytes.data + at, bytes.size - at);
        const void *from = length == 0 ? (const void *)replacement : bytes.data + at;
        size_t needed = length == 0 ? 3 : length;
        if (size - used <= needed) {
            break;
        }
        memcpy(out + used, from, needed);
        used += needed;
        at += length == 0 ? 1 : length;
    }
    out[used] = 0;
}

char *plain_copy(struct hearsay_bytes bytes)
{
    size_t size = bytes.size * 3 + 1;
    char *text = malloc(size);
    if (text != NULL) {
        plain_into(text, size, bytes);
    }
    return text;
}

static void tame(char *text, const char *allowed)
{
    for (uint8_t *p = (uint8_t *)text; *p != 0; p++) {
        bool is_c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0; /* U+0080..U+009F steer terminals too */
        if (strchr(allowed, *p) != NULL) {
            continue;
        }
        if (*p < 0x20 || *p == 0x7f || is_c1) {
            *p = '?';
            p[1] = is_c1 ? '?' : p[1];
        }
    }
}

void plain_tame(char *text)
{
    tame(text, "");
}

void plain_tame_lines(char *text)
{
    tame(text, "\n\t");
}
