/* SPDX-License-Identifier: MIT
 *
 * See cipher_nettle.h.
 */
#include "cipher_nettle.h"

#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <stdlib.h>

union context {
    struct gcm_aes128_ctx aes128;
    struct gcm_aes192_ctx aes192;
    struct gcm_aes256_ctx aes256;
};

#define RUN(bits, crypt)                                                     \
    do {                                                                     \
        gcm_aes##bits##_set_key(&c.aes##bits, key.data);                     \
        gcm_aes##bits##_set_iv(&c.aes##bits, 12, nonce);                     \
        gcm_aes##bits##_update(&c.aes##bits, aad.size, aad.data);            \
        gcm_aes##bits##_##crypt(&c.aes##bits, size, to, from);               \
        gcm_aes##bits##_digest(&c.aes##bits, 16, tag);                       \
    } while (0)

static void encrypt(struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, size_t size, uint8_t *to,
                    const uint8_t *from, uint8_t tag[16])
{
    union context c;
    switch (key.size) {
    case 16:
        RUN(128, encrypt);
        break;
    case 24:
        RUN(192, encrypt);
        break;
    case 32:
        RUN(256, encrypt);
        break;
    default:
        abort();
    }
}

static void decrypt(struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, size_t size, uint8_t *to,
                    const uint8_t *from, uint8_t tag[16])
{
    union context c;
    switch (key.size) {
    case 16:
        RUN(128, decrypt);
        break;
    case 24:
        RUN(192, decrypt);
        break;
    case 32:
        RUN(256, decrypt);
        break;
    default:
        abort();
    }
}

static void seal(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                 struct hearsay_bytes plain, uint8_t *out)
{
    (void)context;
    encrypt(key, nonce, aad, plain.size, out, plain.data, out + plain.size);
}

static bool open(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                 struct hearsay_bytes sealed, uint8_t *out)
{
    (void)context;
    uint8_t tag[16];
    size_t size = sealed.size - sizeof tag;
    decrypt(key, nonce, aad, size, out, sealed.data, tag);
    return memeql_sec(tag, sealed.data + size, sizeof tag) != 0;
}

static void next_nonce(void *context, uint8_t out[12])
{
    struct cipher_nettle *state = context;
    for (int i = 0; i < 12; i++) {
        out[i] = state->nonce[i];
    }
    for (int i = 11; i >= 0 && ++state->nonce[i] == 0; i--) {
    }
}

struct hearsay_cipher cipher_nettle_of(struct cipher_nettle *state)
{
    return (struct hearsay_cipher){state, seal, open, next_nonce};
}
