/* SPDX-License-Identifier: MIT
 *
 * See spread_advice.h. Push tells each rumour as often as leaves nobody out in 99 of 100 cases: n e^-m(1-loss) < 1/100.
 */
#include "sim/spread_advice.h"

#include <math.h>
#include <stdlib.h>

#define INTERVAL_LEAST_MS 10
#define INTERVAL_MOST_MS 60000
#define MORE_COPIES 8 /* times that more copies are tried */

static bool measure(const struct spread_need *need, struct spread_advice *a, struct spread_result *result)
{
    struct spread_setting s = {.mode = a->mode, .nodes = need->nodes, .fanout = a->fanout, .loss = need->loss, .seed = need->seed, .has_timers = true,
                               .rounds_max = 10000, .trials = need->nodes <= 10000 ? 200 : need->nodes <= 100000 ? 30 : 4};
    s.stop = a->copies > 0 ? SPREAD_STOP_TRANSMITS : SPREAD_STOP_NEVER;
    s.stop_after = a->copies;
    return spread_model_run(&s, 0, NULL, NULL, result);
}

static bool try_one(const struct spread_need *need, struct spread_advice *a)
{
    struct spread_result result;
    if (a->mode == SPREAD_PUSH) {
        double copies = ceil(log(100.0 * need->nodes) / (1 - need->loss) / a->fanout) * a->fanout;
        a->copies = (uint32_t)fmin(copies, SPREAD_STOP_MAX);
    }
    for (int i = 0; i < MORE_COPIES; i++) {
        if (!measure(need, a, &result)) {
            return false;
        }
        if (result.complete >= 0.99 || a->copies == 0 || a->copies + a->fanout > SPREAD_STOP_MAX) {
            break;
        }
        a->copies += a->fanout;
    }
    a->periods = result.rounds.p99;
    a->complete = result.complete;
    a->interval_ms = fmin(floor(need->within_ms / a->periods), INTERVAL_MOST_MS);
    a->is_possible = a->complete >= 0.99 && a->interval_ms >= INTERVAL_LEAST_MS;
    if (a->mode == SPREAD_PUSH) {
        a->rumor_bytes = result.payloads.mean * (need->rumor_bytes + SPREAD_ADVICE_PACKET_BYTES);
    } else { /* all the time everybody asks and answers; a rumour rides along */
        double packets = a->fanout * (1 + (1 - need->loss)) * 1000 / fmax(a->interval_ms, 1);
        a->idle_bytes_per_s = packets * (SPREAD_ADVICE_PACKET_BYTES + SPREAD_ADVICE_DIGEST_BYTES);
        a->rumor_bytes = result.payloads.mean * need->rumor_bytes;
    }
    a->bytes_per_s = a->idle_bytes_per_s + need->rumors_per_s * a->rumor_bytes;
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct spread_advice *a = left, *b = right;
    if (a->is_possible != b->is_possible) {
        return a->is_possible ? -1 : 1;
    }
    return (a->bytes_per_s > b->bytes_per_s) - (a->bytes_per_s < b->bytes_per_s);
}

size_t spread_advice_find(const struct spread_need *need, struct spread_advice advice[SPREAD_ADVICE_MAX])
{
    size_t count = 0;
    for (int mode = SPREAD_PUSH; mode <= SPREAD_PUSH_PULL; mode++) {
        for (uint32_t fanout = 1; fanout <= 3 && fanout < need->nodes; fanout++) {
            struct spread_advice *a = &advice[count++];
            *a = (struct spread_advice){.mode = (enum spread_mode)mode, .fanout = fanout};
            if (!try_one(need, a)) {
                return 0;
            }
        }
    }
    qsort(advice, count, sizeof *advice, compare);
    return count;
}
