/* SPDX-License-Identifier: MIT
 *
 * What a cluster did while it was watched: who was found dead and how soon, who was accused wrongly, when all agreed again, what it cost
 * in messages and bytes, how soon user events were heard; as text, JSON and one page of HTML.
 */
#ifndef HEARSAY_SIM_CLUSTER_REPORT_H
#define HEARSAY_SIM_CLUSTER_REPORT_H

#include "sim/faults.h"

#include <stdio.h>

#define REPORT_TYPES 16

/* One look a second. */
struct report_sample {
    double at_s, coverage;        /* share of running nodes that know exactly who runs */
    uint64_t failed, wrong;       /* verdicts so far: all, and those on nodes that ran */
    uint64_t packets, bytes, stream_bytes;
    uint32_t running, queue_max;
};

struct report_death {
    uint32_t number, observers, seen; /* who lived to see it, and how many did */
    uint64_t at, first_at, last_at;
    bool is_over;                     /* it started again */
};

enum { REPORT_SHARES = 4 };
extern const unsigned report_shares[REPORT_SHARES]; /* 50, 90, 99, 100 percent */

struct report_news {
    uint32_t number, hearers, seen;   /* who sent the event, who lived to hear it, and how many did */
    uint64_t hash, at, last_at;
    uint64_t reached_at[REPORT_SHARES]; /* when so many percent of them had; 0 = never */
};

/* What the computer spent on it; whoever has a clock fills it in. */
struct report_cost {
    double meeting_s, watching_s;     /* of one core: until all knew each other, and since */
    uint64_t peak_bytes;
};

struct cluster_report {
    struct cluster *cluster;
    uint64_t began_at, inputs_before;
    uint64_t messages[REPORT_TYPES], message_bytes[REPORT_TYPES];
    uint64_t verdicts, wrong, wrong_of_healthy, wrong_at_healthy;
    struct report_sample *samples;
    size_t sample_count;
    struct report_death *deaths;
    size_t death_count;
    struct report_news *news;         /* user events */
    size_t news_count;
    struct report_cost cost;
    double converged_s;               /* since when all have agreed, at the end; -1 = they do not */
    struct host_traffic before;
};

struct cluster_report *report_create(struct cluster *cluster);
void report_destroy(struct cluster_report *report);
/* For the cluster's hooks and the faults'. */
void report_on_event(struct cluster_report *report, struct seat *seat, const struct hearsay_event *event);
void report_on_packet(struct cluster_report *report, struct hearsay_bytes bytes);
/* Watching begins; then a look every second, until the end. */
void report_run(struct cluster_report *report, uint64_t duration_us);

/* Bytes that a node holds, on average; what all share not included. */
uint64_t report_node_bytes(const struct cluster_report *report);

void report_text(const struct cluster_report *report, FILE *out);
void report_json(const struct cluster_report *report, const char *scenario, uint64_t seed, bool is_compressed, FILE *out);
void report_page(const struct cluster_report *report, const char *title, const char *description, FILE *out);

#endif
