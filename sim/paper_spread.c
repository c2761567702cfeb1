/* SPDX-License-Identifier: MIT
 *
 * Figures on the spread of rumours: what all variants of push have in common and the recurrences of anti-entropy (A. Demers et al., 1987),
 * and memberlist's broadcast. Round tables stand in paper_rounds.c, Demers' tables in paper_demers.c.
 */
#include "sim/paper.h"
#include "sim/spread_report.h"

#include <math.h>

uint32_t paper_trials(const struct paper *paper, uint32_t nodes)
{
    uint32_t share = nodes > 1000 ? nodes / 1000 : 1, least = share > 100 ? 20 : 50;
    return paper->trials / share > least ? paper->trials / share : least;
}

bool paper_measure(struct paper *paper, struct spread_setting setting, struct spread_result *result)
{
    setting.trials = paper_trials(paper, setting.nodes);
    setting.seed = paper->seed;
    setting.rounds_max = setting.rounds_max > 0 ? setting.rounds_max : 10000;
    paper_begin(paper, spread_report_mode(setting.mode), setting.trials);
    return spread_model_run(&setting, 0, paper->watch == NULL ? NULL : paper_done, paper, result);
}

void paper_p99_row(struct paper *paper, const char *what, const char *published, const char *exact, const struct spread_statistic *s,
                   bool is_whole)
{
    double least = is_whole ? fmax(s->p99_least, s->p99 - 1) : s->p99_least, most = is_whole ? fmin(s->p99_most, s->p99 + 1) : s->p99_most;
    paper_row(paper, &(struct paper_row){
                         .what = what, .published = published, .exact = exact, .ours = s->p99, .trials = 1, .least = least, .most = most});
}

static void mean_row(struct paper *paper, const char *what, const char *exact, const struct spread_statistic *s, uint32_t nodes)
{
    paper_row(paper, &(struct paper_row){.what = what, .exact = exact, .ours = s->mean, .sd = s->sd, .trials = paper_trials(paper, nodes)});
}

static bool residue_rows(struct paper *paper)
{
    static const struct {
        const char *name;
        enum spread_stop stop;
        uint32_t k;
    } variants[] = {{"push, feedback, counter 2", SPREAD_STOP_FEEDBACK_COUNTER, 2},
                    {"push, feedback, coin 1/2", SPREAD_STOP_FEEDBACK_COIN, 2},
                    {"push, feedback, counter 4", SPREAD_STOP_FEEDBACK_COUNTER, 4},
                    {"push, blind, counter 3", SPREAD_STOP_BLIND_COUNTER, 3},
                    {"push, blind, coin 1/3", SPREAD_STOP_BLIND_COIN, 3}};
    paper_section(paper, "s = e^-m for every push variant", "1,000 sites; published: the residue that our m gives; within 2 %");
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        struct spread_result r;
        char published[16];
        if (!paper_measure(paper,
                           (struct spread_setting){
                               .nodes = 1000, .mode = SPREAD_PUSH, .fanout = 1, .stop = variants[i].stop, .stop_after = variants[i].k},
                           &r)) {
            return false;
        }
        snprintf(published, sizeof published, "%.5f", exp(-r.payloads.mean));
        paper_row(paper, &(struct paper_row){.what = variants[i].name,
                                             .exact = published,
                                             .ours = r.residue.mean,
                                             .sd = r.residue.sd,
                                             .trials = paper->trials,
                                             .slack = 0.02});
    }
    return true;
}

static bool anti_entropy_rows(struct paper *paper)
{
    static const struct {
        enum spread_mode mode;
        uint32_t nodes;
        double before;
        const char *what;
    } steps[] = {{SPREAD_PULL, 100000, 0.1, "pull, p = 0.1: p -> p^2"},
                 {SPREAD_PULL, 100000, 0.01, "pull, p = 0.01: p -> p^2"},
                 {SPREAD_PUSH, 100000, 0.01, "push, p = 0.01: p -> p/e"},
                 {SPREAD_PUSH, 1000000, 0.001, "push, p = 0.001: p -> p/e"}};
    paper_section(paper, "Anti-entropy: the share p that does not know, after one more round",
                  "p/e is the limit for small p, to a relative p; exact: p (pn-1)/(n-1), and p (1-1/(n-1))^((1-p)n)");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        double p = steps[i].before, n = steps[i].nodes;
        struct spread_result r;
        char published[16], exact[16];
        if (!paper_measure(
                paper,
                (struct spread_setting){
                    .nodes = steps[i].nodes, .mode = steps[i].mode, .fanout = 1, .rounds_max = 1, .origins = (uint32_t)lround((1 - p) * n)},
                &r)) {
            return false;
        }
        bool is_pull = steps[i].mode == SPREAD_PULL;
        snprintf(published, sizeof published, "%.4e", is_pull ? p * p : p / exp(1));
        snprintf(exact, sizeof exact, "%.4e", is_pull ? p * (p * n - 1) / (n - 1) : p * pow(1 - 1 / (n - 1), (1 - p) * n));
        mean_row(paper, steps[i].what, exact, &r.residue, steps[i].nodes);
        paper_row(paper, &(struct paper_row){.what = is_pull ? "  against p^2" : "  against p/e",
                                             .published = published,
                                             .ours = r.residue.mean,
                                             .sd = r.residue.sd,
                                             .trials = paper_trials(paper, steps[i].nodes),
                                             .slack = is_pull ? 0 : p});
    }
    return true;
}

static bool broadcast_rows(struct paper *paper)
{
    struct spread_result r;
    if (!paper_measure(paper,
                       (struct spread_setting){.nodes = 128,
                                               .mode = SPREAD_PUSH,
                                               .fanout = 3,
                                               .has_timers = true,
                                               .stop = SPREAD_STOP_TRANSMITS,
                                               .stop_after = spread_model_transmits(4, 128)},
                       &r)) {
        return false;
    }
    paper_section(paper, "memberlist's broadcast, n = 128",
                  "every 200 ms to 3 nodes, 4 * ceil(log10(n + 1)) = 12 copies each; seconds until the last one hears");
    struct spread_statistic s = r.rounds;
    double *const values[] = {&s.mean, &s.sd, &s.p99, &s.p99_least, &s.p99_most};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        *values[i] *= 0.2;
    }
    mean_row(paper, "mean", "0.71", &s, 128);
    paper_p99_row(paper, "p99", NULL, "1.00", &s, false);
    return true;
}

bool paper_spread(struct paper *paper)
{
    return residue_rows(paper) && anti_entropy_rows(paper) && broadcast_rows(paper);
}
