/* SPDX-License-Identifier: MIT
 *
 * nettle's AES-GCM behind the node's cipher: the test cases of McGrew and Viega's "The Galois/Counter Mode of Operation" (appendix B,
 * cases 4, 10 and 16), what was tampered with, and more keys than stay expanded.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return size;
}

static const char *const plain_hex = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const char *const aad_hex = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char *const key_hex = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

static const struct {
    size_t key_size;
    const char *sealed;
} cases[] = {
    {16, "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
         "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
    {24, "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
         "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda27102519498e80f1478f37ba55bd6d27618c"},
    {32, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
         "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

static void the_published_cases_come_out(void **state)
{
    (void)state;
    struct hearsay_cipher cipher;
    uint8_t key[32], nonce[12], aad[20], plain[60], sealed[76], out[76];
    assert_true(hearsay_cipher_nettle(&cipher));
    unhex(key_hex, key);
    unhex("cafebabefacedbaddecaf888", nonce);
    unhex(plain_hex, plain);
    unhex(aad_hex, aad);
    for (size_t i = 0; i < 3; i++) {
        struct hearsay_bytes with = {key, cases[i].key_size}, extra = {aad, sizeof aad};
        assert_int_equal(unhex(cases[i].sealed, sealed), sizeof sealed);
        cipher.seal(cipher.context, with, nonce, extra, (struct hearsay_bytes){plain, sizeof plain}, out);
        assert_memory_equal(out, sealed, sizeof sealed);
        assert_true(cipher.open(cipher.context, with, nonce, extra, (struct hearsay_bytes){sealed, sizeof sealed}, out));
        assert_memory_equal(out, plain, sizeof plain);
        for (size_t at = 0; at < sizeof sealed; at += 15) {
            sealed[at] ^= 1;
            assert_false(cipher.open(cipher.context, with, nonce, extra, (struct hearsay_bytes){sealed, sizeof sealed}, out));
            sealed[at] ^= 1;
        }
        extra.size--;
        assert_false(cipher.open(cipher.context, with, nonce, extra, (struct hearsay_bytes){sealed, sizeof sealed}, out));
    }
    hearsay_cipher_nettle_free(&cipher);
}

static void more_keys_than_stay_expanded_work(void **state)
{
    (void)state;
    struct hearsay_cipher cipher;
    uint8_t sealed[16][20], out[4];
    assert_true(hearsay_cipher_nettle(&cipher));
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 16; i++) {
            uint8_t key[32] = {(uint8_t)i}, nonce[12] = {0};
            struct hearsay_bytes with = {key, 16 + 8 * (i % 3)}, none = {NULL, 0};
            if (round == 0) {
                cipher.seal(cipher.context, with, nonce, none, (struct hearsay_bytes){(const uint8_t *)"word", 4}, sealed[i]);
            } else {
                assert_true(cipher.open(cipher.context, with, nonce, none, (struct hearsay_bytes){sealed[i], 20}, out));
                assert_memory_equal(out, "word", 4);
            }
        }
    }
    hearsay_cipher_nettle_free(&cipher);
}

static void nonces_differ(void **state)
{
    (void)state;
    struct hearsay_cipher cipher;
    uint8_t nonces[64][12];
    assert_true(hearsay_cipher_nettle(&cipher));
    for (size_t i = 0; i < 64; i++) {
        cipher.nonce(cipher.context, nonces[i]);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(nonces[i], nonces[j], 12);
        }
    }
    hearsay_cipher_nettle_free(&cipher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_cases_come_out),
        cmocka_unit_test(more_keys_than_stay_expanded_work),
        cmocka_unit_test(nonces_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
