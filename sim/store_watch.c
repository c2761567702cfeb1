/* SPDX-License-Identifier: MIT
 *
 * See store_watch.h. Keys "k…" are only written, keys "d…" are also deleted; a tombstone's version cannot be seen from outside, so of those
 * the oracle knows a moment before and one after. Keys "t…" live for some seconds only. Where nodes wait for others for some minutes only, a delete
 * says nothing about what the other side wrote meanwhile (see hearsay_delete), so there it is not asked whether deleted keys are back.
 */
#include "sim/store_watch.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 240          /* the second half may be deleted */
#define MORTALS 24        /* … and so many more expire */
#define TTL_MOST_MS 60000u
#define WIPE_SHADOW_US 10000000u /* a receipt may be older than the loss of the disk that it speaks of */
#define POLL_US 500000u
#define TICKETS 4096

struct watched {
    uint64_t acked_hlc;   /* newest version that was acknowledged */
    uint64_t acked_origin;
    uint64_t deleted_hlc; /* a moment before the newest acknowledged delete */
    uint64_t maybe_deleted_hlc; /* a moment after the newest attempted delete */
    bool is_excused;      /* its only holders lost it */
};

struct ticket {
    const struct seat *seat;
    uint32_t life, number, key;
    uint64_t before_hlc;
    bool is_delete;
};

struct store_watch {
    struct cluster *cluster;
    struct checkers *checkers;
    struct rng rng;
    bool is_writing;
    struct watched keys[KEYS];
    struct ticket tickets[TICKETS];
    uint32_t ticket_next;
    bool is_patient;   /* nodes wait for others longer than a run lasts */
    uint64_t wiped_at; /* when a disk was lost last */
    struct store_watch_figures figures;
};

void store_watch_draw(uint64_t seed, struct hearsay_options *node)
{
    struct rng rng;
    rng_init(&rng, seed ^ 0x570eu);
    node->store = 1;
    node->store_mode = 1 + (uint32_t)rng_below(&rng, 3);
    node->store_fanout = 1 + (uint32_t)rng_below(&rng, 3);
    node->store_interval_ms = 200 + (uint32_t)rng_below(&rng, 800);
    node->store_durable = rng_below(&rng, 4) != 0;
    node->tombstone_grace_ms = 5000 + (uint32_t)rng_below(&rng, 60000);
    node->store_cassandra = rng_below(&rng, 6) == 0;
    node->store_secret[0] = 9;
}

bool store_watch_draw_fault(uint64_t seed, uint64_t span_us, const struct link *usual, struct hearsay_options *node, struct fault *fault)
{
    struct rng rng;
    rng_init(&rng, seed ^ 0x10a57u);
    if (rng_below(&rng, 4) != 0) {
        return false;
    }
    node->forget_after_ms = 60000 + (uint32_t)rng_below(&rng, 60000);
    node->tombstone_grace_ms = 1000 + (uint32_t)rng_below(&rng, 10000);
    *fault = (struct fault){.kind = FAULT_PARTITION, .link = *usual, .at_us = 20000000 + rng_below(&rng, span_us / 6)};
    fault->for_us = span_us / 2 + rng_below(&rng, span_us / 4);
    fault->who.share = 0.1 + rng_unit(&rng) * 0.4;
    fault->who.salt = rng_next(&rng) | 1;
    return true;
}

struct store_watch *store_watch_create(struct cluster *cluster, struct checkers *checkers, uint64_t seed)
{
    struct store_watch *w = calloc(1, sizeof *w);
    CHECK(w != NULL);
    w->cluster = cluster;
    w->checkers = checkers;
    w->figures.equal_s = -1;
    w->is_patient = cluster->options.node.forget_after_ms > 3600000;
    rng_init(&w->rng, seed ^ 0x0a7c4u);
    return w;
}

void store_watch_destroy(struct store_watch *w)
{
    free(w);
}

void store_watch_get_figures(const struct store_watch *w, struct store_watch_figures *figures)
{
    *figures = w->figures;
}

static struct hearsay_bytes key_of(uint32_t number, char text[16])
{
    int size = snprintf(text, 16, "%c%04u", number < KEYS / 2 ? 'k' : number < KEYS ? 'd' : 't', number);
    return bytes_of(text, (size_t)size);
}

static bool is_up(const struct seat *seat)
{
    return seat->host->node != NULL && !seat->has_left;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------- */

static uint64_t hlc_at(const struct seat *seat)
{
    struct hearsay_store_stats stats;
    hearsay_get_store_stats(seat->host->node, &stats);
    return stats.hlc;
}

static void note_ticket(struct store_watch *w, const struct seat *seat, uint32_t number, uint32_t key, bool is_delete, uint64_t before_hlc)
{
    w->tickets[w->ticket_next++ % TICKETS] = (struct ticket){seat, seat->host->life, number, key, before_hlc, is_delete};
}

static void write_once(struct store_watch *w, struct seat *seat)
{
    char text[16], value[64];
    uint32_t number = (uint32_t)rng_below(&w->rng, KEYS + MORTALS), ticket = 0, copies = rng_below(&w->rng, 4) == 0 ? 2 : 1;
    bool is_mortal = number >= KEYS, is_delete = number >= KEYS / 2 && !is_mortal && rng_below(&w->rng, 2) == 0;
    uint64_t ttl_ms = is_mortal ? 1 + rng_below(&w->rng, TTL_MOST_MS) : 0;
    struct hearsay_bytes key = key_of(number, text);
    struct host *host = seat->host;
    uint64_t before = hlc_at(seat);
    int size = snprintf(value, sizeof value, "%s %llu", host->name, (unsigned long long)w->cluster->world->now);
    /* its ticket may be reported within the drain below, so the next number is guessed from the last */
    hearsay_err err = is_delete ? hearsay_delete(host->node, host_now(host), key, copies, &ticket)
                                : hearsay_put(host->node, host_now(host), key, bytes_of(value, (size_t)size), ttl_ms, copies, &ticket);
    if (err == HEARSAY_OK && is_mortal) {
        w->figures.writes++;
        host_drain(host);
    }
    if (err != HEARSAY_OK || is_mortal) {
        return;
    }
    note_ticket(w, seat, ticket, number, is_delete, before);
    *(is_delete ? &w->figures.deletes : &w->figures.writes) += 1;
    if (is_delete) {
        uint64_t after = hlc_at(seat) + 1;
        w->keys[number].maybe_deleted_hlc = after > w->keys[number].maybe_deleted_hlc ? after : w->keys[number].maybe_deleted_hlc;
    }
    host_drain(host);
}

static void on_write(struct world *world, struct event *event)
{
    struct store_watch *w = event->object;
    if (!w->is_writing) {
        return;
    }
    for (int tries = 0; tries < 8; tries++) {
        struct seat *seat = w->cluster->seats[rng_below(&w->rng, w->cluster->count)];
        if (is_up(seat) && seat->host->state == HOST_RUNNING) {
            write_once(w, seat);
            break;
        }
    }
    struct event *next = world_schedule(world, world->now + 20000 + rng_below(&w->rng, 400000), on_write);
    next->object = w;
}

void store_watch_begin(struct store_watch *w)
{
    w->is_writing = true;
    struct event *first = world_schedule(w->cluster->world, w->cluster->world->now + 1000, on_write);
    first->object = w;
}

void store_watch_stop(struct store_watch *w)
{
    w->is_writing = false;
}

/* ---- what was acknowledged --------------------------------------------------------------------------------------------------------- */

static bool is_newer(uint64_t hlc, uint64_t origin, uint64_t than_hlc, uint64_t than_origin)
{
    return hlc != than_hlc ? hlc > than_hlc : origin > than_origin;
}

static bool holds(const struct seat *seat, struct hearsay_bytes key, const struct watched *k);

/* As many as were asked for have it: those who run, or ran when they said so and have a disk. */
static void check_copies(struct store_watch *w, const struct seat *seat, const struct hearsay_event *event, uint32_t number)
{
    char text[16];
    const struct watched written = {.acked_hlc = event->hlc, .acked_origin = event->origin};
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->cluster->count; i++) {
        count += holds(w->cluster->seats[i], key_of(number, text), &written);
    }
    if (count < event->copies && w->cluster->options.node.store_durable && w->cluster->world->now > w->wiped_at + WIPE_SHADOW_US) {
        checkers_blame(w->checkers, "%s was told that %u have %s, but %u do", seat->host->name, event->copies, text, count);
    }
}

void store_watch_on_event(struct store_watch *w, struct seat *seat, const struct hearsay_event *event)
{
    char text[16];
    struct hearsay_entry entry;
    if (event->type != HEARSAY_PUT_DONE || !event->is_ok) {
        return;
    }
    for (uint32_t i = 0; i < TICKETS; i++) {
        struct ticket *t = &w->tickets[i];
        if (t->seat != seat || t->life != seat->host->life || t->number != event->ticket) {
            continue;
        }
        struct watched *k = &w->keys[t->key];
        w->figures.acknowledged++;
        if (!t->is_delete && event->copies > 1) {
            check_copies(w, seat, event, t->key);
        }
        if (t->is_delete) {
            k->deleted_hlc = t->before_hlc > k->deleted_hlc ? t->before_hlc : k->deleted_hlc;
        } else if (hearsay_get(seat->host->node, key_of(t->key, text), &entry) &&
                   is_newer(entry.version.hlc, entry.version.origin, k->acked_hlc, k->acked_origin)) {
            k->acked_hlc = entry.version.hlc;
            k->acked_origin = entry.version.origin;
            k->is_excused = false;
        }
        t->seat = NULL;
        return;
    }
}

static bool holds(const struct seat *seat, struct hearsay_bytes key, const struct watched *k)
{
    struct hearsay_entry entry;
    const struct hearsay_entry *row = disk_find(&seat->host->disk, key);
    if (row != NULL && !is_newer(k->acked_hlc, k->acked_origin, row->version.hlc, row->version.origin)) {
        return true;
    }
    return seat->host->node != NULL && hearsay_get(seat->host->node, key, &entry) &&
           !is_newer(k->acked_hlc, k->acked_origin, entry.version.hlc, entry.version.origin);
}

/* Does it know that the key was deleted? From outside a tombstone is seen on the disk only; without disks, who shows nothing may have it. */
static bool holds_delete(const struct seat *seat, struct hearsay_bytes key, const struct watched *k)
{
    const struct hearsay_entry *row = disk_find(&seat->host->disk, key);
    struct hearsay_entry entry;
    if (row != NULL) {
        return row->version.hlc > k->deleted_hlc;
    }
    return seat->cluster->options.node.store_durable == 0 && seat->host->node != NULL && !hearsay_get(seat->host->node, key, &entry);
}

void store_watch_on_wipe(struct store_watch *w, struct seat *seat)
{
    char text[16];
    w->wiped_at = w->cluster->world->now;
    for (uint32_t i = 0; i < KEYS; i++) {
        struct watched *k = &w->keys[i];
        bool is_held = false;
        for (uint32_t s = 0; s < w->cluster->count && k->acked_hlc != 0 && !is_held; s++) {
            is_held = w->cluster->seats[s] != seat && holds(w->cluster->seats[s], key_of(i, text), k);
        }
        if (k->acked_hlc != 0 && !is_held && !k->is_excused) {
            k->is_excused = true;
            w->figures.excused++;
        }
        bool is_known = false;
        for (uint32_t s = 0; s < w->cluster->count && k->deleted_hlc != 0 && !is_known; s++) {
            is_known = w->cluster->seats[s] != seat && holds_delete(w->cluster->seats[s], key_of(i, text), k);
        }
        if (k->deleted_hlc != 0 && !is_known) {
            k->deleted_hlc = 0;
            w->figures.excused++;
        }
    }
}

/* ---- in the end ----------------------------------------------------------------------------------------------------------------------- */

void store_watch_set_clocks(struct store_watch *w)
{
    for (uint32_t i = 0; i < w->cluster->count; i++) {
        struct host *host = w->cluster->seats[i]->host;
        if (host->node != NULL) {
            hearsay_set_wall_clock(host->node, host_now(host), HOST_UNIX_MS + w->cluster->world->now / 1000);
            host_drain(host);
        }
    }
}

static uint64_t content_of(const struct seat *seat)
{
    struct hearsay_bytes after = {NULL, 0}, all = {NULL, 0};
    struct hearsay_entry e;
    uint64_t h = 1;
    while (hearsay_next_entry(seat->host->node, all, &after, &e)) {
        h = bytes_hash(e.value, bytes_hash(e.key, h)) ^ e.version.hlc * 0x9e3779b97f4a7c15u ^ e.version.origin;
    }
    return h;
}

/* The first two that differ, or false. */
static bool differ(struct store_watch *w, struct seat **a, struct seat **b)
{
    uint64_t content = 0;
    *a = *b = NULL;
    for (uint32_t i = 0; i < w->cluster->count; i++) {
        struct seat *seat = w->cluster->seats[i];
        if (!is_up(seat)) {
            continue;
        }
        uint64_t own = content_of(seat);
        if (*a == NULL) {
            *a = seat;
            content = own;
        } else if (own != content) {
            *b = seat;
            return true;
        }
    }
    return false;
}

/* Equal roots if and only if equal contents, where nothing is on its way. */
static void check_roots(struct store_watch *w)
{
    struct hearsay_store_stats first = {0};
    const struct seat *other = NULL;
    for (uint32_t i = 0; i < w->cluster->count; i++) {
        struct seat *seat = w->cluster->seats[i];
        struct hearsay_store_stats stats;
        if (!is_up(seat)) {
            continue;
        }
        hearsay_get_store_stats(seat->host->node, &stats);
        if (stats.unsettled > 0 || stats.pending > 0) {
            continue;
        }
        if (other == NULL) {
            other = seat;
            first = stats;
        } else if (stats.root_epoch == first.root_epoch && stats.purge_hlc == first.purge_hlc && stats.tombstones == first.tombstones) {
            bool same_root = memcmp(stats.root, first.root, sizeof stats.root) == 0;
            bool same_content = content_of(seat) == content_of(other);
            if (same_root != same_content && (same_root || stats.tombstones == 0)) {
                checkers_blame(w->checkers, "%s and %s have %s roots but %s contents", seat->host->name, other->host->name,
                               same_root ? "equal" : "different", same_content ? "equal" : "different");
            }
        }
    }
}

static void check_oracle(struct store_watch *w, const struct seat *seat)
{
    char text[16];
    for (uint32_t i = 0; i < KEYS; i++) {
        const struct watched *k = &w->keys[i];
        struct hearsay_entry e = {.version.hlc = 0};
        bool is_shown = hearsay_get(seat->host->node, key_of(i, text), &e);
        if (w->is_patient && k->deleted_hlc != 0 && is_shown && e.version.hlc <= k->deleted_hlc) {
            checkers_blame(w->checkers, "%s shows %s, which was deleted", seat->host->name, text);
        }
        bool was_deleted = k->maybe_deleted_hlc >= k->acked_hlc, is_older = is_newer(k->acked_hlc, k->acked_origin, e.version.hlc, e.version.origin);
        bool is_lost = k->acked_hlc != 0 && (is_shown ? is_older && (w->is_patient || !was_deleted) : !was_deleted);
        if (is_lost && !k->is_excused) {
            checkers_blame(w->checkers, "%s has lost %s, which was acknowledged (version %llu, shows %llu)", seat->host->name, text,
                           (unsigned long long)k->acked_hlc, is_shown ? (unsigned long long)e.version.hlc : 0);
        }
    }
    for (uint32_t i = KEYS; i < KEYS + MORTALS; i++) {
        struct hearsay_entry e;
        struct hearsay_store_stats stats;
        hearsay_get_store_stats(seat->host->node, &stats);
        if (hearsay_get(seat->host->node, key_of(i, text), &e) && e.expires_hlc < stats.hlc) {
            checkers_blame(w->checkers, "%s shows %s, which has expired", seat->host->name, text);
        }
    }
}

void store_watch_expect_equal(struct store_watch *w, uint64_t patience_us)
{
    struct world *world = w->cluster->world;
    uint64_t began = world->now;
    struct seat *a, *b;
    while (differ(w, &a, &b)) {
        if (world->now - began > patience_us) {
            struct hearsay_store_stats x, y;
            hearsay_get_store_stats(a->host->node, &x);
            hearsay_get_store_stats(b->host->node, &y);
            checkers_blame(w->checkers, "all replicas are equal within %.0f s: %s has %llu entries and %llu tombstones, %s %llu and %llu",
                           (double)patience_us / 1e6, a->host->name, (unsigned long long)x.entries, (unsigned long long)x.tombstones,
                           b->host->name, (unsigned long long)y.entries, (unsigned long long)y.tombstones);
            return;
        }
        world_run(world, world->now + POLL_US);
    }
    w->figures.equal_s = (double)(world->now - began) / 1e6;
    check_roots(w);
    if (a != NULL) {
        check_oracle(w, a);
    }
}
