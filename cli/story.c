/* SPDX-License-Identifier: MIT
 *
 * See story.h.
 */
#include "cli/story.h"

#include "cli/line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* What was tried before somebody was blamed. */
static void say_probe(struct line *line, const struct story_record *r)
{
    if (r->direct[0] == 0 || is(r->direct, "not-tried")) {
        return;
    }
    line_say(line, ": no direct answer");
    if (r->relays_asked > 0) {
        line_say(line, ", %llu relay%s asked", (unsigned long long)r->relays_asked, r->relays_asked == 1 ? "" : "s");
        if (r->nacks > 0) {
            line_say(line, " (%llu said it is silent for them too)", (unsigned long long)r->nacks);
        } else {
            line_say(line, " (none of them got an answer either)");
        }
    } else {
        line_say(line, ", no relay to ask");
    }
    if (is(r->stream, "refused")) {
        line_say(line, ", stream refused");
    } else if (is(r->stream, "answered")) {
        line_say(line, ", but a stream was answered");
    } else if (is(r->stream, "silent")) {
        line_say(line, ", stream silent");
    }
    if (r->waited_ms > 0) {
        line_say(line, "; waited %llu ms", (unsigned long long)r->waited_ms);
    }
}

static void say_timer(struct line *line, const struct story_record *r)
{
    if (r->timer_max_ms > 0) {
        line_say(line, "; it had %.1f s to deny it, %llu of %llu confirmations shortened that", (double)r->timer_ran_ms / 1000,
            (unsigned long long)r->confirmations, (unsigned long long)r->confirmations_wanted);
    }
}

static void say_own_state(struct line *line, const struct story_record *r)
{
    if (r->own_health > 0) {
        line_say(line, "; our own health was %llu (0 is well)", (unsigned long long)r->own_health);
    }
    if (r->own_pause_ms > 0) {
        line_say(line, "; we ourselves had just been away for %llu ms", (unsigned long long)r->own_pause_ms);
    }
}

static const char *by(const struct story_record *r)
{
    return r->accuser[0] == 0 ? "somebody" : r->accuser;
}

static void say_note(struct line *line, const struct story_record *r)
{
    if (is(r->reason, "probe-failed")) {
        line_say(line, is(r->stream, "answered") ? "datagrams to it are lost" : "our probe failed");
        say_probe(line, r);
    } else if (is(r->reason, "confirmed")) {
        line_say(line, "%s suspects it too (confirmation %llu of %llu)", by(r), (unsigned long long)r->confirmations,
            (unsigned long long)r->confirmations_wanted);
    } else if (is(r->reason, "refuted")) {
        line_say(line, "we were accused%s%s and denied it with incarnation %llu", r->accuser[0] == 0 ? "" : " by ", r->accuser,
            (unsigned long long)r->incarnation);
    } else if (is(r->reason, "paused")) {
        line_say(line, "this node was not running for %llu ms; that time is held against nobody", (unsigned long long)r->own_pause_ms);
        return;
    } else if (is(r->reason, "leave-intent")) {
        line_say(line, "it says that it will leave");
    } else {
        line_say(line, "%s", r->reason);
    }
    say_own_state(line, r);
}

static void say_joined(struct line *line, const struct story_record *r)
{
    if (is(r->reason, "self")) {
        line_say(line, "started here");
    } else if (is(r->reason, "push-pull")) {
        line_say(line, "joined: it stood in a member list we exchanged%s%s", r->accuser[0] == 0 ? "" : " with ", r->accuser);
    } else if (is(r->reason, "address-book")) {
        line_say(line, "joined again: the address book found it");
    } else if (is(r->reason, "name-reclaimed")) {
        line_say(line, "came back under its name from another address");
    } else {
        line_say(line, "joined: its alive message arrived");
    }
    line_say(line, " (incarnation %llu)", (unsigned long long)r->incarnation);
}

static void say_failed(struct line *line, const struct story_record *r)
{
    if (is(r->reason, "declared-dead")) {
        line_say(line, "failed: %s declared it dead", by(r));
    } else {
        line_say(line, "failed: nobody heard it deny the suspicion");
    }
    say_timer(line, r);
    say_probe(line, r);
    say_own_state(line, r);
}

void story_sentence(const struct story_record *r, char *out, size_t size)
{
    struct line line = line_of(out, size);
    if (is(r->event, "note")) {
        say_note(&line, r);
    } else if (is(r->event, "member-join")) {
        say_joined(&line, r);
    } else if (is(r->event, "member-suspect")) {
        line_say(&line, is(r->reason, "probe-failed") ? "suspected by us" : "suspected: %s accuses it", by(r));
        say_probe(&line, r);
        say_own_state(&line, r);
    } else if (is(r->event, "member-alive")) {
        line_say(&line, "denied the suspicion: alive with incarnation %llu", (unsigned long long)r->incarnation);
    } else if (is(r->event, "member-failed")) {
        say_failed(&line, r);
    } else if (is(r->event, "member-leave")) {
        line_say(&line, is(r->reason, "goodbye") ? "left: it said goodbye" : "left: it was declared gone (%s)", r->reason);
    } else if (is(r->event, "member-update")) {
        line_say(&line, "changed its tags or address");
    } else if (is(r->event, "member-reap")) {
        line_say(&line, "forgotten: gone for too long, or pruned");
    } else if (is(r->event, "conflict")) {
        line_say(&line, "another node claims this name; the older address is kept");
    } else if (is(r->event, "foreign-cluster")) {
        line_say(&line, "its address now belongs to another cluster, which is left alone");
    } else {
        line_say(&line, "%s (%s)", r->event, r->reason);
    }
}

static const struct story_record *last_of(const struct story_record *records, size_t count, const char *event)
{
    for (size_t i = count; i > 0; i--) {
        if (is(records[i - 1].event, event)) {
            return &records[i - 1];
        }
    }
    return NULL;
}

static size_t count_of(const struct story_record *records, size_t count, const char *event)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += is(records[i].event, event);
    }
    return found;
}

static void diagnose_failure(struct line *line, const struct story_record *records, size_t count, const struct story_record *failed)
{
    bool was_refused = false;
    for (size_t i = 0; i < count; i++) {
        was_refused |= is(records[i].stream, "refused");
    }
    line_say(line, "%s is considered failed", failed->name);
    if (was_refused) {
        line_say(line, ": its host answers, but refuses connections, so the process is gone");
    } else if (failed->own_pause_ms > 0 || failed->own_health > 1) {
        line_say(line, "; this node was not well itself at the time (health %llu), so ask another one too", (unsigned long long)failed->own_health);
    } else if (failed->confirmations > 0) {
        line_say(line, ": %llu other member%s could not reach it either, so the host is down, frozen or cut off",
            (unsigned long long)failed->confirmations, failed->confirmations == 1 ? "" : "s");
    } else {
        line_say(line, ": it was silent and nobody else vouched for it");
    }
    line_say(line, ".");
}

void story_diagnosis(const struct story_record *records, size_t count, char *out, size_t size)
{
    struct line line = line_of(out, size);
    const struct story_record *last = NULL, *failed = last_of(records, count, "member-failed");
    for (size_t i = count; i > 0 && last == NULL; i--) {
        last = is(records[i - 1].event, "note") ? NULL : &records[i - 1];
    }
    size_t refuted = count_of(records, count, "member-alive");
    if (last == NULL) {
        line_say(&line, "Nothing was decided about %s here.", records[0].name);
    } else if (is(last->event, "member-failed")) {
        diagnose_failure(&line, records, count, last);
    } else if (is(last->event, "member-suspect")) {
        line_say(&line, "%s is suspected and may still deny it.", last->name);
    } else if (is(last->event, "member-leave")) {
        line_say(&line, "%s left; that was intended.", last->name);
    } else if (refuted > 1) {
        line_say(&line, "%s is well now, but was suspected wrongly %zu times: look for packet loss or an overloaded host.", last->name, refuted);
    } else if (failed != NULL) {
        line_say(&line, "%s failed earlier and is back.", last->name);
    } else {
        line_say(&line, "%s is well.", last->name);
    }
}

/* ---- evidence by name ---------------------------------------------------------------------------------------------------------- */

struct story_place story_place(struct story_record *r, const char *name, size_t length)
{
    const struct {
        const char *name;
        struct story_place place;
    } all[] = {
        {"reason", {r->reason, sizeof r->reason, NULL}},
        {"accuser", {r->accuser, sizeof r->accuser, NULL}},
        {"probe_direct", {r->direct, sizeof r->direct, NULL}},
        {"probe_indirect", {r->indirect, sizeof r->indirect, NULL}},
        {"probe_stream", {r->stream, sizeof r->stream, NULL}},
        {"incarnation", {NULL, 0, &r->incarnation}},
        {"probe_relays_asked", {NULL, 0, &r->relays_asked}},
        {"probe_nacks", {NULL, 0, &r->nacks}},
        {"probe_acks", {NULL, 0, &r->acks}},
        {"probe_waited_ms", {NULL, 0, &r->waited_ms}},
        {"confirmations", {NULL, 0, &r->confirmations}},
        {"confirmations_wanted", {NULL, 0, &r->confirmations_wanted}},
        {"timer_min_ms", {NULL, 0, &r->timer_min_ms}},
        {"timer_max_ms", {NULL, 0, &r->timer_max_ms}},
        {"timer_ran_ms", {NULL, 0, &r->timer_ran_ms}},
        {"own_health", {NULL, 0, &r->own_health}},
        {"own_pause_ms", {NULL, 0, &r->own_pause_ms}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strlen(all[i].name) == length && memcmp(all[i].name, name, length) == 0) {
            return all[i].place;
        }
    }
    return (struct story_place){NULL, 0, NULL};
}
