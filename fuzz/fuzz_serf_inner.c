/* SPDX-License-Identifier: MIT
 *
 * Payloads of Serf's internal queries: any bytes are read without harm, and a keyring asked with them answers within its limit and stays one.
 */
#include "fuzz.h"

#include "serf/keyring.h"
#include "wire/serf_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"_serf_list-keys", "_serf_install-key", "_serf_use-key", "_serf_remove-key"};
    struct hearsay_address address = {.size = 4};
    struct serf_inner_keys keys;
    struct keyring ring;
    struct envelope envelope;
    struct cipher_nettle cipher;
    uint8_t out[4096];
    bool is_changed;
    if (size < 1) {
        return 0;
    }
    struct hearsay_bytes bytes = bytes_of(data + 1, size - 1);
    (void)serf_inner_agrees(bytes, &address);
    FUZZ_CHECK(!serf_inner_read_keys(bytes, &keys) || reader_left(&keys.keys) <= size);
    fuzz_envelope(&envelope, &cipher, FUZZ_KEY);
    keyring_init(&ring, &envelope);
    for (int i = 0; i < 4; i++) {
        struct writer w = writer_of(out, sizeof out);
        size_t limit = 64 + data[0] * 2u;
        FUZZ_CHECK(keyring_answer(&ring, bytes_of_string(names[(i + data[0]) % 4]), bytes, limit, &w, &is_changed));
        FUZZ_CHECK(w.is_full || serf_inner_read_keys(writer_bytes(&w), &keys));
        FUZZ_CHECK(envelope.key_count >= 1 && envelope.key_count <= HEARSAY_KEYS_MAX);
    }
    FUZZ_CHECK(!keyring_answer(&ring, bytes_of_string("_serf_ping"), bytes, 1000, &(struct writer){0}, &is_changed));
    return 0;
}
