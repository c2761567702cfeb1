/* SPDX-License-Identifier: MIT
 *
 * What an agent of a quiet cluster costs: memory, CPU, wake-ups and datagrams, with and without a key, ours beside Serf's.
 */
#include "bench/agents.h"
#include "bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY "cGFydHkga2V5cyBoYXZlIDMyIGJ5dGVzIGxvbmcuLi4="

static struct agents_cost measure(enum agents_kind kind, unsigned count, const char *key, double settle, double seconds)
{
    struct agents a = {.kind = kind, .count = count, .key = key};
    report_progress(agents_kind_text(kind));
    agents_gather(&a);
    for (unsigned i = 0; i < count; i++) {
        rpc_close(&a.at[i].rpc);
    }
    usleep((useconds_t)(settle * 1e6)); /* the joins are told to the end */
    struct agents_cost cost = agents_measure(&a, seconds);
    agents_stop(&a);
    return cost;
}

static void compare(unsigned count, const char *key, double settle, double seconds)
{
    struct agents_cost ours = measure(AGENTS_HEARSAY, count, key, settle, seconds);
    struct agents_cost theirs = measure(AGENTS_SERF, count, key, settle, seconds);
    const char *how = key == NULL ? "no key" : "key";
    char what[64];
    snprintf(what, sizeof what, "memory of one of %u agents, %s", count, how);
    report_ratio(what, "kB PSS", ours.pss_kb, "serf", theirs.pss_kb, 1.0 / 8);
    snprintf(what, sizeof what, "CPU per second, %s", how);
    report_ratio(what, "ms", ours.cpu_ms_per_s, "serf", theirs.cpu_ms_per_s, 0.1);
    snprintf(what, sizeof what, "wake-ups per second, %s", how);
    report_limit(what, "1/s", ours.wakeups_per_s, 8);
    snprintf(what, sizeof what, "wake-ups per second, %s, beside serf", how);
    report_ratio(what, "1/s", ours.wakeups_per_s, "serf", theirs.wakeups_per_s, 1);
    snprintf(what, sizeof what, "datagrams sent per second, %s", how);
    report_ratio(what, "1/s", ours.packets_per_s, "serf", theirs.packets_per_s, 1.1);
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("idle", argc, argv);
    if (!agents_available()) {
        return 1;
    }
    unsigned count = flags.is_quick ? 10 : 100;
    double settle = flags.is_quick ? 5 : 20, seconds = flags.is_quick ? 10 : 30;
    compare(count, NULL, settle, seconds);
    compare(count, KEY, settle, seconds);
    return report_end();
}
