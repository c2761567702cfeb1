/* SPDX-License-Identifier: MIT
 *
 * The store and its tree against an oracle that keeps every version ever offered: whatever the order of arrival, the same entries win, and
 * the root of every epoch is the sum over each key's newest version of that time. Two trees find their differences as brute force does.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../lib/allocator_counting.h"
#include "base/rng.h"
#include "sync/store.h"

#include <stdio.h>
#include <stdlib.h>

#define EPOCH_0 1700000000u
#define MOMENT(epoch, ms) hlc_of_ms(((uint64_t)EPOCH_0 + (epoch)) * 1000 + (ms))

static const uint8_t secret[16] = {1, 2, 3};

struct version {
    char key[24], value[24];
    struct hearsay_entry entry;
};

static void store_start(struct store *s, const struct hearsay_allocator *memory)
{
    assert_true(store_init(s, memory, secret, 64));
    merkle_start_at(&s->merkle, EPOCH_0 - 1);
}

/* Answers the verdict. */
static enum store_verdict give(struct store *s, const struct hearsay_entry *entry)
{
    uint64_t place = entry_place(&s->keys, entry->key);
    struct entry *packed = entry_create(s->memory, &s->keys, place, entry);
    return packed == NULL ? STORE_NO_MEMORY : store_commit(s, place, packed);
}

/* versions of keys k0 … with moments in epochs 0 … epochs-1; about one in eight a tombstone, one in eight expiring. */
static void invent(struct version *versions, unsigned count, unsigned keys, unsigned epochs, struct rng *rng)
{
    for (unsigned i = 0; i < count; i++) {
        struct version *v = &versions[i];
        *v = (struct version){0};
        snprintf(v->key, sizeof v->key, "k%u", (unsigned)rng_below(rng, keys));
        snprintf(v->value, sizeof v->value, "v%u", i);
        unsigned kind = (unsigned)rng_below(rng, 8);
        unsigned epoch = (unsigned)rng_below(rng, epochs);
        v->entry.key = bytes_of_string(v->key);
        v->entry.version = (struct hearsay_entry_version){MOMENT(epoch, rng_below(rng, 1000)), 1 + rng_below(rng, 3)};
        v->entry.is_tombstone = kind == 0;
        v->entry.value = kind == 0 ? bytes_of(NULL, 0) : bytes_of_string(v->value);
        v->entry.expires_hlc = kind == 1 ? v->entry.version.hlc + hlc_of_ms(1 + rng_below(rng, 4000)) : 0;
    }
}

static void shuffle(struct version *versions, unsigned count, struct rng *rng)
{
    for (unsigned i = count; i-- > 1;) {
        unsigned other = (unsigned)rng_below(rng, i + 1);
        struct version swap = versions[i];
        versions[i] = versions[other];
        versions[other] = swap;
    }
    for (unsigned i = 0; i < count; i++) {
        versions[i].entry.key = bytes_of_string(versions[i].key);
        if (!versions[i].entry.is_tombstone) {
            versions[i].entry.value = bytes_of_string(versions[i].value);
        }
    }
}

/* The form in which a version counts at the end of an epoch; 0: not yet. */
static struct entry *form_at(const struct store *s, const struct hearsay_entry *entry, uint64_t end)
{
    struct hearsay_entry form = *entry;
    if (form.version.hlc > end) {
        return NULL;
    }
    if (form.expires_hlc != 0 && form.expires_hlc <= end) {
        form.is_tombstone = true;
        form.value.size = 0;
    }
    return entry_create(&memory_system, &s->keys, entry_place(&s->keys, form.key), &form);
}

/* By brute force: the root of an epoch, given all versions. */
static struct digest oracle(const struct store *s, const struct version *versions, unsigned count, unsigned keys, unsigned epoch)
{
    struct digest sum = {0, 0};
    uint64_t end = MOMENT(epoch + 1, 0) - 1;
    for (unsigned k = 0; k < keys; k++) {
        char key[24];
        struct entry *best = NULL;
        snprintf(key, sizeof key, "k%u", k);
        for (unsigned i = 0; i < count; i++) {
            struct entry *form = strcmp(versions[i].key, key) == 0 ? form_at(s, &versions[i].entry, end) : NULL;
            if (form != NULL && (best == NULL || entry_compare(form, best) > 0)) {
                free(best);
                best = form;
            } else {
                free(form);
            }
        }
        if (best != NULL) {
            sum = digest_add(sum, best->digest);
            free(best);
        }
    }
    return sum;
}

/* Every version arrives, in any order, before its epoch is sealed (or late, with is_late): the roots are the oracle's. */
static void run_orders(bool is_late, uint64_t seed)
{
    enum { KEYS = 12, COUNT = 120, EPOCHS = 6 };
    struct version versions[COUNT];
    struct rng rng;
    rng_init(&rng, seed);
    invent(versions, COUNT, KEYS, EPOCHS, &rng);
    for (unsigned order = 0; order < 6; order++) {
        struct store s;
        store_start(&s, &memory_system);
        shuffle(versions, COUNT, &rng);
        unsigned given = 0;
        for (unsigned epoch = 0; epoch < EPOCHS + 6; epoch++) {
            for (unsigned i = 0; i < COUNT; i++) { /* those of this epoch and perhaps of the next come now */
                uint64_t hlc = versions[i].entry.version.hlc;
                bool is_new = hlc < MOMENT(epoch + 1, 0) && (epoch == 0 || hlc >= MOMENT(epoch, 0));
                if (is_new && !(is_late && i % 3 == 0)) {
                    given += give(&s, &versions[i].entry) != STORE_NO_MEMORY;
                }
                if (is_late && epoch >= 1 && i % 3 == 0 && hlc < MOMENT(epoch, 0) && (epoch == 1 || hlc >= MOMENT(epoch - 1, 0))) {
                    given += give(&s, &versions[i].entry) != STORE_NO_MEMORY;
                }
            }
            while (store_expire(&s, MOMENT(epoch + 1, 0) - 1)) {
            }
            if (!is_late) {
                merkle_seal(&s.merkle, EPOCH_0 + epoch);
                struct digest want = oracle(&s, versions, COUNT, KEYS, epoch);
                assert_true(digest_equal(merkle_root(&s.merkle).sum, want));
            } else if (epoch >= 1) { /* sealed before the late ones of that epoch come; they all have when the next is sealed */
                merkle_seal(&s.merkle, EPOCH_0 + epoch - 1);
            }
        }
        merkle_seal(&s.merkle, EPOCH_0 + EPOCHS + 6);
        assert_int_equal(given, COUNT);
        assert_true(digest_equal(merkle_root(&s.merkle).sum, oracle(&s, versions, COUNT, KEYS, EPOCHS + 6)));
        assert_int_equal(s.merkle.unsettled, 0);
        assert_int_equal(s.merkle.count, s.live + s.tombstones);
        store_deinit(&s);
    }
}

static void the_root_of_an_epoch_does_not_depend_on_the_order_of_writes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        run_orders(false, seed);
        run_orders(true, seed);
    }
}

/* All versions come in any order at all while nothing is sealed: afterwards every root is the oracle's, one by one. */
static void a_version_that_was_overwritten_before_its_epoch_was_sealed_counts_in_it(void **state)
{
    (void)state;
    enum { KEYS = 5, COUNT = 60, EPOCHS = 5 };
    struct version versions[COUNT];
    struct rng rng;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        rng_init(&rng, seed);
        invent(versions, COUNT, KEYS, EPOCHS, &rng);
        shuffle(versions, COUNT, &rng);
        struct store s;
        store_start(&s, &memory_system);
        for (unsigned i = 0; i < COUNT; i++) {
            if (versions[i].entry.expires_hlc == 0) {
                assert_true(give(&s, &versions[i].entry) != STORE_NO_MEMORY);
            }
        }
        for (unsigned i = 0; i < COUNT; i++) { /* the oracle shall not know those either */
            versions[i].key[0] = versions[i].entry.expires_hlc == 0 ? 'k' : 'x';
        }
        for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
            merkle_seal(&s.merkle, EPOCH_0 + epoch);
            struct merkle_root root;
            assert_true(digest_equal(merkle_root(&s.merkle).sum, oracle(&s, versions, COUNT, KEYS, epoch)));
            assert_true(merkle_root_of(&s.merkle, EPOCH_0 + epoch, &root) && digest_equal(root.sum, merkle_root(&s.merkle).sum));
        }
        store_deinit(&s);
    }
}

/* ---- who wins ------------------------------------------------------------------------------------------------------------- */

static void the_same_entries_win_in_any_order_and_twice(void **state)
{
    (void)state;
    enum { KEYS = 4, COUNT = 40 };
    struct version versions[COUNT];
    struct rng rng;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct store stores[3];
        rng_init(&rng, seed);
        invent(versions, COUNT, KEYS, 1, &rng);
        for (unsigned i = 0; i < COUNT; i += 4) { /* equal versions of other values: corruption */
            versions[i + 1].entry.version = versions[i].entry.version;
            memcpy(versions[i + 1].key, versions[i].key, sizeof versions[i].key);
        }
        for (unsigned n = 0; n < 3; n++) {
            store_start(&stores[n], &memory_system);
            shuffle(versions, COUNT, &rng);
            for (unsigned i = 0; i < COUNT * (n + 1); i++) {
                (void)give(&stores[n], &versions[i % COUNT].entry);
            }
            while (store_expire(&stores[n], MOMENT(10, 0))) {
            }
            merkle_seal(&stores[n].merkle, EPOCH_0 + 10);
            assert_true(digest_equal(merkle_root(&stores[n].merkle).sum, merkle_root(&stores[0].merkle).sum));
            assert_int_equal(stores[n].bytes, stores[0].bytes);
        }
        for (unsigned n = 0; n < 3; n++) {
            store_deinit(&stores[n]);
        }
    }
}

static void an_expired_entry_is_a_tombstone_of_its_own_version(void **state)
{
    (void)state;
    struct store s;
    struct hearsay_entry entry = {
        .key = bytes_of_string("lease"), .value = bytes_of_string("mine"), .version = {MOMENT(0, 5), 1}, .expires_hlc = MOMENT(2, 5)};
    store_start(&s, &memory_system);
    assert_int_equal(give(&s, &entry), STORE_NEWER);
    assert_false(store_expire(&s, MOMENT(2, 5) - 1));
    assert_int_equal(s.live, 1);
    assert_true(store_expire(&s, MOMENT(2, 5)));
    assert_int_equal(s.live, 0);
    assert_int_equal(s.tombstones, 1);
    assert_int_equal(s.bytes, 5);
    assert_int_equal(give(&s, &entry), STORE_OLDER); /* it does not come back */
    entry.version.hlc++;
    assert_int_equal(give(&s, &entry), STORE_NEWER); /* but may be written anew */
    assert_int_equal(s.live, 1);
    store_deinit(&s);
}

static void number_entry(struct hearsay_entry *entry, char key[24], unsigned number, unsigned version)
{
    snprintf(key, 24, "number %u", number);
    *entry = (struct hearsay_entry){.key = bytes_of_string(key), .value = bytes_of_string(key), .version = {MOMENT(0, version), 1}};
}

static void purged_tombstones_leave_the_tree_first_and_still_rule(void **state)
{
    (void)state;
    struct store s;
    char key[24];
    struct hearsay_entry entry;
    store_start(&s, &memory_system);
    for (unsigned i = 0; i < 3000; i++) {
        number_entry(&entry, key, i, 1);
        entry.is_tombstone = i % 2 == 0;
        entry.value.size = entry.is_tombstone ? 0 : entry.value.size;
        assert_int_equal(give(&s, &entry), STORE_NEWER);
        if (i == 2000) {
            merkle_seal(&s.merkle, EPOCH_0); /* some settled, some late */
        }
    }
    store_purge_tree(&s, MOMENT(0, 1));
    assert_int_equal(s.merkle.count, 1500);
    number_entry(&entry, key, 10, 0); /* older than the tombstone */
    assert_int_equal(give(&s, &entry), STORE_OLDER);
    number_entry(&entry, key, 10, 2);
    assert_int_equal(give(&s, &entry), STORE_NEWER);
    assert_int_equal(s.merkle.count, 1501);
    number_entry(&entry, key, 12, 1); /* a purged one is told again by who was not that far: nothing happens */
    entry.is_tombstone = true;
    entry.value.size = 0;
    assert_int_equal(give(&s, &entry), STORE_SAME);
    while (store_sweep(&s, 100)) {
    }
    assert_true(s.tombstones == 0 && s.live == 1501 && s.merkle.count == 1501 && s.index.count == 1501);
    struct store fresh; /* as if there had never been any */
    store_start(&fresh, &memory_system);
    for (unsigned i = 0; i < 3000; i++) {
        number_entry(&entry, key, i, i == 10 ? 2 : 1);
        if (i % 2 == 1 || i == 10) {
            assert_int_equal(give(&fresh, &entry), STORE_NEWER);
        }
    }
    merkle_seal(&fresh.merkle, EPOCH_0);
    assert_true(digest_equal(merkle_root(&fresh.merkle).sum, merkle_root(&s.merkle).sum));
    store_deinit(&fresh);
    store_deinit(&s);
}

/* ---- differences ------------------------------------------------------------------------------------------------------------ */

struct found {
    uint64_t places[4096];
    unsigned count;
};

static void on_found(void *context, const struct index_item *a, const struct index_item *b)
{
    struct found *found = context;
    assert_true(found->count < 4096);
    found->places[found->count++] = a != NULL ? a->place : b->place;
}

static int by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Stores of very different sizes, so of different depth, with d keys updated, missing on one side, or on the other. */
static void compare(unsigned size_a, unsigned size_b, unsigned changed, uint64_t seed)
{
    static struct found found, want;
    struct store a, b;
    struct rng rng;
    struct hearsay_entry entry;
    char key[24];
    rng_init(&rng, seed);
    store_start(&a, &memory_system);
    store_start(&b, &memory_system);
    want.count = found.count = 0;
    for (unsigned i = 0; i < size_a || i < size_b; i++) {
        bool is_changed = i < size_a && i < size_b && rng_below(&rng, size_a) < changed;
        number_entry(&entry, key, i, 0);
        if (i < size_a) {
            assert_int_equal(give(&a, &entry), STORE_NEWER);
        }
        entry.version.hlc += is_changed;
        if (i < size_b) {
            assert_int_equal(give(&b, &entry), STORE_NEWER);
        }
        if (is_changed || (i < size_a) != (i < size_b)) {
            want.places[want.count++] = entry_place(&a.keys, entry.key);
        }
    }
    merkle_seal(&a.merkle, EPOCH_0);
    merkle_seal(&b.merkle, EPOCH_0);
    (void)merkle_diff(&a.merkle, &b.merkle, on_found, &found);
    qsort(want.places, want.count, sizeof want.places[0], by_place);
    assert_int_equal(found.count, want.count);
    assert_memory_equal(found.places, want.places, want.count * sizeof want.places[0]); /* in order of place */
    assert_int_equal(digest_equal(merkle_root(&a.merkle).sum, merkle_root(&b.merkle).sum), want.count == 0);
    store_deinit(&a);
    store_deinit(&b);
}

static void two_trees_find_exactly_what_differs(void **state)
{
    (void)state;
    compare(0, 0, 0, 1);
    compare(1, 0, 0, 2);
    compare(0, 700, 0, 3);
    compare(3000, 3000, 0, 4);
    for (uint64_t seed = 10; seed < 40; seed++) {
        compare(1000 + (unsigned)seed * 150, 1000 + (unsigned)seed * 150, (unsigned)seed % 7, seed);
        compare(4000, 4000 - (unsigned)seed, 20, seed);
    }
    compare(300, 4300, 3, 50); /* depth 4 against depth 8 */
    compare(100000, 100000, 5, 51);
}

static void every_node_of_the_tree_is_the_sum_of_what_is_below(void **state)
{
    (void)state;
    struct store s;
    struct hearsay_entry entry;
    char key[24];
    struct rng rng;
    rng_init(&rng, 3);
    store_start(&s, &memory_system);
    for (unsigned i = 0; i < 20000; i++) {
        number_entry(&entry, key, i % 15000, i / 15000);
        assert_int_equal(give(&s, &entry), STORE_NEWER);
        if (i % 3000 == 0) { /* also in the middle of a doubling, with some settled and some not */
            merkle_seal(&s.merkle, s.merkle.horizon + (i == 9000));
        }
        if (i % 500 != 0) {
            continue;
        }
        unsigned depth = (unsigned)rng_below(&rng, 20);
        uint64_t first = depth == 0 ? 0 : rng_next(&rng) >> (64 - depth) << (64 - depth), at = first;
        uint64_t last = first | (depth == 0 ? UINT64_MAX : UINT64_MAX >> depth);
        unsigned rank = 0;
        struct digest sum = {0, 0}, digest;
        for (struct index_item item; merkle_next(&s.merkle, &at, &rank, last, &item, &digest);) {
            sum = digest_add(sum, digest);
        }
        assert_true(digest_equal(sum, merkle_node(&s.merkle, first, depth)));
    }
    assert_int_equal(s.merkle.count, 15000); /* all versions being of epoch 0, what came after it was sealed counted at once */
    store_deinit(&s);
}

/* ---- listing ------------------------------------------------------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void keys_are_listed_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static char keys[COUNT][24];
    struct store s;
    struct rng rng;
    unsigned removed = 0;
    rng_init(&rng, 9);
    store_start(&s, &memory_system);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof keys[i], "%c%llx\xff\x80", (int)('a' + rng_below(&rng, 3)), (unsigned long long)rng_next(&rng) >> 20);
        struct hearsay_entry entry = {.key = bytes_of_string(keys[i]), .version = {MOMENT(0, i), 1}};
        assert_int_equal(give(&s, &entry), STORE_NEWER);
        if (rng_below(&rng, 3) == 0) {
            uint64_t place = entry_place(&s.keys, entry.key);
            store_remove(&s, place, store_find(&s, place, entry.key));
            keys[i][0] = '\x7f';
            removed++;
        }
    }
    qsort(keys, COUNT, sizeof keys[0], by_bytes);
    const struct entry *e = order_find(&s.order, bytes_of(NULL, 0), false);
    for (unsigned i = 0; i < COUNT - removed; i++) {
        assert_non_null(e);
        assert_true(bytes_equal(entry_key(e), bytes_of_string(keys[i])));
        e = order_find(&s.order, entry_key(e), true);
    }
    assert_null(e);
    assert_int_equal(s.index.count, COUNT - removed);
    assert_int_equal(s.merkle.count, 0);
    assert_int_equal(s.merkle.unsettled, COUNT - removed);
    store_deinit(&s);
}

/* Some keys begin as others end, many have long beginnings in common. */
static void invent_key(char key[24], unsigned i, struct rng *rng)
{
    static const char *const shapes[] = {"key-%u", "key-%016u", "key-0000000000-%u", "k%u"};
    snprintf(key, 24, shapes[rng_below(rng, 4)], i);
}

static void expect_listed(struct order *o, char (*keys)[24], unsigned count)
{
    const struct entry *e = order_find(o, bytes_of(NULL, 0), false);
    for (unsigned i = 0; i < count; i++) {
        assert_non_null(e);
        assert_true(bytes_equal(entry_key(e), bytes_of_string(keys[i])));
        e = order_find(o, entry_key(e), true);
    }
    assert_null(e);
}

static struct entry *pack(const struct hearsay_allocator *memory, const char *key)
{
    static const struct entry_keys no_keys;
    struct hearsay_entry entry = {.key = bytes_of_string(key), .version = {MOMENT(0, 1), 1}};
    struct entry *e = entry_create(memory, &no_keys, 0, &entry);
    assert_non_null(e);
    return e;
}

static void many_new_keys_find_their_places_at_once(void **state)
{
    (void)state;
    enum { COUNT = 2 * ORDER_ASIDE + 5000 };
    static char keys[COUNT][24];
    static struct entry *entries[COUNT];
    struct rng rng;
    struct order o;
    rng_init(&rng, 4);
    order_init(&o, &memory_system);
    for (unsigned i = 0; i < COUNT; i++) {
        invent_key(keys[i], i * 7919 % COUNT, &rng);
        entries[i] = pack(&memory_system, keys[i]);
        assert_true(order_reserve(&o));
        order_insert(&o, entries[i]);
        assert_true(o.aside_count <= ORDER_ASIDE);
    }
    qsort(keys, COUNT, sizeof keys[0], by_bytes);
    expect_listed(&o, keys, COUNT);
    assert_int_equal(o.aside_count, 0);
    for (unsigned i = 0; i < COUNT; i++) {
        order_remove(&o, entry_key(entries[i]));
        memory_free(&memory_system, entries[i]);
    }
    assert_null(order_find(&o, bytes_of(NULL, 0), false));
    order_deinit(&o);
}

/* They stay aside, and are found there; nothing is lost. */
static void keys_are_listed_though_memory_is_out(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static char keys[COUNT][24];
    static struct entry *entries[COUNT];
    for (size_t room = 0; room < 6; room++) {
        struct allocator_counting counting = {0};
        struct hearsay_allocator memory = allocator_counting_of(&counting);
        struct rng rng;
        struct order o;
        rng_init(&rng, room);
        order_init(&o, &memory);
        for (unsigned i = 0; i < COUNT; i++) {
            invent_key(keys[i], i, &rng);
            entries[i] = pack(&memory_system, keys[i]);
            assert_true(order_reserve(&o));
            order_insert(&o, entries[i]);
        }
        qsort(keys, COUNT, sizeof keys[0], by_bytes);
        counting.fail_from = counting.calls + 1 + room;
        const struct entry *e = order_find(&o, bytes_of_string(keys[5]), true);
        assert_non_null(e);
        assert_true(bytes_equal(entry_key(e), bytes_of_string(keys[6])));
        assert_true(o.aside_count > 0);
        struct entry *copy = pack(&memory_system, keys[7]);
        order_replace(&o, copy);
        assert_ptr_equal(order_find(&o, entry_key(copy), false), copy);
        order_remove(&o, entry_key(copy));
        memory_free(&memory_system, copy);
        counting.fail_from = 0;
        memmove(keys[7], keys[8], (COUNT - 8) * sizeof keys[0]);
        expect_listed(&o, keys, COUNT - 1);
        for (unsigned i = 0; i < COUNT; i++) {
            memory_free(&memory_system, entries[i]);
        }
        order_deinit(&o);
        assert_int_equal(counting.blocks, 0);
    }
}

/* ---- out of memory -------------------------------------------------------------------------------------------------------------- */

/* Answers the number of allocations. */
static size_t fill(struct version *versions, unsigned count, unsigned keys, size_t fail_from)
{
    struct allocator_counting counting = {0};
    struct hearsay_allocator memory = allocator_counting_of(&counting);
    struct store s;
    store_start(&s, &memory);
    counting = (struct allocator_counting){.fail_from = counting.calls + fail_from,
                                           .fail_once = fail_from > 0,
                                           .calls = counting.calls,
                                           .blocks = counting.blocks,
                                           .bytes = counting.bytes};
    counting.fail_from = fail_from > 0 ? counting.fail_from : 0;
    for (unsigned i = 0; i < count; i++) {
        struct digest before = merkle_root(&s.merkle).sum;
        uint64_t bytes = s.bytes;
        if (give(&s, &versions[i].entry) == STORE_NO_MEMORY) {
            assert_true(digest_equal(before, merkle_root(&s.merkle).sum) && bytes == s.bytes);
            assert_true(give(&s, &versions[i].entry) != STORE_NO_MEMORY);
        }
        if (i == count / 2) {
            merkle_seal(&s.merkle, EPOCH_0);
        }
    }
    for (unsigned tries = 0; tries < 2; tries++) {
        while (store_expire(&s, MOMENT(20, 0))) {
        }
    }
    merkle_seal(&s.merkle, EPOCH_0 + 20);
    assert_true(digest_equal(merkle_root(&s.merkle).sum, oracle(&s, versions, count, keys, 20)));
    store_deinit(&s);
    assert_int_equal(counting.blocks, 0);
    return counting.calls;
}

static void any_single_allocation_may_fail(void **state)
{
    (void)state;
    enum { KEYS = 60, COUNT = 150, EPOCHS = 3 };
    struct version versions[COUNT];
    struct rng rng;
    rng_init(&rng, 5);
    invent(versions, COUNT, KEYS, EPOCHS, &rng);
    size_t calls = fill(versions, COUNT, KEYS, 0);
    assert_true(calls > COUNT);
    for (size_t n = 1; n <= calls; n++) {
        (void)fill(versions, COUNT, KEYS, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_of_an_epoch_does_not_depend_on_the_order_of_writes),
        cmocka_unit_test(a_version_that_was_overwritten_before_its_epoch_was_sealed_counts_in_it),
        cmocka_unit_test(the_same_entries_win_in_any_order_and_twice),
        cmocka_unit_test(an_expired_entry_is_a_tombstone_of_its_own_version),
        cmocka_unit_test(purged_tombstones_leave_the_tree_first_and_still_rule),
        cmocka_unit_test(two_trees_find_exactly_what_differs),
        cmocka_unit_test(every_node_of_the_tree_is_the_sum_of_what_is_below),
        cmocka_unit_test(keys_are_listed_in_the_order_of_their_bytes),
        cmocka_unit_test(many_new_keys_find_their_places_at_once),
        cmocka_unit_test(keys_are_listed_though_memory_is_out),
        cmocka_unit_test(any_single_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
