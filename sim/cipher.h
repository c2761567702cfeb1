/* SPDX-License-Identifier: MIT
 *
 * A toy in the place of AES-GCM, so that encrypted clusters run in a virtual world without a crypto library and byte for byte the
 * same every time. It hides nothing from anybody.
 */
#ifndef HEARSAY_SIM_CIPHER_H
#define HEARSAY_SIM_CIPHER_H

#include <hearsay/types.h>

/* nonces counts what was handed out; it must outlive every node that uses the cipher. */
struct hearsay_cipher cipher_toy(uint64_t *nonces);

#endif
