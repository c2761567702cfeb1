/* SPDX-License-Identifier: MIT
 *
 * LZW as Go's compress/lzw writes it: least significant bit first, literal width 8, codes of 9 to 12 bits. The encoder is
 * byte-identical to Go 1.19's.
 */
#ifndef HEARSAY_WIRE_LZW_H
#define HEARSAY_WIRE_LZW_H

#include "base/memory.h"

/* Appends the compressed form of in. False when memory is out. */
bool lzw_compress(struct hearsay_bytes in, struct buffer *out);
enum lzw_result { LZW_OK, LZW_BROKEN, LZW_TOO_LARGE, LZW_NO_MEMORY };
/* Appends the original, at most limit bytes of it. */
enum lzw_result lzw_decompress(struct hearsay_bytes in, size_t limit, struct buffer *out);

#endif
