/* SPDX-License-Identifier: MIT
 *
 * See spread_model.h: the trials of a setting on several threads, and their statistics. Every outcome is kept and summed up in the order of
 * the trials, so that the number of threads leaves no trace.
 */
#include "sim/spread_model.h"

#include "sim/spread_trial.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 64

struct crew {
    const struct spread_setting *setting;
    struct spread_outcome *outcomes;
    atomic_uint next, done;
    pthread_mutex_t lock;
    uint64_t curve[SPREAD_CURVE_MAX];
    uint32_t longest;
};

uint32_t spread_model_transmits(uint32_t multiplier, uint32_t nodes)
{
    uint32_t digits = 0;
    for (uint64_t power = 1; power < (uint64_t)nodes + 1; power *= 10) {
        digits++;
    }
    return multiplier * digits;
}

const char *spread_model_refuse(const struct spread_setting *setting)
{
    if (setting->nodes < 2 || setting->nodes > SPREAD_NODES_MAX) {
        return "nodes must be 2 to 10000000";
    }
    if (setting->fanout < 1 || setting->fanout > SPREAD_FANOUT_MAX) {
        return "the fan-out must be 1 to 64";
    }
    if (setting->fanout >= setting->nodes && setting->mode <= SPREAD_PUSH_PULL) {
        return "the fan-out must be smaller than the number of nodes, since nobody calls itself";
    }
    if (!(setting->loss >= 0 && setting->loss < 1)) {
        return "loss must be at least 0 and below 1";
    }
    if (setting->stop != SPREAD_STOP_NEVER && (setting->stop_after < 1 || setting->stop_after > SPREAD_STOP_MAX)) {
        return "the number of a stopping rule must be 1 to 255";
    }
    if (setting->origins > setting->nodes || (setting->origins > 1 && setting->mode > SPREAD_PUSH_PULL)) {
        return "more nodes know at the start than can be";
    }
    if (setting->trials < 1 || setting->rounds_max < 1) {
        return "at least one trial and one round are needed";
    }
    return NULL;
}

static void work(struct crew *crew, void (*is_done)(void *context, uint32_t trials), void *context)
{
    struct spread_trial trial;
    if (spread_trial_init(&trial, crew->setting)) {
        for (uint32_t number; (number = atomic_fetch_add(&crew->next, 1)) < crew->setting->trials;) {
            spread_trial_run(&trial, number);
            crew->outcomes[number] = trial.outcome;
            uint32_t done = atomic_fetch_add(&crew->done, 1) + 1;
            if (is_done != NULL) {
                is_done(context, done);
            }
        }
        pthread_mutex_lock(&crew->lock);
        for (size_t i = 0; i < SPREAD_CURVE_MAX; i++) {
            crew->curve[i] += trial.curve[i];
        }
        crew->longest = trial.longest > crew->longest ? trial.longest : crew->longest;
        pthread_mutex_unlock(&crew->lock);
    }
    spread_trial_deinit(&trial);
}

static void *work_beside(void *crew)
{
    work(crew, NULL, NULL);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* values are sorted on the way. */
static struct spread_statistic summary(double *values, uint32_t count)
{
    struct spread_statistic s = {0};
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += values[i];
    }
    s.mean = sum / count;
    for (uint32_t i = 0; i < count; i++) {
        squares += (values[i] - s.mean) * (values[i] - s.mean);
    }
    s.sd = count > 1 ? sqrt(squares / (count - 1)) : 0;
    qsort(values, count, sizeof *values, compare);
    s.p50 = values[(uint32_t)(((uint64_t)count * 50 + 99) / 100) - 1];
    s.p99 = values[(uint32_t)(((uint64_t)count * 99 + 99) / 100) - 1];
    s.max = values[count - 1];
    double spread = 3.29 * sqrt(0.99 * 0.01 * count), rank = 0.99 * count;
    s.p99_least = values[(uint32_t)fmax(floor(rank - spread) - 1, 0)];
    bool is_open = pow(0.99, count) > 0.001; /* too few trials: the true p99 may be above all of them */
    s.p99_most = is_open ? INFINITY : values[(uint32_t)fmin(ceil(rank + spread), count - 1.0)];
    return s;
}

static double value_of(const struct spread_outcome *o, int which, double nodes)
{
    switch (which) {
    case 0:
        return o->last_at;
    case 1:
        return (double)o->payloads / nodes;
    case 2:
        return (double)o->messages / nodes;
    case 3:
        return 1 - o->reached / nodes;
    case 4:
        return o->busiest;
    default:
        return o->connections;
    }
}

static void summarise(const struct crew *crew, double *values, struct spread_result *result)
{
    const struct spread_setting *setting = crew->setting;
    uint32_t count = setting->trials, complete = 0;
    struct spread_statistic *const targets[] = {&result->rounds,  &result->payloads, &result->messages,
                                                &result->residue, &result->busiest,  &result->connections};
    for (int which = 0; which < 6; which++) {
        for (uint32_t i = 0; i < count; i++) {
            values[i] = value_of(&crew->outcomes[i], which, setting->nodes);
        }
        *targets[which] = summary(values, count);
    }
    for (int share = 0; share < 3; share++) {
        uint32_t reached = 0;
        double sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            double at = crew->outcomes[i].reach_at[share];
            sum += at >= 0 ? at : 0;
            reached += at >= 0;
        }
        result->coverage[share] = reached > 0 ? sum / reached : 0;
        result->coverage_share[share] = (double)reached / count;
    }
    for (uint32_t i = 0; i < count; i++) {
        complete += crew->outcomes[i].reached == setting->nodes;
    }
    result->complete = (double)complete / count;
    for (size_t i = 0; i < SPREAD_CURVE_MAX; i++) {
        result->curve[i] = (double)crew->curve[i] / count / setting->nodes;
    }
    result->curve_per_round = setting->has_timers && setting->mode <= SPREAD_PUSH_PULL ? SPREAD_CURVE_TIMERS : 1;
    result->curve_count = crew->longest < SPREAD_CURVE_MAX ? crew->longest + 1 : SPREAD_CURVE_MAX;
}

bool spread_model_run(const struct spread_setting *setting, unsigned threads, void (*is_done)(void *context, uint32_t trials), void *context,
                      struct spread_result *result)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = threads > 0 ? threads : processors > 0 ? (unsigned)processors : 1, started = 0;
    count = count > setting->trials ? setting->trials : count;
    count = count > THREADS_MAX ? THREADS_MAX : count;
    struct crew crew = {.setting = setting, .lock = PTHREAD_MUTEX_INITIALIZER};
    crew.outcomes = calloc(setting->trials, sizeof *crew.outcomes);
    double *values = calloc(setting->trials, sizeof *values);
    bool is_fine = crew.outcomes != NULL && values != NULL;
    if (is_fine) {
        pthread_t beside[THREADS_MAX];
        while (started + 1 < count && pthread_create(&beside[started], NULL, work_beside, &crew) == 0) {
            started++;
        }
        work(&crew, is_done, context);
        for (unsigned i = 0; i < started; i++) {
            pthread_join(beside[i], NULL);
        }
        is_fine = atomic_load(&crew.done) >= setting->trials; /* a thread without memory leaves its share to the others */
    }
    if (is_fine) {
        summarise(&crew, values, result);
    }
    free(crew.outcomes);
    free(values);
    return is_fine;
}
