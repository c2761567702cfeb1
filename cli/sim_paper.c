/* SPDX-License-Identifier: MIT
 *
 * hearsay sim paper: are the published sentences and tables true of us?
 */
#include "cli/sim.h"

#include "sim/paper.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *trials = "1000", *seed = "1", *only = "all";
static bool whole;

static const struct part {
    const char *name;
    bool (*run)(struct paper *paper);
    bool is_long;
} parts[] = {{"rounds", paper_rounds, false}, {"demers", paper_demers, false}, {"spread", paper_spread, false},
             {"swim", paper_swim, false},     {"crash", paper_crash, false},   {"lifeguard", paper_lifeguard, false},
             {"sizes", paper_sizes, true},    {"store", paper_store, true}};
#define PART_COUNT (sizeof parts / sizeof parts[0])

/* Stands in the list of --only; the list has been checked. */
static bool is_wanted(const struct part *part)
{
    size_t length = strlen(part->name);
    if (strcmp(only, "all") == 0) {
        return !part->is_long || whole;
    }
    for (const char *at = only; at != NULL; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        if (strncmp(at, part->name, length) == 0 && (at[length] == ',' || at[length] == 0)) {
            return true;
        }
    }
    return false;
}

static bool check_only(void)
{
    for (const char *at = only; strcmp(only, "all") != 0 && at != NULL; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        size_t i = 0, length = strcspn(at, ",");
        while (i < PART_COUNT && (strlen(parts[i].name) != length || strncmp(at, parts[i].name, length) != 0)) {
            i++;
        }
        if (i == PART_COUNT) {
            return command_misused(
                "--only %s: there is only all, rounds, demers, spread, swim, crash, lifeguard, sizes, store, or some with commas", only);
        }
    }
    return true;
}

static void watch(void *context, const char *what, double share)
{
    time_t *shown_at = context, now = time(NULL);
    int full = (int)(share * 40);
    if (share >= 1) {
        fputs("\r\033[K", stderr);
    } else if (now != *shown_at) {
        *shown_at = now;
        fprintf(stderr, "\r  [%.*s%*s] %3.0f %%  %s", full, "########################################", 40 - full, "", 100 * share, what);
    }
    fflush(stderr);
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    time_t shown_at = time(NULL);
    struct paper paper = {.out = stdout, .is_whole = whole, .context = &shown_at, .watch = isatty(STDERR_FILENO) != 0 ? watch : NULL};
    uint64_t trial_count;
    if (!sim_number("trials", trials, 100, 1000000, &trial_count) || !sim_number("seed", seed, 0, UINT64_MAX, &paper.seed) ||
        !check_only()) {
        return EXIT_USAGE;
    }
    paper.trials = (uint32_t)trial_count;
    printf("Published figures, exact ones and ours; %u trials, seed %llu\n", paper.trials, (unsigned long long)paper.seed);
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (is_wanted(&parts[i]) && !parts[i].run(&paper)) {
            return command_fail("memory is out");
        }
        fflush(stdout);
    }
    printf("\n%u agree, %u differ\n", paper.agreed, paper.differed);
    return paper.differed == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {
    {"trials", FLAG_TEXT, &trials, "N", "runs per row, at least 100; what takes long has fewer (default 1000)"},
    {"seed", FLAG_TEXT, &seed, "S", "the same seed gives the same figures (default 1)"},
    {"only", FLAG_TEXT, &only, "PART,…", "rounds, demers, spread, swim, crash, lifeguard, sizes, store (default all but the last two)"},
    {"whole", FLAG_SWITCH, &whole, NULL, "also 1,000 to 1,000,000 nodes, crashes among 1,000, all of Lifeguard's grid: most of an hour"},
    {.name = NULL}};

const struct command command_sim_paper = {
    .name = "sim paper",
    .summary = "the tables of the papers beside our own figures",
    .usage = "sim paper [--trials N] [--seed S] [--only PART,…] [--whole]",
    .text = "  Published figures, exact calculations and ours side by side, with a verdict; exit code 1 when one differs. Means agree "
            "within four\n"
            "  combined standard errors and half a unit of the last printed digit (a published mean counts as one of a hundred trials), "
            "percentiles\n"
            "  when they lie in our 99.9 % interval, rates within the exact binomial interval of 99.9 %, Lifeguard's shares within a "
            "factor of three.\n\n"
            "    hearsay sim paper --trials 20000 --seed 7\n"
            "    hearsay sim paper --whole --only sizes\n",
    .flags = flags,
    .run = run,
};
