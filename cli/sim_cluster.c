/* SPDX-License-Identifier: MIT
 *
 * hearsay sim cluster: a whole cluster of the production core in virtual time, a scenario, and what came of it.
 */
#include "cli/sim.h"

#include "agent/setup.h"
#include "sim/cipher.h"
#include "sim/cluster_report.h"
#include "sim/scenario.h"
#include "sim/warm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MEET_US 600000000u
#define SPACING_US 20000u
#define SEGMENT_BYTES 65536u /* as libuv reads */
#define COORDINATES_MAX 128 /* nobody asks for them here, and those of 10,000 nodes about each other would take 20 GiB */
#define FILE_BYTES_MAX (1u << 20)

static const char *nodes = "100", *scenario_name = "steady", *duration = "120", *config_file, *seed = "1", *format = "text", *html;
static bool lists, is_warm;

static const struct flag flags[] = {
    {"nodes", FLAG_TEXT, &nodes, "N", "size of the cluster (default 100)"},
    {"scenario", FLAG_TEXT, &scenario_name, "NAME|FILE", "a ready one or a file (default steady)"},
    {"duration", FLAG_TEXT, &duration, "SECONDS", "simulated, from when all know each other (default 120)"},
    {"config-file", FLAG_TEXT, &config_file, "FILE", "the agent's own configuration (default: LAN, compression off)"},
    {"seed", FLAG_TEXT, &seed, "N", "of every choice (default 1)"},
    {"format", FLAG_TEXT, &format, "text|json", "default text"},
    {"html", FLAG_TEXT, &html, "FILE", "also write a page with plots, which needs no network"},
    {"warm", FLAG_SWITCH, &is_warm, NULL, "all know each other from the start: thousands of nodes need no joining"},
    {"list", FLAG_SWITCH, &lists, NULL, "tell the ready scenarios"},
    {.name = NULL}};

struct job {
    struct scenario scenario;
    struct cluster_options options;
    uint32_t nodes;
    uint64_t seed, duration_us, nonces;
    bool is_json;
    struct config config;
    struct taglist tags;
    struct cluster_report *report;
};

static int list_scenarios(void)
{
    struct scenario scenario;
    char error[200];
    for (const struct scenario_file *file = scenario_files; file->name != NULL; file++) {
        if (scenario_parse(&scenario, file->text, file->name, 0, error, sizeof error)) {
            printf("%-20s %s\n", file->name, scenario.description);
        }
    }
    return EXIT_DONE;
}

static void tell_nul(const char *path, const char *text)
{
    unsigned line = 1, column = 1;
    for (; *text != 0; text++) {
        column = *text == '\n' ? 1 : column + 1;
        line += *text == '\n';
    }
    (void)command_misused("%s:%u:%u: a NUL byte", path, line, column);
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = file == NULL ? NULL : malloc(FILE_BYTES_MAX + 2);
    if (text == NULL) {
        (void)command_misused("--scenario %s: no ready scenario (see --list), and not a file: %s", path, strerror(errno));
        if (file != NULL) {
            fclose(file);
        }
        return NULL;
    }
    size_t size = fread(text, 1, FILE_BYTES_MAX + 1, file);
    bool is_read = ferror(file) == 0 || command_misused("--scenario %s: %s", path, strerror(errno));
    fclose(file);
    is_read = is_read && (size <= FILE_BYTES_MAX || command_misused("--scenario %s: larger than %u bytes", path, FILE_BYTES_MAX));
    text[is_read ? size : 0] = 0;
    if (is_read && strlen(text) == size) {
        return text;
    }
    if (is_read) {
        tell_nul(path, text);
    }
    free(text);
    return NULL;
}

static bool read_scenario(struct job *job)
{
    char error[300], *text;
    bool is_read;
    for (const struct scenario_file *file = scenario_files; file->name != NULL; file++) {
        if (strcmp(file->name, scenario_name) == 0) {
            return scenario_parse(&job->scenario, file->text, file->name, job->nodes, error, sizeof error) || command_misused("%s", error);
        }
    }
    if ((text = read_text(scenario_name)) == NULL) {
        return false;
    }
    is_read = scenario_parse(&job->scenario, text, scenario_name, job->nodes, error, sizeof error) || command_misused("%s", error);
    free(text);
    return is_read;
}

static bool read_config(struct job *job)
{
    struct config given;
    struct hearsay_uv_options options;
    char error[400];
    if (config_file == NULL) {
        hearsay_options_lan(&job->options.node);
        job->options.node.compression = 0;
        job->options.node.coordinates_max = COORDINATES_MAX;
        return true;
    }
    config_init(&given);
    lists_add_word(&given.files, config_file);
    bool is_read = setup_gather(&given, &job->config, error, sizeof error) && setup_resolve(&job->config, error, sizeof error) &&
                   setup_tags(&job->config, &job->tags, error, sizeof error) &&
                   setup_options(&job->config, &job->tags, &options, error, sizeof error);
    config_deinit(&given);
    if (is_read) {
        job->options.node = options.node;
    }
    return is_read || command_misused("%s", error);
}

static bool read_flags(struct job *job)
{
    uint64_t count, seconds;
    if (!command_format(format, &job->is_json) || !sim_number("nodes", nodes, 2, 100000, &count) ||
        !sim_number("duration", duration, 1, 1000000, &seconds) || !sim_number("seed", seed, 0, UINT64_MAX, &job->seed)) {
        return false;
    }
    job->nodes = (uint32_t)count;
    if (!read_scenario(job) || !read_config(job)) {
        return false;
    }
    job->duration_us = seconds * 1000000;
    return true;
}

static void on_event(void *context, struct seat *seat, const struct hearsay_event *event)
{
    struct job *job = context;
    if (job->report != NULL) {
        report_on_event(job->report, seat, event);
    }
}

static void on_packet(struct job *job, struct hearsay_bytes bytes)
{
    if (job->report != NULL) {
        report_on_packet(job->report, bytes);
    }
}

static void on_packet_of_cluster(void *context, struct host *from, struct host *to, struct hearsay_bytes bytes)
{
    struct cluster *cluster = context;
    (void)from;
    (void)to;
    on_packet(cluster->options.context, bytes);
}

static int tell(const struct job *job)
{
    if (job->is_json) {
        report_json(job->report, scenario_name, job->seed, job->options.node.compression != 0, stdout);
    } else {
        printf("%s: %s\n%u nodes, %s s, seed %s, compression %s\n\n", scenario_name, job->scenario.description, job->nodes, duration, seed,
               job->options.node.compression != 0 ? "on" : "off");
        report_text(job->report, stdout);
    }
    if (html == NULL) {
        return EXIT_DONE;
    }
    FILE *file = fopen(html, "w");
    if (file == NULL) {
        return command_fail("cannot write %s: %s", html, strerror(errno));
    }
    report_page(job->report, scenario_name, job->scenario.description, file);
    return fclose(file) == 0 ? EXIT_DONE : command_fail("cannot write %s: %s", html, strerror(errno));
}

/* Of the processor, by this program. */
static double seconds_spent(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static uint64_t memory_peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

static bool meet(struct cluster *cluster, uint32_t count)
{
    if (is_warm) {
        return warm_start(cluster, count);
    }
    cluster_grow(cluster, count, SPACING_US);
    return cluster_meet(cluster, MEET_US);
}

static int simulate(struct job *job)
{
    int code;
    job->options.world = world_options_quiet(job->seed);
    job->options.world.segment_bytes = SEGMENT_BYTES;
    job->options.world.link = job->scenario.link;
    job->options.world.timer_grain_us = job->scenario.timer_grain_us;
    job->options.world.cores = job->scenario.cores;
    job->options.world.wake_cpu_us = job->scenario.wake_cpu_us;
    job->options.world.on_packet = on_packet_of_cluster;
    job->options.node.cipher = cipher_toy(&job->nonces);
    job->options.on_event = on_event;
    job->options.context = job;
    struct cluster *cluster = cluster_create(&job->options);
    if (meet(cluster, job->nodes)) {
        job->report = report_create(cluster);
        struct faults *faults = faults_start(cluster, job->scenario.faults, job->scenario.fault_count, NULL, NULL);
        double met_s = seconds_spent();
        report_run(job->report, job->duration_us);
        job->report->cost = (struct report_cost){met_s, seconds_spent() - met_s, memory_peak()};
        code = tell(job);
        faults_destroy(faults);
    } else if (is_warm) {
        code = command_fail("not all of %u nodes took the list of all: is members_max of the configuration too small?", job->nodes);
    } else {
        code = command_fail("%u nodes did not come to know each other within %u s", job->nodes, MEET_US / 1000000);
    }
    report_destroy(job->report);
    cluster_destroy(cluster);
    return code;
}

static int run(int count, char **arguments)
{
    struct job job = {.report = NULL};
    (void)count;
    (void)arguments;
    if (lists) {
        return list_scenarios();
    }
    config_init(&job.config);
    int code = read_flags(&job) ? simulate(&job) : EXIT_USAGE;
    config_deinit(&job.config);
    return code;
}

const struct command command_sim_cluster = {
    .name = "sim cluster",
    .summary = "what will my cluster do with these settings, at this size, when this happens?",
    .usage = "sim cluster [flags]",
    .text = "  Runs N nodes of the very core that the agent runs, in virtual time, and a scenario: when deaths are detected, who is accused\n"
            "  wrongly, when all agree again, how soon events reach everybody, what it costs. A scenario of your own is JSON, times in seconds:\n\n"
            "    {\"loss\": 0.01, \"faults\": [{\"at\": 10, \"fault\": \"crash\", \"nodes\": 3, \"for\": 20}]}\n\n"
            "  nodes is a number, \"10%\" or \"5-9\"; faults are crash, switch_off, leave (for, spacing, keeps_disk), join, freeze, block (for,\n"
            "  every, until), slow (run, slice), skew (ahead, drift), cut, cut_one_way (others), partition, link (loss, duplication,\n"
            "  reordering, reorder_by, latency, jitter, burst, burst_every, burst_loss, bytes_per_second), garbage (rate), event, tags.\n"
            "  What a link can be may stand beside faults, for all from the begin; so may timer_grain (0.001: timers count as libuv's do), and\n"
            "  cores with wake_cpu: all nodes share so many cores, and waking one takes a core so long.\n\n"
            "    hearsay sim cluster --nodes 200 --scenario split-brain --html split.html\n"
            "    hearsay sim cluster --nodes 10000 --warm --scenario event-and-crash --duration 60\n",
    .flags = flags,
    .run = run,
};
