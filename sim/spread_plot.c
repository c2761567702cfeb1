/* SPDX-License-Identifier: MIT
 *
 * See spread_plot.h. Colours: a palette that the colour-blind can tell apart (after M. Okabe, K. Ito), lighter on dark paper.
 */
#include "sim/spread_plot.h"

#include <math.h>

enum { WIDTH = 960, HEIGHT = 540, LEFT = 64, RIGHT = 270, TOP = 70, BOTTOM = 56 };

static const char style[] =
    "<style>\n"
    "  svg { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }\n"
    "  .paper { fill: #ffffff; } text { fill: #1c2430; } .soft { fill: #5d6878; } .title { font-size: 18px; font-weight: 600; }\n"
    "  .grid { stroke: #e3e7ee; } .axis { stroke: #5d6878; }\n"
    "  .curve { fill: none; stroke-width: 2.4; stroke-linejoin: round; }\n"
    "  .theory { fill: none; stroke-width: 1.6; stroke-dasharray: 6 5; opacity: 0.75; }\n"
    "  .c0 { stroke: #0072b2; } .c1 { stroke: #d55e00; } .c2 { stroke: #009e73; } .c3 { stroke: #b8860b; } .c4 { stroke: #a0408a; }\n"
    "  .c5 { stroke: #2a9fd6; } .c6 { stroke: #8c510a; } .c7 { stroke: #5e3c99; } .c8 { stroke: #c51b7d; } .c9 { stroke: #4d4d4d; }\n"
    "  @media (prefers-color-scheme: dark) {\n"
    "  .paper { fill: #14181f; } text { fill: #e8edf4; } .soft { fill: #9aa6b6; } .grid { stroke: #2a313c; } .axis { stroke: #9aa6b6; }\n"
    "  .c0 { stroke: #56b4e9; } .c1 { stroke: #ff9e5e; } .c2 { stroke: #3fd0a4; } .c3 { stroke: #f0d04a; } .c4 { stroke: #e39ad0; }\n"
    "  .c5 { stroke: #8fd3ff; } .c6 { stroke: #d8a66a; } .c7 { stroke: #b9a3e8; } .c8 { stroke: #ff8cc3; } .c9 { stroke: #c8c8c8; }\n"
    "  }\n"
    "</style>\n";

static double x_of(double round, double rounds)
{
    return LEFT + round / rounds * (WIDTH - LEFT - RIGHT);
}

static double y_of(double share)
{
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

/* 1234567 as "1,234,567". */
static void grouped(char out[16], uint32_t number)
{
    char digits[16];
    int length = snprintf(digits, sizeof digits, "%u", number), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = 0;
}

/* Where the last curve has arrived, rounded up. */
static double rounds_shown(const struct spread_run *runs, size_t count)
{
    double most = 1;
    for (size_t i = 0; i < count; i++) {
        double end = (double)(runs[i].result.curve_count - 1) / (double)runs[i].result.curve_per_round;
        most = fmax(most, fmin(end, runs[i].result.rounds.p99 + 1));
    }
    return ceil(most);
}

static void draw_paper(FILE *out, const struct spread_run *runs, double rounds)
{
    const struct spread_setting *s = &runs[0].setting;
    fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Coverage over rounds\">\n%s",
            WIDTH, HEIGHT, style);
    fprintf(out, "<rect class=\"paper\" width=\"%d\" height=\"%d\" rx=\"10\"/>\n", WIDTH, HEIGHT);
    fprintf(out, "<text class=\"title\" x=\"%d\" y=\"32\">How many have heard after how many %s</text>\n", LEFT,
            s->has_timers ? "periods" : "rounds");
    fprintf(out, "<text class=\"soft\" x=\"%d\" y=\"52\">%s, loss %g %%; mean of the trials; theory dashed</text>\n", LEFT,
            s->has_timers ? "independent timers" : "synchronous rounds", 100 * s->loss);
    for (int i = 0; i <= 4; i++) {
        double y = y_of(i / 4.0);
        fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, y, y);
        fprintf(out, "<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>\n", LEFT - 8, y + 4, i * 25);
    }
    int step = 1;
    for (int factor = 0; rounds / step > 14; factor++) {
        step = factor % 3 == 1 ? step / 2 * 5 : step * 2; /* 1 2 5 10 20 50 … */
    }
    for (int round = 0; round <= (int)rounds; round += step) {
        double x = x_of(round, rounds);
        fprintf(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP, HEIGHT - BOTTOM);
        fprintf(out, "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n", x, HEIGHT - BOTTOM + 20, round);
    }
    fprintf(out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM);
    fprintf(out, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14,
            s->has_timers ? "periods" : "rounds");
}

static void draw_curve(FILE *out, const char *class, size_t colour, const double *curve, size_t count, size_t per_round, double rounds)
{
    fprintf(out, "<polyline class=\"%s c%zu\" points=\"", class, colour);
    for (size_t i = 0; i < count && (double)i / (double)per_round <= rounds; i++) {
        fprintf(out, "%s%.1f,%.1f", i > 0 ? " " : "", x_of((double)i / (double)per_round, rounds), y_of(curve[i]));
    }
    fputs("\"/>\n", out);
}

static void draw_legend(FILE *out, const struct spread_run *run, size_t place)
{
    const struct spread_setting *s = &run->setting;
    char nodes[16];
    double y = TOP + 12 + (double)place * 42;
    grouped(nodes, s->nodes);
    fprintf(out, "<line class=\"curve c%zu\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", place, WIDTH - RIGHT + 24,
            WIDTH - RIGHT + 52, y - 4, y - 4);
    fprintf(out, "<text x=\"%d\" y=\"%.1f\">%s", WIDTH - RIGHT + 62, y, spread_report_mode(s->mode));
    if (s->mode <= SPREAD_PUSH_PULL) {
        fprintf(out, ", fan-out %u", s->fanout);
    }
    fprintf(out, "</text><text class=\"soft\" x=\"%d\" y=\"%.1f\">%s nodes, %s after %.1f</text>\n", WIDTH - RIGHT + 62, y + 17, nodes,
            run->result.complete == 1 ? "all" : "the last", run->result.rounds.mean);
}

void spread_plot_write(FILE *out, const struct spread_run *runs, size_t count)
{
    count = count < SPREAD_PLOT_MAX ? count : SPREAD_PLOT_MAX;
    double rounds = rounds_shown(runs, count);
    draw_paper(out, runs, rounds);
    for (size_t i = 0; i < count; i++) {
        if (runs[i].has_theory) {
            draw_curve(out, "theory", i, runs[i].theory.curve, runs[i].theory.curve_count, runs[i].theory.curve_per_round, rounds);
        }
        draw_curve(out, "curve", i, runs[i].result.curve, runs[i].result.curve_count, runs[i].result.curve_per_round, rounds);
        draw_legend(out, &runs[i], i);
    }
    fputs("</svg>\n", out);
}
