/* SPDX-License-Identifier: MIT
 *
 * AES-GCM by nettle for the node's cipher. Expanding a key costs more than sealing a packet, so the last few stay expanded. It knows
 * nothing of keyrings or envelopes.
 *
 * Nonces come straight from getrandom: a buffer of them would be used twice by a process that forks, and a repeated nonce gives
 * AES-GCM's key away. Random nonces are good for 2^32 packets per key; rotate keys long before.
 */
#include <hearsay/hearsay_uv.h>

#include <errno.h>
#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define KEYS_EXPANDED 4

struct expanded {
    uint8_t key[32];
    size_t size;
    uint64_t used_at;
    union {
        struct gcm_aes128_ctx aes128;
        struct gcm_aes192_ctx aes192;
        struct gcm_aes256_ctx aes256;
    };
};

struct cipher_nettle {
    struct expanded *keys[KEYS_EXPANDED]; /* allocated when first needed: 4 KiB each */
    uint64_t uses;
};

static void expand(struct expanded *e, struct hearsay_bytes key)
{
    explicit_bzero(e, sizeof *e);
    memcpy(e->key, key.data, key.size);
    e->size = key.size;
    switch (key.size) {
    case 16: gcm_aes128_set_key(&e->aes128, key.data); break;
    case 24: gcm_aes192_set_key(&e->aes192, key.data); break;
    default: gcm_aes256_set_key(&e->aes256, key.data); break;
    }
}

/* NULL when memory is out or the key has an impossible size. */
static struct expanded *find(struct cipher_nettle *c, struct hearsay_bytes key)
{
    size_t oldest = 0;
    for (size_t i = 0; i < KEYS_EXPANDED; i++) {
        struct expanded *e = c->keys[i];
        if (e == NULL) {
            oldest = i;
            break;
        }
        if (e->size == key.size && memeql_sec(e->key, key.data, key.size)) {
            e->used_at = ++c->uses;
            return e;
        }
        if (e->used_at < c->keys[oldest]->used_at) {
            oldest = i;
        }
    }
    if (key.size != 16 && key.size != 24 && key.size != 32) {
        return NULL;
    }
    if (c->keys[oldest] == NULL && (c->keys[oldest] = malloc(sizeof(struct expanded))) == NULL) {
        return NULL;
    }
    expand(c->keys[oldest], key);
    c->keys[oldest]->used_at = ++c->uses;
    return c->keys[oldest];
}

/* aad is one piece, so its length needs no rounding to blocks. */
#define CRYPT(bits, verb) \
    do { \
        gcm_aes##bits##_set_iv(&e->aes##bits, GCM_IV_SIZE, nonce); \
        gcm_aes##bits##_update(&e->aes##bits, aad.size, aad.data); \
        gcm_aes##bits##_##verb(&e->aes##bits, size, out, in); \
        gcm_aes##bits##_digest(&e->aes##bits, GCM_DIGEST_SIZE, digest); \
    } while (0)

static void encrypt(struct expanded *e, const uint8_t *nonce, struct hearsay_bytes aad, size_t size, const uint8_t *in, uint8_t *out,
                    uint8_t *digest)
{
    switch (e->size) {
    case 16: CRYPT(128, encrypt); break;
    case 24: CRYPT(192, encrypt); break;
    default: CRYPT(256, encrypt); break;
    }
}

static void decrypt(struct expanded *e, const uint8_t *nonce, struct hearsay_bytes aad, size_t size, const uint8_t *in, uint8_t *out,
                    uint8_t *digest)
{
    switch (e->size) {
    case 16: CRYPT(128, decrypt); break;
    case 24: CRYPT(192, decrypt); break;
    default: CRYPT(256, decrypt); break;
    }
}

static void seal(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, struct hearsay_bytes plain,
                 uint8_t *out)
{
    struct expanded *e = find(context, key);
    if (e == NULL) { /* nobody can open zeros, so the packet is lost, not told in the clear */
        memset(out, 0, plain.size + GCM_DIGEST_SIZE);
        return;
    }
    encrypt(e, nonce, aad, plain.size, plain.data, out, out + plain.size);
}

static bool open_sealed(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                        struct hearsay_bytes sealed, uint8_t *out)
{
    uint8_t digest[GCM_DIGEST_SIZE];
    struct expanded *e = find(context, key);
    if (e == NULL || sealed.size < GCM_DIGEST_SIZE) {
        return false;
    }
    size_t size = sealed.size - GCM_DIGEST_SIZE;
    decrypt(e, nonce, aad, size, sealed.data, out, digest);
    return memeql_sec(digest, sealed.data + size, GCM_DIGEST_SIZE);
}

static void draw_nonce(void *context, uint8_t out[12])
{
    (void)context;
    while (getrandom(out, 12, 0) != 12) {
        if (errno != EINTR) { /* without chance there is no secrecy left to keep */
            abort();
        }
    }
}

bool hearsay_cipher_nettle(struct hearsay_cipher *cipher)
{
    struct cipher_nettle *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return false;
    }
    *cipher = (struct hearsay_cipher){.context = c, .seal = seal, .open = open_sealed, .nonce = draw_nonce};
    return true;
}

void hearsay_cipher_nettle_free(struct hearsay_cipher *cipher)
{
    struct cipher_nettle *c = cipher->context;
    for (size_t i = 0; c != NULL && i < KEYS_EXPANDED; i++) {
        if (c->keys[i] != NULL) {
            explicit_bzero(c->keys[i], sizeof *c->keys[i]);
            free(c->keys[i]);
        }
    }
    free(c);
    *cipher = (struct hearsay_cipher){.context = NULL};
}
