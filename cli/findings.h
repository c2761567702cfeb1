/* SPDX-License-Identifier: MIT
 *
 * Findings: what is wrong, worst first, each with its evidence and what to do next. It knows nothing of clusters.
 */
#ifndef HEARSAY_CLI_FINDINGS_H
#define HEARSAY_CLI_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum severity { FINDING_PROBLEM, FINDING_WARNING, FINDING_NOTE };

struct finding {
    enum severity severity;
    const char *kind; /* one word for programs */
    const char *next; /* what to do about it */
    char *sentence;
    json_t *evidence; /* lines */
    size_t number;    /* in the order in which they were found */
};

struct findings {
    struct finding *at;
    size_t count;
    bool is_short; /* memory ran out: some are missing */
};

/* Adds one; the answer lives until the next. Never NULL. */
struct finding *findings_add(struct findings *f, enum severity severity, const char *kind, const char *next, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void finding_show(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Worst first, otherwise as found. */
void findings_sort(struct findings *f);
/* Problems and warnings; notes do not count. */
size_t findings_serious(const struct findings *f);
void findings_print(const struct findings *f, bool has_colour);
json_t *findings_json(const struct findings *f);
void findings_free(struct findings *f);

#endif
