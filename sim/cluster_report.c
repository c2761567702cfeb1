/* SPDX-License-Identifier: MIT
 *
 * See cluster_report.h: watching. Telling stands in cluster_page.c.
 */
#include "sim/cluster_report.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_COMPOUND 7
#define TYPE_ENCRYPTED 10
#define TYPE_CRC 12
#define TYPE_OTHER 15

struct cluster_report *report_create(struct cluster *cluster)
{
    struct cluster_report *report = calloc(1, sizeof *report);
    CHECK(report != NULL);
    report->cluster = cluster;
    report->converged_s = -1;
    report->began_at = UINT64_MAX;
    return report;
}

void report_destroy(struct cluster_report *report)
{
    if (report != NULL) {
        free(report->samples);
        free(report->deaths);
        free(report->news);
        free(report);
    }
}

/* ---- verdicts ------------------------------------------------------------------------------------------------------------------------- */

static struct report_death *death_of(struct cluster_report *report, const struct seat *subject)
{
    for (size_t i = report->death_count; i-- > 0;) {
        struct report_death *death = &report->deaths[i];
        if (death->number == subject->host->number && death->at == subject->down_at) {
            return death;
        }
    }
    report->deaths = world_resize(report->deaths, (report->death_count + 1) * sizeof *report->deaths);
    struct report_death *death = &report->deaths[report->death_count++];
    *death = (struct report_death){.number = subject->host->number, .at = subject->down_at, .observers = cluster_running(report->cluster)};
    return death;
}

static void note_death(struct cluster_report *report, const struct seat *subject)
{
    struct report_death *death = death_of(report, subject);
    death->last_at = report->cluster->world->now;
    death->first_at = death->seen++ == 0 ? death->last_at : death->first_at;
}

const unsigned report_shares[REPORT_SHARES] = {50, 90, 99, 100};

/* Who sends an event hears it first, itself. Events of one time are told apart by what they say. */
static struct report_news *news_of(struct cluster_report *report, const struct seat *seat, const struct hearsay_event *event)
{
    uint64_t hash = bytes_hash(event->payload, bytes_hash(bytes_of_string(event->name), event->ltime));
    for (size_t i = report->news_count; i-- > 0;) {
        if (report->news[i].hash == hash) {
            return &report->news[i];
        }
    }
    report->news = world_resize(report->news, (report->news_count + 1) * sizeof *report->news);
    struct report_news *news = &report->news[report->news_count++];
    *news = (struct report_news){.number = seat->host->number, .hash = hash, .at = report->cluster->world->now,
                                 .hearers = cluster_running(report->cluster)};
    return news;
}

static void note_news(struct cluster_report *report, const struct seat *seat, const struct hearsay_event *event)
{
    struct report_news *news = news_of(report, seat, event);
    news->last_at = report->cluster->world->now;
    news->seen++;
    for (unsigned i = 0; i < REPORT_SHARES; i++) {
        if (news->reached_at[i] == 0 && (uint64_t)news->seen * 100 >= (uint64_t)report_shares[i] * news->hearers) {
            news->reached_at[i] = news->last_at;
        }
    }
}

void report_on_event(struct cluster_report *report, struct seat *seat, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_USER_EVENT && report->cluster->world->now >= report->began_at) {
        note_news(report, seat, event);
    }
    if (event->type != HEARSAY_MEMBER_FAILED || report->cluster->world->now < report->began_at) {
        return;
    }
    const struct seat *subject = cluster_find(report->cluster, event->member.name);
    report->verdicts++;
    if (subject == NULL) {
        return;
    }
    if (subject->host->node == NULL) {
        note_death(report, subject);
        return;
    }
    report->wrong++;
    report->wrong_of_healthy += !subject->is_harmed;
    report->wrong_at_healthy += !subject->is_harmed && !seat->is_harmed;
}

/* ---- messages ------------------------------------------------------------------------------------------------------------------------- */

static void count_message(struct cluster_report *report, uint8_t type, size_t size)
{
    type = type < TYPE_OTHER ? type : TYPE_OTHER;
    report->messages[type]++;
    report->message_bytes[type] += size;
}

/* What can be seen from outside: parts of a compound, what follows a checksum; what is compressed or encrypted counts as that. */
void report_on_packet(struct cluster_report *report, struct hearsay_bytes bytes)
{
    if (report->cluster->world->now < report->began_at || bytes.size == 0) {
        return;
    }
    if (report->cluster->options.node.key_count > 0) { /* such packets begin with a version, not with a type */
        count_message(report, TYPE_ENCRYPTED, bytes.size);
        return;
    }
    if (bytes.data[0] == TYPE_CRC && bytes.size > 5) {
        bytes = (struct hearsay_bytes){bytes.data + 5, bytes.size - 5};
    }
    if (bytes.data[0] != TYPE_COMPOUND || bytes.size < 2) {
        count_message(report, bytes.data[0], bytes.size);
        return;
    }
    size_t parts = bytes.data[1], at = 2 + 2 * parts;
    for (size_t i = 0; i < parts && at < bytes.size; i++) {
        size_t size = (size_t)bytes.data[2 + 2 * i] << 8 | bytes.data[3 + 2 * i];
        count_message(report, bytes.data[at], size + 2);
        at += size;
    }
}

/* ---- looks ----------------------------------------------------------------------------------------------------------------------------- */

static struct host_traffic traffic_of(const struct cluster *cluster)
{
    struct host_traffic sum = {0};
    for (uint32_t i = 0; i < cluster->count; i++) {
        const struct host_traffic *one = &cluster->seats[i]->host->traffic;
        sum.packets_out += one->packets_out;
        sum.packet_bytes_out += one->packet_bytes_out;
        sum.stream_bytes_out += one->stream_bytes_out;
        sum.streams_out += one->streams_out;
        sum.lost += one->lost;
    }
    return sum;
}

static void look(struct cluster_report *report)
{
    struct cluster *cluster = report->cluster;
    struct host_traffic traffic = traffic_of(cluster);
    uint32_t running = cluster_running(cluster), right = 0;
    struct report_sample sample = {.at_s = (double)(cluster->world->now - report->began_at) / 1e6, .failed = report->verdicts,
                                   .wrong = report->wrong, .packets = traffic.packets_out - report->before.packets_out,
                                   .bytes = traffic.packet_bytes_out - report->before.packet_bytes_out,
                                   .stream_bytes = traffic.stream_bytes_out - report->before.stream_bytes_out, .running = running};
    for (uint32_t i = 0; i < cluster->count; i++) {
        struct seat *seat = cluster->seats[i];
        if (seat->host->node == NULL || seat->has_left) {
            continue;
        }
        right += cluster_is_right_at(seat, running);
        uint32_t queue = hearsay_rumors_waiting(seat->host->node);
        sample.queue_max = queue > sample.queue_max ? queue : sample.queue_max;
    }
    sample.coverage = running == 0 ? 1 : (double)right / running;
    if (right < running) {
        report->converged_s = -1;
    } else if (report->converged_s < 0) {
        report->converged_s = sample.at_s;
    }
    report->samples = world_resize(report->samples, (report->sample_count + 1) * sizeof *report->samples);
    report->samples[report->sample_count++] = sample;
}

uint64_t report_node_bytes(const struct cluster_report *report)
{
    uint64_t bytes = 0, count = 0;
    for (uint32_t i = 0; i < report->cluster->count; i++) {
        const struct seat *seat = report->cluster->seats[i];
        bytes += seat->host->node == NULL ? 0 : seat->bytes;
        count += seat->host->node != NULL;
    }
    return count == 0 ? 0 : bytes / count;
}

void report_run(struct cluster_report *report, uint64_t duration_us)
{
    struct world *world = report->cluster->world;
    report->began_at = world->now;
    report->inputs_before = world->inputs;
    report->before = traffic_of(report->cluster);
    look(report);
    for (uint64_t end = world->now + duration_us; world->now < end;) {
        uint64_t next = world->now + 1000000;
        world_run(world, next < end ? next : end);
        look(report);
    }
}
