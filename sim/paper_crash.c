/* SPDX-License-Identifier: MIT
 *
 * How soon a crash is noticed: clusters of the production core with memberlist's constants and nothing of our own, whose members know each
 * other from the start. One is switched off; when does the first one call it failed, and when have all? (alpha, beta) are memberlist's
 * suspicion multipliers.
 */
#include "sim/cluster.h"
#include "sim/crew.h"
#include "sim/paper.h"
#include "sim/warm.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_US 600000000u
#define LOOK_US 100000u
#define QUIET_US 20000000u /* news of the joining has died down, and phases have drifted apart */
#define SECOND 1e6

struct experiment {
    uint32_t nodes, alpha, beta;
    uint32_t clusters, victims; /* victims one after the other: of a thousand, ten change nothing */
    uint64_t seed;
    double *first_s, *all_s; /* of every victim of every cluster */
    bool *is_fine;           /* by cluster: all met, all noticed, and nobody else was called failed */
};

/* One cluster's look at its victim. */
struct look {
    const char *victim;
    uint32_t noticed, wrong;
    uint64_t first_at, last_at;
    struct world *world;
};

static void on_event(void *context, struct seat *seat, const struct hearsay_event *event)
{
    struct look *look = context;
    (void)seat;
    if (event->type != HEARSAY_MEMBER_FAILED) {
        return;
    }
    if (look->victim == NULL || strcmp(event->member.name, look->victim) != 0) {
        look->wrong += look->victim != NULL;
        return;
    }
    look->first_at = look->noticed++ == 0 ? look->world->now : look->first_at;
    look->last_at = look->world->now;
}

static bool crash_one(struct cluster *cluster, struct look *look, struct rng *rng, double *first_s, double *all_s)
{
    struct world *world = cluster->world;
    struct seat *victim;
    do {
        victim = cluster->seats[rng_below(rng, cluster->count)];
    } while (victim->host->node == NULL);
    world_run(world, world->now + QUIET_US + rng_below(rng, 1000000));
    uint64_t at = world->now;
    *look = (struct look){.victim = victim->host->name, .world = world};
    cluster_crash(victim, true);
    while (look->noticed < cluster_running(cluster) && world->now < at + PATIENCE_US) {
        world_run(world, world->now + LOOK_US);
    }
    *first_s = (double)(look->first_at - at) / SECOND;
    *all_s = (double)(look->last_at - at) / SECOND;
    return look->noticed == cluster_running(cluster) && look->wrong == 0;
}

static void run_cluster(void *context, uint32_t number)
{
    const struct experiment *e = context;
    struct look look = {0};
    struct rng rng;
    rng_init(&rng, e->seed * 1000003 + number);
    struct cluster_options options = {.world = world_options_quiet(rng_next(&rng)), .on_event = on_event, .context = &look};
    options.world.link.latency_us = 500;
    hearsay_options_lan(&options.node);
    hearsay_options_memberlist(&options.node);
    options.node.compression = 0; /* costs time, changes nothing */
    options.node.suspicion_mult = e->alpha;
    options.node.suspicion_max_mult = e->beta;
    struct cluster *cluster = cluster_create(&options);
    e->is_fine[number] = warm_start(cluster, e->nodes);
    for (uint32_t i = 0; i < e->victims; i++) {
        size_t at = (size_t)number * e->victims + i;
        e->is_fine[number] &= crash_one(cluster, &look, &rng, &e->first_s[at], &e->all_s[at]);
    }
    cluster_destroy(cluster);
}

/* The times of all crashes of an experiment. */
struct outcome {
    struct paper_median first, all;
    bool is_fine;
};

static bool run(struct paper *paper, struct experiment *e, const char *what, struct outcome *outcome)
{
    uint32_t crashes = e->clusters * e->victims;
    e->seed = paper->seed;
    e->first_s = calloc(crashes, sizeof *e->first_s);
    e->all_s = calloc(crashes, sizeof *e->all_s);
    e->is_fine = calloc(e->clusters, sizeof *e->is_fine);
    bool has_memory = e->first_s != NULL && e->all_s != NULL && e->is_fine != NULL;
    if (has_memory) {
        paper_begin(paper, what, e->clusters);
        crew_work(e->clusters, 0, run_cluster, e, paper_done, paper);
        *outcome = (struct outcome){paper_median(e->first_s, crashes), paper_median(e->all_s, crashes), true};
        for (uint32_t i = 0; i < e->clusters; i++) {
            outcome->is_fine &= e->is_fine[i];
        }
    }
    free(e->first_s);
    free(e->all_s);
    free(e->is_fine);
    return has_memory;
}

static void median_row(struct paper *paper, const char *what, const char *published, struct paper_median m)
{
    paper_row(paper,
              &(struct paper_row){.what = what, .published = published, .ours = m.value, .trials = 1, .least = m.least, .most = m.most});
}

/* Of two medians, with the interval that theirs allow. */
static struct paper_median ratio(struct paper_median a, struct paper_median b)
{
    return (struct paper_median){a.value / b.value, a.least / b.most, a.most / b.least};
}

static bool large(struct paper *paper)
{
    struct experiment e = {.nodes = 1000, .alpha = 4, .beta = 6, .clusters = 8, .victims = 10};
    struct outcome outcome;
    if (!run(paper, &e, "crashes, n = 1000", &outcome)) {
        return false;
    }
    median_row(paper, "n = 1000 (4,6): first detection, p50, s", "13.7", outcome.first);
    median_row(paper, "n = 1000 (4,6): everybody knows, p50, s", "14.3", outcome.all);
    paper_claim(paper, "n = 1000: everybody noticed every crash, and nobody else was called failed", outcome.is_fine);
    return true;
}

bool paper_crash(struct paper *paper)
{
    uint32_t clusters = paper->trials / 20 > 12 ? paper->trials / 20 : 12;
    struct experiment slow = {.nodes = 128, .alpha = 5, .beta = 6, .clusters = clusters, .victims = 3};
    struct experiment fast = {.nodes = 128, .alpha = 4, .beta = 6, .clusters = clusters, .victims = 3};
    struct outcome at_5, at_4;
    paper_section(
        paper, "memberlist: one crash, noticed by the production core",
        "full protocol over a virtual network, 0.5 ms, no loss; memberlist's and Lifeguard's options, nothing of our own; (alpha,beta)");
    if (!run(paper, &slow, "crashes, (5,6)", &at_5) || !run(paper, &fast, "crashes, (4,6)", &at_4)) {
        return false;
    }
    median_row(paper, "n = 128 (5,6): first detection, p50, s", "12.2", at_5.first);
    median_row(paper, "n = 128 (5,6): everybody knows, p50, s", "12.6", at_5.all);
    median_row(paper, "n = 128 (4,6) / (5,6): first detection", "0.835", ratio(at_4.first, at_5.first));
    median_row(paper, "n = 128 (4,6) / (5,6): everybody knows", "0.835", ratio(at_4.all, at_5.all));
    paper_claim(paper, "n = 128: everybody noticed every crash, and nobody else was called failed", at_5.is_fine && at_4.is_fine);
    return !paper->is_whole || large(paper);
}
