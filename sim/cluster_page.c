/* SPDX-License-Identifier: MIT
 *
 * See cluster_report.h: what was seen, as text, as JSON, and as a page that needs no network.
 */
#include "sim/cluster_report.h"

#include <inttypes.h>

#define NEWS_TOLD_MAX 10 /* more events are told in sum only */
#define PLOT_WIDTH 760
#define PLOT_HEIGHT 180

static const char *const type_names[REPORT_TYPES] = {"ping", "indirect_ping", "ack", "suspect", "alive", "dead", "push_pull", "compound",
                                                     "user", "compressed", "encrypted", "nack", "crc", "error", "reserved", "other"};

static double seconds_of(const struct cluster_report *report)
{
    double seconds = report->samples[report->sample_count - 1].at_s;
    return seconds > 0 ? seconds : 1;
}

static double per_node_second(const struct cluster_report *report, uint64_t count)
{
    return (double)count / report->cluster->count / seconds_of(report);
}

static uint32_t queue_max(const struct cluster_report *report)
{
    uint32_t most = 0;
    for (size_t i = 0; i < report->sample_count; i++) {
        most = report->samples[i].queue_max > most ? report->samples[i].queue_max : most;
    }
    return most;
}

static void text_deaths(const struct cluster_report *report, FILE *out)
{
    for (size_t i = 0; i < report->death_count; i++) {
        const struct report_death *death = &report->deaths[i];
        fprintf(out, "death of n%-6u at %7.2f s   first detected after %6.2f s, by the last of %u of %u after %6.2f s\n", death->number + 1,
                (double)(death->at - report->began_at) / 1e6, (double)(death->first_at - death->at) / 1e6, death->seen, death->observers,
                (double)(death->last_at - death->at) / 1e6);
    }
}

static double reach_s(const struct report_news *news, unsigned share)
{
    return news->reached_at[share] == 0 ? -1 : (double)(news->reached_at[share] - news->at) / 1e6;
}

/* Mean and longest time until so many had heard, over the events that got there; answers how many did. */
static size_t reach_of(const struct cluster_report *report, unsigned share, double *mean_s, double *most_s)
{
    size_t count = 0;
    *mean_s = *most_s = 0;
    for (size_t i = 0; i < report->news_count; i++) {
        double took_s = reach_s(&report->news[i], share);
        *mean_s += took_s < 0 ? 0 : took_s;
        *most_s = took_s > *most_s ? took_s : *most_s;
        count += took_s >= 0;
    }
    *mean_s /= count == 0 ? 1 : (double)count;
    return count;
}

static double rounds_of(const struct cluster_report *report, double seconds)
{
    return seconds * 1000 / report->cluster->options.node.gossip_interval_ms;
}

static void text_news(const struct cluster_report *report, FILE *out)
{
    for (size_t i = 0; i < report->news_count && report->news_count <= NEWS_TOLD_MAX; i++) {
        const struct report_news *news = &report->news[i];
        fprintf(out, "event of n%-6u at %7.2f s   heard by half after %8.3f s, by the last of %u of %u after %.3f s\n", news->number + 1,
                (double)(news->at - report->began_at) / 1e6, reach_s(news, 0), news->seen, news->hearers,
                (double)(news->last_at - news->at) / 1e6);
    }
    for (unsigned i = 0; i < REPORT_SHARES && report->news_count > 0; i++) {
        double mean_s, most_s;
        size_t count = reach_of(report, i, &mean_s, &most_s);
        fprintf(out, "event reach      %3u %% of the nodes after %.4f s, at most %.4f s (%.2f and %.2f gossip rounds): %zu of %zu events\n",
                report_shares[i], mean_s, most_s, rounds_of(report, mean_s), rounds_of(report, most_s), count, report->news_count);
    }
}

static double times_real_time(const struct cluster_report *report)
{
    return report->cost.watching_s > 0 ? seconds_of(report) / report->cost.watching_s : 0;
}

static double inputs_per_second(const struct cluster_report *report)
{
    uint64_t inputs = report->cluster->world->inputs - report->inputs_before;
    return report->cost.watching_s > 0 ? (double)inputs / report->cost.watching_s : 0;
}

static void text_cost(const struct cluster_report *report, FILE *out)
{
    const struct report_cost *cost = &report->cost;
    if (cost->watching_s > 0) {
        fprintf(out, "this computer    %.1f s of one core to meet, %.1f s since: %.1f times faster than real time, %.0f inputs a second\n",
                cost->meeting_s, cost->watching_s, times_real_time(report), inputs_per_second(report));
        fprintf(out, "memory           %.2f GiB at most, %.1f KiB for each node\n", (double)cost->peak_bytes / (1 << 30),
                (double)report_node_bytes(report) / 1024);
    }
}

void report_text(const struct cluster_report *report, FILE *out)
{
    const struct report_sample *last = &report->samples[report->sample_count - 1];
    text_news(report, out);
    text_deaths(report, out);
    fprintf(out, "verdicts         %" PRIu64 ", wrong %" PRIu64 ", about healthy nodes %" PRIu64 ", at healthy nodes %" PRIu64 "\n",
            report->verdicts, report->wrong, report->wrong_of_healthy, report->wrong_at_healthy);
    if (report->converged_s >= 0) {
        fprintf(out, "all agree        since %.0f s\n", report->converged_s);
    } else {
        fprintf(out, "all agree        no: %.1f %% of the running nodes know exactly who runs\n", last->coverage * 100);
    }
    fprintf(out, "longest queue    %u rumours\n", queue_max(report));
    fprintf(out, "per node second  %.2f packets, %.0f bytes in packets, %.0f in streams\n", per_node_second(report, last->packets),
            per_node_second(report, last->bytes), per_node_second(report, last->stream_bytes));
    for (unsigned type = 0; type < REPORT_TYPES; type++) {
        if (report->messages[type] > 0) {
            fprintf(out, "  %-14s %8.3f messages %8.1f bytes\n", type_names[type], per_node_second(report, report->messages[type]),
                    per_node_second(report, report->message_bytes[type]));
        }
    }
    text_cost(report, out);
    fprintf(out, "digest           %016" PRIx64 "\n", world_digest(report->cluster->world));
}

static void json_news(const struct cluster_report *report, FILE *out)
{
    fprintf(out, ",\"event_reach\":{\"events\":%zu", report->news_count);
    for (unsigned i = 0; i < REPORT_SHARES; i++) {
        double mean_s, most_s;
        size_t count = reach_of(report, i, &mean_s, &most_s);
        fprintf(out, ",\"%u\":{\"events\":%zu,\"mean_s\":%.6f,\"max_s\":%.6f,\"mean_rounds\":%.4f,\"max_rounds\":%.4f}", report_shares[i],
                count, mean_s, most_s, rounds_of(report, mean_s), rounds_of(report, most_s));
    }
    fprintf(out, "},\"events\":[");
    for (size_t i = 0; i < report->news_count; i++) {
        const struct report_news *news = &report->news[i];
        fprintf(out, "%s{\"node\":\"n%u\",\"at_s\":%.3f,\"half_s\":%.6f,\"p90_s\":%.6f,\"p99_s\":%.6f,\"all_s\":%.6f,\"last_s\":%.6f,\"seen\":%u"
                     ",\"hearers\":%u}", i == 0 ? "" : ",", news->number + 1, (double)(news->at - report->began_at) / 1e6, reach_s(news, 0),
                reach_s(news, 1), reach_s(news, 2), reach_s(news, 3), (double)(news->last_at - news->at) / 1e6, news->seen, news->hearers);
    }
    fprintf(out, "]");
}

/* The only part that another run of the same seed need not repeat. */
static void json_cost(const struct cluster_report *report, FILE *out)
{
    fprintf(out, ",\"cost\":{\"meeting_s\":%.3f,\"watching_s\":%.3f,\"times_real_time\":%.3f,\"inputs_per_second\":%.0f,\"peak_bytes\":%" PRIu64
                 ",\"node_bytes\":%" PRIu64 "}",
            report->cost.meeting_s, report->cost.watching_s, times_real_time(report), inputs_per_second(report), report->cost.peak_bytes,
            report_node_bytes(report));
}

static void json_deaths(const struct cluster_report *report, FILE *out)
{
    fprintf(out, ",\"deaths\":[");
    for (size_t i = 0; i < report->death_count; i++) {
        const struct report_death *death = &report->deaths[i];
        fprintf(out, "%s{\"node\":\"n%u\",\"at_s\":%.3f,\"first_s\":%.3f,\"last_s\":%.3f,\"seen\":%u,\"observers\":%u}", i == 0 ? "" : ",",
                death->number + 1, (double)(death->at - report->began_at) / 1e6, (double)(death->first_at - death->at) / 1e6,
                (double)(death->last_at - death->at) / 1e6, death->seen, death->observers);
    }
    fprintf(out, "]");
}

static void json_messages(const struct cluster_report *report, FILE *out)
{
    const char *comma = "";
    fprintf(out, ",\"per_node_second\":{");
    for (unsigned type = 0; type < REPORT_TYPES; type++) {
        if (report->messages[type] > 0) {
            fprintf(out, "%s\"%s\":{\"messages\":%.4f,\"bytes\":%.2f}", comma, type_names[type],
                    per_node_second(report, report->messages[type]), per_node_second(report, report->message_bytes[type]));
            comma = ",";
        }
    }
    fprintf(out, "}");
}

void report_json(const struct cluster_report *report, const char *scenario, uint64_t seed, bool is_compressed, FILE *out)
{
    const struct report_sample *last = &report->samples[report->sample_count - 1];
    fprintf(out, "{\"nodes\":%u,\"scenario\":\"%s\",\"seed\":%" PRIu64 ",\"duration_s\":%.1f,\"compression\":%s,\"digest\":\"%016" PRIx64 "\"",
            report->cluster->count, scenario, seed, last->at_s, is_compressed ? "true" : "false", world_digest(report->cluster->world));
    json_news(report, out);
    json_deaths(report, out);
    fprintf(out, ",\"verdicts\":%" PRIu64 ",\"false_positives\":%" PRIu64 ",\"false_positives_about_healthy\":%" PRIu64
                 ",\"false_positives_at_healthy\":%" PRIu64,
            report->verdicts, report->wrong, report->wrong_of_healthy, report->wrong_at_healthy);
    fprintf(out, ",\"converged_s\":%.1f,\"coverage\":%.4f,\"queue_max\":%u,\"packets_per_node_second\":%.4f"
                 ",\"packet_bytes_per_node_second\":%.2f,\"stream_bytes_per_node_second\":%.2f,\"inputs\":%" PRIu64,
            report->converged_s, last->coverage, queue_max(report), per_node_second(report, last->packets),
            per_node_second(report, last->bytes), per_node_second(report, last->stream_bytes),
            report->cluster->world->inputs - report->inputs_before);
    json_messages(report, out);
    fprintf(out, ",\"samples\":[");
    for (size_t i = 0; i < report->sample_count; i++) {
        const struct report_sample *s = &report->samples[i];
        fprintf(out, "%s{\"at_s\":%.0f,\"coverage\":%.4f,\"failed\":%" PRIu64 ",\"wrong\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"packets\":%" PRIu64
                     ",\"packet_bytes\":%" PRIu64 ",\"queue\":%u}",
                i == 0 ? "" : ",", s->at_s, s->coverage, s->failed, s->wrong, s->bytes + s->stream_bytes, s->packets, s->bytes, s->queue_max);
    }
    fprintf(out, "]");
    json_cost(report, out);
    fprintf(out, "}\n");
}

/* ---- the page --------------------------------------------------------------------------------------------------------------------------- */

typedef double measure(const struct cluster_report *report, size_t index);

static double coverage_at(const struct cluster_report *report, size_t i)
{
    return report->samples[i].coverage * 100;
}

static double verdicts_at(const struct cluster_report *report, size_t i)
{
    return (double)report->samples[i].failed;
}

static double wrong_at(const struct cluster_report *report, size_t i)
{
    return (double)report->samples[i].wrong;
}

static double bytes_at(const struct cluster_report *report, size_t i)
{
    const struct report_sample *now = &report->samples[i], *before = &report->samples[i == 0 ? 0 : i - 1];
    uint64_t bytes = now->bytes + now->stream_bytes - before->bytes - before->stream_bytes;
    return now->running == 0 ? 0 : (double)bytes / now->running;
}

static void curve(const struct cluster_report *report, measure *value, double most, const char *colour, FILE *out)
{
    fprintf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"", colour);
    for (size_t i = 0; i < report->sample_count; i++) {
        fprintf(out, "%.1f,%.1f ", 50 + report->samples[i].at_s / seconds_of(report) * (PLOT_WIDTH - 60),
                10 + (1 - value(report, i) / most) * (PLOT_HEIGHT - 40));
    }
    fprintf(out, "\"/>\n");
}

static void plot(const struct cluster_report *report, const char *title, measure *value, measure *other, double least_most, FILE *out)
{
    double most = least_most;
    for (size_t i = 0; i < report->sample_count; i++) {
        most = value(report, i) > most ? value(report, i) : most;
    }
    fprintf(out, "<h2>%s</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", title, PLOT_WIDTH, PLOT_HEIGHT, title);
    fprintf(out, "<path d=\"M50 10V%dH%d\" fill=\"none\" stroke=\"#888\"/>\n", PLOT_HEIGHT - 30, PLOT_WIDTH - 10);
    fprintf(out, "<text x=\"45\" y=\"15\" text-anchor=\"end\">%.0f</text><text x=\"45\" y=\"%d\" text-anchor=\"end\">0</text>\n", most,
            PLOT_HEIGHT - 30);
    fprintf(out, "<text x=\"50\" y=\"%d\">0 s</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f s</text>\n", PLOT_HEIGHT - 12,
            PLOT_WIDTH - 10, PLOT_HEIGHT - 12, seconds_of(report));
    curve(report, value, most, "#2a6fbb", out);
    if (other != NULL) {
        curve(report, other, most, "#c0392b", out);
    }
    fprintf(out, "</svg>\n");
}

static void escaped(const char *text, FILE *out)
{
    for (; *text != 0; text++) {
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc(*text, out);
        }
    }
}

void report_page(const struct cluster_report *report, const char *title, const char *description, FILE *out)
{
    fprintf(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>hearsay sim cluster: ");
    escaped(title, out);
    fprintf(out, "</title>\n<style>body{font:15px system-ui,sans-serif;max-width:820px;margin:2em auto;padding:0 1em}"
                 "svg{width:100%%;font:11px system-ui}pre{background:#f4f4f4;padding:1em;overflow:auto}h2{font-size:1em}</style></head><body>\n<h1>");
    escaped(title, out);
    fprintf(out, "</h1>\n<p>");
    escaped(description, out);
    fprintf(out, "</p>\n");
    plot(report, "Nodes that know exactly who runs, percent", coverage_at, NULL, 100, out);
    plot(report, "Verdicts so far: failed (blue), of these wrong (red)", verdicts_at, wrong_at, 1, out);
    plot(report, "Bytes sent per running node and second", bytes_at, NULL, 1, out);
    fprintf(out, "<pre>\n");
    report_text(report, out);
    fprintf(out, "</pre>\n</body></html>\n");
}
