/* SPDX-License-Identifier: MIT
 *
 * See spread_report.h.
 */
#include "sim/spread_report.h"

#include <string.h>

static const char *const stops[] = {"never", "age", "feedback-counter", "feedback-coin", "blind-counter", "blind-coin", "transmits"};

const char *spread_report_mode(enum spread_mode mode)
{
    static const char *const modes[] = {"push", "pull", "push-pull", "central", "broadcast"};
    return modes[mode];
}

static bool is_gossip(const struct spread_setting *setting)
{
    return setting->mode <= SPREAD_PUSH_PULL;
}

static bool has_load(const struct spread_setting *setting)
{
    return setting->has_load || !is_gossip(setting);
}

static void print_head(FILE *out, const struct spread_setting *s)
{
    fprintf(out, "%u trial%s, ", s->trials, s->trials == 1 ? "" : "s");
    fprintf(out, s->has_timers ? "independent timers (1 round = 1 period)" : "synchronous rounds");
    fprintf(out, ", loss %g", s->loss);
    if (s->incoming_limit > 0) {
        fprintf(out, ", at most %u incoming per round", s->incoming_limit);
    }
    if (s->stop != SPREAD_STOP_NEVER) {
        fprintf(out, ", stop %s:%u", stops[s->stop], s->stop_after);
    }
    fprintf(out, ", seed %llu\n\n", (unsigned long long)s->seed);
}

static void print_reach(FILE *out, const struct spread_result *r, int share)
{
    if (r->coverage_share[share] > 0) {
        fprintf(out, " %6.2f", r->coverage[share]);
    } else {
        fprintf(out, " %6s", "-");
    }
}

static void print_row(FILE *out, const struct spread_run *run, bool shows_load, bool shows_residue)
{
    const struct spread_setting *s = &run->setting;
    const struct spread_result *r = &run->result;
    char fanout[16] = "-";
    if (is_gossip(s)) {
        snprintf(fanout, sizeof fanout, "%u", s->fanout);
    }
    fprintf(out, s->has_timers ? "%9u  %-9s %6s  %7.2f %7.2f %7.2f %7.2f " : "%9u  %-9s %6s  %7.2f %7.0f %7.0f %7.0f ", s->nodes,
            spread_report_mode(s->mode), fanout, r->rounds.mean, r->rounds.p50, r->rounds.p99, r->rounds.max);
    for (int share = 0; share < 3; share++) {
        print_reach(out, r, share);
    }
    fprintf(out, "  %8.2f %8.2f", r->messages.mean, r->payloads.mean);
    if (shows_residue) {
        fprintf(out, "  %9.3g %8.1f%%", r->residue.mean, 100 * r->complete);
    }
    if (shows_load && has_load(s)) {
        fprintf(out, "  %9.0f %9.0f", r->busiest.mean, r->connections.mean);
    } else if (shows_load) {
        fprintf(out, "  %9s %9s", "-", "-");
    }
    if (run->has_theory) {
        fprintf(out, "  %7.2f  %s", run->theory.rounds, run->theory.formula);
    } else {
        fprintf(out, "  %7s", "-");
    }
    fputc('\n', out);
}

void spread_report_table(FILE *out, const struct spread_run *runs, size_t count)
{
    bool shows_load = false, shows_residue = false;
    for (size_t i = 0; i < count; i++) {
        shows_load |= has_load(&runs[i].setting);
        shows_residue |= runs[i].result.complete < 1;
    }
    print_head(out, &runs[0].setting);
    fprintf(out, "%9s  %-9s %6s  %31s %6s %20s  %17s", "", "", "", "rounds until the last one knows", "", "rounds until it knows", "per node");
    fprintf(out, "%s%s  theory\n", shows_residue ? "     never   everybody" : "", shows_load ? "        busiest node" : "");
    fprintf(out, "%9s  %-9s %6s  %7s %7s %7s %7s  %6s %6s %6s  %8s %8s", "nodes", "mode", "fanout", "mean", "p50", "p99", "max", "50%", "90%",
            "99%", "messages", "payloads");
    fprintf(out, "%s%s  %7s\n", shows_residue ? "      hears      hears" : "", shows_load ? "   messages  partners" : "", "rounds");
    for (size_t i = 0; i < count; i++) {
        print_row(out, &runs[i], shows_load, shows_residue);
    }
}

static void json_statistic(FILE *out, const char *name, const struct spread_statistic *s)
{
    fprintf(out, ",\"%s\":{\"mean\":%.6g,\"sd\":%.6g,\"p50\":%.6g,\"p99\":%.6g,\"max\":%.6g}", name, s->mean, s->sd, s->p50, s->p99, s->max);
}

static void json_one(FILE *out, const struct spread_run *run)
{
    static const char *const shares[3] = {"50", "90", "99"};
    const struct spread_setting *s = &run->setting;
    const struct spread_result *r = &run->result;
    fprintf(out, "{\"nodes\":%u,\"mode\":\"%s\",\"fanout\":%u,\"trials\":%u", s->nodes, spread_report_mode(s->mode), s->fanout, s->trials);
    json_statistic(out, "rounds", &r->rounds);
    fputs(",\"coverage\":{", out);
    for (int share = 0; share < 3; share++) {
        fprintf(out, "%s\"%s\":", share > 0 ? "," : "", shares[share]);
        if (r->coverage_share[share] > 0) {
            fprintf(out, "%.6g", r->coverage[share]);
        } else {
            fputs("null", out);
        }
    }
    fprintf(out, "},\"payloads_per_node\":%.6g,\"messages_per_node\":%.6g,\"residue\":%.6g,\"complete\":%.6g", r->payloads.mean, r->messages.mean,
            r->residue.mean, r->complete);
    fprintf(out, ",\"timing\":\"%s\",\"loss\":%g,\"incoming_limit\":%u,\"stop\":\"%s\",\"stop_after\":%u,\"seed\":%llu",
            s->has_timers ? "timers" : "rounds", s->loss, s->incoming_limit, stops[s->stop], s->stop == SPREAD_STOP_NEVER ? 0 : s->stop_after,
            (unsigned long long)s->seed);
    if (has_load(s)) {
        fprintf(out, ",\"busiest_node\":{\"messages\":%.6g,\"connections\":%.6g}", r->busiest.mean, r->connections.mean);
    } else {
        fputs(",\"busiest_node\":null", out);
    }
    if (run->has_theory) {
        fprintf(out, ",\"theory\":{\"rounds\":%.6g,\"formula\":\"%s\"}", run->theory.rounds, run->theory.formula);
    } else {
        fputs(",\"theory\":null", out);
    }
    fprintf(out, ",\"curve\":{\"step\":%g,\"known\":[", 1.0 / (double)r->curve_per_round);
    for (size_t i = 0; i < r->curve_count; i++) {
        fprintf(out, "%s%.6g", i > 0 ? "," : "", r->curve[i]);
    }
    fputs("]}}\n", out);
}

void spread_report_json(FILE *out, const struct spread_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_one(out, &runs[i]);
    }
}

void spread_report_csv(FILE *out, const struct spread_run *runs, size_t count)
{
    fputs("nodes,mode,fanout,trials,timing,loss,incoming_limit,stop,stop_after,seed,rounds_mean,rounds_sd,rounds_p50,rounds_p99,rounds_max,"
          "coverage_50,coverage_90,coverage_99,payloads_per_node,messages_per_node,residue,complete,busiest_messages,busiest_connections,"
          "theory_rounds\n", out);
    for (size_t i = 0; i < count; i++) {
        const struct spread_setting *s = &runs[i].setting;
        const struct spread_result *r = &runs[i].result;
        fprintf(out, "%u,%s,%u,%u,%s,%g,%u,%s,%u,%llu,%.6g,%.6g,%.6g,%.6g,%.6g", s->nodes, spread_report_mode(s->mode), s->fanout, s->trials,
                s->has_timers ? "timers" : "rounds", s->loss, s->incoming_limit, stops[s->stop], s->stop == SPREAD_STOP_NEVER ? 0 : s->stop_after,
                (unsigned long long)s->seed, r->rounds.mean, r->rounds.sd, r->rounds.p50, r->rounds.p99, r->rounds.max);
        for (int share = 0; share < 3; share++) {
            fprintf(out, r->coverage_share[share] > 0 ? ",%.6g" : ",", r->coverage[share]);
        }
        fprintf(out, ",%.6g,%.6g,%.6g,%.6g", r->payloads.mean, r->messages.mean, r->residue.mean, r->complete);
        fprintf(out, has_load(s) ? ",%.6g,%.6g" : ",,", r->busiest.mean, r->connections.mean);
        fprintf(out, runs[i].has_theory ? ",%.6g\n" : ",\n", runs[i].theory.rounds);
    }
}
