/* SPDX-License-Identifier: MIT
 *
 * `hearsay sim search`: many seeds on all processors, one line each, whatever the order in which they end. A failing seed is shrunk and
 * printed with its faults and the command that lives it again.
 */
#include "cli/sim.h"

#include "sim/search.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64
#define SEEDS_MAX 10000000u

static const char *seeds = "1..20", *shard, *format = "text", *nodes = "30..100", *duration = "600", *bound = "180", *failures = "0",
                  *threads, *keep, *seed;
static bool verbose, stops_at_first, with_store;

static const struct flag flags[] = {
    {"seeds", FLAG_TEXT, &seeds, "A..B", "the seeds to run (default 1..20)"},
    {"seed", FLAG_TEXT, &seed, "N", "one seed, and its faults in words"},
    {"faults", FLAG_TEXT, &keep, "LIST", "only these faults of the seed: 0,4,7, or none"},
    {"shard", FLAG_TEXT, &shard, "I/M", "every Mth seed, beginning with the Ith (1 … M)"},
    {"nodes", FLAG_TEXT, &nodes, "A..B", "size of the clusters (default 30..100)"},
    {"duration", FLAG_TEXT, &duration, "SECONDS", "simulated; faults end after two thirds (default 600)"},
    {"bound", FLAG_TEXT, &bound, "SECONDS", "after the faults, all agree within this (default 180)"},
    {"allocation-failures", FLAG_TEXT, &failures, "P", "chance of each allocation to fail while there are faults (default 0)"},
    {"store", FLAG_SWITCH, &with_store, NULL, "all hold the shared store too: writes, deletes and lost disks are watched"},
    {"threads", FLAG_TEXT, &threads, "N", "default: one per processor"},
    {"first-failure", FLAG_SWITCH, &stops_at_first, NULL, "stop at the first seed that fails, and do not shrink it"},
    {"format", FLAG_TEXT, &format, "text|json", "json: one object per line, for hearsay sim merge"},
    {"verbose", FLAG_SWITCH, &verbose, NULL, "a line for every seed, not only for those that fail"},
    {0}};

struct search {
    struct search_options options;
    uint64_t first, last, step, kept;
    bool is_json, tells_all, is_terminal;
    pthread_mutex_t lock;
    struct search_result *results; /* by index of seed */
    bool *is_done;
    uint64_t count, next, told, failed, inputs;
};

/* ---- telling --------------------------------------------------------------------------------------------------------------------------- */

static void tell_kept(const struct search_result *result)
{
    const char *comma = "";
    if (result->kept == 0) {
        printf("none");
    }
    for (unsigned i = 0; i < SEARCH_FAULTS_MAX; i++) {
        if ((result->kept >> i & 1) != 0) {
            printf("%s%u", comma, i);
            comma = ",";
        }
    }
}

static void tell_json(const struct search_result *r)
{
    printf("{\"seed\":%" PRIu64 ",\"ok\":%s,\"digest\":\"%016" PRIx64 "\",\"nodes\":%u,\"faults\":%u,\"inputs\":%" PRIu64
           ",\"converged_s\":%.3f,\"bytes_peak\":%zu",
           r->seed, r->claim[0] == 0 ? "true" : "false", r->digest, r->nodes, r->faults, r->inputs, r->converged_s, r->bytes_peak);
    if (with_store) {
        printf(",\"writes\":%" PRIu64 ",\"deletes\":%" PRIu64 ",\"acknowledged\":%" PRIu64 ",\"only_on_lost_disks\":%" PRIu64, r->store.writes,
               r->store.deletes, r->store.acknowledged, r->store.excused);
    }
    if (r->failed_allocations > 0) {
        printf(",\"failed_allocations\":%" PRIu64, r->failed_allocations);
    }
    if (r->claim[0] != 0) {
        printf(",\"failed_at_s\":%.3f,\"kept\":\"", r->failed_at_s);
        tell_kept(r);
        printf("\",\"claim\":\"");
        for (const char *at = r->claim; *at != 0; at++) {
            printf(*at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
        }
        printf("\"");
    }
    printf("}\n");
}

static void tell_faults(const struct search *search, const struct search_result *r)
{
    struct fault list[SEARCH_FAULTS_MAX];
    size_t count = search_faults(r->seed, &search->options, list);
    for (size_t i = 0; i < count; i++) {
        char text[200];
        fault_text(&list[i], text, sizeof text);
        if ((r->kept >> i & 1) != 0) {
            printf("  %2zu  %s\n", i, text);
        }
    }
}

static void tell_text(const struct search *search, const struct search_result *r)
{
    if (r->claim[0] == 0) {
        printf("seed %-8" PRIu64 " ok    %3u nodes %2u faults %9" PRIu64 " inputs  agreed after %6.2f s  digest %016" PRIx64 "\n", r->seed,
               r->nodes, r->faults, r->inputs, r->converged_s, r->digest);
        return;
    }
    printf("seed %-8" PRIu64 " FAILS %3u nodes, at %.3f s: %s\n", r->seed, r->nodes, r->failed_at_s, r->claim);
    tell_faults(search, r);
    printf("  again: hearsay sim search --seed %" PRIu64 " --faults ", r->seed);
    tell_kept(r);
    const char *texts[] = {"--nodes", nodes, "--duration", duration, "--bound", bound, "--allocation-failures", failures};
    const char *defaults[] = {"30..100", "600", "180", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(texts[2 * i + 1], defaults[i]) != 0) {
            printf(" %s %s", texts[2 * i], texts[2 * i + 1]);
        }
    }
    printf(with_store ? " --store\n" : "\n");
}

/* In the order of seeds; the lock is held. */
static void tell_done(struct search *search)
{
    for (; search->told < search->count && search->is_done[search->told]; search->told++) {
        const struct search_result *r = &search->results[search->told];
        search->failed += r->claim[0] != 0;
        search->inputs += r->inputs;
        if (search->is_terminal) {
            fprintf(stderr, "\r\033[K");
        }
        if (search->is_json) {
            tell_json(r);
        } else if (r->claim[0] != 0 || search->tells_all) {
            tell_text(search, r);
        }
        fflush(stdout);
        if (search->is_terminal) {
            fprintf(stderr, "%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " failed", search->told + 1, search->count, search->failed);
        }
    }
    if (search->is_terminal && search->told == search->count) {
        fprintf(stderr, "\r\033[K");
    }
}

/* ---- working ---------------------------------------------------------------------------------------------------------------------------- */

static void *work(void *context)
{
    struct search *search = context;
    for (;;) {
        pthread_mutex_lock(&search->lock);
        uint64_t index = search->next++;
        pthread_mutex_unlock(&search->lock);
        if (index >= search->count) {
            return NULL;
        }
        struct search_result result;
        search_run(search->first + index * search->step, search->kept, &search->options, &result);
        if (result.claim[0] != 0 && search->kept == UINT64_MAX && !stops_at_first) {
            (void)search_shrink(&search->options, &result);
        }
        pthread_mutex_lock(&search->lock);
        if (result.claim[0] != 0 && stops_at_first && index < search->count) {
            search->count = index + 1;
        }
        search->results[index] = result;
        search->is_done[index] = true;
        tell_done(search);
        pthread_mutex_unlock(&search->lock);
    }
}

static int run_all(struct search *search, unsigned thread_count)
{
    pthread_t ids[THREADS_MAX];
    unsigned started = 0;
    search->results = calloc(search->count, sizeof *search->results);
    search->is_done = calloc(search->count, sizeof *search->is_done);
    if (search->results == NULL || search->is_done == NULL) {
        free(search->results);
        free(search->is_done);
        return command_fail("out of memory for %" PRIu64 " seeds", search->count);
    }
    pthread_mutex_init(&search->lock, NULL);
    while (started + 1 < thread_count && pthread_create(&ids[started], NULL, work, search) == 0) {
        started++;
    }
    (void)work(search);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(ids[i], NULL);
    }
    pthread_mutex_destroy(&search->lock);
    free(search->results);
    free(search->is_done);
    if (!search->is_json) {
        printf("%" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64 " inputs\n", search->count, search->failed, search->inputs);
    }
    return search->failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* ---- reading flags ------------------------------------------------------------------------------------------------------------------------ */

static bool read_range(const char *text, const char *flag, uint64_t *first, uint64_t *last)
{
    char *end;
    errno = 0;
    *first = *last = strtoull(text, &end, 10);
    if (end != text && strncmp(end, "..", 2) == 0 && end[2] >= '0' && end[2] <= '9') {
        *last = strtoull(end + 2, &end, 10);
    }
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || *last < *first) {
        return command_misused("--%s %s: expected A..B with A not above B", flag, text);
    }
    return true;
}

static bool read_seconds(const char *text, const char *flag, uint64_t least, uint64_t *us)
{
    char *end;
    double value = strtod(text, &end);
    end += *end == 's';
    if (end == text || *end != 0 || !(value >= (double)least) || value > 1e7) {
        return command_misused("--%s %s: expected seconds, at least %u", flag, text, (unsigned)least);
    }
    *us = (uint64_t)(value * 1e6);
    return true;
}

static bool read_kept(uint64_t *kept)
{
    *kept = keep == NULL ? UINT64_MAX : 0;
    for (const char *at = keep; at != NULL && *at != 0 && strcmp(at, "none") != 0;) {
        char *end;
        unsigned long number = strtoul(at, &end, 10);
        if (end == at || number >= SEARCH_FAULTS_MAX || (*end != ',' && *end != 0)) {
            return command_misused("--faults %s: expected numbers below %d with commas, or none", keep, SEARCH_FAULTS_MAX);
        }
        *kept |= (uint64_t)1 << number;
        at = *end == ',' ? end + 1 : end;
    }
    return true;
}

static bool read_shard(struct search *search)
{
    unsigned index = 1, of = 1;
    char rest;
    if (shard != NULL && (sscanf(shard, "%u/%u%c", &index, &of, &rest) != 2 || index == 0 || of == 0 || index > of)) {
        return command_misused("--shard %s: expected I/M with I from 1 to M", shard);
    }
    search->step = of;
    search->first += index - 1;
    search->count = search->first > search->last ? 0 : (search->last - search->first) / of + 1;
    return search->count <= SEEDS_MAX || command_misused("--seeds %s: at most %u seeds at once", seeds, SEEDS_MAX);
}

static bool read_flags(struct search *search)
{
    uint64_t least, most;
    char *end;
    struct search_options *options = &search->options;
    *options = search_options_default();
    if (!read_range(seed != NULL ? seed : seeds, seed != NULL ? "seed" : "seeds", &search->first, &search->last) ||
        !read_range(nodes, "nodes", &least, &most) || !read_seconds(duration, "duration", 30, &options->duration_us) ||
        !read_seconds(bound, "bound", 1, &options->bound_us) || !read_kept(&search->kept) || !read_shard(search)) {
        return false;
    }
    if (least < 2 || most > 10000) {
        return command_misused("--nodes %s: expected 2 to 10000", nodes);
    }
    options->store = with_store;
    options->least_nodes = (uint32_t)least;
    options->most_nodes = (uint32_t)most;
    options->allocation_failures = strtod(failures, &end);
    if (end == failures || *end != 0 || !(options->allocation_failures >= 0 && options->allocation_failures <= 0.5)) {
        return command_misused("--allocation-failures %s: expected a chance from 0 to 0.5", failures);
    }
    return true;
}

static int run(int count, char **arguments)
{
    struct search search = {0};
    long thread_count = threads != NULL ? strtol(threads, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);
    (void)count;
    (void)arguments;
    if (!command_format(format, &search.is_json) || !read_flags(&search)) {
        return EXIT_USAGE;
    }
    if (threads != NULL && (thread_count < 1 || thread_count > THREADS_MAX)) {
        command_misused("--threads %s: expected 1 to %d", threads, THREADS_MAX);
        return EXIT_USAGE;
    }
    search.tells_all = verbose || seed != NULL;
    search.is_terminal = isatty(2) != 0 && !search.is_json;
    int code = run_all(&search, (unsigned)(thread_count < 1 ? 1 : thread_count > THREADS_MAX ? THREADS_MAX : thread_count));
    return code;
}

const struct command command_sim_search = {
    .name = "sim search",
    .summary = "is there a run in which the protocol breaks a promise?",
    .usage = "sim search [flags]",
    .text = "Looks for runs in which the protocol breaks a promise. Every seed draws a cluster, its options, its network and a list of faults,\n"
            "and is one and the same run everywhere. Watched all the time: incarnations never go back, who said goodbye stays away, nothing\n"
            "impossible is counted, memory has limits, nobody who can be reached is held for dead longer than the bound, in quiet times nobody\n"
            "who runs is buried. After the faults: all views are the same to the last tag. With --store also: all replicas are\n"
            "equal, roots are equal exactly when contents are, nothing acknowledged is lost while a holder or its disk survives, and nothing\n"
            "deleted is back. A failing seed is shrunk to fewer faults. Exit code\n"
            "1 when a promise was broken.\n\n"
            "Example: hearsay sim search --seeds 1..200\n"
            "         hearsay sim search --seeds 1..1000 --shard 2/4 --format json > part2.json\n"
            "         hearsay sim search --store --nodes 5..20 --seeds 1..100\n",
    .flags = flags,
    .run = run,
};
