/* SPDX-License-Identifier: MIT
 *
 * See report.h.
 */
#include "bench/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *name;
static struct report_flags flags;
static unsigned missed, rows;

struct report_flags report_begin(const char *benchmark, int argc, char **argv)
{
    name = benchmark;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            flags.is_quick = true;
        } else if (strcmp(argv[i], "--format") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0) {
            flags.is_json = true;
            i++;
        } else if (strcmp(argv[i], "--format") == 0 && i + 1 < argc && strcmp(argv[i + 1], "table") == 0) {
            i++;
        } else {
            fprintf(stderr, "bench %s: I do not know %s\nusage: ./dev bench %s [--quick] [--format table|json]\n", name, argv[i], name);
            exit(2);
        }
    }
    return flags;
}

void report_progress(const char *text)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%s%s", text, text[0] == 0 ? "" : "…");
        fflush(stderr);
    }
}

static void row(const char *what, const char *unit, double ours, const char *peer, double theirs, double ratio, double most)
{
    bool is_missed = !isnan(most) && !((peer == NULL ? ours : ratio) <= most);
    const char *verdict = isnan(most) ? "" : is_missed ? "MISSED" : "ok";
    missed += is_missed;
    if (flags.is_json) {
        printf("{\"benchmark\":\"%s\",\"what\":\"%s\",\"unit\":\"%s\",\"hearsay\":%.6g", name, what, unit, ours);
        if (peer != NULL) {
            printf(",\"peer\":\"%s\",\"theirs\":%.6g,\"ratio\":%.6g", peer, theirs, ratio);
        }
        if (!isnan(most)) {
            printf(",\"at_most\":%.6g,\"holds\":%s", most, is_missed ? "false" : "true");
        }
        printf("}\n");
        fflush(stdout);
        return;
    }
    report_progress("");
    if (rows++ == 0) {
        printf("%-10s %-40s %-10s %10s %10s %9s %9s\n", "BENCHMARK", "WHAT", "UNIT", "HEARSAY", "PEER", "RATIO", "AT MOST");
    }
    printf("%-10s %-40s %-10s %10.4g", name, what, unit, ours);
    if (peer != NULL) {
        printf(" %10.4g %9.4f", theirs, ratio);
    } else {
        printf(" %10s %9s", "", "");
    }
    if (!isnan(most)) {
        printf(" %9.4g  %s", most, verdict);
    }
    printf("\n");
    fflush(stdout);
}

void report_ratio(const char *what, const char *unit, double ours, const char *peer, double theirs, double most)
{
    row(what, unit, ours, peer, theirs, theirs == 0 ? (ours == 0 ? 0 : INFINITY) : ours / theirs, most);
}

void report_agreement(const char *what, const char *unit, double ours, const char *peer, double theirs, double share)
{
    double ratio = theirs == 0 ? (ours == 0 ? 1 : INFINITY) : ours / theirs;
    row(what, unit, ours, peer, theirs, ratio >= 1 ? ratio : 1 / ratio, 1 + share);
}

void report_limit(const char *what, const char *unit, double ours, double most)
{
    row(what, unit, ours, NULL, 0, 0, most);
}

void report_value(const char *what, const char *unit, double value)
{
    row(what, unit, value, NULL, 0, 0, NAN);
}

int report_end(void)
{
    report_progress("");
    if (missed > 0 && !flags.is_json) {
        printf("%s: %u of what is required was missed\n", name, missed);
    }
    return missed > 0;
}
