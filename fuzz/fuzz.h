/* SPDX-License-Identifier: MIT
 *
 * What every fuzz target has: libFuzzer's entry, a check that stops the program, and a keyed envelope whose first bytes of input choose
 * its settings.
 */
#ifndef HEARSAY_FUZZ_FUZZ_H
#define HEARSAY_FUZZ_FUZZ_H

#include "../tests/lib/cipher_nettle.h"
#include "wire/envelope.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition) ((condition) ? (void)0 : abort())

/* Bits of the first byte of input: which settings the envelope has. */
enum {
    FUZZ_KEY = 1,
    FUZZ_LABEL = 2,
    FUZZ_VERSION_0 = 4,
    FUZZ_LAX = 8, /* plaintext is taken */
    FUZZ_SKIP_LABEL = 16,
    FUZZ_COMPRESS = 32,
    FUZZ_CRC = 64,
    FUZZ_INBOUND = 128
};
void fuzz_envelope(struct envelope *e, struct cipher_nettle *cipher, uint8_t settings);

#endif
