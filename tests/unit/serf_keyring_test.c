/* SPDX-License-Identifier: MIT
 *
 * The keyring: order, what is refused, what is counted beside each key, and answers that must fit (memberlist's keyring.go, Serf's
 * internal_query.go).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parts.h"
#include "serf/keyring.h"
#include "spread/outbox.h"
#include "wire/msgpack.h"
#include "wire/serf_inner.h"

#include <stdio.h>
#include <string.h>

static struct envelope envelope;
static struct keyring ring;

static void seal(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, struct hearsay_bytes plain,
                 uint8_t *out)
{
    (void)context;
    (void)key;
    (void)nonce;
    (void)aad;
    (void)plain;
    (void)out;
}

static bool open_sealed(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad, struct hearsay_bytes sealed,
                        uint8_t *out)
{
    (void)context;
    (void)key;
    (void)nonce;
    (void)aad;
    (void)sealed;
    (void)out;
    return false;
}

static void nonce(void *context, uint8_t out[12])
{
    (void)context;
    memset(out, 1, 12);
}

static struct hearsay_key key_of(uint8_t byte)
{
    struct hearsay_key key = {.size = 32};
    memset(key.bytes, byte, 32);
    return key;
}

static void begin(unsigned keys)
{
    envelope = (struct envelope){.cipher = {.seal = seal, .open = open_sealed, .nonce = nonce}};
    keyring_init(&ring, &envelope);
    for (unsigned i = 1; i <= keys; i++) {
        struct hearsay_key key = key_of((uint8_t)i);
        assert_int_equal(keyring_install(&ring, &key), HEARSAY_OK);
    }
}

static void expect_order(const char *bytes)
{
    assert_int_equal(envelope.key_count, strlen(bytes));
    for (size_t i = 0; i < envelope.key_count; i++) {
        assert_int_equal(envelope.keys[i].bytes[0], bytes[i] - '0');
    }
}

static void the_key_in_use_goes_first_and_the_others_keep_their_order(void **state)
{
    (void)state;
    struct hearsay_key three = key_of(3), one = key_of(1), nine = key_of(9), two = key_of(2);
    begin(4);
    ring.sealed[0] = 100;
    assert_int_equal(keyring_use(&ring, &three), HEARSAY_OK);
    expect_order("3124");
    assert_true(ring.sealed[0] == 0 && ring.sealed[1] == 100);
    assert_int_equal(keyring_use(&ring, &nine), HEARSAY_ERR_UNKNOWN_KEY);
    assert_int_equal(keyring_remove(&ring, &three), HEARSAY_ERR_PRIMARY_KEY);
    assert_int_equal(keyring_remove(&ring, &nine), HEARSAY_ERR_UNKNOWN_KEY);
    assert_int_equal(keyring_install(&ring, &two), HEARSAY_OK); /* it is there already */
    expect_order("3124");
    assert_int_equal(keyring_remove(&ring, &one), HEARSAY_OK);
    expect_order("324");
    assert_true(ring.sealed[1] == 0);
    assert_int_equal(keyring_use(&ring, &two), HEARSAY_OK);
    expect_order("234");
}

static void a_full_ring_takes_no_more_and_odd_sizes_never(void **state)
{
    (void)state;
    struct hearsay_key odd = {.size = 15}, more = key_of(99);
    begin(HEARSAY_KEYS_MAX);
    assert_int_equal(keyring_install(&ring, &more), HEARSAY_ERR_TOO_LARGE);
    assert_int_equal(keyring_install(&ring, &odd), HEARSAY_ERR_KEY);
    envelope.cipher.open = NULL;
    assert_int_equal(keyring_install(&ring, &more), HEARSAY_ERR_NO_CIPHER);
}

static void a_list_too_long_says_how_much_of_it_is_there(void **state)
{
    (void)state;
    uint8_t room[2048];
    struct serf_inner_keys keys;
    bool is_changed;
    begin(HEARSAY_KEYS_MAX);
    for (size_t limit = 0; limit < 1000; limit += 10) {
        struct writer w = writer_of(room, sizeof room);
        assert_true(keyring_answer(&ring, bytes_of_string("_serf_list-keys"), bytes_of(NULL, 0), limit, &w, &is_changed));
        assert_false(is_changed);
        if (w.is_full) {
            assert_true(limit < 250); /* not even one key */
            continue;
        }
        assert_true(w.size <= limit && serf_inner_read_keys(writer_bytes(&w), &keys) && keys.is_ok);
        uint32_t count = msgpack_get_array(&keys.keys);
        char wanted[80] = "";
        if (count < HEARSAY_KEYS_MAX) {
            snprintf(wanted, sizeof wanted, "truncated key list response, showing first %u of %u keys", count, HEARSAY_KEYS_MAX);
        }
        assert_true(msgpack_is(keys.message, wanted));
        assert_true(count == HEARSAY_KEYS_MAX || limit < 950);
    }
}

static void wear_is_told_at_the_mark_and_at_every_doubling(void **state)
{
    struct parts *p = *state;
    struct hearsay_output output;
    uint64_t told[8] = {0};
    unsigned count = 0;
    begin(1);
    p->options.key_messages_max = 1000;
    p->turn.population = 10;
    while (outbox_next(&p->outbox, &output)) {
    }
    for (ring.sealed[0] = 0; ring.sealed[0] < 500; ring.sealed[0]++) {
        keyring_look(&ring, &p->turn);
        while (outbox_next(&p->outbox, &output)) {
            assert_int_equal(output.event.type, HEARSAY_KEY_WORN);
            assert_true(count < 8);
            told[count++] = output.event.messages;
        }
    }
    assert_int_equal(count, 3); /* ten members: 1,000 and 2,000 and 4,000 messages of the cluster */
    assert_true(told[0] == 1000 && told[1] == 2000 && told[2] == 4000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(the_key_in_use_goes_first_and_the_others_keep_their_order),
                                       TEST(a_full_ring_takes_no_more_and_odd_sizes_never),
                                       TEST(a_list_too_long_says_how_much_of_it_is_there),
                                       TEST(wear_is_told_at_the_mark_and_at_every_doubling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
