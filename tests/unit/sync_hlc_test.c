/* SPDX-License-Identifier: MIT
 *
 * The hybrid logical clock, and the keyed hash under everything: does the clock never go back, does it refuse the future, does it know when
 * it is itself astray?
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/rng.h"
#include "base/siphash.h"
#include "sync/hlc.h"

#define DRIFT 10000
#define NOON 1700000000000u /* ms */

/* The vectors of the reference implementation: key 00..0f, input 00, 01, … of 0, 1, 7, 8, 15, 63 bytes. */
static void siphash_gives_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint64_t narrow;
    } vectors[] = {{0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu},  {7, 0xab0200f58b01d137u},
                   {8, 0x93f5f5799a932462u}, {15, 0xa129ca6149be45e5u}, {63, 0x958a324ceb064572u}};
    uint8_t key[16], input[64];
    for (unsigned i = 0; i < 64; i++) {
        input[i] = (uint8_t)i;
        key[i % 16] = (uint8_t)(i % 16);
    }
    struct siphash_key k = siphash_key_of(key);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        assert_true(siphash_of(&k, bytes_of(input, vectors[i].size)) == vectors[i].narrow);
    }
    struct siphash s;
    siphash_begin(&s, &k, true); /* 128 bits of nothing: a3 81 7f 04 ba 25 a8 e6 6d f6 72 14 c7 55 02 93 */
    struct digest wide = siphash_end_wide(&s);
    assert_true(wide.lo == 0xe6a825ba047f81a3u && wide.hi == 0x930255c71472f66du);
    siphash_begin(&s, &k, true); /* of one zero byte: da 87 c1 d8 6b 99 af 44 34 76 59 11 9b 22 fc 45 */
    siphash_add(&s, input, 1);
    wide = siphash_end_wide(&s);
    assert_true(wide.lo == 0x44af996bd8c187dau && wide.hi == 0x45fc229b11597634u);
}

static void siphash_in_pieces_is_siphash_of_the_whole(void **state)
{
    (void)state;
    struct rng rng;
    struct siphash_key key = {{1, 2}};
    uint8_t bytes[200];
    rng_init(&rng, 1);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)rng_next(&rng);
    }
    for (unsigned round = 0; round < 2000; round++) {
        size_t size = rng_below(&rng, sizeof bytes + 1);
        struct siphash s;
        siphash_begin(&s, &key, false);
        for (size_t at = 0, piece; at < size; at += piece) {
            piece = 1 + rng_below(&rng, size - at);
            siphash_add(&s, bytes + at, piece);
        }
        assert_true(siphash_end(&s) == siphash_of(&key, bytes_of(bytes, size)));
    }
    uint64_t words[4] = {5, 6, 7, 8};
    uint8_t little[32] = {5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 8};
    struct siphash s;
    siphash_begin(&s, &key, true);
    siphash_add(&s, little, 32);
    struct digest slow = siphash_end_wide(&s), fast = siphash_of_four(&key, words[0], words[1], words[2], words[3]);
    assert_true(slow.lo == fast.lo && slow.hi == fast.hi);
}

static void the_clock_never_goes_back(void **state)
{
    (void)state;
    struct rng rng;
    struct hlc h;
    rng_init(&rng, 7);
    hlc_init(&h, DRIFT, 0);
    hlc_set_wall_clock(&h, 0, NOON);
    uint64_t now = 0, before = 0;
    for (unsigned i = 0; i < 20000; i++) {
        now += rng_below(&rng, 3000);
        switch (rng_below(&rng, 4)) {
        case 0:
            hlc_set_wall_clock(&h, now, NOON + now / 1000 - 3000 + rng_below(&rng, 6000));
            break;
        case 1:
            (void)hlc_witness(&h, now, hlc_of_ms(NOON + now / 1000 + rng_below(&rng, 20000)) + rng_below(&rng, 65536));
            break;
        default:
            break;
        }
        uint64_t next = hlc_next(&h, now);
        assert_true(next > before && hlc_now(&h, now) >= next);
        before = next;
    }
}

static void a_full_counter_carries_into_the_milliseconds(void **state)
{
    (void)state;
    struct hlc h;
    hlc_init(&h, DRIFT, 0);
    hlc_set_wall_clock(&h, 0, NOON);
    uint64_t first = hlc_next(&h, 0);
    assert_true(first == hlc_of_ms(NOON));
    for (unsigned i = 0; i < 65536; i++) {
        (void)hlc_next(&h, 0);
    }
    assert_true(h.last == hlc_of_ms(NOON + 1));
}

static void what_is_too_far_ahead_is_refused(void **state)
{
    (void)state;
    struct hlc h;
    hlc_init(&h, DRIFT, 0);
    assert_false(hlc_witness(&h, 0, hlc_of_ms(1))); /* without a clock there is nothing to judge by */
    hlc_set_wall_clock(&h, 5000000, NOON);
    assert_true(hlc_witness(&h, 5000000, hlc_of_ms(NOON + DRIFT)));
    assert_false(hlc_witness(&h, 5000000, hlc_of_ms(NOON + DRIFT + 1)));
    assert_true(h.last == hlc_of_ms(NOON + DRIFT));
    assert_true(hlc_witness(&h, 5001000, hlc_of_ms(NOON + DRIFT + 1)));
    assert_true(hlc_us_until(&h, 5001000, hlc_of_ms(NOON + DRIFT + 2)) == 1000u * (DRIFT + 1));
}

static void the_median_of_the_peers_tells_whose_clock_is_wrong(void **state)
{
    (void)state;
    struct hlc h;
    hlc_init(&h, DRIFT, 0);
    hlc_set_wall_clock(&h, 0, NOON);
    hlc_hear_wall_clock(&h, 0, 1, NOON + 3600000);
    assert_false(hlc_is_astray(&h)); /* one peer may itself be wrong */
    hlc_hear_wall_clock(&h, 0, 2, NOON + 100);
    hlc_hear_wall_clock(&h, 0, 3, NOON - 50);
    assert_false(hlc_is_astray(&h));
    hlc_set_wall_clock(&h, 0, NOON - 3600000); /* now we are */
    assert_true(hlc_is_astray(&h));
    assert_true(hlc_ms(hlc_now(&h, 0)) >= NOON - 50 && hlc_ms(hlc_now(&h, 0)) <= NOON + 100);
    assert_true(hlc_witness(&h, 0, hlc_of_ms(NOON + 5000))); /* judged by the peers' time */
    hlc_set_wall_clock(&h, 0, NOON);
    assert_false(hlc_is_astray(&h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_published_vectors), cmocka_unit_test(siphash_in_pieces_is_siphash_of_the_whole),
        cmocka_unit_test(the_clock_never_goes_back),           cmocka_unit_test(a_full_counter_carries_into_the_milliseconds),
        cmocka_unit_test(what_is_too_far_ahead_is_refused),    cmocka_unit_test(the_median_of_the_peers_tells_whose_clock_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
