/* SPDX-License-Identifier: MIT
 *
 * See checkers.h.
 */
#include "sim/checkers.h"

#include "sim/network.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BASE_BYTES (768u << 10)  /* besides its members: queues, streams, recorder */
#define MEMORY_MEMBER_BYTES 2048u
#define QUIET_NEVER UINT64_MAX
#define HARSH_LOSS 0.05 /* more, and nothing is promised while it lasts */

/* What one node last showed of another. */
struct sight {
    uint32_t incarnation;
    uint32_t left_life; /* the life of which it showed that it left, 0 = none */
    uint64_t dead_at;   /* since when it showed it as failed or left, by the observer's clock; 0 = it does not */
    uint64_t fine_at;   /* when it last did not wrong a node that it could reach */
    uint32_t life;      /* of the subject, then */
};

struct checkers {
    struct cluster *cluster;
    struct sight **rows;  /* by observer; each row by subject */
    uint32_t *widths, *lives;
    uint32_t count;
    uint64_t bound_us, quiet_from, blamed_at;
    bool forgives_noise;
    char claim[CHECKERS_CLAIM_BYTES];
};

struct checkers *checkers_create(struct cluster *cluster, uint64_t bound_us)
{
    struct checkers *checkers = calloc(1, sizeof *checkers);
    CHECK(checkers != NULL);
    checkers->cluster = cluster;
    checkers->bound_us = bound_us;
    checkers->quiet_from = QUIET_NEVER;
    return checkers;
}

void checkers_destroy(struct checkers *checkers)
{
    if (checkers == NULL) {
        return;
    }
    for (uint32_t i = 0; i < checkers->count; i++) {
        free(checkers->rows[i]);
    }
    free(checkers->rows);
    free(checkers->widths);
    free(checkers->lives);
    free(checkers);
}

void checkers_blame(struct checkers *checkers, const char *format, ...)
{
    va_list arguments;
    if (checkers->claim[0] != 0) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(checkers->claim, sizeof checkers->claim, format, arguments);
    va_end(arguments);
    checkers->blamed_at = checkers->cluster->world->now;
}

const char *checkers_verdict(const struct checkers *checkers, uint64_t *at)
{
    *at = checkers->blamed_at;
    return checkers->claim[0] == 0 ? NULL : checkers->claim;
}

void checkers_expect_quiet(struct checkers *checkers, uint64_t from)
{
    checkers->quiet_from = from;
}

void checkers_forgive_noise(struct checkers *checkers)
{
    checkers->forgives_noise = true;
}

static void make_rows(struct checkers *checkers, uint32_t count)
{
    checkers->rows = world_resize(checkers->rows, count * sizeof *checkers->rows);
    checkers->widths = world_resize(checkers->widths, count * sizeof *checkers->widths);
    checkers->lives = world_resize(checkers->lives, count * sizeof *checkers->lives);
    for (; checkers->count < count; checkers->count++) {
        checkers->rows[checkers->count] = NULL;
        checkers->widths[checkers->count] = checkers->lives[checkers->count] = 0;
    }
}

/* A new life of the observer has seen nothing yet. */
static struct sight *sight_of(struct checkers *checkers, const struct seat *observer, const struct seat *subject)
{
    uint32_t number = observer->host->number, other = subject->host->number, life = observer->host->life;
    if (number >= checkers->count) {
        make_rows(checkers, checkers->cluster->count);
    }
    uint32_t width = checkers->widths[number];
    if (other >= width) {
        checkers->widths[number] = checkers->cluster->count;
        checkers->rows[number] = world_resize(checkers->rows[number], checkers->cluster->count * sizeof **checkers->rows);
        memset(checkers->rows[number] + width, 0, (checkers->cluster->count - width) * sizeof **checkers->rows);
    }
    if (checkers->lives[number] != life) {
        checkers->lives[number] = life;
        memset(checkers->rows[number], 0, checkers->widths[number] * sizeof **checkers->rows);
    }
    return &checkers->rows[number][other];
}

/* memberlist forgets the dead after gossip_to_the_dead_ms, by its own clock, and then believes any claim. */
static bool may_be_forgotten(const struct checkers *checkers, const struct seat *observer, const struct sight *sight)
{
    uint64_t kept_us = (uint64_t)checkers->cluster->options.node.gossip_to_the_dead_ms * 1000;
    return sight->dead_at != 0 && host_now(observer->host) - sight->dead_at >= kept_us;
}

static void check_incarnation(struct checkers *checkers, const struct seat *observer, const struct seat *subject, struct sight *sight,
                              const struct hearsay_member *member)
{
    bool is_dead = member->status == HEARSAY_FAILED || member->status == HEARSAY_LEFT;
    if (member->incarnation < sight->incarnation && subject != observer && !may_be_forgotten(checkers, observer, sight)) {
        checkers_blame(checkers, "incarnations never go back: %s showed %s at %u, now at %u", observer->host->name, subject->host->name,
                       sight->incarnation, member->incarnation);
    }
    sight->incarnation = member->incarnation;
    sight->dead_at = !is_dead ? 0 : sight->dead_at == 0 ? host_now(observer->host) : sight->dead_at;
}

/* Its own goodbye is its last word; what went before, as a leave intent that overtook it, may still be denied. */
static void note_goodbye(const struct seat *subject, struct sight *sight, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_MEMBER_LEAVE && event->cause.reason == HEARSAY_BECAUSE_SAID_GOODBYE && subject->has_left) {
        sight->left_life = subject->host->life;
    }
}

static void check_life(struct checkers *checkers, const struct seat *observer, const struct seat *subject, struct sight *sight,
                       enum hearsay_status status)
{
    uint32_t life = subject->host->life;
    if ((status != HEARSAY_ALIVE && status != HEARSAY_SUSPECT) || sight->left_life != life || life == 0) {
        return;
    }
    if (!may_be_forgotten(checkers, observer, sight)) {
        checkers_blame(checkers, "who left does not come back by itself: %s shows %s as %s again", observer->host->name,
                       subject->host->name, hearsay_status_text(status));
    }
    sight->left_life = 0;
}

static void check_burial(struct checkers *checkers, const struct seat *observer, const struct seat *subject)
{
    const struct host *host = subject->host;
    if (checkers->cluster->world->now >= checkers->quiet_from && host->node != NULL && host->state == HOST_RUNNING && !subject->has_left) {
        checkers_blame(checkers, "nobody who runs is declared dead in quiet times: %s buries %s", observer->host->name, host->name);
    }
}

/* Late, doubled or overtaken is no reason to be held for dead. */
static bool is_harsh(const struct link *link)
{
    return link->loss > HARSH_LOSS || link->burst_every_us > 0 || link->bytes_per_second > 0;
}

static bool is_well(const struct host *host)
{
    return host->node != NULL && host->state == HOST_RUNNING && !host->is_blocked && !host->is_starved &&
           !is_harsh(host->link != NULL ? host->link : &host->world->options.link);
}

/* Whoever runs, reaches the observer and is reached by it does not stay buried there. */
static void check_grave(struct checkers *checkers, const struct seat *observer, const struct seat *subject, struct sight *sight,
                        enum hearsay_status status)
{
    uint64_t now = checkers->cluster->world->now;
    const struct host *one = observer->host, *other = subject->host;
    bool is_buried = status == HEARSAY_FAILED || status == HEARSAY_LEFT;
    if (!is_buried || subject->has_left || observer->has_left || sight->life != other->life || !is_well(one) || !is_well(other) ||
        network_is_cut(one, other) || network_is_cut(other, one)) {
        sight->fine_at = now;
        sight->life = other->life;
    } else if (now - sight->fine_at > checkers->bound_us) {
        checkers_blame(checkers, "nobody who can be reached is buried for good: %s has shown %s as %s for %.0f s", one->name, other->name,
                       hearsay_status_text(status), (double)(now - sight->fine_at) / 1e6);
    }
}

static bool is_about_members(enum hearsay_event_type type)
{
    return type <= HEARSAY_MEMBER_REAP;
}

void checkers_on_event(struct checkers *checkers, struct seat *seat, const struct hearsay_event *event)
{
    const struct seat *subject =
        is_about_members(event->type) && event->member.name != NULL ? cluster_find(checkers->cluster, event->member.name) : NULL;
    if (subject == NULL) {
        return;
    }
    struct sight *sight = sight_of(checkers, seat, subject);
    if (event->type == HEARSAY_MEMBER_REAP) {
        *sight = (struct sight){0};
        return;
    }
    check_life(checkers, seat, subject, sight, event->member.status);
    note_goodbye(subject, sight, event);
    check_incarnation(checkers, seat, subject, sight, &event->member);
    if (event->type == HEARSAY_MEMBER_FAILED) {
        check_burial(checkers, seat, subject);
    }
}

/* Nobody in this world sends such things. */
static void check_counters(struct checkers *checkers, const struct seat *seat)
{
    const struct hearsay_counters *c = hearsay_counters(seat->host->node);
    const struct {
        const char *name;
        uint64_t count;
    } impossible[] = {
        {"drop_label", c->drop_label},         {"drop_plaintext", c->drop_plaintext},       {"drop_cipher", c->drop_cipher},
        {"drop_crc", c->drop_crc},             {"drop_lzw", c->drop_lzw},                   {"drop_nested", c->drop_nested},
        {"drop_truncated", c->drop_truncated}, {"drop_unknown_type", c->drop_unknown_type}, {"drop_malformed", c->drop_malformed},
        {"drop_versions", c->drop_versions},   {"drop_address", c->drop_address},           {"drop_members_full", c->drop_members_full},
        {"drop_foreign", c->drop_foreign},     {"conflicts", c->conflicts},
    };
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0] && !checkers->forgives_noise; i++) {
        if (impossible[i].count > 0) {
            checkers_blame(checkers, "impossible things do not happen: %s counts %llu of %s", seat->host->name,
                           (unsigned long long)impossible[i].count, impossible[i].name);
        }
    }
}

static void check_memory(struct checkers *checkers, const struct seat *seat)
{
    struct hearsay_stats stats;
    hearsay_get_stats(seat->host->node, &stats);
    size_t limit = MEMORY_BASE_BYTES + (size_t)MEMORY_MEMBER_BYTES * stats.members;
    if (seat->bytes > limit) {
        checkers_blame(checkers, "memory has limits: %s with %u members holds %zu bytes, more than %zu", seat->host->name, stats.members,
                       seat->bytes, limit);
    }
}

static void check_views(struct checkers *checkers, const struct seat *seat)
{
    struct hearsay_member member;
    for (size_t position = 0; hearsay_next_member(seat->host->node, &position, &member);) {
        const struct seat *subject = cluster_find(checkers->cluster, member.name);
        if (subject == NULL) {
            if (!checkers->forgives_noise) {
                checkers_blame(checkers, "nobody is invented: %s knows \"%s\"", seat->host->name, member.name);
            }
            continue;
        }
        struct sight *sight = sight_of(checkers, seat, subject);
        check_life(checkers, seat, subject, sight, member.status);
        check_incarnation(checkers, seat, subject, sight, &member);
        check_grave(checkers, seat, subject, sight, member.status);
    }
}

void checkers_look(struct checkers *checkers)
{
    for (uint32_t i = 0; i < checkers->cluster->count; i++) {
        const struct seat *seat = checkers->cluster->seats[i];
        if (seat->host->node != NULL) {
            check_views(checkers, seat);
            check_counters(checkers, seat);
            check_memory(checkers, seat);
        }
    }
}
