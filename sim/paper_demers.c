/* SPDX-License-Identifier: MIT
 *
 * Rumour mongering: Tables 1 to 3 of A. Demers et al., Epidemic Algorithms for Replicated Database Maintenance, 1987, with 1,000 sites.
 * Exact values of Table 2 are calculated, those of Table 1 are printed ones of the exact model. t_last of Tables 2 and 3 is quoted from
 * memory and not counted; t_ave comes out of no reading of the text and is left out.
 */
#include "sim/paper.h"
#include "sim/paper_chain.h"

#include <math.h>
#include <stdlib.h>

#define SITES 1000

struct demers_row {
    const char *published_s, *published_m, *published_last; /* Demers et al. 1987 */
    const char *exact_s, *exact_m, *exact_last;
};

static const struct demers_row table_1[] = {
    {"0.18", "1.7", "16.8", "0.1746", "1.744", "16.80"},    {"0.037", "3.3", "16.9", "0.03695", "3.299", "16.96"},
    {"0.011", "4.5", "17.4", "0.01072", "4.533", "17.30"},  {"0.0036", "5.6", "17.5", "0.00352", "5.637", "17.60"},
    {"0.0012", "6.7", "17.7", "0.00124", "6.682", "17.71"},
};
static const struct demers_row table_2[] = {
    {"0.96", "0.04", "38", NULL, NULL, NULL}, {"0.20", "1.6", "33", NULL, NULL, NULL},  {"0.060", "2.8", "32", NULL, NULL, NULL},
    {"0.021", "3.9", "32", NULL, NULL, NULL}, {"0.008", "4.9", "32", NULL, NULL, NULL},
};
static const struct demers_row table_3[] = {
    {"3.1e-2", "2.7", "17.63", NULL, NULL, NULL},
    {"5.8e-4", "4.5", "15.39", NULL, NULL, NULL},
    {"4.0e-6", "6.1", "14.00", NULL, NULL, NULL},
};

/* The cycle in which the last one hears, blind with a coin of 1/1: a chain of calls, one per cycle, that ends with the first who knew. */
static double chain_of_strangers(void)
{
    double heard = 0, chance = 1;
    for (uint32_t known = 1; known < SITES; known++) {
        chance *= (double)(SITES - known) / (SITES - 1);
        heard += chance;
    }
    return heard;
}

static void row_of(struct paper *paper, uint32_t k, const char *name, const char *published, const char *exact,
                   const struct spread_statistic *s, bool is_unsure)
{
    char what[64];
    snprintf(what, sizeof what, "k = %u: %s", k, name);
    paper_row(paper, &(struct paper_row){.what = what,
                                         .published = published,
                                         .exact = exact,
                                         .ours = s->mean,
                                         .sd = s->sd,
                                         .trials = paper->trials,
                                         .is_unsure = is_unsure});
}

static bool demers_rows(struct paper *paper, enum spread_mode mode, enum spread_stop stop, const struct demers_row *rows, uint32_t count)
{
    for (uint32_t k = 1; k <= count; k++) {
        struct demers_row row = rows[k - 1];
        struct spread_result r;
        char s[16], m[16], last[16];
        if (!paper_measure(paper, (struct spread_setting){.nodes = SITES, .mode = mode, .fanout = 1, .stop = stop, .stop_after = k}, &r)) {
            return false;
        }
        if (stop == SPREAD_STOP_BLIND_COIN) {
            double residue, copies;
            if (!paper_chain_blind_coin(SITES, k, &residue, &copies)) {
                return false;
            }
            snprintf(s, sizeof s, "%.5f", residue);
            snprintf(m, sizeof m, "%.4f", copies);
            snprintf(last, sizeof last, "%.3f", chain_of_strangers());
            row.exact_s = s;
            row.exact_m = m;
            row.exact_last = k == 1 ? last : NULL;
        }
        r.residue.sd = fmax(r.residue.sd, sqrt(atof(row.published_s) / SITES)); /* few events, perhaps none: Poisson's */
        row_of(paper, k, "s, residue", row.published_s, row.exact_s, &r.residue, false);
        row_of(paper, k, "m, copies per node", row.published_m, row.exact_m, &r.payloads, false);
        row_of(paper, k, "t_last, cycles", row.published_last, row.exact_last, &r.rounds,
               stop != SPREAD_STOP_FEEDBACK_COUNTER || mode == SPREAD_PULL);
    }
    return true;
}

bool paper_demers(struct paper *paper)
{
    paper_section(paper, "Demers et al. 1987, Table 1: push, feedback, counter k",
                  "1,000 sites; k useless calls in a row end interest; useful = the other did not know at the start of the cycle");
    if (!demers_rows(paper, SPREAD_PUSH, SPREAD_STOP_FEEDBACK_COUNTER, table_1, 5)) {
        return false;
    }
    paper_section(paper, "Demers et al. 1987, Table 2: push, blind, coin 1/k",
                  "after every call, interest ends with probability 1/k; exact: a Markov chain, calls in any order");
    if (!demers_rows(paper, SPREAD_PUSH, SPREAD_STOP_BLIND_COIN, table_2, 5)) {
        return false;
    }
    paper_section(
        paper, "Demers et al. 1987, Table 3: pull, feedback, counter k",
        "all pull; a cycle with a needy caller resets the server's counter, one with others only counts, one without changes nothing");
    return demers_rows(paper, SPREAD_PULL, SPREAD_STOP_FEEDBACK_COUNTER, table_3, 3);
}
