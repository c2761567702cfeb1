/* SPDX-License-Identifier: MIT
 *
 * One line per run of the simulator with what it came to, for determinism.sh, which compares builds and numbers of threads: searches,
 * the ready scenarios (the whole report), the spread model (all figures). digests THREADS
 */
#include "sim/cipher.h"
#include "sim/cluster_report.h"
#include "sim/scenario.h"
#include "sim/search.h"
#include "sim/spread_report.h"

#include "base/bytes.h"
#include "base/check.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 16
#define NODES 12

static struct search_result results[SEEDS];
static unsigned thread_count;

static void *search_some(void *context)
{
    struct search_options options = search_options_default();
    options.least_nodes = 6;
    options.most_nodes = 16;
    options.duration_us = 120000000;
    for (size_t i = (size_t)(uintptr_t)context; i < SEEDS; i += thread_count) {
        options.allocation_failures = i % 4 == 3 ? 0.01 : 0;
        search_run(i + 1, UINT64_MAX, &options, &results[i]);
    }
    return NULL;
}

static void tell_searches(void)
{
    pthread_t ids[SEEDS];
    for (unsigned i = 0; i < thread_count; i++) {
        CHECK(pthread_create(&ids[i], NULL, search_some, (void *)(uintptr_t)i) == 0);
    }
    for (unsigned i = 0; i < thread_count; i++) {
        pthread_join(ids[i], NULL);
    }
    for (size_t i = 0; i < SEEDS; i++) {
        const struct search_result *r = &results[i];
        printf("search %zu %016" PRIx64 " %" PRIu64 " inputs, %.6f s, %zu bytes, %" PRIu64 " not had, %s\n", i + 1, r->digest, r->inputs,
               r->converged_s, r->bytes_peak, r->failed_allocations, r->claim[0] == 0 ? "ok" : r->claim);
    }
}

static struct cluster_report *report;

static void on_event(void *context, struct seat *seat, const struct hearsay_event *event)
{
    (void)context;
    if (report != NULL) {
        report_on_event(report, seat, event);
    }
}

static void on_packet(void *context, struct host *from, struct host *to, struct hearsay_bytes bytes)
{
    (void)context;
    (void)from;
    (void)to;
    if (report != NULL) {
        report_on_packet(report, bytes);
    }
}

static void tell_text(const char *what, char *text, size_t size)
{
    uint64_t hash = bytes_hash((struct hearsay_bytes){(const uint8_t *)text, size}, 1);
    printf("%s %016" PRIx64 "\n", what, hash);
    free(text);
}

static void tell_scenario(const struct scenario_file *file)
{
    struct scenario scenario;
    struct cluster_options options = {.world = world_options_quiet(7), .on_event = on_event};
    char error[200], what[64], *text = NULL;
    size_t size = 0;
    uint64_t nonces = 0;
    CHECK(scenario_parse(&scenario, file->text, file->name, 0, error, sizeof error));
    options.world.link = scenario.link;
    options.world.on_packet = on_packet;
    options.world.timer_grain_us = strlen(file->name) % 2 == 0 ? 0 : 1000;
    hearsay_options_lan(&options.node);
    options.node.cipher = cipher_toy(&nonces);
    struct cluster *cluster = cluster_create(&options);
    cluster_grow(cluster, NODES, 20000);
    CHECK(cluster_meet(cluster, 600000000));
    report = report_create(cluster);
    struct faults *faults = faults_start(cluster, scenario.faults, scenario.fault_count, NULL, NULL);
    report_run(report, 60000000);
    FILE *out = open_memstream(&text, &size);
    report_json(report, file->name, 7, true, out);
    fclose(out);
    (void)snprintf(what, sizeof what, "cluster %s %016" PRIx64, file->name, world_digest(cluster->world));
    tell_text(what, text, size);
    faults_destroy(faults);
    report_destroy(report);
    report = NULL;
    cluster_destroy(cluster);
}

static void tell_spread(enum spread_mode mode, bool has_timers, enum spread_stop stop)
{
    static struct spread_run run;
    char what[64], *text = NULL;
    size_t size = 0;
    run.setting = (struct spread_setting){.mode = mode, .stop = stop, .nodes = 500, .fanout = 2, .trials = 40, .stop_after = 4, .rounds_max = 1000,
                                          .seed = 11, .loss = 0.05, .has_timers = has_timers, .has_load = true};
    CHECK(spread_model_run(&run.setting, thread_count, NULL, NULL, &run.result));
    FILE *out = open_memstream(&text, &size);
    spread_report_json(out, &run, 1);
    fclose(out);
    (void)snprintf(what, sizeof what, "spread %s %s %u", spread_report_mode(mode), has_timers ? "timers" : "rounds", (unsigned)stop);
    tell_text(what, text, size);
}

int main(int argc, char **argv)
{
    thread_count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    CHECK(thread_count >= 1 && thread_count <= SEEDS);
    tell_searches();
    for (const struct scenario_file *file = scenario_files; file->name != NULL; file++) {
        tell_scenario(file);
    }
    for (unsigned mode = SPREAD_PUSH; mode <= SPREAD_PUSH_PULL; mode++) {
        tell_spread((enum spread_mode)mode, false, SPREAD_STOP_NEVER);
        tell_spread((enum spread_mode)mode, true, SPREAD_STOP_TRANSMITS);
        tell_spread((enum spread_mode)mode, true, SPREAD_STOP_FEEDBACK_COIN);
    }
    return 0;
}
