/* SPDX-License-Identifier: MIT
 *
 * See spread_theory.h. References: B. Pittel, On Spreading a Rumor, 1987 (push); R. Karp et al., Randomized Rumor Spreading, 2000
 * (push-pull); A. Demers et al., 1987 (the recurrences).
 */
#include "sim/spread_theory.h"

#include <math.h>

#define PHASES 256 /* of the timers that are told apart */

double spread_theory_next(const struct spread_setting *setting, double ignorant)
{
    double n = setting->nodes, k = setting->fanout, call = 1 - setting->loss, answered = call * call, knowing = 1 - ignorant;
    double not_pushed = pow(1 - k * call / (n - 1), n * knowing);
    double not_pulled = pow(1 - answered * knowing * n / (n - 1), k);
    switch (setting->mode) {
    case SPREAD_PUSH:
        return ignorant * not_pushed;
    case SPREAD_PULL:
        return ignorant * not_pulled;
    case SPREAD_PUSH_PULL:
        return ignorant * not_pushed * not_pulled;
    default:
        return ignorant * setting->loss;
    }
}

/* With timers: shares of the nodes that do not know, by the phase of their timers. Nodes of one phase call together. */
struct timers {
    double ignorant[PHASES];
    int phase;
};

static double timers_next(const struct spread_setting *setting, struct timers *t, double ignorant)
{
    double call = 1 - setting->loss, answered = setting->mode == SPREAD_PUSH ? 0 : call * call;
    for (int i = 0; i < PHASES / SPREAD_CURVE_TIMERS; i++) {
        double sum = 0, calls = 0, *callers = &t->ignorant[t->phase];
        for (uint32_t j = 0; j < setting->fanout; j++) { /* what one call brings, the next one carries */
            calls += setting->mode == SPREAD_PULL ? 0 : call * (1 - *callers) / PHASES;
            *callers *= 1 - answered * (1 - ignorant);
        }
        t->phase = (t->phase + 1) % PHASES;
        for (int j = 0; j < PHASES; j++) {
            t->ignorant[j] *= exp(-calls);
            sum += t->ignorant[j];
        }
        ignorant = sum / PHASES;
    }
    return ignorant;
}

static void mean_field(const struct spread_setting *setting, struct spread_theory *theory)
{
    bool is_gossip = setting->mode <= SPREAD_PUSH_PULL, has_timers = setting->has_timers && is_gossip;
    double n = setting->nodes, ignorant = 1 - 1 / n, steps = 0, before = 0;
    struct timers timers = {.phase = 0};
    for (int i = 0; i < PHASES; i++) {
        timers.ignorant[i] = ignorant;
    }
    theory->curve_per_round = has_timers ? SPREAD_CURVE_TIMERS : 1;
    theory->curve[0] = 1 - ignorant;
    theory->curve_count = 1;
    if (setting->mode == SPREAD_CENTRAL) {
        theory->curve[theory->curve_count++] = 2 / n;
        before = 1 / (1 - setting->loss);
        ignorant = 1 - 2 / n;
    }
    for (int i = 0; i < 1000000; i++) {
        double unfinished = -expm1(n * log1p(-fmin(ignorant, 1 - 1e-12)));
        if (unfinished < 1e-9) {
            break;
        }
        steps += unfinished;
        ignorant = has_timers ? timers_next(setting, &timers, ignorant) : spread_theory_next(setting, ignorant);
        if (theory->curve_count < SPREAD_CURVE_MAX) {
            theory->curve[theory->curve_count++] = 1 - ignorant;
        }
    }
    theory->rounds = before + steps / (double)theory->curve_per_round;
    theory->formula = is_gossip ? "mean field" : setting->mode == SPREAD_CENTRAL ? "one to the coordinator, one to all" : "one to all";
}

bool spread_theory_of(const struct spread_setting *setting, struct spread_theory *theory)
{
    double n = setting->nodes, k = setting->fanout;
    bool is_gossip = setting->mode <= SPREAD_PUSH_PULL;
    if (is_gossip && (setting->stop != SPREAD_STOP_NEVER || setting->incoming_limit > 0)) {
        return false;
    }
    mean_field(setting, theory);
    if (!is_gossip || setting->has_timers || setting->loss > 0 || n < 64) {
        return true;
    }
    if (setting->mode == SPREAD_PUSH) {
        theory->rounds = setting->fanout == 1 ? log2(n) + log(n) + 1.2 : log(n) / log(k + 1) + log(n) / k + 0.9;
        theory->formula = setting->fanout == 1 ? "log2 n + ln n + 1.2" : "log(k+1) n + ln n / k + 0.9";
    } else if (setting->mode == SPREAD_PUSH_PULL && setting->fanout == 1) {
        theory->rounds = log(n) / log(3) + log2(log(n));
        theory->formula = "log3 n + log2 ln n";
    }
    return true;
}
