/* SPDX-License-Identifier: MIT
 *
 * See paper.h.
 */
#include "sim/paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PUBLISHED_TRIALS 100.0
#define FORMULA_SLACK 0.5

/* Half a unit of the last printed digit: 0.005 for "1.53", 0.5e-6 for "4e-6". */
static double half_unit(const char *printed)
{
    const char *point = strchr(printed, '.'), *exponent = strchr(printed, 'e');
    size_t end = exponent == NULL ? strlen(printed) : (size_t)(exponent - printed);
    double digits = point == NULL ? 0 : (double)(end - (size_t)(point - printed) - 1);
    return 0.5 * pow(10, (exponent == NULL ? 0 : atof(exponent + 1)) - digits);
}

static bool agrees(const struct paper_row *row, const char *printed, double other_trials)
{
    if (printed == NULL) {
        return true;
    }
    double value = atof(printed), half = half_unit(printed) + fabs(value) * row->slack + 1e-12;
    if (row->most > 0) {
        return value >= row->least - half && value <= row->most + half;
    }
    double error = row->sd * sqrt(1.0 / row->trials + (other_trials > 0 ? 1 / other_trials : 0));
    return fabs(row->ours - value) <= 4 * error + half;
}

static void verdict(struct paper *paper, bool holds)
{
    paper->agreed += holds;
    paper->differed += !holds;
    fprintf(paper->out, "  %s\n", holds ? "agrees" : "DIFFERS");
}

void paper_section(struct paper *paper, const char *title, const char *model)
{
    fprintf(paper->out, "\n%s\n  %s\n\n  %-46s %10s %10s %12s %10s\n", title, model, "", "published", "exact", "ours", "+-");
}

void paper_row(struct paper *paper, const struct paper_row *row)
{
    char theory[16] = "";
    if (row->theory > 0) {
        snprintf(theory, sizeof theory, "~%.2f", row->theory);
    }
    fprintf(paper->out, "  %-46s %10s %10s %12.5g", row->what, row->published == NULL ? "" : row->published,
            row->exact == NULL ? theory : row->exact, row->ours);
    if (row->most > 0) {
        char interval[32];
        snprintf(interval, sizeof interval, isinf(row->most) ? "%.4g…" : "%.4g…%.4g", row->least, row->most);
        fprintf(paper->out, " %12s", interval); /* the dots count three bytes and one column */
    } else {
        fprintf(paper->out, " %10.2g", row->sd / sqrt(row->trials));
    }
    bool is_near = agrees(row, row->published, PUBLISHED_TRIALS), has_judge = row->exact != NULL || row->theory > 0;
    if (row->is_unsure && !has_judge) {
        fprintf(paper->out, "  %s, not counted\n", is_near ? "near" : "far");
        return;
    }
    double off = has_judge && row->exact == NULL ? fabs(row->ours - row->theory) - 4 * row->sd / sqrt(row->trials) : 0;
    verdict(paper, (is_near || row->is_unsure) && agrees(row, row->exact, 0) && off <= FORMULA_SLACK);
}

/* P(X <= count) for the binomial distribution. */
static double at_most(uint32_t count, uint32_t trials, double p)
{
    double sum = 0;
    for (uint32_t i = 0; i <= count; i++) {
        sum += exp(lgamma(trials + 1.0) - lgamma(i + 1.0) - lgamma(trials - i + 1.0) + i * log(p) + (trials - i) * log1p(-p));
    }
    return fmin(sum, 1);
}

void paper_rate(struct paper *paper, const char *what, double exact, uint32_t count, uint32_t trials)
{
    double ours = (double)count / trials;
    fprintf(paper->out, "  %-46s %10s %10.5g %12.5g %10.2g", what, "", exact, ours, sqrt(exact * (1 - exact) / trials));
    bool is_low = at_most(count, trials, exact) < 0.0005, is_high = count > 0 && 1 - at_most(count - 1, trials, exact) < 0.0005;
    verdict(paper, !is_low && !is_high);
}

void paper_claim(struct paper *paper, const char *what, bool holds)
{
    fprintf(paper->out, "  %-92s", what);
    verdict(paper, holds);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct paper_median paper_median(double *values, uint32_t count)
{
    double half = 3.29 * sqrt(count) / 2;
    qsort(values, count, sizeof *values, compare);
    return (struct paper_median){.value = (values[(count - 1) / 2] + values[count / 2]) / 2,
                                 .least = values[(uint32_t)fmax(0, floor(count / 2.0 - half))],
                                 .most = values[(uint32_t)fmin(count - 1.0, ceil(count / 2.0 + half))]};
}

void paper_begin(struct paper *paper, const char *what, uint32_t steps)
{
    paper->doing = what;
    paper->of = steps;
}

void paper_done(void *context, uint32_t steps)
{
    struct paper *paper = context;
    if (paper->watch != NULL) {
        paper->watch(paper->context, paper->doing, (double)steps / paper->of);
    }
}
