/* SPDX-License-Identifier: MIT
 *
 * See story.h: time and claims. A claim looks at the public views and at what nodes notified, never inside.
 */
#include "story_inside.h"

#include "base/bytes.h"
#include "base/check.h"

#include <string.h>

struct wanted {
    nodes who, whom;
    enum hearsay_status status;
    enum hearsay_event_type type;
    const char *name, *value;
    size_t from; /* notifications before this one do not count */
};

typedef bool condition(const struct story *c, const struct wanted *w);

/* Until the next notification, the next poll or `until`. */
static void run_a_little(struct story *c, uint64_t until)
{
    uint64_t poll = c->world->now + STORY_POLL_US;
    size_t before = c->told_count;
    uint64_t end = poll < until ? poll : until;
    while (c->told_count == before && world_step(c->world, end)) {
    }
}

static bool wait_for(struct story *c, span time, condition *holds, const struct wanted *w)
{
    uint64_t until = c->world->now + time;
    while (!holds(c, w)) {
        if (c->world->now >= until) {
            return false;
        }
        run_a_little(c, until);
    }
    return true;
}

static span claim(struct story *c, span time, condition *holds, const struct wanted *w, const char *text)
{
    uint64_t began = c->world->now;
    if (!wait_for(c, time, holds, w)) {
        report_failure(c, text);
    }
    return c->world->now - began;
}

void advance(struct story *c, span time)
{
    world_run(c->world, c->world->now + time);
}

void expect(struct story *c, bool is_so, const char *claim, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, claim);
    (void)vsnprintf(text, sizeof text, claim, arguments);
    va_end(arguments);
    if (!is_so) {
        report_failure(c, text);
    }
}

/* ---- views ------------------------------------------------------------------------------------------------------------------ */

static enum hearsay_status status_at(const struct story *c, unsigned observer, unsigned subject)
{
    struct hearsay_member member;
    return hearsay_find_member(node_of(c, observer), c->nodes[subject].name, &member) ? member.status : HEARSAY_NONE;
}

static bool all_see(const struct story *c, const struct wanted *w)
{
    for (unsigned i = 0; i < c->count; i++) {
        for (unsigned k = 0; is_in(w->who, i) && is_running(c, i) && k < c->count; k++) {
            if (is_in(w->whom, k) && i != k && status_at(c, i, k) != w->status) {
                return false;
            }
        }
    }
    return true;
}

static bool any_sees(const struct story *c, const struct wanted *w)
{
    for (unsigned i = 0; i < c->count; i++) {
        for (unsigned k = 0; is_in(w->who, i) && is_running(c, i) && k < c->count; k++) {
            if (is_in(w->whom, k) && i != k && status_at(c, i, k) == w->status) {
                return true;
            }
        }
    }
    return false;
}

static const char *sight(char text[256], const char *verb, const struct wanted *w, span time)
{
    char who[64], whom[64];
    (void)snprintf(text, 256, "%s %s %s as %s (%.3f s)", report_nodes(w->who, who, sizeof who), verb,
                   report_nodes(w->whom, whom, sizeof whom), hearsay_status_text(w->status), (double)time / 1e6);
    return text;
}

span expect_sees_within(struct story *c, span time, nodes who, nodes whom, enum hearsay_status status)
{
    char text[256];
    struct wanted w = {.who = who, .whom = whom, .status = status};
    return claim(c, time, all_see, &w, sight(text, "must come to see", &w, time));
}

void expect_sees(struct story *c, nodes who, nodes whom, enum hearsay_status status)
{
    (void)expect_sees_within(c, 0, who, whom, status);
}

void expect_never_sees_for(struct story *c, span time, nodes who, nodes whom, enum hearsay_status status)
{
    char text[256];
    struct wanted w = {.who = who, .whom = whom, .status = status};
    if (wait_for(c, time, any_sees, &w)) {
        report_failure(c, sight(text, "must never see", &w, time));
    }
}

static bool some_burial(const struct story *c, const struct wanted *w)
{
    for (size_t i = w->from; i < c->told_count; i++) {
        const struct told *told = &c->told[i];
        bool is_about_us = told->type == HEARSAY_MEMBER_FAILED && told->about > 0 && told->about <= c->count;
        if (is_about_us && is_in(w->who, told->host) && is_in(w->whom, told->about - 1) && is_running(c, told->about - 1)) {
            return true;
        }
    }
    return false;
}

void expect_nobody_buried_for(struct story *c, span time, nodes but)
{
    struct wanted w = {.who = ~but, .whom = ~but, .from = c->told_count};
    if (wait_for(c, time, some_burial, &w)) {
        report_failure(c, "nobody who runs is declared dead");
    }
}

static bool shows_alive_at(const struct story *c, unsigned observer, unsigned subject)
{
    struct hearsay_member member;
    struct hearsay_address place = world_address(c->nodes[subject].host->place);
    return hearsay_find_member(node_of(c, observer), c->nodes[subject].name, &member) && member.status == HEARSAY_ALIVE &&
           address_same_place(&member.address, &place);
}

bool claims_all_show_each_other(const struct story *c, nodes who)
{
    unsigned count = 0;
    for (unsigned i = 0; i < c->count; i++) {
        count += is_in(who, i) && is_running(c, i);
    }
    for (unsigned i = 0; i < c->count; i++) {
        if (!is_in(who, i) || !is_running(c, i)) {
            continue;
        }
        for (unsigned k = 0; k < c->count; k++) {
            if (is_in(who, k) && is_running(c, k) && !shows_alive_at(c, i, k)) {
                return false;
            }
        }
        struct hearsay_stats stats;
        hearsay_get_stats(node_of(c, i), &stats);
        if (stats.alive != count || stats.suspect != 0) {
            return false;
        }
    }
    return true;
}

static bool agree(const struct story *c, const struct wanted *w)
{
    return claims_all_show_each_other(c, w->who);
}

span expect_agree_within(struct story *c, span time, nodes who)
{
    char text[128], list[64];
    struct wanted w = {.who = who};
    (void)snprintf(text, sizeof text, "%s: who runs knows exactly each other as alive (within %.3f s)",
                   report_nodes(who, list, sizeof list), (double)time / 1e6);
    return claim(c, time, agree, &w, text);
}

span expect_converged_within(struct story *c, span time)
{
    return expect_agree_within(c, time, everyone);
}

/* ---- joining ---------------------------------------------------------------------------------------------------------------- */

static bool all_joined(const struct story *c, const struct wanted *w)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(w->who, i) && is_running(c, i) && c->nodes[i].contacted == 0) {
            return false;
        }
    }
    return true;
}

static bool all_refused(const struct story *c, const struct wanted *w)
{
    for (unsigned i = 0; i < c->count; i++) {
        const struct story_node *node = &c->nodes[i];
        if (is_in(w->who, i) && is_running(c, i) && (node->is_joining || node->contacted > 0 || node->refused == 0)) {
            return false;
        }
    }
    return true;
}

span expect_joined_within(struct story *c, span time, nodes who)
{
    struct wanted w = {.who = who};
    return claim(c, time, all_joined, &w, "every join succeeds");
}

span expect_join_fails_within(struct story *c, span time, nodes who)
{
    struct wanted w = {.who = who};
    return claim(c, time, all_refused, &w, "every attempt to join fails");
}

/* ---- notifications ---------------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct story *c, const struct told *told, const struct wanted *w)
{
    bool is_about = w->whom == nobody || (told->about > 0 && told->about <= c->count && is_in(w->whom, told->about - 1));
    return told->type == w->type && is_about && is_in(w->who, told->host) && told->life == c->nodes[told->host].host->life;
}

static unsigned count_told(const struct story *c, const struct wanted *w)
{
    unsigned count = 0;
    for (size_t i = w->from; i < c->told_count; i++) {
        count += is_wanted(c, &c->told[i], w);
    }
    return count;
}

unsigned times_told(struct story *c, nodes who, enum hearsay_event_type type, nodes about)
{
    struct wanted w = {.who = who, .whom = about, .type = type};
    return count_told(c, &w);
}

unsigned times_declared_dead(struct story *c, nodes who, nodes whom)
{
    unsigned count = 0;
    struct wanted w = {.who = who, .whom = whom, .type = HEARSAY_MEMBER_FAILED};
    for (size_t i = 0; i < c->told_count; i++) {
        enum hearsay_reason reason = c->told[i].cause.reason;
        bool is_own = reason == HEARSAY_BECAUSE_TIMER || reason == HEARSAY_BECAUSE_PROBE_FAILED;
        count += is_own && is_wanted(c, &c->told[i], &w);
    }
    return count;
}

/* Has each of who been told at least once? */
static bool each_told(const struct story *c, const struct wanted *w)
{
    bool has[STORY_NODES] = {false};
    for (size_t i = w->from; i < c->told_count; i++) {
        if (is_wanted(c, &c->told[i], w)) {
            has[c->told[i].host] = true;
        }
    }
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(w->who, i) && is_running(c, i) && !has[i]) {
            return false;
        }
    }
    return true;
}

static const char *notice(char text[256], const char *verb, const struct wanted *w)
{
    char who[64], whom[64];
    (void)snprintf(text, 256, "%s %s told: %s about %s", report_nodes(w->who, who, sizeof who), verb, hearsay_event_text(w->type),
                   w->whom == nobody ? "anybody" : report_nodes(w->whom, whom, sizeof whom));
    return text;
}

span expect_told_within(struct story *c, span time, nodes who, enum hearsay_event_type type, nodes about)
{
    char text[256];
    struct wanted w = {.who = who, .whom = about, .type = type};
    return claim(c, time, each_told, &w, notice(text, "must be", &w));
}

void expect_never_told(struct story *c, nodes who, enum hearsay_event_type type, nodes about)
{
    char text[256];
    struct wanted w = {.who = who, .whom = about, .type = type};
    if (count_told(c, &w) > 0) {
        report_failure(c, notice(text, "must never have been", &w));
    }
}

struct hearsay_cause last_cause(struct story *c, nodes who, enum hearsay_event_type type, nodes about)
{
    struct wanted w = {.who = who, .whom = about, .type = type};
    for (size_t i = c->told_count; i-- > 0;) {
        if (is_wanted(c, &c->told[i], &w)) {
            return c->told[i].cause;
        }
    }
    return (struct hearsay_cause){0};
}

static void count_heard(const struct story *c, const char *name, unsigned heard[STORY_NODES])
{
    memset(heard, 0, STORY_NODES * sizeof *heard);
    for (size_t i = 0; i < c->told_count; i++) {
        const struct told *told = &c->told[i];
        bool is_event = told->type == HEARSAY_USER_EVENT || told->type == HEARSAY_MESSAGE || told->type == HEARSAY_QUERY;
        if (is_event && told->life == c->nodes[told->host].host->life && strcmp(told->name, name) == 0) {
            heard[told->host]++;
        }
    }
}

static bool all_heard(const struct story *c, const struct wanted *w)
{
    unsigned heard[STORY_NODES];
    count_heard(c, w->name, heard);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(w->who, i) && is_running(c, i) && heard[i] == 0) {
            return false;
        }
    }
    return true;
}

span expect_heard_within(struct story *c, span time, nodes who, const char *name)
{
    char text[128];
    struct wanted w = {.who = who, .name = name};
    (void)snprintf(text, sizeof text, "all hear of \"%s\" within %.3f s", name, (double)time / 1e6);
    return claim(c, time, all_heard, &w, text);
}

void expect_heard_times(struct story *c, nodes who, const char *name, unsigned times)
{
    unsigned heard[STORY_NODES];
    count_heard(c, name, heard);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            expect(c, heard[i] == times, "%s hears of \"%s\" %u times (it is %u)", c->nodes[i].name, name, times, heard[i]);
        }
    }
}

static bool has_tag(const struct hearsay_member *member, const struct wanted *w)
{
    struct hearsay_bytes key, value;
    for (size_t position = 0; hearsay_next_tag(member, &position, &key, &value);) {
        if (bytes_equal(key, bytes_of_string(w->name))) {
            return bytes_equal(value, bytes_of_string(w->value));
        }
    }
    return false;
}

static bool all_see_tag(const struct story *c, const struct wanted *w)
{
    for (unsigned i = 0; i < c->count; i++) {
        for (unsigned k = 0; is_in(w->who, i) && is_running(c, i) && k < c->count; k++) {
            struct hearsay_member member;
            if (is_in(w->whom, k) && (!hearsay_find_member(node_of(c, i), c->nodes[k].name, &member) || !has_tag(&member, w))) {
                return false;
            }
        }
    }
    return true;
}

span expect_tag_within(struct story *c, span time, nodes who, nodes whom, const char *key, const char *value)
{
    char text[128];
    struct wanted w = {.who = who, .whom = whom, .name = key, .value = value};
    (void)snprintf(text, sizeof text, "all see the tag %s=%s within %.3f s", key, value, (double)time / 1e6);
    return claim(c, time, all_see_tag, &w, text);
}

/* ---- looking closer --------------------------------------------------------------------------------------------------------- */

const struct hearsay_counters *counters_of(struct story *c, nodes who)
{
    return hearsay_counters(host_of(c, who)->node);
}

struct hearsay_stats stats_of(struct story *c, nodes who)
{
    struct hearsay_stats stats;
    hearsay_get_stats(host_of(c, who)->node, &stats);
    return stats;
}

/* ---- questions -------------------------------------------------------------------------------------------------------------- */

void expect_answer(struct story *c, nodes who, nodes whom, const char *payload)
{
    struct wanted w = {.who = who, .whom = whom, .type = HEARSAY_QUERY_RESPONSE};
    for (size_t i = c->told_count; i-- > 0;) {
        if (is_wanted(c, &c->told[i], &w)) {
            expect(c, strcmp(c->told[i].name, payload) == 0, "the answer is \"%s\", not \"%s\"", payload, c->told[i].name);
            return;
        }
    }
    expect(c, false, "there is an answer \"%s\"", payload);
}

struct hearsay_event last_end(struct story *c, nodes who)
{
    for (size_t i = c->told_count; i-- > 0;) {
        const struct told *told = &c->told[i];
        if (is_in(who, told->host) && (told->type == HEARSAY_QUERY_DONE || told->type == HEARSAY_CONFLICT_RESOLVED)) {
            return (struct hearsay_event){.type = told->type, .members = told->members, .acks = told->acks, .answers = told->answers,
                                          .errors = told->errors, .is_ok = told->is_ok};
        }
    }
    return (struct hearsay_event){.type = HEARSAY_EVENT_COUNT};
}
