/* SPDX-License-Identifier: MIT
 *
 * Many agents started at once, all joining one: how many are still there, and when does everybody know everybody? Ours beside Serf's.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/report.h"

#include <stdio.h>

#define WAIT_S 60

struct crowd {
    double seconds;
    unsigned met, ended;
};

static struct crowd measure(enum agents_kind kind, unsigned count)
{
    struct agents a = {.kind = kind, .count = count};
    struct crowd crowd = {0};
    report_progress(agents_kind_text(kind));
    uint64_t start = clock_us();
    agents_start(&a, 0);
    crowd.met = agents_meet(&a, WAIT_S);
    crowd.seconds = (double)(clock_us() - start) / 1e6;
    for (unsigned i = 0; i < count; i++) {
        crowd.ended += a.at[i].pid == 0;
    }
    agents_stop(&a);
    return crowd;
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("crowd", argc, argv);
    if (!agents_available()) {
        return 1;
    }
    unsigned count = flags.is_quick ? 60 : 250;
    struct crowd ours = measure(AGENTS_HEARSAY, count), theirs = measure(AGENTS_SERF, count);
    char what[64];
    snprintf(what, sizeof what, "%u agents started at once all met", count);
    report_limit(what, "s", ours.seconds, 10);
    report_ratio("the same (60 = not within a minute)", "s", ours.seconds, "serf", theirs.seconds, 1);
    report_ratio("agents that gave up", "", ours.ended, "serf", theirs.ended, 1);
    report_limit("agents that do not know everybody", "", count - ours.met, 0);
    report_ratio("the same", "", count - ours.met, "serf", count - theirs.met, 1);
    return report_end();
}
