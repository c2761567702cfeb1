/* SPDX-License-Identifier: MIT
 *
 * A. Dadgar et al., "Lifeguard" (2017), the interval experiment: of 128 members, C block their message I/O for D, work for I, and block
 * again, for two minutes. False positives are verdicts on members that are not among the C; counted at all members, and at those not among
 * the C. Five configurations of the production core with memberlist's options, suspicion (5,6), nothing of our own.
 *
 * Differs: what stands still in a blocked process. memberlist's prober waits in its send, so that a block spoils one probe, whose verdict
 * falls when the block ends; our core never waits in a send, so that a block spoils one probe per interval, with verdicts on time. Tried
 * with a copy of the core that waits as memberlist's would, the shares are 97, 0.02, 98 and 0.03 %: the published ones lie between the two.
 */
#include "sim/crew.h"
#include "sim/faults.h"
#include "sim/paper.h"

#include <math.h>
#include <stdlib.h>

#define NODES 128
#define JOIN_SPACING_US 20000u
#define PATIENCE_US 600000000u
#define QUIET_US 15000000u
#define DURATION_US 120000000u
#define WITHIN 3.0 /* a factor */

enum { SWIM, LHA_PROBE, LHA_SUSPICION, BUDDY, LIFEGUARD, CONFIGURATIONS };

static const char *const names[CONFIGURATIONS] = {"SWIM", "LHA-Probe", "LHA-Suspicion", "Buddy", "all three"};

struct anomaly {
    uint32_t members, block_ms, work_ms; /* C, D, I */
};

/* The paper's grid. What is below 8 s hardly ever leads to a verdict, since the shortest suspicion takes 10.5 s. */
static const uint32_t all_members[] = {1, 4, 8, 12, 16, 20, 24, 28, 32}, all_blocks_ms[] = {128, 512, 2048, 8192, 16384, 32768},
                      all_works_ms[] = {1, 4, 16, 64, 256, 1024, 4096, 16384};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define GRID (COUNT(all_members) * COUNT(all_blocks_ms) * COUNT(all_works_ms))

static const struct anomaly some[] = {{4, 16384, 1}, {16, 16384, 1024}, {16, 32768, 64}, {32, 32768, 16384}};

static const char model[] =
    "128 members, C block their messages for D, again every D + I, for 120 s; four of the paper's 432 (C, D, I); see below";
static const char model_whole[] =
    "128 members, C block their messages for D, again every D + I, for 120 s; all of the paper's C, D and I; see below";

static const char why[] =
    "\n  Same order, and shares within a factor of three (all three together: or less). Why not the same shares: a blocked core of ours probes on,\n"
    "  once an interval, while memberlist's prober stands still in its send, so LHA-Probe has more to save here; and nearly all verdicts at healthy\n"
    "  members are told to them by those that were blocked, against which Buddy, which hastens denials of suspicions, cannot help.\n";

struct count {
    uint32_t at_all, at_healthy;
};

struct run {
    const struct cluster *cluster;
    bool is_watched;
    struct count count;
};

struct experiment {
    const struct anomaly *anomalies;
    uint64_t seed;
    struct count *counts; /* [anomaly * CONFIGURATIONS + configuration] */
    bool *has_met;
};

static void on_event(void *context, struct seat *seat, const struct hearsay_event *event)
{
    struct run *run = context;
    if (!run->is_watched || event->type != HEARSAY_MEMBER_FAILED || cluster_find(run->cluster, event->member.name)->is_harmed) {
        return;
    }
    run->count.at_all++;
    run->count.at_healthy += !seat->is_harmed;
}

static struct cluster *begin(struct run *run, uint32_t configuration, uint64_t seed)
{
    struct cluster_options options = {.world = world_options_quiet(seed), .on_event = on_event, .context = run};
    bool is_all = configuration == LIFEGUARD;
    hearsay_options_lan(&options.node);
    hearsay_options_memberlist(&options.node);
    options.node.compression = 0; /* costs time, changes nothing */
    options.node.suspicion_mult = 5;
    options.node.lha_probe = options.node.nacks = is_all || configuration == LHA_PROBE;
    options.node.lha_suspicion = is_all || configuration == LHA_SUSPICION;
    options.node.buddy = is_all || configuration == BUDDY;
    return cluster_create(&options);
}

/* All configurations meet the same anomaly with the same seed. */
static void run_one(void *context, uint32_t number)
{
    struct experiment *e = context;
    const struct anomaly *a = &e->anomalies[number / CONFIGURATIONS];
    uint64_t seed = e->seed * 1000003 + number / CONFIGURATIONS;
    struct fault fault = {.kind = FAULT_BLOCK,
                          .who = {.count = a->members, .salt = seed},
                          .for_us = a->block_ms * 1000u,
                          .every_us = (a->block_ms + a->work_ms) * 1000u,
                          .until_us = DURATION_US};
    struct run run = {0};
    struct cluster *cluster = begin(&run, number % CONFIGURATIONS, seed);
    run.cluster = cluster;
    cluster_grow(cluster, NODES, JOIN_SPACING_US);
    e->has_met[number] = cluster_meet(cluster, PATIENCE_US);
    world_run(cluster->world, cluster->world->now + QUIET_US);
    run.is_watched = true;
    struct faults *faults = faults_start(cluster, &fault, 1, NULL, NULL);
    world_run(cluster->world, cluster->world->now + DURATION_US);
    e->counts[number] = run.count;
    faults_destroy(faults);
    cluster_destroy(cluster);
}

static void share_row(struct paper *paper, const char *what, const char *published, double ours, bool may_be_less)
{
    paper_row(paper, &(struct paper_row){.what = what,
                                         .published = published,
                                         .ours = ours,
                                         .trials = 1,
                                         .least = ours / WITHIN,
                                         .most = may_be_less ? INFINITY : fmax(ours * WITHIN, 1e-9)});
}

static void tell(struct paper *paper, const struct count sums[CONFIGURATIONS])
{
    static const char *const published[CONFIGURATIONS][2] = {
        {NULL, NULL}, {"67.7", "32.9"}, {"3.0", "6.7"}, {"94.1", "44.6"}, {"1.53", "1.89"}};
    fprintf(paper->out, "  SWIM: %u false positives, %u of them at healthy members\n", sums[SWIM].at_all, sums[SWIM].at_healthy);
    double shares[CONFIGURATIONS][2];
    for (int i = 0; i < CONFIGURATIONS; i++) {
        shares[i][0] = 100.0 * sums[i].at_all / sums[SWIM].at_all;
        shares[i][1] = 100.0 * sums[i].at_healthy / sums[SWIM].at_healthy;
    }
    for (int healthy = 0; healthy < 2; healthy++) {
        for (int i = LHA_PROBE; i < CONFIGURATIONS; i++) {
            char what[64];
            snprintf(what, sizeof what, "%s, %% of SWIM's%s", names[i], healthy != 0 ? ", at healthy members" : "");
            share_row(paper, what, published[i][healthy], shares[i][healthy], i == LIFEGUARD);
        }
        paper_claim(paper, healthy != 0 ? "the same order at healthy members" : "SWIM and Buddy > LHA-Probe > LHA-Suspicion > all three",
                    shares[BUDDY][healthy] > shares[LHA_PROBE][healthy] && shares[LHA_PROBE][healthy] < shares[SWIM][healthy] &&
                        shares[LHA_PROBE][healthy] > shares[LHA_SUSPICION][healthy] &&
                        shares[LHA_SUSPICION][healthy] > shares[LIFEGUARD][healthy]);
    }
}

bool paper_lifeguard(struct paper *paper)
{
    static struct anomaly grid[GRID];
    uint32_t count = COUNT(some);
    if (paper->is_whole) {
        count = 0;
        for (size_t i = 0; i < GRID; i++) {
            grid[count++] = (struct anomaly){all_members[i / COUNT(all_works_ms) / COUNT(all_blocks_ms)],
                                             all_blocks_ms[i / COUNT(all_works_ms) % COUNT(all_blocks_ms)],
                                             all_works_ms[i % COUNT(all_works_ms)]};
        }
    }
    uint32_t jobs = count * CONFIGURATIONS;
    struct experiment e = {.anomalies = paper->is_whole ? grid : some, .seed = paper->seed};
    e.counts = calloc(jobs, sizeof *e.counts);
    e.has_met = calloc(jobs, sizeof *e.has_met);
    bool has_memory = e.counts != NULL && e.has_met != NULL;
    if (has_memory) {
        struct count sums[CONFIGURATIONS] = {0};
        bool has_met = true;
        paper_section(paper, "Lifeguard (A. Dadgar et al., 2017): false positives as a share of SWIM's", paper->is_whole ? model_whole : model);
        paper_begin(paper, "Lifeguard", jobs);
        crew_work(jobs, 0, run_one, &e, paper_done, paper);
        for (uint32_t i = 0; i < jobs; i++) {
            sums[i % CONFIGURATIONS].at_all += e.counts[i].at_all;
            sums[i % CONFIGURATIONS].at_healthy += e.counts[i].at_healthy;
            has_met &= e.has_met[i];
        }
        tell(paper, sums);
        paper_claim(paper, "every cluster had met before", has_met);
        fputs(why, paper->out);
    }
    free(e.counts);
    free(e.has_met);
    return has_memory;
}
