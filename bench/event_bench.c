/* SPDX-License-Identifier: MIT
 *
 * How long a user event takes to half and to all of a cluster's agents, ours beside Serf's. Median over several events, each sent by another agent.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"
#include "bench/seen.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS_MAX 21

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
        struct hearing h = {.name = name, .heard_at = calloc(count, sizeof(uint64_t)), .count = count};
        agents_listen(&a, clock_seconds(1), seen_hear, NULL, &h); /* the one before ebbs away */
        uint64_t sent_at = clock_us();
        rpc_event(&senders[i], name);
        agents_listen(&a, clock_seconds(10), seen_hear, seen_by_all, &h);
        double *took = calloc(count, sizeof *took);
        for (unsigned k = 0; k < count; k++) {
            took[k] = h.heard_at[k] == 0 ? 10e3 : (double)(h.heard_at[k] - sent_at) / 1e3;
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
