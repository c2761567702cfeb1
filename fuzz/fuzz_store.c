/* SPDX-License-Identifier: MIT
 *
 * Writes of a few keys in any order: two stores that get them in opposite orders, and one that has memory for only some of them at first, are the
 * same in the end, entry by entry and root by root. What comes from a disk or a peer may be any entry at all.
 */
#include "fuzz.h"

#include "../tests/lib/allocator_counting.h"
#include "sync/store.h"

#include <hearsay/hearsay.h>

#define EPOCH 1700000000u
#define WRITES 512
#define BYTES_PER_WRITE 4

static const uint8_t secret[16] = {7};

/* key 4 bits, epoch 3, origin 1 | kind 2, value 6 | milliseconds 16 / 66 */
static struct hearsay_entry entry_of(const uint8_t *at, char key[2])
{
    uint64_t ms = ((uint64_t)EPOCH + (at[0] >> 4 & 7)) * 1000 + bytes_get_u16(at + 2) / 66;
    key[0] = (char)('a' + (at[0] & 15));
    struct hearsay_entry entry = {.key = bytes_of(key, 1), .value = bytes_of(at + 1, at[1] >> 2 & 1), .version = {hlc_of_ms(ms), 1u + (at[0] >> 7)}};
    entry.is_tombstone = (at[1] & 3) == 1;
    entry.expires_hlc = (at[1] & 3) == 2 ? hlc_of_ms(ms + 1 + (at[1] >> 2) * 100u) : 0;
    entry.value.size = entry.is_tombstone ? 0 : entry.value.size;
    return entry;
}

static enum store_verdict give(struct store *s, const uint8_t *at)
{
    char key[2];
    struct hearsay_entry entry = entry_of(at, key);
    uint64_t place = entry_place(&s->keys, entry.key);
    struct entry *packed = entry_create(s->memory, &s->keys, place, &entry);
    return packed == NULL ? STORE_NO_MEMORY : store_commit(s, place, packed);
}

static void settle(struct store *s)
{
    while (store_expire(s, hlc_of_ms((EPOCH + 100) * (uint64_t)1000))) {
    }
    merkle_seal(&s->merkle, EPOCH + 100);
    FUZZ_CHECK(s->merkle.unsettled == 0 && s->merkle.count == s->live + s->tombstones);
}

static void on_found(void *context, const struct index_item *a, const struct index_item *b)
{
    (void)context, (void)a, (void)b;
    FUZZ_CHECK(false);
}

static void fill(struct store *s, const uint8_t *data, size_t count, bool is_backwards, uint32_t seals)
{
    merkle_start_at(&s->merkle, EPOCH - 1);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = data + BYTES_PER_WRITE * (is_backwards ? count - 1 - i : i);
        for (unsigned tries = 0; tries < 8 && give(s, at) == STORE_NO_MEMORY; tries++) {
        }
        if (seals > 0 && i % (count / seals + 1) == 0) {
            merkle_seal(&s->merkle, s->merkle.horizon + 1);
            (void)store_expire(s, hlc_of_ms(((uint64_t)s->merkle.horizon + 1) * 1000));
        }
    }
}

/* A node that loads whatever stands on its disk. */
static void load(const uint8_t *data, size_t size)
{
    struct hearsay_options options;
    struct hearsay_output output;
    hearsay_options_local(&options);
    options.name = "n";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.store = 1;
    struct hearsay_node *node = hearsay_create(&options, 1000, NULL);
    for (size_t at = 0; at + 24 <= size; at += 24) {
        struct hearsay_entry entry = {.key = bytes_of(data + at, data[at] & 7), .value = bytes_of(data + at, data[at] >> 3 & 7),
                                      .version = {bytes_get_u64(data + at + 8), data[at]}, .expires_hlc = bytes_get_u64(data + at + 16),
                                      .is_tombstone = data[at] >> 7};
        entry.expires_hlc = (data[at] & 64) != 0 ? entry.expires_hlc : 0;
        (void)!hearsay_store_load(node, &entry);
    }
    hearsay_set_wall_clock(node, 1000, (uint64_t)EPOCH * 1000);
    for (uint64_t now = 1000; now < 20000000; now += 500000) {
        hearsay_tick(node, now);
        while (hearsay_next_output(node, &output)) {
        }
    }
    hearsay_destroy(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store stores[3];
    struct allocator_counting counting = {0};
    struct hearsay_allocator scarce = allocator_counting_of(&counting);
    size_t count = size / BYTES_PER_WRITE < WRITES ? size / BYTES_PER_WRITE : WRITES;
    for (unsigned i = 0; i < 3; i++) {
        FUZZ_CHECK(store_init(&stores[i], i == 2 ? &scarce : &memory_system, secret, 64));
        counting.fail_every = i == 2 ? 5 : 0;
        fill(&stores[i], data, count, i == 1, i == 1 ? 0 : 6);
        counting.fail_every = 0;
        settle(&stores[i]);
    }
    FUZZ_CHECK(digest_equal(merkle_root(&stores[0].merkle).sum, merkle_root(&stores[1].merkle).sum));
    FUZZ_CHECK(stores[0].bytes == stores[1].bytes && stores[0].live == stores[1].live);
    (void)merkle_diff(&stores[0].merkle, &stores[1].merkle, on_found, NULL);
    for (unsigned i = 0; i < 3; i++) {
        store_deinit(&stores[i]);
    }
    FUZZ_CHECK(counting.blocks == 0);
    load(data, size < 2400 ? size : 2400);
    return 0;
}
