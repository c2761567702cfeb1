/* SPDX-License-Identifier: MIT
 *
 * AES-GCM by nettle for tests, with nonces that the test chooses. Not for the outside world: its nonces repeat.
 */
#ifndef HEARSAY_TESTS_CIPHER_NETTLE_H
#define HEARSAY_TESTS_CIPHER_NETTLE_H

#include <hearsay/types.h>

struct cipher_nettle {
    uint8_t nonce[12]; /* the next one; counted up after use */
};

/* The cipher borrows state. */
struct hearsay_cipher cipher_nettle_of(struct cipher_nettle *state);

#endif
