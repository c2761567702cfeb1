/* SPDX-License-Identifier: MIT
 *
 * See spread_trial.h. A node is a number and nothing tells one from another, so that with timers the numbers are simply the order of the
 * phases. With push, a stopping rule is applied call by call; with pull and push-pull, where others call too, once a round: one useful
 * call makes the round useful, without any call it changes nothing (this is the reading under which Demers' tables come out).
 */
#include "sim/spread_trial.h"

#include "base/logarithm.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_USEFUL = 1, MARK_USELESS = 2 };

static bool has(const uint64_t *bits, uint32_t node)
{
    return (bits[node / 64] >> node % 64 & 1) != 0;
}

static void add(uint64_t *bits, uint32_t node)
{
    bits[node / 64] |= UINT64_C(1) << node % 64;
}

static void drop(uint64_t *bits, uint32_t node)
{
    bits[node / 64] &= ~(UINT64_C(1) << node % 64);
}

static uint32_t half(struct spread_trial *t)
{
    if (t->spare != 0) {
        uint32_t bits = (uint32_t)t->spare;
        t->spare = 0;
        return bits;
    }
    uint64_t both = rng_next(&t->rng);
    t->spare = both >> 32 | UINT64_C(1) << 32;
    return (uint32_t)both;
}

/* Uniform in [0, bound), by multiplication (D. Lemire, 2019). */
static inline uint32_t below(struct spread_trial *t, uint32_t bound)
{
    uint64_t product = (uint64_t)half(t) * bound;
    if ((uint32_t)product < bound) {
        uint32_t least = -bound % bound;
        while ((uint32_t)product < least) {
            product = (uint64_t)half(t) * bound;
        }
    }
    return (uint32_t)(product >> 32);
}

static bool is_lost(struct spread_trial *t)
{
    return t->setting->loss > 0 && rng_unit(&t->rng) < t->setting->loss;
}

static bool rule_is_blind(enum spread_stop stop)
{
    return stop == SPREAD_STOP_BLIND_COUNTER || stop == SPREAD_STOP_BLIND_COIN;
}

static bool rule_wants_feedback(enum spread_stop stop)
{
    return stop == SPREAD_STOP_FEEDBACK_COUNTER || stop == SPREAD_STOP_FEEDBACK_COIN;
}

/* When a share of all nodes has been reached. */
static void look_at_reach(struct spread_trial *t)
{
    static const double shares[3] = {0.50, 0.90, 0.99};
    while (t->reach < 3 && (double)t->outcome.reached >= shares[t->reach] * t->setting->nodes) {
        t->outcome.reach_at[t->reach++] = t->now;
    }
}

static void learn(struct spread_trial *t, uint32_t node)
{
    if (has(t->fresh, node)) {
        return;
    }
    add(t->fresh, node);
    t->outcome.reached++;
    t->outcome.last_at = t->now;
    if (t->phase != NULL) {
        if (t->active != t->known) {
            add(t->active, node);
        }
        t->actives++;
        look_at_reach(t);
    }
}

static void lose_interest(struct spread_trial *t, uint32_t node)
{
    if (has(t->active, node)) {
        drop(t->active, node);
        t->actives--;
    }
}

static void apply(struct spread_trial *t, uint32_t node, unsigned marks)
{
    const struct spread_setting *setting = t->setting;
    bool is_useful = (marks & MARK_USEFUL) != 0 && !rule_is_blind(setting->stop);
    bool is_coin = setting->stop == SPREAD_STOP_FEEDBACK_COIN || setting->stop == SPREAD_STOP_BLIND_COIN;
    if (marks == 0) {
        return;
    }
    if (is_coin ? !is_useful && below(t, setting->stop_after) == 0 : (t->counts[node] = is_useful ? 0 : t->counts[node] + 1) >= setting->stop_after) {
        lose_interest(t, node);
    }
}

/* node told somebody, which was useful or not. */
static void mark(struct spread_trial *t, uint32_t node, unsigned mark)
{
    if (t->marks != NULL) {
        t->marks[node] |= (uint8_t)mark;
    } else {
        apply(t, node, mark);
    }
}

/* node sends a copy. */
static void send_copy(struct spread_trial *t, uint32_t node)
{
    t->outcome.payloads++;
    if (t->setting->stop == SPREAD_STOP_TRANSMITS && ++t->counts[node] >= t->setting->stop_after) {
        lose_interest(t, node);
    } else if (rule_is_blind(t->setting->stop)) {
        mark(t, node, MARK_USELESS);
    }
}

static void count_message(struct spread_trial *t, uint32_t from, uint32_t to)
{
    t->outcome.messages++;
    if (t->load != NULL) {
        t->load[from]++;
        t->load[to]++;
    }
}

static void told(struct spread_trial *t, uint32_t teller, uint32_t listener)
{
    bool is_news = !has(t->known, listener);
    learn(t, listener);
    if (rule_wants_feedback(t->setting->stop)) {
        mark(t, teller, is_news ? MARK_USEFUL : MARK_USELESS);
    }
}

static void call(struct spread_trial *t, uint32_t caller, uint32_t callee)
{
    const struct spread_setting *setting = t->setting;
    bool tells = setting->mode != SPREAD_PULL && has(t->active, caller);
    if (setting->mode == SPREAD_PUSH && !tells) {
        return; /* it just lost interest */
    }
    count_message(t, caller, callee);
    if (tells) {
        send_copy(t, caller);
    }
    if (is_lost(t)) {
        return;
    }
    if (t->incoming != NULL && t->incoming[callee]++ >= setting->incoming_limit && setting->incoming_limit > 0) {
        return;
    }
    if (setting->mode == SPREAD_PUSH) {
        if (rule_wants_feedback(setting->stop)) {
            count_message(t, callee, caller);
            if (is_lost(t)) {
                learn(t, callee);
                return;
            }
        }
        told(t, caller, callee);
        return;
    }
    bool answers = has(t->active, callee) && !tells, knew = has(t->known, callee);
    count_message(t, callee, caller);
    if (answers) {
        send_copy(t, callee);
    } else if (tells) {
        learn(t, callee);
    }
    if (is_lost(t)) {
        return;
    }
    if (answers) {
        told(t, callee, caller);
    } else if (tells && rule_wants_feedback(setting->stop)) {
        mark(t, caller, knew ? MARK_USELESS : MARK_USEFUL);
        if (has(t->active, callee) && knew) {
            mark(t, callee, MARK_USELESS);
        }
    }
}

/* node calls fanout others, all different (R. Floyd's sampling). */
static void call_others(struct spread_trial *t, uint32_t node)
{
    uint32_t others = t->setting->nodes - 1, fanout = t->setting->fanout, chosen[SPREAD_FANOUT_MAX];
    for (uint32_t i = 0; i < fanout; i++) {
        uint32_t most = others - fanout + i, pick = below(t, most + 1);
        for (uint32_t j = 0; j < i; j++) {
            if (chosen[j] == pick) {
                pick = most;
                break;
            }
        }
        chosen[i] = pick;
    }
    for (uint32_t i = 0; i < fanout; i++) {
        call(t, node, chosen[i] + (chosen[i] >= node));
    }
}

static bool is_caller(const struct spread_trial *t, uint32_t node)
{
    switch (t->setting->mode) {
    case SPREAD_PUSH:
        return has(t->active, node);
    case SPREAD_PULL:
        return t->setting->stop != SPREAD_STOP_NEVER || !has(t->known, node);
    default:
        return true;
    }
}

/* The rules that are applied once a round. */
static void age(struct spread_trial *t, uint32_t node)
{
    if (t->setting->stop == SPREAD_STOP_AGE && ++t->counts[node] >= t->setting->stop_after) {
        lose_interest(t, node);
    }
    if (t->marks != NULL) {
        apply(t, node, t->marks[node]);
    }
}

static void shuffle(struct spread_trial *t)
{
    for (uint32_t i = t->setting->nodes; i > 1; i--) {
        uint32_t j = below(t, i), other = t->order[j];
        t->order[j] = t->order[i - 1];
        t->order[i - 1] = other;
    }
}

static void note_connections(struct spread_trial *t)
{
    if (t->load == NULL || t->incoming == NULL) {
        return;
    }
    for (uint32_t i = 0; i < t->setting->nodes; i++) {
        uint32_t partners = t->incoming[i] + (is_caller(t, i) ? t->setting->fanout : 0);
        if (partners > t->outcome.connections) {
            t->outcome.connections = partners;
        }
    }
}

static void begin_round(struct spread_trial *t)
{
    if (t->incoming != NULL) {
        memset(t->incoming, 0, t->setting->nodes * sizeof *t->incoming);
    }
    if (t->order != NULL) {
        shuffle(t);
    }
}

static size_t words(const struct spread_trial *t)
{
    return ((size_t)t->setting->nodes + 63) / 64;
}

/* All those who call in this round, sixty-four at a time. */
static void call_all(struct spread_trial *t)
{
    uint32_t nodes = t->setting->nodes;
    for (size_t i = 0; i < words(t); i++) {
        uint64_t callers = t->setting->mode == SPREAD_PUSH                                               ? t->active[i]
                           : t->setting->mode == SPREAD_PULL && t->setting->stop == SPREAD_STOP_NEVER ? ~t->known[i]
                                                                                                      : UINT64_MAX;
        if (i == nodes / 64) {
            callers &= (UINT64_C(1) << nodes % 64) - 1;
        }
        for (; callers != 0; callers &= callers - 1) {
            call_others(t, (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(callers));
        }
    }
}

static void end_round(struct spread_trial *t)
{
    note_connections(t);
    if (t->setting->stop == SPREAD_STOP_NEVER) {
        memcpy(t->known, t->fresh, words(t) * sizeof *t->known);
        return;
    }
    for (size_t i = 0; i < words(t); i++) {
        for (uint64_t bits = t->active[i]; bits != 0; bits &= bits - 1) {
            age(t, (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(bits));
        }
        uint64_t news = t->fresh[i] & ~t->known[i];
        t->known[i] |= news;
        t->active[i] |= news;
        t->actives += (uint32_t)__builtin_popcountll(news);
    }
    if (t->marks != NULL) {
        memset(t->marks, 0, t->setting->nodes);
    }
}

static void sample(struct spread_trial *t)
{
    if (t->sample < SPREAD_CURVE_MAX) {
        t->curve[t->sample++] += t->outcome.reached;
    }
}

static void synchronous_round(struct spread_trial *t)
{
    t->now += 1;
    begin_round(t);
    if (t->order != NULL) {
        for (uint32_t i = 0; i < t->setting->nodes; i++) {
            if (is_caller(t, t->order[i])) {
                call_others(t, t->order[i]);
            }
        }
    } else {
        call_all(t);
    }
    end_round(t);
    look_at_reach(t);
    sample(t);
}

static bool is_over(const struct spread_trial *t)
{
    return t->setting->stop == SPREAD_STOP_NEVER ? t->outcome.reached == t->setting->nodes : t->actives == 0;
}

/* One period, in which every timer fires once. */
static void timers_round(struct spread_trial *t, uint32_t round)
{
    begin_round(t);
    for (uint32_t i = 0; i < t->setting->nodes && !is_over(t); i++) {
        t->now = round + (double)t->phase[i];
        while (t->sample < SPREAD_CURVE_MAX && t->now * SPREAD_CURVE_TIMERS >= t->sample) {
            sample(t);
        }
        bool was_active = has(t->active, i);
        if (is_caller(t, i)) {
            call_others(t, i);
        }
        if (was_active && t->setting->stop != SPREAD_STOP_NEVER) {
            age(t, i);
            if (t->marks != NULL) {
                t->marks[i] = 0;
            }
        }
    }
    note_connections(t);
}

/* Ascending uniform numbers, out of the gaps of a Poisson process. */
static void draw_phases(struct spread_trial *t)
{
    double sum = 0;
    struct rng again = t->rng;
    for (uint32_t i = 0; i <= t->setting->nodes; i++) {
        sum -= logarithm(1 - rng_unit(&again));
    }
    double at = 0;
    for (uint32_t i = 0; i < t->setting->nodes; i++) {
        at -= logarithm(1 - rng_unit(&t->rng));
        t->phase[i] = (float)(at / sum);
    }
}

static void gossip(struct spread_trial *t)
{
    uint32_t origins = t->setting->origins > 0 ? t->setting->origins : 1;
    if (t->phase != NULL) {
        draw_phases(t);
    }
    for (uint32_t i = 0; t->order != NULL && i < t->setting->nodes; i++) {
        t->order[i] = i;
    }
    while (t->actives < origins) {
        uint32_t origin = below(t, t->setting->nodes);
        t->actives += !has(t->known, origin);
        add(t->known, origin);
        add(t->fresh, origin);
        add(t->active, origin);
    }
    t->outcome.reached = origins;
    look_at_reach(t);
    sample(t);
    for (uint32_t round = 0; !is_over(t) && round < t->setting->rounds_max; round++) {
        if (t->phase == NULL) {
            synchronous_round(t);
        } else {
            timers_round(t, round);
        }
    }
    for (uint32_t i = 0; t->load != NULL && i < t->setting->nodes; i++) {
        t->outcome.busiest = t->load[i] > t->outcome.busiest ? t->load[i] : t->outcome.busiest;
    }
}

/* One node tells all others until each has acknowledged; others begin to acknowledge in the round in which they hear. */
static void tell_everybody(struct spread_trial *t, uint32_t others)
{
    uint32_t handled = t->outcome.busiest;
    memset(t->active, 0, words(t) * sizeof *t->active); /* here: has acknowledged */
    for (uint32_t waiting = others; waiting > 0 && t->now < t->setting->rounds_max;) {
        t->now += 1;
        t->outcome.connections = waiting > t->outcome.connections ? waiting : t->outcome.connections;
        for (uint32_t i = 0; i < others; i++) {
            if (has(t->active, i)) {
                continue;
            }
            t->outcome.payloads++;
            t->outcome.messages++;
            handled++;
            if (is_lost(t)) {
                continue;
            }
            learn(t, i);
            t->outcome.messages++;
            if (!is_lost(t)) {
                handled++;
                add(t->active, i);
                waiting--;
            }
        }
        look_at_reach(t);
        sample(t);
    }
    t->outcome.busiest = handled;
}

static void direct(struct spread_trial *t)
{
    uint32_t others = t->setting->nodes - 1;
    t->outcome.reached = 1;
    sample(t);
    if (t->setting->mode == SPREAD_CENTRAL && others > 1) { /* first the one who knows tells the coordinator */
        bool is_known = false, is_acknowledged = false;
        while (!is_acknowledged && t->now < t->setting->rounds_max) {
            bool arrives = !is_lost(t);
            t->now += is_known ? 0 : 1; /* what comes after the first copy happens beside the coordinator's own work */
            t->outcome.payloads++;
            t->outcome.messages += arrives ? 2 : 1;
            t->outcome.busiest += arrives ? 2 : 0;
            is_acknowledged = arrives && !is_lost(t);
            is_known |= arrives;
            if (!is_known) {
                sample(t);
            }
        }
        t->outcome.reached += is_known;
        sample(t);
        others = is_known ? others - 1 : 0;
    }
    look_at_reach(t);
    tell_everybody(t, others);
}

void spread_trial_run(struct spread_trial *trial, uint32_t number)
{
    uint32_t nodes = trial->setting->nodes;
    rng_init(&trial->rng, trial->setting->seed);
    uint64_t stream = rng_next(&trial->rng); /* every trial has a stream of its own, whoever runs it */
    rng_init(&trial->rng, stream ^ (number + UINT64_C(1)) * UINT64_C(0xd1342543de82ef95));
    trial->spare = 0;
    trial->outcome = (struct spread_outcome){.reach_at = {-1, -1, -1}};
    trial->actives = trial->sample = trial->reach = 0;
    trial->now = 0;
    memset(trial->known, 0, words(trial) * sizeof *trial->known);
    memset(trial->fresh, 0, words(trial) * sizeof *trial->fresh);
    memset(trial->active, 0, words(trial) * sizeof *trial->active);
    if (trial->counts != NULL) {
        memset(trial->counts, 0, nodes);
    }
    if (trial->marks != NULL) {
        memset(trial->marks, 0, nodes);
    }
    if (trial->load != NULL) {
        memset(trial->load, 0, nodes * sizeof *trial->load);
    }
    if (trial->setting->mode == SPREAD_CENTRAL || trial->setting->mode == SPREAD_BROADCAST) {
        direct(trial);
    } else {
        gossip(trial);
    }
    trial->longest = trial->sample > trial->longest ? trial->sample : trial->longest;
    for (uint32_t i = trial->sample; i < SPREAD_CURVE_MAX; i++) {
        trial->curve[i] += trial->outcome.reached;
    }
}

static void *zeros(size_t count, size_t size, bool is_wanted, bool *is_fine)
{
    void *memory = is_wanted ? calloc(count, size) : NULL;
    *is_fine = *is_fine && (!is_wanted || memory != NULL);
    return memory;
}

bool spread_trial_init(struct spread_trial *trial, const struct spread_setting *setting)
{
    bool is_fine = true, is_gossip = setting->mode <= SPREAD_PUSH_PULL, has_rule = is_gossip && setting->stop != SPREAD_STOP_NEVER;
    bool has_timers = is_gossip && setting->has_timers, has_limit = is_gossip && setting->incoming_limit > 0;
    *trial = (struct spread_trial){.setting = setting};
    trial->known = zeros(words(trial), sizeof *trial->known, true, &is_fine);
    trial->fresh = has_timers ? trial->known : zeros(words(trial), sizeof *trial->fresh, true, &is_fine);
    trial->active = is_gossip && !has_rule ? trial->known : zeros(words(trial), sizeof *trial->active, true, &is_fine);
    trial->counts = zeros(setting->nodes, 1, has_rule, &is_fine);
    trial->marks = zeros(setting->nodes, 1, has_rule && setting->mode != SPREAD_PUSH && setting->stop != SPREAD_STOP_AGE &&
                         setting->stop != SPREAD_STOP_TRANSMITS, &is_fine);
    trial->incoming = zeros(setting->nodes, sizeof *trial->incoming, has_limit || (is_gossip && setting->has_load), &is_fine);
    trial->load = zeros(setting->nodes, sizeof *trial->load, is_gossip && setting->has_load, &is_fine);
    trial->order = zeros(setting->nodes, sizeof *trial->order, has_limit && !has_timers, &is_fine);
    trial->phase = zeros(setting->nodes, sizeof *trial->phase, has_timers, &is_fine);
    trial->curve = zeros(SPREAD_CURVE_MAX, sizeof *trial->curve, true, &is_fine);
    return is_fine;
}

void spread_trial_deinit(struct spread_trial *trial)
{
    if (trial->active != trial->known) {
        free(trial->active);
    }
    if (trial->fresh != trial->known) {
        free(trial->fresh);
    }
    free(trial->known);
    free(trial->counts);
    free(trial->marks);
    free(trial->incoming);
    free(trial->load);
    free(trial->order);
    free(trial->phase);
    free(trial->curve);
}
