/* SPDX-License-Identifier: MIT
 *
 * How long a user event takes to half and to all of a cluster's agents, ours beside Serf's. Median over several events, each sent by another agent.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 21

struct hearing {
    const char *name;
    uint64_t sent_at, *heard_at; /* per agent, 0 = not yet */
    unsigned heard, count;
};

static void hear(void *context, unsigned agent, const char *event, const char *name)
{
    struct hearing *h = context;
    if (strcmp(event, "user") == 0 && strcmp(name, h->name) == 0 && h->heard_at[agent] == 0) {
        h->heard_at[agent] = clock_us();
        h->heard++;
    }
}

static bool all_heard(void *context)
{
    const struct hearing *h = context;
    return h->heard == h->count;
}

struct reach {
    double half_ms, all_ms;
    unsigned missed;
};

static struct reach measure(enum agents_kind kind, unsigned count, unsigned events)
{
    struct agents a = {.kind = kind, .count = count};
    struct reach reach = {0};
    double half[EVENTS_MAX], all[EVENTS_MAX];
    report_progress(agents_kind_text(kind));
    agents_gather(&a);
    struct rpc *senders = calloc(events, sizeof *senders);
    for (unsigned i = 0; i < events; i++) {
        rpc_open(&senders[i], a.at[(i * 37) % count].address, 7373, clock_seconds(10));
    }
    agents_watch(&a, "user");
    for (unsigned i = 0; i < events; i++) {
        char name[16];
        snprintf(name, sizeof name, "event-%u", i);
        struct hearing h = {name, 0, calloc(count, sizeof(uint64_t)), 0, count};
        agents_listen(&a, clock_seconds(1), hear, NULL, &h); /* the one before ebbs away */
        h.sent_at = clock_us();
        rpc_event(&senders[i], name);
        agents_listen(&a, clock_seconds(10), hear, all_heard, &h);
        double *took = calloc(count, sizeof *took);
        for (unsigned k = 0; k < count; k++) {
            took[k] = h.heard_at[k] == 0 ? 10e3 : (double)(h.heard_at[k] - h.sent_at) / 1e3;
        }
        median_sort(took, count);
        half[i] = took[count / 2 - 1];
        all[i] = took[count - 1];
        reach.missed += count - h.heard;
        free(took);
        free(h.heard_at);
    }
    reach.half_ms = median(half, events);
    reach.all_ms = median(all, events);
    for (unsigned i = 0; i < events; i++) {
        rpc_close(&senders[i]);
    }
    free(senders);
    agents_stop(&a);
    return reach;
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("event", argc, argv);
    if (!agents_available()) {
        return 1;
    }
    unsigned count = flags.is_quick ? 20 : 100, events = flags.is_quick ? 5 : EVENTS_MAX;
    struct reach ours = measure(AGENTS_HEARSAY, count, events), theirs = measure(AGENTS_SERF, count, events);
    char what[64];
    snprintf(what, sizeof what, "half of %u agents have heard", count);
    report_ratio(what, "ms", ours.half_ms, "serf", theirs.half_ms, 0.1);
    snprintf(what, sizeof what, "all %u agents have heard", count);
    report_ratio(what, "ms", ours.all_ms, "serf", theirs.all_ms, 0.1);
    report_limit("agents that never heard", "", ours.missed, 0);
    return report_end();
}
