/* SPDX-License-Identifier: MIT
 *
 * Sentences on SWIM's failure detector (A. Das et al., 2002, §3 and §4), by playing its model: no packets, no core.
 */
#include "base/rng.h"
#include "sim/paper.h"

#include <math.h>
#include <stdlib.h>

enum { NODES_MAX = 128 };

struct tally {
    double sum, squares, max;
};

static void take(struct tally *tally, double value)
{
    tally->sum += value;
    tally->squares += value * value;
    tally->max = fmax(tally->max, value);
}

static double sd_of(const struct tally *tally, uint32_t count)
{
    double mean = tally->sum / count;
    return sqrt(fmax(0, tally->squares / count - mean * mean));
}

/* Periods until one of n - 1 members, each of which probes one of the others at random, probes the dead one. */
static double first_detection(struct rng *rng, uint32_t nodes)
{
    for (double period = 1;; period++) {
        for (uint32_t i = 1; i < nodes; i++) {
            if (rng_below(rng, nodes - 1) == 0) {
                return period;
            }
        }
    }
}

/* The same for one member that goes round all others and shuffles after each round: member 0 dies before a random probe. */
static double round_robin_wait(struct rng *rng, uint32_t others)
{
    uint32_t order[NODES_MAX], at = (uint32_t)rng_below(rng, others);
    for (double period = 1;; at = 0) {
        for (uint32_t i = 0; i < others; i++) {
            uint32_t j = (uint32_t)rng_below(rng, i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (; at < others; at++, period++) {
            if (order[at] == 0) {
                return period;
            }
        }
    }
}

static void detection_rows(struct paper *paper, struct rng *rng)
{
    static const struct {
        uint32_t nodes;
        const char *published;
    } sizes[] = {{10, "1.530"}, {28, "1.565"}, {128, NULL}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t n = sizes[i].nodes, count = paper->trials * 200 / n;
        struct tally random = {0}, robin = {0}, alone = {0};
        for (uint32_t trial = 0; trial < count; trial++) {
            take(&random, first_detection(rng, n));
            double least = INFINITY;
            for (uint32_t observer = 1; observer < n; observer++) {
                double wait = round_robin_wait(rng, n - 1);
                take(&alone, wait);
                least = fmin(least, wait);
            }
            take(&robin, least);
        }
        char what[96], exact[16];
        snprintf(what, sizeof what, "first detection, n = %u, in periods", n);
        snprintf(exact, sizeof exact, "%.4f", 1 / (1 - pow(1 - 1.0 / (n - 1), n - 1)));
        paper_row(paper, &(struct paper_row){.what = what, .published = sizes[i].published, .exact = exact, .ours = random.sum / count,
                                             .sd = sd_of(&random, count), .trials = count});
        snprintf(what, sizeof what, "n = %u round-robin: not slower on average (%.3f)", n, robin.sum / count);
        paper_claim(paper, what, robin.sum <= random.sum + 4 * sd_of(&random, count) * sqrt(2.0 * count));
        snprintf(what, sizeof what, "n = %u round-robin: one observer within 2n - 1 periods (longest %u)", n, (unsigned)alone.max);
        paper_claim(paper, what, alone.max <= 2.0 * n - 1);
    }
}

static bool arrives(struct rng *rng, double loss)
{
    return rng_unit(rng) >= loss;
}

/* A probe of a member that lives: ping and ack, then ping-req, ping, ack and its relay through each of k members. */
static bool is_declared_dead(struct rng *rng, double loss, uint32_t relays)
{
    if (arrives(rng, loss) && arrives(rng, loss)) {
        return false;
    }
    for (uint32_t i = 0; i < relays; i++) {
        if (arrives(rng, loss) && arrives(rng, loss) && arrives(rng, loss) && arrives(rng, loss)) {
            return false;
        }
    }
    return true;
}

static void false_rows(struct paper *paper, struct rng *rng)
{
    static const double losses[] = {0.02, 0.05, 0.10, 0.25};
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        for (uint32_t relays = 1; relays <= 3; relays += 2) {
            double loss = losses[i], exact = (1 - pow(1 - loss, 2)) * pow(1 - pow(1 - loss, 4), relays);
            uint32_t trials = paper->trials * 200, count = 0;
            for (uint32_t trial = 0; trial < trials; trial++) {
                count += is_declared_dead(rng, loss, relays);
            }
            char what[64];
            snprintf(what, sizeof what, "a live member declared dead, loss %g, k = %u", loss, relays);
            paper_rate(paper, what, exact, count, trials);
        }
    }
}

bool paper_swim(struct paper *paper)
{
    struct rng rng;
    rng_init(&rng, paper->seed ^ 0x5357494d);
    paper_section(paper, "SWIM: first detection by anybody, 1 / (1 - (1 - 1/(n-1))^(n-1))",
                  "every member probes one of the others per period; random targets, or round-robin as memberlist does");
    detection_rows(paper, &rng);
    paper_section(paper, "SWIM: one probe fails by loss alone, (1-(1-p)^2) (1-(1-p)^4)^k", "independent loss p per message, no suspicion");
    false_rows(paper, &rng);
    return true;
}
