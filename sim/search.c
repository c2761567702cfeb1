/* SPDX-License-Identifier: MIT
 *
 * See search.h.
 */
#include "sim/search.h"

#include "sim/cipher.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_LOOK_US 5000000u
#define SEARCH_MEET_US 180000000u /* whoever was missed by all rumours is met by a push/pull */
#define SEARCH_SPACING_US 20000u
#define SEARCH_ASK_US 60000000u  /* a query of a hundred nodes lasts 6.4 s */
#define SEARCH_POLL_US 250000u
#define SEARCH_CALM_US 60000000u /* after all agree again, nobody may be buried */

/* What a seed draws. */
struct draft {
    struct cluster_options cluster;
    uint32_t nodes;
    struct fault faults[SEARCH_FAULTS_MAX];
    size_t fault_count;
    uint64_t fault_span_us;
};

struct run {
    struct checkers *checkers;
    uint32_t asked, acks; /* who was shown our query, and who says so */
    bool is_answered;     /* its time is over */
    struct store_watch *store; /* or NULL */
    struct search_result *result;
};

struct search_options search_options_default(void)
{
    return (struct search_options){.least_nodes = 30, .most_nodes = 100, .duration_us = 600000000, .bound_us = 180000000};
}

static void draw_options(struct rng *rng, struct hearsay_options *options)
{
    if (rng_below(rng, 4) == 0) {
        hearsay_options_local(options);
    } else {
        hearsay_options_lan(options);
    }
    options->compression = rng_below(rng, 4) == 0;
    options->eager = rng_below(rng, 4) != 0;
    options->nacks = rng_below(rng, 8) != 0;
    options->stream_ping = rng_below(rng, 8) != 0;
    options->buddy = rng_below(rng, 8) != 0;
    options->attended_time = rng_below(rng, 8) != 0;
    options->gossip_nodes = 2 + (uint32_t)rng_below(rng, 3);
    options->indirect_checks = 1 + (uint32_t)rng_below(rng, 4);
    options->suspicion_mult = 3 + (uint32_t)rng_below(rng, 4);
    if (rng_below(rng, 4) == 0) {
        options->keys[0] = (struct hearsay_key){.size = 16, .bytes = {(uint8_t)rng_next(rng)}};
        options->key_count = 1;
    }
}

static void draw_link(struct rng *rng, struct link *link)
{
    link->latency_us = 100 + (uint32_t)rng_below(rng, 30000);
    link->jitter_us = (uint32_t)rng_below(rng, 20000);
    link->has_long_tail = rng_below(rng, 2) == 0;
    link->loss = rng_below(rng, 2) == 0 ? 0 : rng_unit(rng) * 0.05;
}

static void draw(uint64_t seed, const struct search_options *options, struct draft *draft)
{
    struct rng rng;
    rng_init(&rng, seed);
    *draft = (struct draft){.cluster = {.world = world_options_quiet(seed)}};
    draft->nodes = options->least_nodes + (uint32_t)rng_below(&rng, options->most_nodes - options->least_nodes + 1);
    draw_options(&rng, &draft->cluster.node);
    draw_link(&rng, &draft->cluster.world.link);
    draft->cluster.allocation_failures = options->allocation_failures;
    if (options->store) {
        store_watch_draw(seed, &draft->cluster.node);
    }
    draft->fault_span_us = options->duration_us * 2 / 3;
    draft->fault_count = faults_draw(&rng, draft->faults, SEARCH_FAULTS_MAX, draft->fault_span_us, &draft->cluster.world.link);
    struct fault more;
    if (options->store && store_watch_draw_fault(seed, draft->fault_span_us, &draft->cluster.world.link, &draft->cluster.node, &more)) {
        draft->fault_count -= draft->fault_count == SEARCH_FAULTS_MAX; /* the last one makes room */
        draft->faults[draft->fault_count++] = more;
    }
}

size_t search_faults(uint64_t seed, const struct search_options *options, struct fault list[SEARCH_FAULTS_MAX])
{
    struct draft draft;
    draw(seed, options, &draft);
    memcpy(list, draft.faults, sizeof draft.faults);
    return draft.fault_count;
}

static void on_event(void *context, struct seat *seat, const struct hearsay_event *event)
{
    struct run *run = context;
    run->asked += event->type == HEARSAY_QUERY;
    run->acks += event->type == HEARSAY_QUERY_ACK;
    run->is_answered |= event->type == HEARSAY_QUERY_DONE;
    checkers_on_event(run->checkers, seat, event);
    if (run->store != NULL) {
        store_watch_on_event(run->store, seat, event);
    }
}

static void on_wipe(void *context, struct seat *seat)
{
    struct run *run = context;
    if (run->store != NULL) {
        store_watch_on_wipe(run->store, seat);
    }
}

static bool is_broken(const struct run *run)
{
    uint64_t at;
    return checkers_verdict(run->checkers, &at) != NULL;
}

/* Until then or until a promise is broken. */
static void run_until(struct cluster *cluster, struct run *run, uint64_t until)
{
    while (cluster->world->now < until && !is_broken(run)) {
        uint64_t next = cluster->world->now + SEARCH_LOOK_US;
        world_run(cluster->world, next < until ? next : until);
        checkers_look(run->checkers);
    }
}

static void blame_dissent(const struct cluster *cluster, struct run *run, uint64_t bound_us, const struct cluster_dissent *dissent)
{
    if (dissent == NULL) {
        checkers_blame(run->checkers, "all agree within %.0f s: every view was right once, but never did all show the %u that run",
                       (double)bound_us / 1e6, cluster_running(cluster));
        return;
    }
    const struct hearsay_member *shown = &dissent->shown, *own = &dissent->own;
    checkers_blame(run->checkers, "all agree within %.0f s: %s shows %s as %s (incarnation %u of %u, time %llu of %llu, tags %s)",
                   (double)bound_us / 1e6, dissent->observer->host->name, dissent->subject->host->name, hearsay_status_text(shown->status),
                   shown->incarnation, own->incarnation, (unsigned long long)shown->status_ltime, (unsigned long long)own->status_ltime,
                   bytes_equal(shown->meta, own->meta) ? "right" : "wrong");
}

/* At some instant all views are the same to the last field. Where packets get lost somebody is wrongly suspected now and then, and denies
 * it with a new incarnation, so that such an instant may never come: there every single view must be right once, and at some instant all
 * must show who runs, perhaps as suspect. */
static void expect_agreement(struct cluster *cluster, struct run *run, uint64_t bound_us)
{
    uint64_t began = cluster->world->now;
    struct cluster_dissent dissent;
    bool is_lossy = cluster->world->options.link.loss > 0, is_settled = false;
    uint8_t *seen = is_lossy ? calloc(cluster->count, cluster->count) : NULL;
    CHECK(seen != NULL || !is_lossy);
    for (;;) {
        is_settled = (is_settled && is_lossy) || cluster_is_settled(cluster, seen, &dissent);
        if (is_broken(run) || (is_settled && cluster_agrees(cluster))) {
            break;
        }
        if (cluster->world->now - began >= bound_us) {
            blame_dissent(cluster, run, bound_us, is_settled ? NULL : &dissent);
            break;
        }
        world_run(cluster->world, cluster->world->now + SEARCH_POLL_US);
    }
    free(seen);
    if (!is_broken(run)) {
        run->result->converged_s = (double)(cluster->world->now - began) / 1e6;
    }
}

/* Where nothing is lost, whoever hears a query acknowledges it, and the asker hears that. Rumours may miss a few. */
static void expect_acks(struct cluster *cluster, struct run *run)
{
    struct hearsay_question question = {.name = "search", .wants_acks = true};
    uint64_t until = cluster->world->now + SEARCH_ASK_US;
    uint32_t i = 0, ticket, running = cluster_running(cluster);
    while (i < cluster->count && cluster->seats[i]->host->state != HOST_RUNNING) {
        i++;
    }
    if (i == cluster->count) {
        return;
    }
    struct host *host = cluster->seats[i]->host;
    CHECK(hearsay_query(host->node, host_now(host), &question, &ticket) == HEARSAY_OK);
    host_drain(host);
    while (!run->is_answered && cluster->world->now < until) {
        world_run(cluster->world, cluster->world->now + SEARCH_POLL_US);
    }
    if (!run->is_answered || run->acks != run->asked || run->asked * 10 < running * 9) {
        checkers_blame(run->checkers, "a query of %s is acknowledged by all who hear it: %u run, %u heard, %u acknowledged%s", host->name, running,
                       run->asked, run->acks, run->is_answered ? "" : ", and it never ended");
    }
}

static size_t keep(struct draft *draft, uint64_t kept)
{
    size_t count = 0;
    for (size_t i = 0; i < draft->fault_count; i++) {
        if ((kept >> i & 1) != 0) {
            draft->faults[count++] = draft->faults[i];
        }
    }
    return count;
}

static void live(struct cluster *cluster, struct draft *draft, struct run *run, const struct search_options *options, size_t fault_count)
{
    uint64_t began = cluster->world->now;
    cluster_grow(cluster, draft->nodes, SEARCH_SPACING_US);
    if (!cluster_meet(cluster, SEARCH_MEET_US)) {
        expect_agreement(cluster, run, 0);
        return;
    }
    cluster->is_scarce = options->allocation_failures > 0;
    if (run->store != NULL) {
        store_watch_begin(run->store);
    }
    struct faults *faults = faults_start(cluster, draft->faults, fault_count, NULL, NULL);
    run_until(cluster, run, began + draft->fault_span_us);
    cluster->is_scarce = false;
    faults_heal(faults);
    if (run->store != NULL) {
        store_watch_stop(run->store);
        store_watch_set_clocks(run->store);
    }
    expect_agreement(cluster, run, options->bound_us);
    if (draft->cluster.world.link.loss == 0 || draft->cluster.node.stream_ping) { /* see checkers.h */
        checkers_expect_quiet(run->checkers, cluster->world->now + SEARCH_CALM_US);
    }
    run_until(cluster, run, began + options->duration_us);
    if (!is_broken(run)) { /* and it stays so */
        double converged_s = run->result->converged_s;
        expect_agreement(cluster, run, draft->cluster.world.link.loss > 0 ? SEARCH_CALM_US : 0);
        run->result->converged_s = converged_s;
    }
    if (!is_broken(run) && draft->cluster.world.link.loss == 0) {
        expect_acks(cluster, run);
    }
    if (run->store != NULL && !is_broken(run)) {
        store_watch_expect_equal(run->store, options->bound_us);
    }
    faults_destroy(faults);
}

void search_run(uint64_t seed, uint64_t kept, const struct search_options *options, struct search_result *result)
{
    struct draft draft;
    struct run run = {.result = result};
    uint64_t at;
    draw(seed, options, &draft);
    kept &= ((uint64_t)1 << draft.fault_count) - 1;
    *result = (struct search_result){.seed = seed, .nodes = draft.nodes, .kept = kept, .converged_s = -1};
    size_t fault_count = keep(&draft, kept);
    uint64_t nonces = seed;
    draft.cluster.node.cipher = cipher_toy(&nonces);
    draft.cluster.on_event = on_event;
    draft.cluster.on_wipe = on_wipe;
    draft.cluster.context = &run;
    struct cluster *cluster = cluster_create(&draft.cluster);
    run.checkers = checkers_create(cluster, options->bound_us);
    run.store = options->store ? store_watch_create(cluster, run.checkers, seed) : NULL;
    live(cluster, &draft, &run, options, fault_count);
    const char *claim = checkers_verdict(run.checkers, &at);
    if (claim != NULL) {
        (void)snprintf(result->claim, sizeof result->claim, "%s", claim);
        result->failed_at_s = (double)at / 1e6;
    }
    for (uint32_t i = 0; i < cluster->count; i++) {
        size_t peak = cluster->seats[i]->bytes_peak;
        result->bytes_peak = peak > result->bytes_peak ? peak : result->bytes_peak;
    }
    result->faults = (uint32_t)fault_count;
    result->digest = world_digest(cluster->world);
    result->inputs = cluster->world->inputs;
    result->failed_allocations = cluster->failed_allocations;
    if (run.store != NULL) {
        store_watch_get_figures(run.store, &result->store);
        store_watch_destroy(run.store);
    }
    checkers_destroy(run.checkers);
    cluster_destroy(cluster);
}

/* Half of them at a time, then a quarter … then one; again, until none can be left out any more. */
unsigned search_shrink(const struct search_options *options, struct search_result *result)
{
    unsigned runs = 0, piece = SEARCH_FAULTS_MAX / 2;
    while (piece > 0) {
        uint64_t before = result->kept;
        for (unsigned first = 0; first < SEARCH_FAULTS_MAX; first += piece) {
            uint64_t without = result->kept & ~((((uint64_t)1 << piece) - 1) << first);
            struct search_result smaller;
            if (without == result->kept) {
                continue;
            }
            search_run(result->seed, without, options, &smaller);
            runs++;
            if (smaller.claim[0] != 0) {
                *result = smaller;
            }
        }
        piece = piece == 1 && result->kept != before ? 1 : piece / 2;
    }
    return runs;
}
