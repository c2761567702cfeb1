/* SPDX-License-Identifier: MIT
 *
 * Text that grows, and the spellings the agent writes: JSON strings and base64. It knows no files and no meaning.
 * Memory that runs out ends the agent (must): these texts are small and bounded by their writers.
 */
#ifndef HEARSAY_AGENT_TEXT_H
#define HEARSAY_AGENT_TEXT_H

#include <hearsay/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* p, or the end of the process with one line. */
static inline void *must(void *p)
{
    if (p == NULL) {
        fputs("hearsay agent: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

struct text {
    char *data; /* always NUL-terminated once something was put */
    size_t size, capacity;
};

void text_deinit(struct text *t);
static inline void text_clear(struct text *t)
{
    t->size = 0;
}
/* Forgets content; gives memory back when much was held. */
void text_shrink(struct text *t);
void text_put(struct text *t, const void *data, size_t size);
void text_puts(struct text *t, const char *string);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "…" in JSON: control bytes escaped, bytes that are not UTF-8 become U+FFFD. */
void text_json(struct text *t, struct hearsay_bytes string);
void text_json_c(struct text *t, const char *string);
bool text_is_utf8(struct hearsay_bytes string);
void text_base64(struct text *t, struct hearsay_bytes bytes);
/* Standard base64 with padding. Answers the number of bytes, or -1 if it is none or longer than capacity. */
int text_base64_decode(const char *string, uint8_t *out, size_t capacity);
/* The numeric address without its port; v4-mapped is written as IPv4. At most 46 bytes, NUL included. */
void text_ip(const struct hearsay_address *address, char out[46]);
/* "127.0.0.1:7946", "[::1]:7946". At most 56 bytes, NUL included. */
void text_place(const struct hearsay_address *address, char out[56]);
/* Is candidate more similar to word than all before it, and similar at all? *best keeps the score; start with UINT32_MAX. */
bool text_is_nearer(const char *word, const char *candidate, uint32_t *best);

#endif
