/* SPDX-License-Identifier: MIT
 *
 * See paper_chain.h. Rounds: from u ignorant nodes, first each of them may hear by its own calls (binomial), then those who know call one
 * after the other; each call list is a draw without replacement from the n - 1 others (hypergeometric), and only how many are still
 * ignorant matters to the next. Chances too small to be seen in a double are dropped.
 */
#include "sim/paper_chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEGLIGIBLE 1e-18

/* From u ignorant nodes to first … first + count - 1 of them. */
struct row {
    uint32_t first, count;
    double *chances;
};

struct chain {
    enum spread_mode mode;
    uint32_t nodes, fanout;
    struct row *rows; /* by ignorant nodes; made when first needed */
    double *hits;     /* [u * (fanout + 1) + m]: one call list holds m of u ignorant nodes */
    double *now, *next;
};

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

static void fill_hits(struct chain *c)
{
    double others = c->nodes - 1, all = log_choose(others, c->fanout);
    for (uint32_t u = 0; u < c->nodes; u++) {
        for (uint32_t m = 0; m <= c->fanout; m++) {
            bool can_be = m <= u && c->fanout - m <= c->nodes - 1 - u;
            c->hits[u * (c->fanout + 1) + m] = can_be ? exp(log_choose(u, m) + log_choose(others - u, c->fanout - m) - all) : 0;
        }
    }
}

/* Of u nodes, each of which stays with this chance, `left` stay. */
static double chance_of(uint32_t u, uint32_t left, double stays)
{
    if (stays <= 0) {
        return left == 0;
    }
    return exp(log_choose(u, left) + left * log(stays) + (u - left) * log1p(-stays));
}

/* Each of u nodes calls `fanout` distinct others and stays ignorant when none of them knows. */
static void pull(const struct chain *c, uint32_t u, uint32_t *low, uint32_t *high)
{
    double stays = 1;
    for (uint32_t i = 0; i < c->fanout; i++) {
        stays *= fmax(0, (u - 1.0 - i) / (c->nodes - 1.0 - i));
    }
    uint32_t likely = (uint32_t)(u * stays);
    *low = *high = likely;
    for (uint32_t left = likely; left <= u; left++) { /* upwards from the likeliest, then downwards */
        c->now[left] = chance_of(u, left, stays);
        *high = left;
        if (c->now[left] < NEGLIGIBLE) {
            break;
        }
    }
    for (uint32_t left = likely; left-- > 0;) {
        c->now[left] = chance_of(u, left, stays);
        *low = left;
        if (c->now[left] < NEGLIGIBLE) {
            break;
        }
    }
}

static void push(struct chain *c, uint32_t callers, uint32_t *low, uint32_t *high)
{
    uint32_t width = c->fanout + 1;
    for (uint32_t caller = 0; caller < callers; caller++) {
        uint32_t reach = *low > c->fanout ? *low - c->fanout : 0;
        memset(c->next + reach, 0, (*high - reach + 1) * sizeof *c->next);
        for (uint32_t u = *low; u <= *high; u++) {
            for (uint32_t m = 0; m <= c->fanout && m <= u; m++) {
                c->next[u - m] += c->now[u] * c->hits[u * width + m];
            }
        }
        double *swap = c->now;
        c->now = c->next;
        c->next = swap;
        *low = reach;
        while (*low < *high && c->now[*low] < NEGLIGIBLE) {
            c->now[(*low)++] = 0;
        }
        while (*high > *low && c->now[*high] < NEGLIGIBLE) {
            c->now[(*high)--] = 0;
        }
    }
}

static const struct row *row_of(struct chain *c, uint32_t u)
{
    struct row *row = &c->rows[u];
    uint32_t low = u, high = u;
    if (row->chances != NULL) {
        return row;
    }
    c->now[u] = 1;
    if (c->mode != SPREAD_PUSH) {
        pull(c, u, &low, &high);
    }
    if (c->mode != SPREAD_PULL) {
        push(c, c->nodes - u, &low, &high);
    }
    row->first = low;
    row->count = high - low + 1;
    row->chances = malloc(row->count * sizeof *row->chances);
    if (row->chances == NULL) {
        return NULL;
    }
    memcpy(row->chances, c->now + low, row->count * sizeof *row->chances);
    return row;
}

/* One round for the distribution `at` of ignorant nodes. */
static bool advance(struct chain *c, const double *at, double *after)
{
    memset(after, 0, c->nodes * sizeof *after);
    after[0] = at[0];
    for (uint32_t u = 1; u < c->nodes; u++) {
        if (at[u] < NEGLIGIBLE) {
            continue;
        }
        const struct row *row = row_of(c, u);
        if (row == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < row->count; i++) {
            after[row->first + i] += at[u] * row->chances[i];
        }
    }
    return true;
}

static void follow(struct chain *c, double *at, double *after, bool *is_fine, double *mean, double *p99, double *sd)
{
    double squares = 0;
    at[c->nodes - 1] = 1;
    *mean = *p99 = 0;
    for (uint32_t round = 0; *is_fine && at[0] < 1 - 1e-10; round++) {
        *mean += 1 - at[0];
        squares += (2.0 * round + 1) * (1 - at[0]);
        *is_fine = advance(c, at, after);
        if (at[0] < 0.99 && after[0] >= 0.99) {
            *p99 = round + 1;
        }
        double *swap = at;
        at = after;
        after = swap;
    }
    *sd = sqrt(fmax(0, squares - *mean * *mean));
}

bool paper_chain_rounds(enum spread_mode mode, uint32_t nodes, uint32_t fanout, double *mean, double *p99, double *sd)
{
    struct chain c = {.mode = mode, .nodes = nodes, .fanout = fanout};
    c.rows = calloc(nodes + 1, sizeof *c.rows);
    c.hits = calloc((size_t)nodes * (fanout + 1), sizeof *c.hits);
    c.now = calloc(nodes + 1, sizeof *c.now);
    c.next = calloc(nodes + 1, sizeof *c.next);
    double *at = calloc(nodes + 1, sizeof *at), *after = calloc(nodes + 1, sizeof *after);
    bool is_fine = c.rows != NULL && c.hits != NULL && c.now != NULL && c.next != NULL && at != NULL && after != NULL;
    if (is_fine) {
        fill_hits(&c);
        follow(&c, at, after, &is_fine, mean, p99, sd);
    }
    for (uint32_t u = 0; c.rows != NULL && u <= nodes; u++) {
        free(c.rows[u].chances);
    }
    free(c.rows);
    free(c.hits);
    free(c.now);
    free(c.next);
    free(at);
    free(after);
    return is_fine;
}

/* Known nodes go up, those who still call go down: state (known, callers), visited in that order. A call that changes nothing is left out
 * by dividing by the chance that one changes something. */
bool paper_chain_blind_coin(uint32_t nodes, uint32_t k, double *residue, double *copies)
{
    double *now = calloc(nodes + 2, sizeof *now), *next = calloc(nodes + 2, sizeof *next), heard = 0, stops = 1.0 / k;
    bool is_fine = now != NULL && next != NULL;
    if (is_fine) {
        now[1] = 1;
    }
    for (uint32_t known = 1; is_fine && known <= nodes; known++) {
        double is_new = (nodes - known) / (nodes - 1.0);
        for (uint32_t callers = known; callers > 0; callers--) {
            double chance = now[callers], changes = 1 - (1 - is_new) * (1 - stops);
            next[callers + 1] += chance * is_new * (1 - stops) / changes;
            next[callers] += chance * is_new * stops / changes;
            now[callers - 1] += chance * (1 - is_new) * stops / changes;
        }
        heard += known * now[0];
        memset(now, 0, (nodes + 2) * sizeof *now);
        double *swap = now;
        now = next;
        next = swap;
    }
    *residue = 1 - heard / nodes;
    *copies = k * heard / nodes; /* each that hears calls k times on average */
    free(now);
    free(next);
    return is_fine;
}
