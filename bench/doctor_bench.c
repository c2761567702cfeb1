/* SPDX-License-Identifier: MIT
 *
 * What it takes to look at a whole cluster: hearsay doctor over 100 agents on loopback, and what the looks cost the agents that are looked at. The
 * agents' own exchanges and pings go on meanwhile, so a span of the same length without a doctor is taken off.
 */
#include "bench/agents.h"
#include "bench/clock.h"
#include "bench/median.h"
#include "bench/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS 5

static const char *const names[] = {"streams_in", "packets_in"};
enum { STREAMS, PACKETS, NAMES };

struct sum {
    double of[NAMES];
};

static struct sum counters(struct agents *a)
{
    struct sum sum = {{0}};
    for (unsigned i = 0; i < a->count; i++) {
        uint64_t values[NAMES] = {0};
        if (!rpc_counters(&a->at[i].rpc, names, values, NAMES)) {
            fprintf(stderr, "bench doctor: an agent does not tell its counters\n");
            exit(1);
        }
        for (unsigned k = 0; k < NAMES; k++) {
            sum.of[k] += (double)values[k];
        }
    }
    return sum;
}

/* How many more, per agent. */
static struct sum since(struct agents *a, const struct sum *before)
{
    struct sum now = counters(a);
    for (unsigned k = 0; k < NAMES; k++) {
        now.of[k] = (now.of[k] - before->of[k]) / a->count;
    }
    return now;
}

/* Its exit code; how long it took. */
static int run_doctor(const char *seed, double *took_s)
{
    uint64_t begun_at = clock_us();
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        execl(agents_program(AGENTS_HEARSAY), "hearsay", "doctor", seed, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    *took_s = (double)(clock_us() - begun_at) / 1e6;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    struct report_flags flags = report_begin("doctor", argc, argv);
    struct agents a = {.kind = AGENTS_HEARSAY, .count = flags.is_quick ? 20 : 100};
    double took_s[RUNS], span_s = 0;
    unsigned healthy = 0;
    char what[64];
    report_progress("agents meet");
    agents_gather(&a);
    usleep(5000000); /* a crowd that has just met exchanges again */
    report_progress("doctor");
    struct sum before = counters(&a);
    for (unsigned i = 0; i < RUNS; i++) {
        healthy += run_doctor(a.at[i * 7 % a.count].address, &took_s[i]) == 0;
        span_s += took_s[i];
    }
    struct sum looked = since(&a, &before);
    report_progress("the same span without");
    before = counters(&a);
    usleep((useconds_t)(span_s * 1e6));
    struct sum quiet = since(&a, &before);
    agents_stop(&a);
    median_sort(took_s, RUNS);
    snprintf(what, sizeof what, "doctor looks at %u agents: median of %d", a.count, RUNS);
    report_limit(what, "s", took_s[RUNS / 2], 1);
    report_value("the same, the slowest", "s", took_s[RUNS - 1]);
    report_limit("runs that found anything wrong", "", RUNS - healthy, 0);
    report_limit("streams an agent served for each look", "", (looked.of[STREAMS] - quiet.of[STREAMS]) / RUNS, 1.05);
    report_limit("packets it read for each look (three pings)", "", (looked.of[PACKETS] - quiet.of[PACKETS]) / RUNS, 4);
    return report_end();
}
