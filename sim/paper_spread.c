/* SPDX-License-Identifier: MIT
 *
 * Figures on the spread of rumours: the round tables, Demers' Tables 1 to 3 (A. Demers et al., 1987, 1,000 sites), the recurrences of
 * anti-entropy, and memberlist's broadcast. Exact values are calculated here where that is possible, else printed ones of the exact model.
 */
#include "sim/paper.h"
#include "sim/spread_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool measure(const struct paper *paper, struct spread_setting setting, uint32_t share, struct spread_result *result)
{
    setting.trials = paper->trials / share > 50 ? paper->trials / share : 50;
    setting.seed = paper->seed;
    setting.rounds_max = setting.rounds_max > 0 ? setting.rounds_max : 10000;
    return spread_model_run(&setting, 0, NULL, NULL, result);
}

static uint32_t trials_of(const struct paper *paper, uint32_t share)
{
    return paper->trials / share > 50 ? paper->trials / share : 50;
}

static void mean_row(struct paper *paper, const char *what, const char *published, const char *exact, const struct spread_statistic *s,
                     uint32_t trials)
{
    paper_row(paper, &(struct paper_row){.what = what, .published = published, .exact = exact, .ours = s->mean, .sd = s->sd, .trials = trials});
}

/* Whole rounds are besides at most one apart. */
static void p99_row(struct paper *paper, const char *what, const char *exact, const struct spread_statistic *s, bool is_whole)
{
    double least = is_whole ? fmax(s->p99_least, s->p99 - 1) : s->p99_least, most = is_whole ? fmin(s->p99_most, s->p99 + 1) : s->p99_most;
    paper_row(paper, &(struct paper_row){.what = what, .exact = exact, .ours = s->p99, .trials = 1, .least = least, .most = most});
}

/* Pull with one partner is a Markov chain: of those who do not know, each hears with probability known/(n-1). Mean and p99 of the rounds. */
static bool pull_chain(uint32_t nodes, double *mean, double *p99)
{
    double *now = calloc(nodes + 1, sizeof *now), *next = calloc(nodes + 1, sizeof *next), finished = 0;
    bool is_fine = now != NULL && next != NULL;
    *mean = 0;
    *p99 = 0;
    if (is_fine) {
        now[1] = 1;
    }
    for (double round = 0; is_fine && finished < 1 - 1e-12; round++) {
        *mean += 1 - finished;
        memset(next, 0, (nodes + 1) * sizeof *next);
        for (uint32_t known = 1; known < nodes; known++) {
            if (now[known] < 1e-18) {
                continue;
            }
            double p = known / (nodes - 1.0), ignorant = nodes - known;
            for (uint32_t news = 0; news <= nodes - known; news++) {
                double chance = p >= 1 ? news == nodes - known
                                       : exp(lgamma(ignorant + 1) - lgamma(news + 1.0) - lgamma(ignorant - news + 1) + news * log(p) +
                                             (ignorant - news) * log1p(-p));
                next[known + news] += now[known] * chance;
            }
        }
        next[nodes] += now[nodes];
        double *swap = now;
        now = next;
        next = swap;
        if (finished < 0.99 && now[nodes] >= 0.99) {
            *p99 = round + 1;
        }
        finished = now[nodes];
    }
    free(now);
    free(next);
    return is_fine;
}

static const struct {
    uint32_t nodes;
    enum spread_mode mode;
    uint32_t fanout;
    const char *mean, *p99, *sd; /* of the exact model */
} rounds_table[] = {
    {1000, SPREAD_PUSH, 1, "18.04", "22", "1.32"},
    {1000, SPREAD_PUSH, 2, "10.66", "13", "0.71"},
    {1000, SPREAD_PUSH, 3, "8.18", "10", "0.5"},
    {1000, SPREAD_PULL, 1, NULL, NULL, NULL}, /* calculated below */
    {1000, SPREAD_PULL, 2, "8.77", "11", NULL},
    {1000, SPREAD_PULL, 3, "7.05", "8", NULL},
    {1000, SPREAD_PUSH_PULL, 1, "9.15", "10", NULL},
    {1000, SPREAD_PUSH_PULL, 2, "6.17", "7", NULL},
    {1000, SPREAD_PUSH_PULL, 3, "5.06", "6", NULL},
    {10000, SPREAD_PUSH, 3, "10.57", "12", NULL},
    {10000, SPREAD_PUSH_PULL, 1, "11.61", "13", NULL},
    {10000, SPREAD_PUSH_PULL, 3, "6.70", "7", NULL},
};

static const char *const mode_names[] = {"push", "pull", "push-pull"};

static bool rounds_rows(struct paper *paper)
{
    paper_section(paper, "Rounds until everybody knows", "synchronous, partners distinct, no loss, any number of incoming calls");
    for (size_t i = 0; i < sizeof rounds_table / sizeof rounds_table[0]; i++) {
        uint32_t share = rounds_table[i].nodes / 1000;
        struct spread_result r;
        char what[64], mean[16], p99[16];
        if (!measure(paper, (struct spread_setting){.nodes = rounds_table[i].nodes, .mode = rounds_table[i].mode, .fanout = rounds_table[i].fanout},
                     share, &r)) {
            return false;
        }
        bool is_chain = rounds_table[i].mean == NULL;
        if (is_chain) {
            double chain_mean, chain_p99;
            if (!pull_chain(rounds_table[i].nodes, &chain_mean, &chain_p99)) {
                return false;
            }
            snprintf(mean, sizeof mean, "%.4f", chain_mean);
            snprintf(p99, sizeof p99, "%.0f", chain_p99);
        }
        int length = snprintf(what, sizeof what, "n = %u %s k = %u", rounds_table[i].nodes, mode_names[rounds_table[i].mode], rounds_table[i].fanout);
        snprintf(what + length, sizeof what - (size_t)length, is_chain ? ", mean (Markov chain)" : ", mean");
        mean_row(paper, what, NULL, is_chain ? mean : rounds_table[i].mean, &r.rounds, trials_of(paper, share));
        snprintf(what + length, sizeof what - (size_t)length, ", p99");
        p99_row(paper, what, is_chain ? p99 : rounds_table[i].p99, &r.rounds, true);
        if (rounds_table[i].sd != NULL) {
            snprintf(what + length, sizeof what - (size_t)length, ", standard deviation");
            paper_row(paper, &(struct paper_row){.what = what, .exact = rounds_table[i].sd, .ours = r.rounds.sd,
                                                 .sd = r.rounds.sd * 0.9, .trials = trials_of(paper, share)});
        }
    }
    return true;
}

static bool other_rounds_rows(struct paper *paper)
{
    struct spread_result r;
    paper_section(paper, "The same under other rules", "one incoming call per round; timers of their own, news used at once (periods)");
    if (!measure(paper, (struct spread_setting){.nodes = 10000, .mode = SPREAD_PUSH_PULL, .fanout = 1, .incoming_limit = 1}, 10, &r)) {
        return false;
    }
    mean_row(paper, "n = 10000 push-pull k = 1, one incoming call", NULL, "17.2", &r.rounds, trials_of(paper, 10));
    if (!measure(paper, (struct spread_setting){.nodes = 1000, .mode = SPREAD_PUSH, .fanout = 3, .has_timers = true}, 1, &r)) {
        return false;
    }
    mean_row(paper, "n = 1000 push k = 3, timers, mean", NULL, "4.97", &r.rounds, paper->trials);
    p99_row(paper, "n = 1000 push k = 3, timers, p99", "6.5", &r.rounds, false);
    if (!measure(paper, (struct spread_setting){.nodes = 1000, .mode = SPREAD_PUSH_PULL, .fanout = 3, .has_timers = true}, 1, &r)) {
        return false;
    }
    mean_row(paper, "n = 1000 push-pull k = 3, timers, mean", NULL, "2.04", &r.rounds, paper->trials);
    p99_row(paper, "n = 1000 push-pull k = 3, timers, p99", "2.7", &r.rounds, false);
    return true;
}

struct demers_row {
    const char *published_s, *published_m, *published_last; /* Demers et al. 1987 */
    const char *exact_s, *exact_m, *exact_last;             /* of the exact model */
};

static const struct demers_row table_1[] = {
    {"0.18", "1.7", "16.8", "0.1746", "1.744", "16.80"},       {"0.037", "3.3", "16.9", "0.03695", "3.299", "16.96"},
    {"0.011", "4.5", "17.4", "0.01072", "4.533", "17.30"},     {"0.0036", "5.6", "17.5", "0.00352", "5.637", "17.60"},
    {"0.0012", "6.7", "17.7", "0.00124", "6.682", "17.71"},
};
static const struct demers_row table_2[] = {
    {"0.96", "0.04", "38", NULL, NULL, NULL},  {"0.20", "1.6", "33", NULL, NULL, NULL},   {"0.060", "2.8", "32", NULL, NULL, NULL},
    {"0.021", "3.9", "32", NULL, NULL, NULL},  {"0.008", "4.9", "32", NULL, NULL, NULL},
};
static const struct demers_row table_3[] = {
    {"3.1e-2", "2.7", "17.63", NULL, NULL, NULL}, {"5.8e-4", "4.5", "15.39", NULL, NULL, NULL}, {"4.0e-6", "6.1", "14.00", NULL, NULL, NULL},
};

/* Blind with a coin of 1/1: a chain of calls to strangers that ends with the first who knew. */
static void chain_of_strangers(char last[16], char s[16], char m[16])
{
    double heard = 1, chance = 1, n = 1000;
    for (double known = 1; known < n; known++) {
        chance *= (n - known) / (n - 1);
        heard += chance;
    }
    snprintf(last, 16, "%.3f", heard - 1); /* one per cycle */
    snprintf(s, 16, "%.5f", 1 - heard / n);
    snprintf(m, 16, "%.5f", heard / n);
}

/* Blind otherwise: each of the 1 - s who hear sends k copies, and s = e^-m; of a thousand sites good to three digits. */
static void fixed_point(uint32_t k, char s[16], char m[16])
{
    double residue = 0.1;
    for (int i = 0; i < 200; i++) {
        residue = exp(-(double)k * (1 - residue));
    }
    snprintf(s, 16, "%.3f", residue);
    snprintf(m, 16, "%.2f", k * (1 - residue));
}

static bool demers_rows(struct paper *paper, enum spread_mode mode, enum spread_stop stop, const struct demers_row *rows, uint32_t count)
{
    for (uint32_t k = 1; k <= count; k++) {
        const struct demers_row *row = &rows[k - 1];
        struct spread_result r;
        char what[64], s[16], m[16], last[16] = "";
        if (!measure(paper, (struct spread_setting){.nodes = 1000, .mode = mode, .fanout = 1, .stop = stop, .stop_after = k}, 1, &r)) {
            return false;
        }
        bool is_blind = stop == SPREAD_STOP_BLIND_COIN;
        if (is_blind && k == 1) {
            chain_of_strangers(last, s, m);
        } else if (is_blind) {
            fixed_point(k, s, m);
        }
        r.residue.sd = fmax(r.residue.sd, sqrt(atof(row->published_s) / 1000)); /* few events, perhaps none: Poisson's */
        snprintf(what, sizeof what, "k = %u: s, residue", k);
        mean_row(paper, what, row->published_s, is_blind ? s : row->exact_s, &r.residue, paper->trials);
        snprintf(what, sizeof what, "k = %u: m, copies per node", k);
        mean_row(paper, what, row->published_m, is_blind ? m : row->exact_m, &r.payloads, paper->trials);
        snprintf(what, sizeof what, "k = %u: t_last, cycles", k);
        mean_row(paper, what, row->published_last, last[0] != 0 ? last : row->exact_last, &r.rounds, paper->trials);
    }
    return true;
}

static bool demers_tables(struct paper *paper)
{
    paper_section(paper, "Demers et al. 1987, Table 1: push, feedback, counter k",
                  "1,000 sites; k useless calls in a row end interest; useful = the other did not know at the start of the cycle");
    if (!demers_rows(paper, SPREAD_PUSH, SPREAD_STOP_FEEDBACK_COUNTER, table_1, 5)) {
        return false;
    }
    paper_section(paper, "Demers et al. 1987, Table 2: push, blind, coin 1/k",
                  "after every call, interest ends with probability 1/k; exact: k = 1 a chain of strangers, else s = e^-k(1-s), m = k(1-s)");
    if (!demers_rows(paper, SPREAD_PUSH, SPREAD_STOP_BLIND_COIN, table_2, 5)) {
        return false;
    }
    paper_section(paper, "Demers et al. 1987, Table 3: pull, feedback, counter k",
                  "all pull; a cycle with a needy caller resets the server's counter, one with others only counts, one without changes nothing");
    return demers_rows(paper, SPREAD_PULL, SPREAD_STOP_FEEDBACK_COUNTER, table_3, 3);
}

static bool residue_rows(struct paper *paper)
{
    static const struct {
        const char *name;
        enum spread_stop stop;
        uint32_t k;
    } variants[] = {{"push, feedback, counter 2", SPREAD_STOP_FEEDBACK_COUNTER, 2}, {"push, feedback, coin 1/2", SPREAD_STOP_FEEDBACK_COIN, 2},
                    {"push, feedback, counter 4", SPREAD_STOP_FEEDBACK_COUNTER, 4}, {"push, blind, counter 3", SPREAD_STOP_BLIND_COUNTER, 3},
                    {"push, blind, coin 1/3", SPREAD_STOP_BLIND_COIN, 3}};
    paper_section(paper, "s = e^-m for every push variant", "1,000 sites; published: the residue that our m gives; within 2 %");
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        struct spread_result r;
        char published[16];
        if (!measure(paper, (struct spread_setting){.nodes = 1000, .mode = SPREAD_PUSH, .fanout = 1, .stop = variants[i].stop,
                                                    .stop_after = variants[i].k}, 1, &r)) {
            return false;
        }
        snprintf(published, sizeof published, "%.5f", exp(-r.payloads.mean));
        paper_row(paper, &(struct paper_row){.what = variants[i].name, .exact = published, .ours = r.residue.mean, .sd = r.residue.sd,
                                             .trials = paper->trials, .slack = 0.02});
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
        uint32_t share = steps[i].nodes / 1000;
        struct spread_result r;
        char published[16], exact[16];
        if (!measure(paper, (struct spread_setting){.nodes = steps[i].nodes, .mode = steps[i].mode, .fanout = 1, .rounds_max = 1,
                                                    .origins = (uint32_t)lround((1 - p) * n)}, share, &r)) {
            return false;
        }
        bool is_pull = steps[i].mode == SPREAD_PULL;
        snprintf(published, sizeof published, "%.4e", is_pull ? p * p : p / exp(1));
        snprintf(exact, sizeof exact, "%.4e", is_pull ? p * (p * n - 1) / (n - 1) : p * pow(1 - 1 / (n - 1), (1 - p) * n));
        mean_row(paper, steps[i].what, NULL, exact, &r.residue, trials_of(paper, share));
        paper_row(paper, &(struct paper_row){.what = is_pull ? "  against p^2" : "  against p/e", .published = published, .ours = r.residue.mean,
                                             .sd = r.residue.sd, .trials = trials_of(paper, share), .slack = is_pull ? 0 : p});
    }
    return true;
}

static bool broadcast_rows(struct paper *paper)
{
    struct spread_result r;
    if (!measure(paper, (struct spread_setting){.nodes = 128, .mode = SPREAD_PUSH, .fanout = 3, .has_timers = true, .stop = SPREAD_STOP_TRANSMITS,
                                                .stop_after = spread_model_transmits(4, 128)}, 1, &r)) {
        return false;
    }
    paper_section(paper, "memberlist's broadcast, n = 128",
                  "every 200 ms to 3 nodes, 4 * ceil(log10(n + 1)) = 12 copies each; seconds until the last one hears");
    struct spread_statistic s = r.rounds;
    double *const values[] = {&s.mean, &s.sd, &s.p99, &s.p99_least, &s.p99_most};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        *values[i] *= 0.2;
    }
    mean_row(paper, "mean", NULL, "0.71", &s, paper->trials);
    p99_row(paper, "p99", "1.00", &s, false);
    return true;
}

bool paper_spread(struct paper *paper)
{
    return rounds_rows(paper) && other_rounds_rows(paper) && demers_tables(paper) && residue_rows(paper) && anti_entropy_rows(paper) &&
           broadcast_rows(paper);
}
