/* SPDX-License-Identifier: MIT
 *
 * How long after kill -9 the first and the last of the others call an agent failed, ours beside Serf's. Median of several crashes.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"
#include "bench/seen.h"

#include <stdio.h>
#include <stdlib.h>

#define CRASHES_MAX 5

struct detection {
    double first_s, all_s;
    unsigned missed, false_marks;
};

static struct detection measure(enum agents_kind kind, unsigned count, unsigned crashes)
{
    struct agents a = {.kind = kind, .count = count};
    struct detection d = {0};
    double first[CRASHES_MAX], all[CRASHES_MAX];
    report_progress(agents_kind_text(kind));
    agents_gather(&a);
    agents_watch(&a, "member-failed");
    for (unsigned i = 0; i < crashes; i++) {
        unsigned victim = count - 1 - i;
        struct noticing n = {.victim = a.at[victim].name, .has_noticed = calloc(count, sizeof(bool)), .others = count - 1 - i};
        uint64_t killed_at = clock_us();
        agents_kill(&a, victim);
        agents_listen(&a, clock_seconds(60), seen_failed, seen_failed_by_all, &n);
        first[i] = n.noticed == 0 ? 60 : (double)(n.first_at - killed_at) / 1e6;
        all[i] = n.noticed < n.others ? 60 : (double)(n.last_at - killed_at) / 1e6;
        d.missed += n.others - n.noticed;
        d.false_marks += n.wrong;
        free(n.has_noticed);
    }
    d.first_s = median(first, crashes);
    d.all_s = median(all, crashes);
    agents_stop(&a);
    return d;
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("crash", argc, argv);
    if (!agents_available()) {
        return 1;
    }
    unsigned count = flags.is_quick ? 20 : 100, crashes = flags.is_quick ? 1 : CRASHES_MAX;
    struct detection ours = measure(AGENTS_HEARSAY, count, crashes), theirs = measure(AGENTS_SERF, count, crashes);
    char what[64];
    snprintf(what, sizeof what, "first of %u calls it failed", count);
    report_ratio(what, "s", ours.first_s, "serf", theirs.first_s, 1);
    snprintf(what, sizeof what, "all of %u call it failed", count);
    report_ratio(what, "s", ours.all_s, "serf", theirs.all_s, 1);
    report_limit("agents that never noticed", "", ours.missed, 0);
    report_limit("living agents called failed", "", ours.false_marks, 0);
    return report_end();
}
