/* SPDX-License-Identifier: MIT
 *
 * One sentence of diagnosis from the memories of a whole cluster: rules, the most telling evidence first. What the member itself remembers
 * (its pauses, its denials) weighs most, then how it was silent (refused, datagrams only, everything), then who alone could not reach it.
 */
#include "cli/recall.h"

#include "cli/line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BLAME_MS 3000 /* an accusation may come so long after the silence that it is for */
#define UNWELL 2 /* health scores from here on make a judge doubtful */

/* What the records say, counted. Names are of observers. */
struct evidence {
    const char *name;
    const struct recall *recall;
    uint64_t pause_ms; /* a pause of the member itself */
    bool is_pause_guilty; /* for which it was accused */
    uint64_t last_failed_ms, last_alive_ms, last_left_ms, last_accused_ms;
    size_t accusers, failures, denials, refused, streams_answered, silent, unwell, nacks, probes, away;
    bool has_answered, has_goodbye, has_conflict, has_foreign, was_told_to_leave, is_reaped;
    const char *lone_accuser, *leave_by, *unwell_one, *away_one, *told_accuser; /* the last: as others were told */
    uint64_t away_ms;
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void take_probe(struct evidence *e, const struct recall_record *r)
{
    const struct story_record *s = &r->record;
    if (s->direct[0] == 0 || is(s->direct, "answered")) {
        return;
    }
    e->probes++;
    e->refused += is(s->stream, "refused");
    e->streams_answered += is(s->stream, "answered");
    e->silent += !is(s->stream, "refused") && !is(s->stream, "answered");
    e->nacks += s->nacks > 0;
    if (s->own_health >= UNWELL) {
        e->unwell++;
        e->unwell_one = r->observer;
    }
    if (e->lone_accuser == NULL || !is(e->lone_accuser, r->observer)) {
        e->accusers++;
        e->lone_accuser = r->observer;
    }
    e->last_accused_ms = s->at_ms;
}

static void take_decision(struct evidence *e, const struct story_record *s)
{
    if (is(s->event, "member-failed")) {
        e->failures++;
        e->last_failed_ms = s->at_ms;
    } else if (is(s->event, "member-alive") || is(s->event, "member-join")) {
        e->last_alive_ms = s->at_ms;
    } else if (is(s->event, "member-leave")) {
        e->last_left_ms = s->at_ms;
        e->has_goodbye |= is(s->reason, "goodbye") || is(s->reason, "self");
    } else if (is(s->event, "conflict")) {
        e->has_conflict = true;
    } else if (is(s->event, "foreign-cluster")) {
        e->has_foreign = true;
    } else if (is(s->event, "member-reap")) {
        e->is_reaped = true;
    }
    if (s->accuser[0] != 0 && (is(s->event, "member-suspect") || is(s->event, "member-failed"))) {
        e->told_accuser = s->accuser;
    }
    if (is(s->reason, "leave-intent")) {
        e->was_told_to_leave = true;
        e->leave_by = s->accuser[0] != 0 ? s->accuser : e->leave_by;
    }
}

/* Was it accused while it paused, or right after? A pause explains nothing else. */
static bool is_blamed(const struct evidence *e, const struct story_record *pause)
{
    uint64_t from = pause->at_ms - pause->own_pause_ms;
    for (size_t i = 0; i < e->recall->count; i++) {
        const struct story_record *s = &e->recall->at[i].record;
        bool is_accused = is(s->name, e->name) && (is(s->event, "member-suspect") || is(s->event, "member-failed") || is(s->reason, "refuted") ||
                                                   is(s->reason, "probe-failed"));
        if (is_accused && s->at_ms >= from && s->at_ms <= pause->at_ms + BLAME_MS) {
            return true;
        }
    }
    return false;
}

/* The longest of those that explain something, or else the longest. */
static void take_pause(struct evidence *e, const struct story_record *pause)
{
    bool is_guilty = is_blamed(e, pause);
    if (is_guilty > e->is_pause_guilty || (is_guilty == e->is_pause_guilty && pause->own_pause_ms > e->pause_ms)) {
        e->pause_ms = pause->own_pause_ms;
        e->is_pause_guilty = is_guilty;
    }
}

static void take(struct evidence *e, const struct recall_record *r)
{
    const struct story_record *s = &r->record;
    bool is_own = is(r->observer, e->name);
    if (is(s->reason, "paused")) {
        if (is_own) {
            take_pause(e, s);
        } else if (s->own_pause_ms > e->away_ms) {
            e->away_ms = s->own_pause_ms;
            e->away_one = r->observer;
        }
        return;
    }
    if (!is(s->name, e->name)) {
        return;
    }
    if (is_own) {
        e->denials += is(s->reason, "refuted");
        e->has_goodbye |= is(s->event, "member-leave");
        return;
    }
    take_probe(e, r);
    take_decision(e, s);
}

/* ---- words ---------------------------------------------------------------------------------------------------------------------- */

static void say_how_it_stands(struct line *line, const struct evidence *e)
{
    if (e->last_failed_ms > e->last_alive_ms) {
        line_say(line, " %zu of %zu nodes declared it failed, and it has not come back.", e->failures, e->recall->observer_count);
    } else if (e->failures > 0) {
        line_say(line, " %zu node%s declared it failed; it is back.", e->failures, e->failures == 1 ? "" : "s");
    } else if (e->denials > 0 || e->last_alive_ms > e->last_accused_ms) {
        line_say(line, " It denied the suspicion in time: nobody declared it failed.");
    }
}

static bool say_departure(struct line *line, const struct evidence *e)
{
    if (e->last_left_ms == 0 || e->last_left_ms < e->last_alive_ms) {
        return false;
    }
    if (e->has_goodbye) {
        line_say(line, "%s left by its own wish: it said goodbye.", e->name);
    } else {
        line_say(line, "%s was told to leave%s%s: somebody used force-leave.", e->name, e->leave_by == NULL ? "" : " by ",
            e->leave_by == NULL ? "" : e->leave_by);
    }
    return true;
}

static void say_trouble(struct line *line, const struct evidence *e)
{
    if (e->is_pause_guilty) {
        line_say(line, "%s was frozen for %.1f s: its own timers fired that late, and until then it answered nobody. Look for SIGSTOP, swapping, a "
                  "paused machine or lack of CPU.",
            e->name, (double)e->pause_ms / 1000);
    } else if (e->streams_answered > e->silent + e->refused) {
        line_say(line, "Datagrams to %s are lost while streams are answered: UDP is blocked on the way from %zu node%s%s%s.", e->name, e->accusers,
            e->accusers == 1 ? "" : "s", e->accusers == 1 ? ", " : "", e->accusers == 1 ? e->lone_accuser : "");
    } else if (e->refused > 0) {
        line_say(line, "The host of %s answered, but refused connections: its process was gone.", e->name);
    } else if (e->unwell > 0 && e->unwell == e->probes) {
        line_say(line, "Those who accused %s were unwell themselves (%s): doubt them before you doubt it.", e->name, e->unwell_one);
    } else if (e->away_ms > 0 && e->accusers == 1 && is(e->away_one, e->lone_accuser)) {
        line_say(line, "%s accused %s after it had been away for %.1f s itself: its verdict is doubtful.", e->away_one, e->name,
            (double)e->away_ms / 1000);
    } else if (e->probes == 0) {
        line_say(line, "%s was accused by %s, which keeps no record of its reasons or did not answer.", e->name,
                 e->told_accuser == NULL ? "somebody" : e->told_accuser);
    } else if (e->accusers == 1 && e->failures == 0) {
        line_say(line, "Only %s could not reach %s: look at the path between the two.", e->lone_accuser, e->name);
    } else {
        line_say(line, "%s was silent on every path to %zu node%s%s: it crashed, was cut off, or its host is down.", e->name, e->accusers,
            e->accusers == 1 ? "" : "s", e->nacks > 0 ? ", and their relays heard nothing either" : "");
    }
    say_how_it_stands(line, e);
}

void recall_verdict(const struct recall *recall, const char *name, char *out, size_t size)
{
    struct line line = line_of(out, size);
    struct evidence e = {.name = name, .recall = recall};
    for (size_t i = 0; i < recall->count; i++) {
        take(&e, &recall->at[i]);
    }
    if (e.has_conflict) {
        line_say(&line, "Two nodes claim the name %s: rename one of them. ", name);
    }
    if (e.has_foreign) {
        line_say(&line, "The address of %s was given to a node of another cluster. ", name);
    }
    if (say_departure(&line, &e)) {
        return;
    }
    if (e.probes > 0 || e.failures > 0 || e.is_pause_guilty) {
        say_trouble(&line, &e);
    } else if (recall->count == 0) {
        line_say(&line, "None of %zu nodes remembers anything about %s.", recall->observer_count, name);
    } else if (e.pause_ms > 0) {
        line_say(&line, "%s was away for %.1f s, and nobody minded.", name, (double)e.pause_ms / 1000);
    } else if (!e.has_conflict && !e.has_foreign) {
        line_say(&line, "Nothing is held against %s by any of %zu nodes.", name, recall->observer_count);
    }
}
