/* SPDX-License-Identifier: MIT
 *
 * hearsay sim spread: how a rumour spreads with these settings, measured on the abstract model and beside the theory.
 */
#include "cli/sim.h"

#include "sim/spread_plot.h"
#include "sim/spread_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIST_MAX 16
#define RUNS_MAX 256
#define LOAD_NODES_MAX 100000 /* beyond, the busiest node is measured only beside a coordinator */

static const char *modes = "push-pull", *fanouts = "1", *nodes = "1000", *trials, *seed = "1", *loss = "0", *timing = "rounds", *limit = "0",
                  *stop = "never", *rounds_max = "10000", *threads = "0", *format = "table", *plot;

/* Cuts "a,b,c"; false after saying why. The parts live in copy. */
static bool cut(const char *flag, const char *text, char copy[512], const char *parts[LIST_MAX], size_t *count)
{
    *count = 0;
    if (strlen(text) >= 512) {
        return command_misused("--%s: this list is too long", flag);
    }
    strcpy(copy, text);
    for (char *rest = copy, *part; (part = strsep(&rest, ",")) != NULL;) {
        if (*count == LIST_MAX) {
            return command_misused("--%s %s: more than %d values", flag, text, LIST_MAX);
        }
        parts[(*count)++] = part;
    }
    return true;
}

static bool numbers(const char *flag, const char *text, uint64_t least, uint64_t most, uint64_t values[LIST_MAX], size_t *count)
{
    char copy[512];
    const char *parts[LIST_MAX];
    if (!cut(flag, text, copy, parts, count)) {
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        if (!sim_number(flag, parts[i], least, most, &values[i])) {
            return false;
        }
    }
    return true;
}

static bool read_modes(enum spread_mode values[LIST_MAX], size_t *count)
{
    char copy[512];
    const char *parts[LIST_MAX];
    if (!cut("mode", modes, copy, parts, count)) {
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        enum spread_mode mode = SPREAD_PUSH;
        while (strcmp(parts[i], spread_report_mode(mode)) != 0) {
            if (mode++ == SPREAD_BROADCAST) {
                return command_misused("--mode %s: there is only push, pull, push-pull, central and broadcast", parts[i]);
            }
        }
        values[i] = mode;
    }
    return true;
}

static bool read_stop(struct spread_setting *setting, bool *is_memberlist)
{
    static const struct {
        const char *name;
        enum spread_stop stop;
    } rules[] = {{"age", SPREAD_STOP_AGE},
                 {"feedback-counter", SPREAD_STOP_FEEDBACK_COUNTER},
                 {"feedback-coin", SPREAD_STOP_FEEDBACK_COIN},
                 {"blind-counter", SPREAD_STOP_BLIND_COUNTER},
                 {"blind-coin", SPREAD_STOP_BLIND_COIN},
                 {"transmits", SPREAD_STOP_TRANSMITS}};
    size_t length = strcspn(stop, ":");
    uint64_t after = 0;
    *is_memberlist = strcmp(stop, "transmits") == 0;
    if (strcmp(stop, "never") == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strlen(rules[i].name) == length && memcmp(rules[i].name, stop, length) == 0) {
            setting->stop = rules[i].stop;
            if (!*is_memberlist && (stop[length] == 0 || !sim_number("stop", stop + length + 1, 1, SPREAD_STOP_MAX, &after))) {
                return command_misused("--stop %s: say after how many, as in %s:2", stop, rules[i].name);
            }
            setting->stop_after = (uint32_t)after;
            return true;
        }
    }
    return command_misused("--stop %s: there is only never, age:K, feedback-counter:K, feedback-coin:K, blind-counter:K, blind-coin:K, "
                           "transmits[:K]", stop);
}

static bool read_common(struct spread_setting *setting, bool *is_memberlist)
{
    uint64_t count = 0, incoming, rounds;
    char *end;
    setting->loss = strtod(loss, &end);
    if (*end != 0 || loss[0] == 0 || !(setting->loss >= 0 && setting->loss < 1)) {
        return command_misused("--loss %s: give a share from 0 to below 1, as in 0.05", loss);
    }
    if (strcmp(timing, "rounds") != 0 && strcmp(timing, "timers") != 0) {
        return command_misused("--timing %s: there is only rounds and timers", timing);
    }
    if (strcmp(format, "table") != 0 && strcmp(format, "text") != 0 && strcmp(format, "json") != 0 && strcmp(format, "csv") != 0) {
        return command_misused("--format %s: there is only table, json and csv", format);
    }
    if (!sim_number("seed", seed, 0, UINT64_MAX, &setting->seed) || !sim_number("incoming-limit", limit, 0, UINT32_MAX, &incoming) ||
        !sim_number("rounds-max", rounds_max, 1, 1000000, &rounds) || (trials != NULL && !sim_number("trials", trials, 1, 10000000, &count))) {
        return false;
    }
    setting->has_timers = strcmp(timing, "timers") == 0;
    setting->incoming_limit = (uint32_t)incoming;
    setting->rounds_max = (uint32_t)rounds;
    setting->trials = (uint32_t)count;
    return read_stop(setting, is_memberlist);
}

/* So many that it is exact enough and takes seconds. */
static uint32_t default_trials(uint32_t count)
{
    return count <= 1000 ? 1000 : count <= 10000 ? 200 : count <= 100000 ? 20 : 3;
}

/* All combinations, as far as they make a difference. False after saying why. */
static bool read_settings(struct spread_run *runs, size_t *count)
{
    struct spread_setting common = {.stop = SPREAD_STOP_NEVER};
    enum spread_mode mode[LIST_MAX];
    uint64_t size[LIST_MAX], fanout[LIST_MAX];
    size_t mode_count, size_count, fanout_count;
    bool is_memberlist = false, is_compared = false;
    if (!read_common(&common, &is_memberlist) || !read_modes(mode, &mode_count) ||
        !numbers("nodes", nodes, 2, SPREAD_NODES_MAX, size, &size_count) ||
        !numbers("fanout", fanouts, 1, SPREAD_FANOUT_MAX, fanout, &fanout_count)) {
        return false;
    }
    for (size_t m = 0; m < mode_count; m++) {
        is_compared |= mode[m] > SPREAD_PUSH_PULL;
    }
    *count = 0;
    for (size_t i = 0; i < size_count * mode_count * fanout_count; i++) {
        struct spread_setting s = common;
        size_t f = i % fanout_count;
        s.nodes = (uint32_t)size[i / fanout_count / mode_count];
        s.mode = mode[i / fanout_count % mode_count];
        s.fanout = (uint32_t)fanout[f];
        s.trials = s.trials > 0 ? s.trials : default_trials(s.nodes);
        s.stop_after = is_memberlist ? spread_model_transmits(4, s.nodes) : s.stop_after;
        s.has_load = is_compared || s.nodes <= LOAD_NODES_MAX;
        if (s.mode > SPREAD_PUSH_PULL && f > 0) {
            continue;
        }
        const char *why = spread_model_refuse(&s);
        if (why != NULL) {
            return command_misused("%s with %u nodes and fan-out %u: %s", spread_report_mode(s.mode), s.nodes, s.fanout, why);
        }
        if (*count == RUNS_MAX) {
            return command_misused("more than %d settings at once", RUNS_MAX);
        }
        runs[(*count)++].setting = s;
    }
    return true;
}

struct progress {
    size_t run, runs;
    uint32_t trials;
    time_t shown_at;
};

static void show_progress(void *context, uint32_t done)
{
    struct progress *p = context;
    time_t now = time(NULL);
    if (now == p->shown_at) {
        return;
    }
    p->shown_at = now;
    double share = ((double)p->run + (double)done / p->trials) / (double)p->runs;
    int full = (int)(share * 40);
    fprintf(stderr, "\r  [%.*s%*s] %3.0f %%  setting %zu of %zu", full, "########################################", 40 - full, "", 100 * share,
            p->run + 1, p->runs);
    fflush(stderr);
}

static bool simulate(struct spread_run *runs, size_t count)
{
    struct progress progress = {.runs = count, .shown_at = time(NULL)};
    bool is_terminal = isatty(STDERR_FILENO) != 0, is_fine = true;
    uint64_t thread_count;
    if (!sim_number("threads", threads, 0, 64, &thread_count)) {
        return false;
    }
    for (size_t i = 0; is_fine && i < count; i++) {
        progress.run = i;
        progress.trials = runs[i].setting.trials;
        is_fine = spread_model_run(&runs[i].setting, (unsigned)thread_count, is_terminal ? show_progress : NULL, &progress, &runs[i].result);
        runs[i].has_theory = spread_theory_of(&runs[i].setting, &runs[i].theory);
    }
    if (is_terminal) {
        fputs("\r\033[K", stderr);
    }
    if (!is_fine) {
        command_fail("memory is out; fewer nodes, trials or threads need less");
    }
    return is_fine;
}

/* Writes the picture. False after saying why. */
static bool draw(const struct spread_run *runs, size_t count)
{
    FILE *file = fopen(plot, "w");
    bool is_fine = file != NULL;
    if (is_fine) {
        spread_plot_write(file, runs, count);
        is_fine = ferror(file) == 0;
        is_fine = fclose(file) == 0 && is_fine;
    }
    if (!is_fine) {
        command_fail("cannot write %s: %s", plot, strerror(errno));
    }
    return is_fine;
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    size_t run_count = 0;
    struct spread_run *runs = calloc(RUNS_MAX, sizeof *runs);
    if (runs == NULL) {
        return command_fail("memory is out");
    }
    bool is_fine = read_settings(runs, &run_count);
    if (is_fine && plot != NULL && run_count > SPREAD_PLOT_MAX) {
        is_fine = command_misused("--plot: %zu settings are too many for one picture, %d can be told apart", run_count, SPREAD_PLOT_MAX);
    }
    int result = is_fine && simulate(runs, run_count) ? EXIT_DONE : EXIT_FAILED;
    if (result == EXIT_DONE) {
        (strcmp(format, "json") == 0  ? spread_report_json
         : strcmp(format, "csv") == 0 ? spread_report_csv
                                      : spread_report_table)(stdout, runs, run_count);
        result = plot == NULL || draw(runs, run_count) ? EXIT_DONE : EXIT_FAILED;
    }
    free(runs);
    return result;
}

static const struct flag flags[] = {
    {"mode", FLAG_TEXT, &modes, "MODE,…", "push, pull, push-pull (default), central, broadcast"},
    {"fanout", FLAG_TEXT, &fanouts, "K,…", "partners that a node calls per round (default 1)"},
    {"nodes", FLAG_TEXT, &nodes, "N,…", "2 to 10000000 (default 1000)"},
    {"trials", FLAG_TEXT, &trials, "T", "runs per setting (default 1000 for 1000 nodes, fewer for more)"},
    {"seed", FLAG_TEXT, &seed, "S", "the same seed gives the same figures (default 1)"},
    {"loss", FLAG_TEXT, &loss, "P", "share of messages that get lost, 0 to below 1 (default 0)"},
    {"timing", FLAG_TEXT, &timing, "rounds|timers", "synchronous rounds (default), or a timer per node that uses news at once"},
    {"incoming-limit", FLAG_TEXT, &limit, "L", "calls that a node accepts per round (default 0: all)"},
    {"stop", FLAG_TEXT, &stop, "RULE", "when those who know stop telling, see above (default never)"},
    {"rounds-max", FLAG_TEXT, &rounds_max, "R", "give a trial up after this many rounds (default 10000)"},
    {"threads", FLAG_TEXT, &threads, "COUNT", "0 = one per processor (default); the figures are the same for any number"},
    {"format", FLAG_TEXT, &format, "table|json|csv", "json: one object per setting, each on a line (default table)"},
    {"plot", FLAG_TEXT, &plot, "FILE.svg", "draw coverage over rounds, a curve per setting (at most 10), theory dashed"},
    {.name = NULL}};

const struct command command_sim_spread = {
    .name = "sim spread",
    .summary = "how fast a rumour reaches everybody, and what it costs",
    .usage = "sim spread [flags]",
    .text = "  One of N nodes knows something. Who knows it after how many rounds, and with how many messages? Measured in many trials, beside the\n"
            "  theory. Lists of modes, fan-outs and sizes are compared with each other.\n\n"
            "    hearsay sim spread --nodes 1000,10000 --mode push,pull,push-pull --fanout 1,3\n"
            "    hearsay sim spread --nodes 1000 --mode push-pull,central,broadcast     the reason for gossip: the busiest node\n"
            "    hearsay sim spread --nodes 128 --mode push --fanout 3 --timing timers --stop transmits      memberlist's broadcast\n\n"
            "Counted:\n\n"
            "  messages is everything sent: calls, and answers of pull, push-pull and feedback; payloads are those that carry the rumour.\n"
            "  With push-pull the answer carries it when the call did not. central and broadcast repeat until each node has acknowledged.\n\n"
            "Stopping rules:\n\n"
            "  never                 until everybody knows\n"
            "  age:K                 K rounds after hearing\n"
            "  feedback-counter:K    after K calls in a row to those who knew\n"
            "  feedback-coin:K       after a call to one who knew, with probability 1/K\n"
            "  blind-counter:K       after K calls\n"
            "  blind-coin:K          after any call, with probability 1/K\n"
            "  transmits[:K]         after K copies; without K memberlist's limit, 4 * ceil(log10(N + 1))\n",
    .flags = flags,
    .run = run,
};
