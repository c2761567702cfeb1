/* SPDX-License-Identifier: MIT
 *
 * What the store of one node costs: the Merkle tree's share of a write beside the keyed hash that it cannot do without, whole writes, filling,
 * comparing two trees, and memory per key, for keys of 16 and values of 64 bytes. CPU time of this thread; the old and the new entry of a
 * write are in the cache, as they are when the store has just compared them.
 */
#include "bench/clock.h"
#include "bench/report.h"

#include "base/rng.h"
#include "sync/store.h"
#include <hearsay/hearsay.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_SIZE 16
#define VALUE_SIZE 64
#define AT_ONCE 500
#define EPOCH 1700000000u
#define ROUNDS 3

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench tree: %s\n", text);
    exit(1);
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double resident_bytes(void)
{
    long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%ld %ld", &ignored, &pages) != 2) {
        pages = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static struct hearsay_entry entry_of(uint64_t number, char text[KEY_SIZE + VALUE_SIZE + 1], uint64_t hlc)
{
    snprintf(text, KEY_SIZE + VALUE_SIZE + 1, "key-%012llu%064llu", (unsigned long long)number, (unsigned long long)hlc);
    return (struct hearsay_entry){.key = bytes_of(text, KEY_SIZE), .value = bytes_of(text + KEY_SIZE, VALUE_SIZE), .version = {hlc, 1}};
}

static uint64_t moment(unsigned epoch)
{
    return hlc_of_ms(((uint64_t)EPOCH + epoch) * 1000);
}

static void fill(struct store *s, uint64_t count, uint64_t hlc)
{
    char text[KEY_SIZE + VALUE_SIZE + 1];
    for (uint64_t i = 0; i < count; i++) {
        struct hearsay_entry entry = entry_of(i, text, hlc);
        uint64_t place = entry_place(&s->keys, entry.key);
        struct entry *packed = entry_create(s->memory, &s->keys, place, &entry);
        if (packed == NULL || store_commit(s, place, packed) != STORE_NEWER) {
            die("out of memory");
        }
    }
}

/* ---- floors ---------------------------------------------------------------------------------------------------------- */

static double hash_ns(unsigned count)
{
    struct siphash_key key = {{1, 2}};
    struct digest d = {3, 4};
    double start = cpu_ns();
    for (unsigned i = 0; i < count; i++) {
        d = siphash_of_four(&key, d.lo, d.hi, i, 1);
    }
    double ns = (cpu_ns() - start) / count;
    return d.lo == 0 ? ns + 1 : ns; /* the result is needed */
}

/* ---- the tree alone ---------------------------------------------------------------------------------------------------- */

struct change {
    struct index_item *item;
    struct entry *next;
};

/* Overwrites `count` random keys; answers ns per write within the turn, adds the sealing to *seal_ns. */
static double overwrite_ns(struct store *s, uint64_t keys, uint64_t count, unsigned epoch, struct rng *rng, double *seal_ns)
{
    struct change changes[AT_ONCE];
    char text[KEY_SIZE + VALUE_SIZE + 1];
    double spent = 0;
    for (uint64_t done = 0; done < count; done += AT_ONCE) {
        for (unsigned i = 0; i < AT_ONCE; i++) {
            struct hearsay_entry entry = entry_of(keys == AT_ONCE ? i : rng_below(rng, keys), text, moment(epoch) + done + i);
            uint64_t place = entry_place(&s->keys, entry.key);
            changes[i].next = entry_create(s->memory, &s->keys, place, &entry);
            changes[i].item = index_find(&s->index, place, entry.key);
            if (changes[i].next == NULL || changes[i].item == NULL) {
                die("out of memory");
            }
        }
        double start = cpu_ns();
        for (unsigned i = 0; i < AT_ONCE; i++) {
            if (!merkle_reserve(&s->merkle)) {
                die("out of memory");
            }
            merkle_on_change(&s->merkle, changes[i].item->place, changes[i].item->entry, changes[i].next);
            struct entry *old = changes[i].item->entry;
            changes[i].item->entry = changes[i].next;
            changes[i].next = old;
        }
        spent += cpu_ns() - start;
        for (unsigned i = 0; i < AT_ONCE; i++) {
            order_replace(&s->order, changes[i].item->entry);
        }
        for (unsigned i = 0; i < AT_ONCE; i++) {
            memory_free(s->memory, changes[i].next);
        }
    }
    double start = cpu_ns();
    merkle_seal(&s->merkle, EPOCH + epoch);
    *seal_ns += (cpu_ns() - start) / (double)count;
    return spent / (double)count;
}

/* The same with few keys, each written once an epoch, so that everything is in the cache. */
static double cached_ns(struct store *s, struct rng *rng)
{
    double least = 1e9;
    for (unsigned i = 0; i < 400; i++) {
        double seal = 0, write = overwrite_ns(s, AT_ONCE, AT_ONCE, 10 + i, rng, &seal);
        least = write + seal < least ? write + seal : least;
    }
    return least;
}

static void measure_tree(struct store *s, uint64_t keys, double hash)
{
    struct rng rng;
    double write = 0, seal = 0, hot = 0, hot_seal = 0;
    rng_init(&rng, 1);
    (void)overwrite_ns(s, keys, 20000, 2, &rng, &seal);
    seal = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        write += overwrite_ns(s, keys, 20000, 3 + i, &rng, &seal) / ROUNDS;
        hot += overwrite_ns(s, 100, 20000, 3 + ROUNDS + i, &rng, &hot_seal) / ROUNDS;
    }
    report_value("tree: a write, in its turn", "ns", write);
    report_value("tree: a write, when its second is sealed", "ns", seal / ROUNDS);
    report_value("tree: a write, both and its hash", "ns", write + seal / ROUNDS + hash);
    report_ratio("tree: a write, all in the cache, and its hash", "ns", cached_ns(s, &rng) + hash, "the hash", hash, 4);
    report_value("tree: a write of a key written 200 times a second, both", "ns", hot + hot_seal / ROUNDS);
}

static void on_found(void *context, const struct index_item *a, const struct index_item *b)
{
    (void)a, (void)b;
    ++*(unsigned *)context;
}

static void measure_diff(struct store *a, uint64_t keys)
{
    struct store b;
    unsigned found = 0;
    struct rng rng;
    char text[KEY_SIZE + VALUE_SIZE + 1];
    static const uint8_t secret[16];
    if (!store_init(&b, &memory_system, secret, 64)) {
        die("out of memory");
    }
    merkle_start_at(&b.merkle, EPOCH);
    fill(&b, keys, moment(0));
    rng_init(&rng, 5);
    merkle_seal(&a->merkle, EPOCH + 500);
    for (unsigned i = 0; i < 1000; i++) { /* differ in about 1000 keys, besides what was overwritten above */
        struct hearsay_entry entry = entry_of(rng_below(&rng, keys), text, moment(600) + i);
        uint64_t place = entry_place(&b.keys, entry.key);
        struct entry *e = entry_create(b.memory, &b.keys, place, &entry);
        if (e == NULL || store_commit(&b, place, e) == STORE_NO_MEMORY) {
            die("out of memory");
        }
    }
    merkle_seal(&b.merkle, EPOCH + 600);
    double start = cpu_ns();
    (void)merkle_diff(&a->merkle, &b.merkle, on_found, &found);
    report_value("two trees in one process compared, per key that differs", "ns", (cpu_ns() - start) / found);
    store_deinit(&b);
}

/* ---- the node ------------------------------------------------------------------------------------------------------------- */

static void measure_node(uint64_t keys)
{
    struct hearsay_options options;
    struct hearsay_output output;
    struct hearsay_store_stats stats;
    char text[KEY_SIZE + VALUE_SIZE + 1];
    uint64_t now = 1000000;
    hearsay_options_local(&options);
    options.name = "bench";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .size = 4, .port = 7946};
    options.store = 1;
    double before = resident_bytes(), spent = 0;
    struct hearsay_node *node = hearsay_create(&options, now, NULL);
    if (node == NULL) {
        die("out of memory");
    }
    hearsay_set_wall_clock(node, now, (uint64_t)EPOCH * 1000);
    for (unsigned round = 0; round < 2; round++) {
        double start = cpu_ns();
        for (uint64_t i = 0; i < keys; i++) {
            struct hearsay_entry entry = entry_of(i * 7919 % keys, text, round);
            if (hearsay_put(node, now, entry.key, entry.value, 0, 1, NULL) != HEARSAY_OK) {
                die("a write was refused");
            }
            now += 10; /* 100,000 a second */
            if (i % 100 == 0) {
                hearsay_tick(node, now);
                while (hearsay_next_output(node, &output)) {
                }
            }
        }
        spent = (cpu_ns() - start) / (double)keys;
        report_value(round == 0 ? "hearsay_put of a new key, reports taken" : "hearsay_put of a known key, reports taken", "ns", spent);
    }
    for (unsigned i = 0; i < 200; i++) { /* steps so small that none looks like a pause */
        hearsay_tick(node, now += 50000);
        while (hearsay_next_output(node, &output)) {
        }
    }
    hearsay_get_store_stats(node, &stats);
    if (stats.root_count != keys || stats.unsettled != 0) {
        die("the tree does not hold what was written");
    }
    double resident = resident_bytes() - before;
    report_limit("memory per key, resident, data included", "B", resident / (double)keys, keys < 500000 ? 300 : 268);
    report_value("memory per key, asked for, data included", "B", (double)stats.memory / (double)keys);
    report_value("data per key", "B", (double)stats.bytes / (double)keys);
    hearsay_destroy(node);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("tree", argc, argv);
    uint64_t keys = flags.is_quick ? 100000 : 1000000;
    static const uint8_t secret[16];
    struct store store;
    report_value("keys", "", (double)keys);
    measure_node(keys);
    double hash = hash_ns(2000000);
    report_value("SipHash-2-4-128 of 32 bytes", "ns", hash);
    if (!store_init(&store, &memory_system, secret, 64)) {
        die("out of memory");
    }
    merkle_start_at(&store.merkle, EPOCH);
    double start = cpu_ns();
    fill(&store, keys, moment(0));
    report_value("a key loaded, in order, tree included", "ns", (cpu_ns() - start) / (double)keys);
    measure_tree(&store, keys, hash);
    double inner = 0;
    for (unsigned i = 0; i < INDEX_LEVELS && store.index.inner[i] != NULL; i++) {
        inner += (double)((uint64_t)1 << 4 * i) * sizeof(struct digest);
    }
    double leaves = (double)((uint64_t)1 << store.index.bits) * sizeof(struct digest);
    report_limit("tree memory per key", "B", (inner + leaves) / (double)keys, 2);
    measure_diff(&store, keys);
    store_deinit(&store);
    return report_end();
}
