/* SPDX-License-Identifier: MIT
 *
 * hearsay sim paper: are the published sentences and tables true of us?
 */
#include "cli/sim.h"

#include "sim/paper.h"

#include <stdlib.h>

static const char *trials = "1000", *seed = "1";

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct paper paper = {.out = stdout};
    uint64_t trial_count;
    if (!sim_number("trials", trials, 100, 1000000, &trial_count) || !sim_number("seed", seed, 0, UINT64_MAX, &paper.seed)) {
        return EXIT_USAGE;
    }
    paper.trials = (uint32_t)trial_count;
    printf("Published figures, exact ones and ours; %u trials, seed %llu\n", paper.trials, (unsigned long long)paper.seed);
    if (!paper_spread(&paper) || !paper_swim(&paper)) {
        return command_fail("memory is out");
    }
    printf("\n%u agree, %u differ\n", paper.agreed, paper.differed);
    return paper.differed == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {{"trials", FLAG_TEXT, &trials, "N", "runs per row, at least 100; large networks take fewer (default 1000)"},
                                    {"seed", FLAG_TEXT, &seed, "S", "the same seed gives the same figures (default 1)"},
                                    {.name = NULL}};

const struct command command_sim_paper = {
    .name = "sim paper",
    .summary = "the tables of the papers beside our own figures",
    .usage = "sim paper [--trials N] [--seed S]",
    .text = "  Published figures, exact calculations and ours side by side, with a verdict; exit code 1 when one differs. Means agree within four\n"
            "  combined standard errors and half a unit of the last printed digit (a published mean counts as one of a hundred trials), percentiles\n"
            "  when they lie in our 99.9 % interval, rates within the exact binomial interval of 99.9 %.\n\n"
            "    hearsay sim paper --trials 20000 --seed 7\n",
    .flags = flags,
    .run = run,
};
