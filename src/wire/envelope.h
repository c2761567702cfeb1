/* SPDX-License-Identifier: MIT
 *
 * The settings that wrap packets and streams alike: label, keyring, compression. One envelope per node; packet.h and stream.h
 * apply it. AES-GCM blocks are version | nonce 12 | ciphertext | tag 16; version 0 pads to 16 bytes.
 */
#ifndef HEARSAY_WIRE_ENVELOPE_H
#define HEARSAY_WIRE_ENVELOPE_H

#include "base/memory.h"

struct envelope {
    const struct hearsay_allocator *memory;
    struct hearsay_cipher cipher;
    uint8_t label[HEARSAY_LABEL_MAX];
    uint8_t label_size;
    struct hearsay_key keys[HEARSAY_KEYS_MAX]; /* [0] encrypts */
    size_t key_count;
    uint64_t *sealed; /* counts what keys[0] seals; may be NULL */
    bool compression, verify_incoming, verify_outgoing, skip_label_check;
    uint8_t encryption_version;
};

/* What was wrong with bytes from the world. Order matches the drop_ counters of the node. */
enum envelope_fault {
    ENVELOPE_OK,
    ENVELOPE_LABEL,     /* another label, or a truncated one */
    ENVELOPE_PLAINTEXT, /* not encrypted although a key is set (with packets an informed guess) */
    ENVELOPE_CIPHER,    /* no key opens it, or encrypted without a keyring */
    ENVELOPE_CRC,
    ENVELOPE_LZW,       /* broken, empty or above the limit */
    ENVELOPE_NESTED,    /* an envelope where none may be */
    ENVELOPE_TRUNCATED,
    ENVELOPE_UNKNOWN_TYPE,
    ENVELOPE_MALFORMED, /* streams: a body that is no msgpack, or with impossible numbers */
    ENVELOPE_NO_MEMORY
};

/* Bytes that encryption and label add to a packet: 0, 29 or 45, plus 2 + label. */
size_t envelope_overhead(const struct envelope *e);
static inline bool envelope_encrypts(const struct envelope *e)
{
    return e->key_count > 0 && e->verify_outgoing;
}

/* Appends the encrypted block of plain to out. False when memory is out. */
bool envelope_seal(const struct envelope *e, struct hearsay_bytes aad, struct hearsay_bytes plain, struct buffer *out);
/* Appends the plaintext of block to out, trying all keys in order. *key_index (may be NULL) tells which one opened it. */
enum envelope_fault envelope_open(const struct envelope *e, struct hearsay_bytes aad, struct hearsay_bytes block, struct buffer *out,
                                  size_t *key_index);
/* Appends `09` + {Algo, Buf} of in to out. False when memory is out. */
bool envelope_compress(struct hearsay_bytes in, struct buffer *out);
/* in starts after the 09. Appends the decompressed bytes, at most limit of them. */
enum envelope_fault envelope_decompress(struct hearsay_bytes in, size_t limit, struct buffer *out);

#endif
