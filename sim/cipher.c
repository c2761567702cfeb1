/* SPDX-License-Identifier: MIT
 *
 * See cipher.h: XOR with a stream made from key and nonce, and a tag of two hashes over everything.
 */
#include "sim/cipher.h"

#include "base/bytes.h"
#include "base/rng.h"

static uint64_t seed_of(struct hearsay_bytes key, const uint8_t nonce[12])
{
    return bytes_hash(bytes_of(nonce, 12), bytes_hash(key, 1));
}

static void apply(uint64_t seed, struct hearsay_bytes in, uint8_t *out)
{
    struct rng stream;
    rng_init(&stream, seed);
    uint64_t word = 0;
    for (size_t i = 0; i < in.size; i++) {
        word = i % 8 == 0 ? rng_next(&stream) : word >> 8;
        out[i] = (uint8_t)(in.data[i] ^ (uint8_t)word);
    }
}

static void tag_of(uint64_t seed, struct hearsay_bytes aad, struct hearsay_bytes sealed, uint8_t tag[16])
{
    uint64_t h = bytes_hash(sealed, bytes_hash(aad, seed));
    bytes_put_u64(tag, h);
    bytes_put_u64(tag + 8, bytes_hash(bytes_of(tag, 8), seed));
}

static void seal(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                 struct hearsay_bytes plain, uint8_t *out)
{
    (void)context;
    uint64_t seed = seed_of(key, nonce);
    apply(seed, plain, out);
    tag_of(seed, aad, bytes_of(out, plain.size), out + plain.size);
}

static bool open_sealed(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                        struct hearsay_bytes sealed, uint8_t *out)
{
    (void)context;
    if (sealed.size < 16) {
        return false;
    }
    uint64_t seed = seed_of(key, nonce);
    struct hearsay_bytes text = bytes_of(sealed.data, sealed.size - 16);
    uint8_t tag[16];
    tag_of(seed, aad, text, tag);
    if (memcmp(tag, sealed.data + text.size, sizeof tag) != 0) {
        return false;
    }
    apply(seed, text, out);
    return true;
}

static void next_nonce(void *context, uint8_t out[12])
{
    uint64_t *count = context;
    bytes_put_u32(out, 0x746f7921); /* "toy!" */
    bytes_put_u64(out + 4, ++*count);
}

struct hearsay_cipher cipher_toy(uint64_t *nonces)
{
    return (struct hearsay_cipher){.context = nonces, .seal = seal, .open = open_sealed, .nonce = next_nonce};
}
