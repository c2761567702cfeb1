/* SPDX-License-Identifier: MIT
 *
 * Payloads of Serf's internal queries: captured bytes are read and written again, and whatever is cut or changed does no harm.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wire/msgpack.h"
#include "wire/serf_inner.h"

/* From udp-plain.json, udp-053, -073, -074 and udp-encrypted.json, udpenc-029. */
static const char request_hex[] = "0781a34b6579b0000102030405060708090a0b0c0d0e0f";
static const char refusal_hex[] =
    "0884a44b657973c0a74d657373616765da00294b657972696e6720697320656d7074792028656e6372797074696f6e206e6f7420656e61"
    "626c656429aa5072696d6172794b6579a0a6526573756c74c2";
static const char conflict_hex[] =
    "068ba441646472a47f00000dab44656c656761746543757205ab44656c65676174654d617805ab44656c65676174654d696e02a44e616d"
    "65a26e33a4506f7274cd1f0aab50726f746f636f6c43757202ab50726f746f636f6c4d617805ab50726f746f636f6c4d696e01a6537461"
    "74757301a45461677380";

static struct hearsay_bytes hex(const char *text, uint8_t *room)
{
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned high = (unsigned)(text[2 * i] <= '9' ? text[2 * i] - '0' : text[2 * i] - 'a' + 10);
        unsigned low = (unsigned)(text[2 * i + 1] <= '9' ? text[2 * i + 1] - '0' : text[2 * i + 1] - 'a' + 10);
        room[i] = (uint8_t)(high << 4 | low);
    }
    return bytes_of(room, size);
}

static void requests_are_serfs(void **state)
{
    uint8_t room[256], out[256];
    struct hearsay_bytes bytes = hex(request_hex, room), key;
    (void)state;
    assert_true(serf_inner_read_key_request(bytes, &key));
    assert_int_equal(key.size, 16);
    struct writer w = writer_of(out, sizeof out);
    serf_inner_put_key_request(&w, key);
    assert_true(bytes_equal(writer_bytes(&w), bytes));
    for (size_t size = 0; size < bytes.size; size++) {
        assert_false(serf_inner_read_key_request(bytes_of(bytes.data, size), &key));
    }
}

static void answers_about_keys_are_serfs(void **state)
{
    uint8_t room[256], out[256];
    struct hearsay_bytes bytes = hex(refusal_hex, room);
    struct serf_inner_keys keys;
    (void)state;
    assert_true(serf_inner_read_keys(bytes, &keys));
    assert_false(keys.is_ok);
    assert_true(msgpack_is(keys.message, "Keyring is empty (encryption not enabled)"));
    struct writer w = writer_of(out, sizeof out);
    serf_inner_put_keys(&w, false, "Keyring is empty (encryption not enabled)", NULL, 0);
    assert_true(bytes_equal(writer_bytes(&w), bytes));
}

static void lists_of_keys_come_back(void **state)
{
    uint8_t out[512];
    struct hearsay_key held[3] = {{.size = 16}, {.size = 24}, {.size = 32}}, key;
    struct serf_inner_keys keys;
    (void)state;
    for (int i = 0; i < 3; i++) {
        for (uint8_t k = 0; k < held[i].size; k++) {
            held[i].bytes[k] = (uint8_t)(k * 37 + i * 11);
        }
    }
    struct writer w = writer_of(out, sizeof out);
    serf_inner_put_keys(&w, true, "", held, 3);
    assert_true(serf_inner_read_keys(writer_bytes(&w), &keys));
    assert_true(keys.is_ok);
    assert_int_equal(msgpack_get_array(&keys.keys), 3);
    for (int i = 0; i < 3; i++) {
        assert_true(serf_inner_parse_key(msgpack_get_raw(&keys.keys), &key));
        assert_int_equal(key.size, held[i].size);
        assert_memory_equal(key.bytes, held[i].bytes, key.size);
    }
    assert_true(serf_inner_parse_key(keys.primary, &key));
    assert_int_equal(key.size, 16);
    static const char *const bad[] = {"", "AAAA", "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0OD===", "AAECAwQFBgcI!QoLDA0ODw=="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(serf_inner_parse_key(bytes_of_string(bad[i]), &key));
    }
}

static void answers_about_names_are_serfs(void **state)
{
    uint8_t room[256], out[256];
    static const uint8_t no_tags[] = {0xff, 0x80};
    struct hearsay_bytes bytes = hex(conflict_hex, room);
    struct hearsay_member member = {.name = "n3", .address = {.bytes = {127, 0, 0, 13}, .port = 7946, .size = 4}, .meta = {no_tags, 2},
                                    .versions = {1, 5, 2, 2, 5, 5}, .status = HEARSAY_SUSPECT}; /* which Serf calls alive */
    struct hearsay_address other = member.address;
    (void)state;
    struct writer w = writer_of(out, sizeof out);
    serf_inner_put_conflict(&w, &member);
    assert_true(bytes_equal(writer_bytes(&w), bytes));
    assert_true(serf_inner_agrees(bytes, &member.address));
    other.port = 7947;
    assert_false(serf_inner_agrees(bytes, &other));
    w = writer_of(out, sizeof out);
    serf_inner_put_conflict(&w, NULL);
    assert_int_equal(w.size, 2);
    assert_false(serf_inner_agrees(writer_bytes(&w), &member.address)); /* "06 c0": never heard of it */
    for (size_t size = 0; size < bytes.size; size++) {
        (void)serf_inner_agrees(bytes_of(bytes.data, size), &member.address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_are_serfs), cmocka_unit_test(answers_about_keys_are_serfs),
                                       cmocka_unit_test(lists_of_keys_come_back), cmocka_unit_test(answers_about_names_are_serfs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
