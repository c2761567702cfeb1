/* SPDX-License-Identifier: MIT
 *
 * See faults.h: faults drawn from a seed, and faults in words.
 */
#include "sim/faults.h"

#include <stdio.h>

const struct fault_name fault_names[FAULT_KINDS] = {
    [FAULT_CRASH] = {"crash", "kill the process; it starts again at the end"},
    [FAULT_SWITCH_OFF] = {"switch_off", "the machine goes silent; it starts again at the end"},
    [FAULT_LEAVE] = {"leave", "say goodbye and stop; it starts again at the end"},
    [FAULT_JOIN] = {"join", "new nodes join"},
    [FAULT_FREEZE] = {"freeze", "stop the process as SIGSTOP does"},
    [FAULT_BLOCK] = {"block", "messages wait both ways while timers fire on time"},
    [FAULT_SLOW] = {"slow", "little CPU: runs for run of every slice"},
    [FAULT_SKEW] = {"skew", "the clock jumps ahead and drifts"},
    [FAULT_CUT] = {"cut", "two crowds do not hear each other"},
    [FAULT_CUT_ONE_WAY] = {"cut_one_way", "the second crowd does not hear the first"},
    [FAULT_PARTITION] = {"partition", "these on one side, the others on the other"},
    [FAULT_LINK] = {"link", "loss, latency, duplication, reordering, bursts, bandwidth"},
    [FAULT_GARBAGE] = {"garbage", "noise arrives"},
    [FAULT_EVENT] = {"event", "send a user event"},
    [FAULT_TAGS] = {"tags", "change tags"},
};

static uint64_t between(struct rng *rng, uint64_t least, uint64_t most)
{
    return least + rng_below(rng, most - least + 1);
}

static void draw_link(struct rng *rng, struct link *link)
{
    switch (rng_below(rng, 6)) {
    case 0: link->loss = rng_unit(rng) * 0.3; break;
    case 1: link->duplication = rng_unit(rng) * 0.3; break;
    case 2:
        link->reordering = rng_unit(rng) * 0.3;
        link->reorder_us = (uint32_t)between(rng, 1000, 300000);
        break;
    case 3:
        link->jitter_us = (uint32_t)between(rng, 1000, 100000);
        link->has_long_tail = true;
        break;
    case 4:
        link->burst_every_us = (uint32_t)between(rng, 500000, 5000000);
        link->burst_us = (uint32_t)between(rng, 10000, 300000);
        link->burst_loss = 0.5 + rng_unit(rng) / 2;
        break;
    default: link->bytes_per_second = (uint32_t)between(rng, 2000, 50000); break;
    }
}

static void draw_kind(struct rng *rng, struct fault *fault)
{
    switch (fault->kind) {
    case FAULT_CRASH:
    case FAULT_SWITCH_OFF:
    case FAULT_LEAVE:
        fault->spacing_us = rng_below(rng, 2) == 0 ? 0 : between(rng, 0, 3000000);
        break;
    case FAULT_JOIN:
        fault->spacing_us = between(rng, 0, 1000000);
        fault->who = (struct crowd){.count = (uint32_t)between(rng, 1, 8)};
        break;
    case FAULT_FREEZE:
    case FAULT_BLOCK:
        fault->every_us = fault->for_us + between(rng, 1000000, 20000000);
        break;
    case FAULT_SLOW:
        fault->slice_us = (uint32_t)between(rng, 500000, 8000000);
        fault->run_us = (uint32_t)between(rng, fault->slice_us / 50, fault->slice_us / 3);
        break;
    case FAULT_SKEW:
        fault->ahead_us = rng_below(rng, 2) == 0 ? 0 : between(rng, 0, 20000000);
        fault->drift_ppm = (int32_t)between(rng, 0, 100000) - 50000;
        break;
    case FAULT_CUT:
    case FAULT_CUT_ONE_WAY:
        if (rng_below(rng, 2) == 0) {
            fault->whom.share = 0.05 + rng_unit(rng) / 2;
            fault->whom.salt = rng_next(rng);
        }
        break;
    case FAULT_PARTITION: fault->who.share = 0.05 + rng_unit(rng) / 2; break;
    case FAULT_LINK:
        draw_link(rng, &fault->link);
        if (rng_below(rng, 2) == 0) {
            fault->who = (struct crowd){0};
        }
        break;
    case FAULT_EVENT:
    case FAULT_TAGS:
        fault->every_us = between(rng, 500000, 10000000);
        fault->for_us = 0;
        break;
    case FAULT_GARBAGE:
    case FAULT_KINDS: break;
    }
}

/* Every fault draws from a generator of its own: whether one is left out changes no other. One draw a statement: C does not say which
 * of two in an expression comes first. */
size_t faults_draw(struct rng *rng, struct fault *list, size_t most, uint64_t span_us, const struct link *usual)
{
    size_t count = 1 + rng_below(rng, most);
    for (size_t i = 0; i < count; i++) {
        struct rng own;
        rng_init(&own, rng_next(rng));
        struct fault *fault = &list[i];
        do {
            *fault = (struct fault){.kind = (enum fault_kind)rng_below(&own, FAULT_KINDS), .link = *usual};
        } while (fault->kind == FAULT_GARBAGE); /* asked for by scenarios: with it, counters of impossible things say nothing */
        fault->at_us = rng_below(&own, span_us * 3 / 4);
        fault->for_us = between(&own, 200000, span_us / 4);
        fault->who.share = 0.02 + rng_unit(&own) * rng_unit(&own) * 0.5;
        fault->who.salt = rng_next(&own) | 1;
        fault->keeps_disk = rng_below(&own, 2) == 0;
        draw_kind(&own, fault);
        fault->until_us = fault->at_us + rng_below(&own, span_us - fault->at_us);
    }
    return count;
}

static int crowd_text(const struct crowd *crowd, char *text, size_t size)
{
    if (crowd->first > 0) {
        return snprintf(text, size, "n%u-n%u", crowd->first, crowd->first + crowd->count - 1);
    }
    if (crowd->share > 0) {
        return snprintf(text, size, "%.0f %%", crowd->share * 100);
    }
    return crowd->count > 0 ? snprintf(text, size, "%u", crowd->count) : snprintf(text, size, "all");
}

void fault_text(const struct fault *fault, char *text, size_t size)
{
    char who[32], again[64] = "", lasts[32] = "";
    (void)crowd_text(&fault->who, who, sizeof who);
    if (fault->for_us > 0) {
        (void)snprintf(lasts, sizeof lasts, " for %.1f s", (double)fault->for_us / 1e6);
    }
    if (fault->every_us > 0) {
        (void)snprintf(again, sizeof again, ", every %.1f s until %.1f s", (double)fault->every_us / 1e6, (double)fault->until_us / 1e6);
    }
    (void)snprintf(text, size, "%s of %s at %.1f s%s%s", fault_names[fault->kind].name, who, (double)fault->at_us / 1e6, lasts, again);
}
