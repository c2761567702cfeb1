/* SPDX-License-Identifier: MIT
 *
 * Rounds until everybody knows: the table for a thousand and ten thousand nodes, other rules, and on demand all sizes from a thousand to a
 * million. For a thousand nodes the exact value is calculated, and for ten thousand that pull; beyond, formulas stand beside.
 */
#include "sim/paper.h"
#include "sim/paper_chain.h"
#include "sim/spread_report.h"

#define EXACT_NODES_MAX 1000
#define EXACT_PULL_NODES_MAX 10000

/* What the tables of others say: means and 99th percentiles of many runs, some with the standard deviation of one. */
static const struct printed {
    uint32_t nodes;
    enum spread_mode mode;
    uint32_t fanout;
    const char *mean, *p99, *sd;
} printed[] = {
    {1000, SPREAD_PUSH, 1, "18.04", "22", "1.32"},     {1000, SPREAD_PUSH, 2, "10.66", "13", "0.71"},
    {1000, SPREAD_PUSH, 3, "8.18", "10", "0.5"},       {1000, SPREAD_PULL, 1, "13.77", "18", NULL},
    {1000, SPREAD_PULL, 2, "8.77", "11", NULL},        {1000, SPREAD_PULL, 3, "7.05", "8", NULL},
    {1000, SPREAD_PUSH_PULL, 1, "9.15", "10", NULL},   {1000, SPREAD_PUSH_PULL, 2, "6.17", "7", NULL},
    {1000, SPREAD_PUSH_PULL, 3, "5.06", "6", NULL},    {10000, SPREAD_PUSH, 3, "10.57", "12", NULL},
    {10000, SPREAD_PUSH_PULL, 1, "11.61", "13", NULL}, {10000, SPREAD_PUSH_PULL, 3, "6.70", "7", NULL},
};
#define PRINTED_COUNT (sizeof printed / sizeof printed[0])

static bool setting_rows(struct paper *paper, const struct printed *row)
{
    struct spread_setting setting = {.nodes = row->nodes, .mode = row->mode, .fanout = row->fanout};
    uint32_t trials = paper_trials(paper, row->nodes);
    struct spread_result r;
    struct spread_theory theory = {0};
    char what[64], mean[16], p99[16], sd[16];
    bool is_exact = row->nodes <= (row->mode == SPREAD_PULL ? EXACT_PULL_NODES_MAX : EXACT_NODES_MAX);
    if (!paper_measure(paper, setting, &r)) {
        return false;
    }
    if (is_exact) {
        double exact_mean, exact_p99, exact_sd;
        if (!paper_chain_rounds(row->mode, row->nodes, row->fanout, &exact_mean, &exact_p99, &exact_sd)) {
            return false;
        }
        snprintf(mean, sizeof mean, "%.4f", exact_mean);
        snprintf(p99, sizeof p99, "%.0f", exact_p99);
        snprintf(sd, sizeof sd, "%.3f", exact_sd);
    } else {
        spread_theory_of(&setting, &theory);
    }
    int length = snprintf(what, sizeof what, "n = %u %s k = %u", row->nodes, spread_report_mode(row->mode), row->fanout);
    snprintf(what + length, sizeof what - (size_t)length, ", mean");
    paper_row(paper, &(struct paper_row){.what = what,
                                         .published = row->mean,
                                         .exact = is_exact ? mean : NULL,
                                         .theory = theory.rounds,
                                         .ours = r.rounds.mean,
                                         .sd = r.rounds.sd,
                                         .trials = trials});
    snprintf(what + length, sizeof what - (size_t)length, ", p99");
    paper_p99_row(paper, what, row->p99, is_exact ? p99 : NULL, &r.rounds, true);
    if (row->sd != NULL) {
        snprintf(what + length, sizeof what - (size_t)length, ", standard deviation");
        paper_row(paper, &(struct paper_row){.what = what,
                                             .published = row->sd,
                                             .exact = is_exact ? sd : NULL,
                                             .ours = r.rounds.sd,
                                             .sd = r.rounds.sd * 0.9,
                                             .trials = trials});
    }
    return true;
}

static bool other_rows(struct paper *paper)
{
    static const struct {
        const char *what, *mean, *p99;
        struct spread_setting setting;
    } rows[] = {
        {"n = 10000 push-pull k = 1, one incoming call",
         "17.2",
         NULL,
         {.nodes = 10000, .mode = SPREAD_PUSH_PULL, .fanout = 1, .incoming_limit = 1}},
        {"n = 1000 push k = 3, timers", "4.97", "6.5", {.nodes = 1000, .mode = SPREAD_PUSH, .fanout = 3, .has_timers = true}},
        {"n = 1000 push-pull k = 3, timers", "2.04", "2.7", {.nodes = 1000, .mode = SPREAD_PUSH_PULL, .fanout = 3, .has_timers = true}},
    };
    paper_section(paper, "The same under other rules", "one incoming call per round; timers of their own, news used at once (periods)");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spread_result r;
        char what[64];
        if (!paper_measure(paper, rows[i].setting, &r)) {
            return false;
        }
        paper_row(paper, &(struct paper_row){.what = rows[i].what,
                                             .published = rows[i].mean,
                                             .ours = r.rounds.mean,
                                             .sd = r.rounds.sd,
                                             .trials = paper_trials(paper, rows[i].setting.nodes)});
        snprintf(what, sizeof what, "%s, p99", rows[i].what);
        if (rows[i].p99 != NULL) {
            paper_p99_row(paper, what, rows[i].p99, NULL, &r.rounds, false);
        }
    }
    return true;
}

bool paper_rounds(struct paper *paper)
{
    paper_section(
        paper, "Rounds until everybody knows",
        "synchronous, partners distinct, no loss, any number of incoming calls; exact: a Markov chain; ~: a formula, see sim spread");
    for (size_t i = 0; i < PRINTED_COUNT; i++) {
        if (!setting_rows(paper, &printed[i])) {
            return false;
        }
    }
    return other_rows(paper);
}

bool paper_sizes(struct paper *paper)
{
    paper_section(paper, "Rounds until everybody knows, all sizes",
                  "as above; the smaller the share of trials, the larger the network; formulas neglect the luck of the first calls");
    for (uint32_t nodes = 1000; nodes <= 1000000; nodes *= 10) {
        for (uint32_t i = 0; i < 12; i++) {
            struct printed row = {.nodes = nodes, .mode = (enum spread_mode)(i / 4), .fanout = i % 4 + 1};
            for (size_t j = 0; j < PRINTED_COUNT; j++) {
                bool is_it = printed[j].nodes == row.nodes && printed[j].mode == row.mode && printed[j].fanout == row.fanout;
                row = is_it ? printed[j] : row;
            }
            if (!setting_rows(paper, &row)) {
                return false;
            }
        }
    }
    return true;
}
