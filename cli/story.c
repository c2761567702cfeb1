/* SPDX-License-Identifier: MIT
 *
 * See story.h.
 */
#include "cli/story.h"

#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
    char *out;
    size_t size, used;
};

static void say(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->out + line->used, line->size - line->used, format, arguments);
    va_end(arguments);
    line->used += length < 0 ? 0 : (size_t)length;
    if (line->used >= line->size) {
        line->used = line->size - 1;
    }
}

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
    say(line, ": no direct answer");
    if (r->relays_asked > 0) {
        say(line, ", %llu relay%s asked", (unsigned long long)r->relays_asked, r->relays_asked == 1 ? "" : "s");
        if (r->nacks > 0) {
            say(line, " (%llu said it is silent for them too)", (unsigned long long)r->nacks);
        } else {
            say(line, " (none of them got an answer either)");
        }
    } else {
        say(line, ", no relay to ask");
    }
    if (is(r->stream, "refused")) {
        say(line, ", stream refused");
    } else if (is(r->stream, "answered")) {
        say(line, ", but a stream was answered");
    } else if (is(r->stream, "silent")) {
        say(line, ", stream silent");
    }
    if (r->waited_ms > 0) {
        say(line, "; waited %llu ms", (unsigned long long)r->waited_ms);
    }
}

static void say_timer(struct line *line, const struct story_record *r)
{
    if (r->timer_max_ms > 0) {
        say(line, "; it had %.1f s to deny it, %llu of %llu confirmations shortened that", (double)r->timer_ran_ms / 1000,
            (unsigned long long)r->confirmations, (unsigned long long)r->confirmations_wanted);
    }
}

static void say_own_state(struct line *line, const struct story_record *r)
{
    if (r->own_health > 0) {
        say(line, "; our own health was %llu (0 is well)", (unsigned long long)r->own_health);
    }
    if (r->own_pause_ms > 0) {
        say(line, "; we ourselves had just been away for %llu ms", (unsigned long long)r->own_pause_ms);
    }
}

static const char *by(const struct story_record *r)
{
    return r->accuser[0] == 0 ? "somebody" : r->accuser;
}

static void say_note(struct line *line, const struct story_record *r)
{
    if (is(r->reason, "probe-failed")) {
        say(line, is(r->stream, "answered") ? "datagrams to it are lost" : "our probe failed");
        say_probe(line, r);
    } else if (is(r->reason, "confirmed")) {
        say(line, "%s suspects it too (confirmation %llu of %llu)", by(r), (unsigned long long)r->confirmations,
            (unsigned long long)r->confirmations_wanted);
    } else if (is(r->reason, "refuted")) {
        say(line, "we were accused%s%s and denied it with incarnation %llu", r->accuser[0] == 0 ? "" : " by ", r->accuser,
            (unsigned long long)r->incarnation);
    } else if (is(r->reason, "paused")) {
        say(line, "this node was not running for %llu ms; that time is held against nobody", (unsigned long long)r->own_pause_ms);
        return;
    } else if (is(r->reason, "leave-intent")) {
        say(line, "it says that it will leave");
    } else {
        say(line, "%s", r->reason);
    }
    say_own_state(line, r);
}

static void say_joined(struct line *line, const struct story_record *r)
{
    if (is(r->reason, "self")) {
        say(line, "started here");
    } else if (is(r->reason, "push-pull")) {
        say(line, "joined: it stood in a member list we exchanged%s%s", r->accuser[0] == 0 ? "" : " with ", r->accuser);
    } else if (is(r->reason, "address-book")) {
        say(line, "joined again: the address book found it");
    } else if (is(r->reason, "name-reclaimed")) {
        say(line, "came back under its name from another address");
    } else {
        say(line, "joined: its alive message arrived");
    }
    say(line, " (incarnation %llu)", (unsigned long long)r->incarnation);
}

static void say_failed(struct line *line, const struct story_record *r)
{
    if (is(r->reason, "declared-dead")) {
        say(line, "failed: %s declared it dead", by(r));
    } else {
        say(line, "failed: nobody heard it deny the suspicion");
    }
    say_timer(line, r);
    say_probe(line, r);
    say_own_state(line, r);
}

void story_sentence(const struct story_record *r, char *out, size_t size)
{
    struct line line = {out, size, 0};
    out[0] = 0;
    if (is(r->event, "note")) {
        say_note(&line, r);
    } else if (is(r->event, "member-join")) {
        say_joined(&line, r);
    } else if (is(r->event, "member-suspect")) {
        say(&line, is(r->reason, "probe-failed") ? "suspected by us" : "suspected: %s accuses it", by(r));
        say_probe(&line, r);
        say_own_state(&line, r);
    } else if (is(r->event, "member-alive")) {
        say(&line, "denied the suspicion: alive with incarnation %llu", (unsigned long long)r->incarnation);
    } else if (is(r->event, "member-failed")) {
        say_failed(&line, r);
    } else if (is(r->event, "member-leave")) {
        say(&line, is(r->reason, "goodbye") ? "left: it said goodbye" : "left: it was declared gone (%s)", r->reason);
    } else if (is(r->event, "member-update")) {
        say(&line, "changed its tags or address");
    } else if (is(r->event, "member-reap")) {
        say(&line, "forgotten: gone for too long, or pruned");
    } else if (is(r->event, "conflict")) {
        say(&line, "another node claims this name; the older address is kept");
    } else if (is(r->event, "foreign-cluster")) {
        say(&line, "its address now belongs to another cluster, which is left alone");
    } else {
        say(&line, "%s (%s)", r->event, r->reason);
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
    say(line, "%s is considered failed", failed->name);
    if (was_refused) {
        say(line, ": its host answers, but refuses connections, so the process is gone");
    } else if (failed->own_pause_ms > 0 || failed->own_health > 1) {
        say(line, "; this node was not well itself at the time (health %llu), so ask another one too", (unsigned long long)failed->own_health);
    } else if (failed->confirmations > 0) {
        say(line, ": %llu other member%s could not reach it either, so the host is down, frozen or cut off",
            (unsigned long long)failed->confirmations, failed->confirmations == 1 ? "" : "s");
    } else {
        say(line, ": it was silent and nobody else vouched for it");
    }
    say(line, ".");
}

void story_diagnosis(const struct story_record *records, size_t count, char *out, size_t size)
{
    struct line line = {out, size, 0};
    out[0] = 0;
    const struct story_record *last = NULL, *failed = last_of(records, count, "member-failed");
    for (size_t i = count; i > 0 && last == NULL; i--) {
        last = is(records[i - 1].event, "note") ? NULL : &records[i - 1];
    }
    size_t refuted = count_of(records, count, "member-alive");
    if (last == NULL) {
        say(&line, "Nothing was decided about %s here.", records[0].name);
    } else if (is(last->event, "member-failed")) {
        diagnose_failure(&line, records, count, last);
    } else if (is(last->event, "member-suspect")) {
        say(&line, "%s is suspected and may still deny it.", last->name);
    } else if (is(last->event, "member-leave")) {
        say(&line, "%s left; that was intended.", last->name);
    } else if (refuted > 1) {
        say(&line, "%s is well now, but was suspected wrongly %zu times: look for packet loss or an overloaded host.", last->name, refuted);
    } else if (failed != NULL) {
        say(&line, "%s failed earlier and is back.", last->name);
    } else {
        say(&line, "%s is well.", last->name);
    }
}
