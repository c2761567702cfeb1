/* SPDX-License-Identifier: MIT
 *
 * hearsay sim advise: which mode, fan-out and interval, and what they cost.
 */
#include "cli/sim.h"

#include "sim/spread_advice.h"
#include "sim/spread_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *nodes, *loss = "0", *within, *rumor_bytes = "100", *rate = "1", *seed = "1", *format = "text";

/* "500ms", "2s", "1.5s", "1m"; false after saying why not. */
static bool read_within(double *ms)
{
    char *unit;
    double value = strtod(within, &unit);
    double factor = strcmp(unit, "ms") == 0 ? 1 : strcmp(unit, "s") == 0 ? 1000 : strcmp(unit, "m") == 0 ? 60000 : 0;
    *ms = value * factor;
    if (unit == within || !(*ms >= 1 && *ms <= 1e9)) {
        return command_misused("--within %s: give a time with a unit, as in 500ms, 2s or 1m", within);
    }
    return true;
}

static bool read_need(struct spread_need *need)
{
    uint64_t count, bytes;
    char *end;
    if (nodes == NULL || within == NULL) {
        return command_misused("say how many and how fast, as in --nodes 1000 --within 2s");
    }
    if (!sim_number("nodes", nodes, 2, SPREAD_NODES_MAX, &count) || !sim_number("rumor-bytes", rumor_bytes, 1, 65507, &bytes) ||
        !sim_number("seed", seed, 0, UINT64_MAX, &need->seed) || !read_within(&need->within_ms)) {
        return false;
    }
    need->nodes = (uint32_t)count;
    need->rumor_bytes = (uint32_t)bytes;
    need->loss = strtod(loss, &end);
    if (*end != 0 || loss[0] == 0 || !(need->loss >= 0 && need->loss <= 0.9)) {
        return command_misused("--loss %s: give a share from 0 to 0.9, as in 0.05", loss);
    }
    need->rumors_per_s = strtod(rate, &end);
    if (*end != 0 || rate[0] == 0 || !(need->rumors_per_s >= 0 && need->rumors_per_s <= 1e9)) {
        return command_misused("--rate %s: give rumours per second, as in 0.1", rate);
    }
    return true;
}

static void print_text(const struct spread_need *need, const struct spread_advice *advice, size_t count)
{
    const struct spread_advice *best = &advice[0];
    if (best->is_possible) {
        printf("%s with fan-out %u every %.0f ms", spread_report_mode(best->mode), best->fanout, best->interval_ms);
        if (best->copies > 0) {
            printf(", %u copies of each rumour per node", best->copies);
        }
        printf(": all %u nodes know within %g ms in 99 of 100 cases,\n", need->nodes, need->within_ms);
        printf("for %.1f bytes per second and node (%g per second of rumours of %u bytes, loss %g)\n\n", best->bytes_per_s, need->rumors_per_s,
               need->rumor_bytes, need->loss);
    } else {
        printf("Nothing reaches all %u nodes within %g ms with an interval of 10 ms or more; allow more time\n\n", need->nodes, need->within_ms);
    }
    printf("  %-9s  %6s  %8s  %12s  %6s  %13s  %13s  %14s\n", "mode", "fanout", "periods", "interval", "copies", "idle bytes/s", "bytes/rumour",
           "bytes/s, all");
    for (size_t i = 0; i < count; i++) {
        const struct spread_advice *a = &advice[i];
        char copies[16] = "-";
        if (a->copies > 0) {
            snprintf(copies, sizeof copies, "%u", a->copies);
        }
        printf("  %-9s  %6u  %8.2f  %9.0f ms  %6s  %13.1f  %13.1f  %14.1f%s\n", spread_report_mode(a->mode), a->fanout, a->periods,
               a->interval_ms, copies, a->idle_bytes_per_s, a->rumor_bytes, a->bytes_per_s,
               a->is_possible ? "" : a->complete < 0.99 ? "  leaves some out" : "  too fast");
    }
    printf("\nSent per node. periods: 99th percentile, every node with a timer of its own. Packets: %d bytes of IP and UDP; a question without news\n"
           "%d bytes more. Push costs nothing while nothing happens, but those who were away are not told later; pull and push-pull find out.\n",
           SPREAD_ADVICE_PACKET_BYTES, SPREAD_ADVICE_DIGEST_BYTES);
}

static void print_json(const struct spread_need *need, const struct spread_advice *advice, size_t count)
{
    printf("{\"nodes\":%u,\"loss\":%g,\"within_ms\":%g,\"rumor_bytes\":%u,\"rumors_per_s\":%g,\"ways\":[", need->nodes, need->loss, need->within_ms,
           need->rumor_bytes, need->rumors_per_s);
    for (size_t i = 0; i < count; i++) {
        const struct spread_advice *a = &advice[i];
        printf("%s{\"mode\":\"%s\",\"fanout\":%u,\"interval_ms\":%.0f,\"copies\":%u,\"periods_p99\":%.4g,\"complete\":%g,\"idle_bytes_per_s\":%.6g,"
               "\"bytes_per_rumor\":%.6g,\"bytes_per_s\":%.6g,\"possible\":%s}", i > 0 ? "," : "", spread_report_mode(a->mode), a->fanout,
               a->interval_ms, a->copies, a->periods, a->complete, a->idle_bytes_per_s, a->rumor_bytes, a->bytes_per_s,
               a->is_possible ? "true" : "false");
    }
    puts("]}");
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct spread_need need;
    struct spread_advice advice[SPREAD_ADVICE_MAX];
    bool is_json;
    if (!command_format(format, &is_json) || !read_need(&need)) {
        return EXIT_USAGE;
    }
    size_t found = spread_advice_find(&need, advice);
    if (found == 0) {
        return command_fail("memory is out");
    }
    (is_json ? print_json : print_text)(&need, advice, found);
    return advice[0].is_possible ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {{"nodes", FLAG_TEXT, &nodes, "N", "2 to 10000000"},
                                    {"loss", FLAG_TEXT, &loss, "P", "share of packets that get lost, 0 to 0.9 (default 0)"},
                                    {"within", FLAG_TEXT, &within, "TIME", "everybody shall know by then: 500ms, 2s, 1m"},
                                    {"rumor-bytes", FLAG_TEXT, &rumor_bytes, "B", "size of a rumour (default 100)"},
                                    {"rate", FLAG_TEXT, &rate, "R", "rumours per second in the whole cluster (default 1)"},
                                    {"seed", FLAG_TEXT, &seed, "S", "the same seed gives the same figures (default 1)"},
                                    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
                                    {.name = NULL}};

const struct command command_sim_advise = {
    .name = "sim advise",
    .summary = "mode, fan-out and interval for a size, a loss and a time",
    .usage = "sim advise --nodes N --within TIME [flags]",
    .text = "  Tries push, pull and push-pull with 1 to 3 partners on the spread model and proposes the cheapest way by which everybody\n"
            "  knows in time in 99 of 100 cases; the others beside it, with the bandwidth of each. Exit code 1 when nothing is fast enough.\n\n"
            "    hearsay sim advise --nodes 1000 --loss 0.05 --within 2s\n",
    .flags = flags,
    .run = run,
};
