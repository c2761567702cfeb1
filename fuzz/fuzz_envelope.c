/* SPDX-License-Identifier: MIT
 *
 * Blocks and compressed messages: any bytes are opened; what we seal or compress opens again, and not once a bit is flipped.
 */
#include "fuzz.h"

#include <string.h>

static void open_anything(const struct envelope *e, struct hearsay_bytes in, struct buffer *out)
{
    buffer_clear(out);
    enum envelope_fault fault = envelope_open(e, bytes_of(e->label, e->label_size), in, out, NULL);
    FUZZ_CHECK(fault == ENVELOPE_OK || (fault == ENVELOPE_CIPHER && out->size == 0));
    buffer_clear(out);
    fault = envelope_decompress(in, 65536, out);
    FUZZ_CHECK(fault == ENVELOPE_OK ? out->size > 0 && out->size <= 65536 : fault == ENVELOPE_LZW && out->size == 0);
}

static void seal_and_open(const struct envelope *e, struct hearsay_bytes in, struct buffer *sealed, struct buffer *out)
{
    struct hearsay_bytes label = bytes_of(e->label, e->label_size);
    size_t key = 9;
    buffer_clear(sealed);
    buffer_clear(out);
    FUZZ_CHECK(envelope_seal(e, label, in, sealed));
    FUZZ_CHECK(sealed->size <= in.size + 45);
    FUZZ_CHECK(envelope_open(e, label, buffer_bytes(sealed), out, &key) == ENVELOPE_OK && key == 0);
    FUZZ_CHECK(bytes_equal(buffer_bytes(out), in));
    sealed->data[(in.size * 7) % sealed->size] ^= 0x40;
    buffer_clear(out);
    FUZZ_CHECK(envelope_open(e, label, buffer_bytes(sealed), out, NULL) == ENVELOPE_CIPHER && out->size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope e;
    struct cipher_nettle cipher;
    struct buffer sealed, out;
    if (size < 1) {
        return 0;
    }
    struct hearsay_bytes in = bytes_of(data + 1, size - 1);
    fuzz_envelope(&e, &cipher, data[0]);
    buffer_init(&sealed, &memory_system);
    buffer_init(&out, &memory_system);
    open_anything(&e, in, &out);
    if (e.key_count > 0) {
        seal_and_open(&e, in, &sealed, &out);
    }
    buffer_clear(&sealed);
    buffer_clear(&out);
    FUZZ_CHECK(envelope_compress(in, &sealed));
    enum envelope_fault fault = envelope_decompress(bytes_of(sealed.data + 1, sealed.size - 1), size, &out);
    FUZZ_CHECK(in.size == 0 ? fault == ENVELOPE_LZW : fault == ENVELOPE_OK && bytes_equal(buffer_bytes(&out), in));
    buffer_deinit(&sealed);
    buffer_deinit(&out);
    return 0;
}
