/* SPDX-License-Identifier: MIT
 *
 * A minute without CPU: all agents run as SCHED_IDLE beside two busy loops per core. How often is a living agent called failed, and
 * is an agent that is really killed meanwhile still found? Ours beside Serf's.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct marks {
    const char *victim;
    bool is_killed;
    uint64_t killed_at, first_at;
    unsigned false_marks, true_marks;
};

static void mark(void *context, unsigned agent, const char *event, const char *name)
{
    struct marks *m = context;
    (void)agent;
    if (strcmp(event, "member-failed") != 0) {
        return;
    }
    if (m->is_killed && strcmp(name, m->victim) == 0) {
        m->first_at = m->true_marks++ == 0 ? clock_us() : m->first_at;
    } else {
        m->false_marks++;
    }
}

static pid_t burn(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile unsigned spins = 0;; spins++) {
        }
    }
    return pid;
}

/* found_s: from the kill to the first mark; the whole time when nobody found it. */
static struct marks measure(enum agents_kind kind, unsigned count, double seconds)
{
    struct agents a = {.kind = kind, .count = count, .is_idle_class = true};
    struct marks m = {0};
    report_progress(agents_kind_text(kind));
    agents_gather(&a);
    agents_watch(&a, "member-failed");
    m.victim = a.at[count - 1].name;
    agents_listen(&a, clock_seconds(15), mark, NULL, &m); /* quiet before the storm */
    unsigned loops = 2 * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    pid_t *burning = calloc(loops, sizeof *burning);
    for (unsigned i = 0; i < loops; i++) {
        burning[i] = burn();
    }
    agents_listen(&a, clock_seconds(seconds / 3), mark, NULL, &m);
    m.killed_at = clock_us();
    m.is_killed = true;
    agents_kill(&a, count - 1);
    agents_listen(&a, clock_seconds(seconds * 2 / 3), mark, NULL, &m);
    for (unsigned i = 0; i < loops; i++) {
        kill(burning[i], SIGKILL);
        waitpid(burning[i], NULL, 0);
    }
    free(burning);
    agents_stop(&a);
    return m;
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("starvation", argc, argv);
    if (!agents_available()) {
        return 1;
    }
    unsigned count = flags.is_quick ? 30 : 100;
    double seconds = flags.is_quick ? 30 : 60;
    struct marks ours = measure(AGENTS_HEARSAY, count, seconds), theirs = measure(AGENTS_SERF, count, seconds);
    char what[64];
    snprintf(what, sizeof what, "false marks in %.0f s, %u agents", seconds, count);
    report_ratio(what, "", ours.false_marks, "serf", theirs.false_marks, 0.01);
    report_value("serf: found the real crash, of its others", "agents", theirs.true_marks);
    report_value("ours: found the real crash, of its others", "agents", ours.true_marks);
    report_limit("first found the real crash after", "s", ours.true_marks == 0 ? 1e9 : (double)(ours.first_at - ours.killed_at) / 1e6,
                 seconds * 2 / 3);
    return report_end();
}
