/* SPDX-License-Identifier: MIT
 *
 * Standard base64 with padding.
 */
#ifndef HEARSAY_CLI_BASE64_H
#define HEARSAY_CLI_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* text has room for 4 * ((size + 2) / 3) + 1 bytes. */
void base64_encode(char *text, const uint8_t *data, size_t size);
/* Answers the number of bytes, or -1 when text is none or longer than capacity. */
int base64_decode(const char *text, uint8_t *data, size_t capacity);

#endif
