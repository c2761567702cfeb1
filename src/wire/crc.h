/* SPDX-License-Identifier: MIT
 *
 * CRC-32 with the IEEE polynomial, as zlib and Go's hash/crc32.
 */
#ifndef HEARSAY_WIRE_CRC_H
#define HEARSAY_WIRE_CRC_H

#include "base/bytes.h"

uint32_t crc_of(struct hearsay_bytes in);

#endif
