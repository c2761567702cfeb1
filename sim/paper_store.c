/* SPDX-License-Identifier: MIT
 *
 * Rounds until everybody has a write, by the production core: a thousand nodes with the shared store in the virtual world, each with a timer
 * of its own, without eager copies. One key after the other is written somewhere, and the time until the last node has it is counted in
 * periods. Beside it the figures of the model (paper_rounds.c has them with the table they come from).
 */
#include "sim/paper.h"
#include "sim/warm.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NODES 1000
#define PERIOD_US 1000000u
#define PATIENCE_US 1200000000u
#define KEYS_PER_HUNDRED 10 /* a tenth of the trials: each is a thousand nodes' work */

struct spreading {
    struct cluster *cluster;
    uint32_t *trial_of; /* by host: the last trial whose write it has */
    uint32_t trial, missing;
    uint64_t last_at;
};

static void on_event(void *context, struct seat *seat, const struct hearsay_event *event)
{
    struct spreading *s = context;
    uint32_t number = seat->host->number;
    if (event->type == HEARSAY_ENTRY_CHANGED && s->trial_of != NULL && s->trial > 0 && s->trial_of[number] != s->trial) {
        s->trial_of[number] = s->trial;
        s->missing--;
        s->last_at = s->cluster->world->now;
    }
}

/* Everybody knows everybody as a holder of the store. */
static bool have_met(const struct cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->count; i++) {
        struct hearsay_store_peer peer;
        uint32_t up = 0;
        for (size_t position = 0; hearsay_next_store_peer(cluster->seats[i]->host->node, &position, &peer);) {
            up += peer.is_up;
        }
        if (up + 1 < cluster->count) {
            return false;
        }
    }
    return true;
}

/* Periods until all have one write; negative when it took too long. */
static double spread_once(struct spreading *s)
{
    struct world *world = s->cluster->world;
    struct host *host = s->cluster->seats[rng_below(&world->rng, s->cluster->count)]->host;
    char key[16];
    int size = snprintf(key, sizeof key, "trial %u", ++s->trial);
    uint64_t began = world->now;
    s->missing = s->cluster->count;
    struct hearsay_bytes bytes = {(const uint8_t *)key, (size_t)size};
    if (hearsay_put(host->node, host_now(host), bytes, bytes, 0, 1, NULL) != HEARSAY_OK) {
        return -1;
    }
    host_drain(host);
    while (s->missing > 0 && world->now - began < 60 * (uint64_t)PERIOD_US) {
        world_run(world, world->now + PERIOD_US / 10);
    }
    double periods = s->missing > 0 ? -1 : (double)(s->last_at - began) / PERIOD_US;
    world_run(world, world->now + rng_below(&world->rng, PERIOD_US)); /* the next begins at any moment */
    return periods;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(struct paper *paper, const char *what, const char *mean, const char *p99, double *values, uint32_t count)
{
    double sum = 0, squares = 0;
    char text[64];
    for (uint32_t i = 0; i < count; i++) {
        sum += values[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        squares += (values[i] - sum / count) * (values[i] - sum / count);
    }
    qsort(values, count, sizeof *values, by_size);
    double sd = sqrt(squares / (count - 1));
    paper_row(paper, &(struct paper_row){.what = what, .published = mean, .ours = sum / count, .sd = sd, .trials = count});
    snprintf(text, sizeof text, "%s, the slowest of %u at most p99", what, count);
    if (count <= 100) { /* with more, some are slower */
        paper_claim(paper, text, values[count - 1] <= atof(p99) * 1.1);
    }
}

static bool measure(struct paper *paper, enum hearsay_store_mode mode, const char *what, const char *mean, const char *p99)
{
    struct cluster_options options = {.world = world_options_quiet(paper->seed + mode), .on_event = on_event};
    uint32_t count = paper->trials * KEYS_PER_HUNDRED / 100;
    struct spreading s = {.trial = 0};
    options.world.link.latency_us = 50;
    options.context = &s;
    hearsay_options_lan(&options.node);
    options.node.store = 1;
    options.node.store_mode = mode;
    options.node.store_fanout = 3;
    options.node.store_interval_ms = PERIOD_US / 1000;
    options.node.eager = 0;
    paper_begin(paper, what, count);
    double *values = calloc(count, sizeof *values);
    struct cluster *cluster = cluster_create(&options);
    s.cluster = cluster;
    bool is_good = values != NULL && warm_start(cluster, NODES);
    s.trial_of = calloc(NODES, sizeof *s.trial_of);
    CHECK(s.trial_of != NULL);
    for (uint64_t waited = 0; is_good && !have_met(cluster); waited += 5 * (uint64_t)PERIOD_US) {
        is_good = waited < PATIENCE_US;
        world_run(cluster->world, cluster->world->now + 5 * (uint64_t)PERIOD_US);
    }
    for (uint32_t i = 0; is_good && i < count; i++) {
        values[i] = spread_once(&s);
        is_good = values[i] >= 0;
        paper_done(paper, 1);
    }
    if (is_good) {
        tell(paper, what, mean, p99, values, count);
    } else {
        paper_claim(paper, what, false);
    }
    free(s.trial_of);
    free(values);
    cluster_destroy(cluster);
    return true;
}

bool paper_store(struct paper *paper)
{
    paper_section(paper, "Periods until all 1000 have a write, by the production core",
                  "timers of their own, no eager copies; published: the model's");
    return measure(paper, HEARSAY_PUSH, "push k = 3", "4.97", "6.5") && measure(paper, HEARSAY_PUSH_PULL, "push-pull k = 3", "2.04", "2.7");
}
