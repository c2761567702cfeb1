/* SPDX-License-Identifier: MIT
 *
 * The envelope a capture was made with: label, key and cipher of the vector, and the nonce the captured bytes carry, so that sealing
 * anew can give the very same bytes.
 */
#ifndef HEARSAY_TESTS_CAPTURE_H
#define HEARSAY_TESTS_CAPTURE_H

#include "vector.h"

#include "../lib/cipher_nettle.h"
#include "wire/envelope.h"

struct capture {
    struct envelope envelope;
    struct cipher_nettle cipher;
};

/* reading is the capture's reading of what one side sent: "label" and "encver" stand there. label NULL = none. */
void capture_init(struct capture *c, const json_t *vector, const json_t *reading, const char *label);
/* Highest code width of a compressed text, walked independently of the decoder. */
unsigned capture_max_width(struct hearsay_bytes lzw);
/* Compares lzw_len, plain_len and max_width with what `09 {Algo, Buf}` (complete, with the type byte) holds. */
void capture_compare_compression(struct hearsay_bytes compressed, const json_t *numbers);

#endif
