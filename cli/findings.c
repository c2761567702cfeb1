/* SPDX-License-Identifier: MIT
 *
 * See findings.h.
 */
#include "cli/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define EVIDENCE_SHOWN 12

static const char *const words[] = {"problem", "warning", "note"};
static const char *const colours[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};
static struct finding nowhere; /* takes what memory has no room for */

struct finding *findings_add(struct findings *f, enum severity severity, const char *kind, const char *next, const char *format, ...)
{
    va_list arguments;
    char *sentence;
    struct finding *more = realloc(f->at, (f->count + 1) * sizeof *more);
    f->at = more == NULL ? f->at : more;
    va_start(arguments, format);
    int size = vasprintf(&sentence, format, arguments);
    va_end(arguments);
    if (more == NULL || size < 0) {
        f->is_short = true;
        return &nowhere;
    }
    f->at[f->count] = (struct finding){severity, kind, next, sentence, json_array(), f->count};
    return &f->at[f->count++];
}

void finding_show(struct finding *finding, const char *format, ...)
{
    va_list arguments;
    char *line;
    va_start(arguments, format);
    int size = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (size >= 0) {
        json_array_append_new(finding->evidence, json_string(line));
        free(line);
    }
}

static int worse(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    if (a->severity != b->severity) {
        return a->severity < b->severity ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

void findings_sort(struct findings *f)
{
    if (f->count > 0) {
        qsort(f->at, f->count, sizeof f->at[0], worse);
    }
}

size_t findings_serious(const struct findings *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        count += f->at[i].severity != FINDING_NOTE;
    }
    return count;
}

void findings_print(const struct findings *f, bool has_colour)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *one = &f->at[i];
        size_t lines = json_array_size(one->evidence);
        printf("\n%s%-7s%s  %s\n", has_colour ? colours[one->severity] : "", words[one->severity], has_colour ? "\033[0m" : "",
               one->sentence);
        for (size_t j = 0; j < lines && j < EVIDENCE_SHOWN; j++) {
            printf("           %s\n", json_string_value(json_array_get(one->evidence, j)));
        }
        if (lines > EVIDENCE_SHOWN) {
            printf("           and %zu more\n", lines - EVIDENCE_SHOWN);
        }
        printf("         next: %s\n", one->next);
    }
    if (f->is_short) {
        printf("\nmemory ran out: there may be more\n");
    }
}

json_t *findings_json(const struct findings *f)
{
    json_t *all = json_array();
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *one = &f->at[i];
        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:O, s:s}", "severity", words[one->severity], "kind", one->kind, "finding",
                                             one->sentence, "evidence", one->evidence, "next", one->next));
    }
    return all;
}

void findings_free(struct findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->at[i].sentence);
        json_decref(f->at[i].evidence);
    }
    free(f->at);
}
