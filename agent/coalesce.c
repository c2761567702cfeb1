/* SPDX-License-Identifier: MIT
 *
 * See coalesce.h. Serf's serf/coalesce_member.go and coalesce_user.go. Differs: what was told of a member is forgotten when it is
 * reaped (Serf never forgets it), and a pile that grows too large is told early.
 */
#include "agent/coalesce.h"

#include "agent/text.h"

#include <search.h>

#define WAITING_MAX 4096

/* What is known of one name. */
struct kept {
    const char *name;
    struct hearsay_event *events; /* that wait; owned copies */
    uint32_t count;
    enum hearsay_event_type told;
    bool is_told;
};

static bool is_member_event(enum hearsay_event_type type)
{
    return type == HEARSAY_MEMBER_JOIN || type == HEARSAY_MEMBER_LEAVE || type == HEARSAY_MEMBER_FAILED || type == HEARSAY_MEMBER_UPDATE;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct kept *)a)->name, ((const struct kept *)b)->name);
}

static struct kept *find(const struct coalesce_pile *pile, const char *name)
{
    struct kept key = {.name = name};
    struct kept *const *at = tfind(&key, &pile->tree, by_name);
    return at == NULL ? NULL : *at;
}

static struct kept *get(struct coalesce_pile *pile, const char *name)
{
    struct kept *k = find(pile, name);
    if (k == NULL) {
        k = must(calloc(1, sizeof *k));
        k->name = must(strdup(name));
        must(tsearch(k, &pile->tree, by_name));
    }
    return k;
}

static void *copy_of(const void *data, size_t size)
{
    void *copy = size == 0 ? NULL : must(malloc(size));
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

static void drop_waiting(struct kept *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        free((void *)k->events[i].member.meta.data);
        free((void *)k->events[i].payload.data);
    }
    free(k->events);
    k->events = NULL;
    k->count = 0;
}

/* What streams and handlers look at; names are k's. */
static void keep(struct kept *k, const struct hearsay_event *event)
{
    struct hearsay_event copy = {.type = event->type, .member = event->member, .ltime = event->ltime, .coalesce = event->coalesce};
    copy.member.name = k->name;
    copy.member.meta.data = copy_of(event->member.meta.data, event->member.meta.size);
    copy.name = event->name == NULL ? NULL : k->name;
    copy.payload = (struct hearsay_bytes){copy_of(event->payload.data, event->payload.size), event->payload.size};
    k->events = must(realloc(k->events, (k->count + 1) * sizeof *k->events));
    k->events[k->count++] = copy;
}

static void forget(struct coalesce_pile *pile, struct kept *k)
{
    tdelete(k, &pile->tree, by_name);
    drop_waiting(k);
    free((char *)k->name);
    free(k);
}

/* ---- telling ---- */

struct round {
    struct coalesce *c;
    enum hearsay_event_type type;
};

static void tell_member(const void *node, VISIT visit, void *context)
{
    struct kept *k = *(struct kept *const *)node;
    const struct round *round = context;
    if ((visit != postorder && visit != leaf) || k->count == 0 || k->events[0].type != round->type) {
        return;
    }
    bool is_news = !k->is_told || k->told != round->type || round->type == HEARSAY_MEMBER_UPDATE;
    k->told = round->type;
    k->is_told = true;
    if (is_news) {
        round->c->deliver(round->c->context, &k->events[0]);
    }
    drop_waiting(k);
}

static void tell_members(struct coalesce *c)
{
    static const enum hearsay_event_type order[] = {HEARSAY_MEMBER_JOIN, HEARSAY_MEMBER_UPDATE, HEARSAY_MEMBER_LEAVE, HEARSAY_MEMBER_FAILED};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct round round = {c, order[i]};
        twalk_r(c->members.tree, tell_member, &round);
    }
    c->members.waiting = 0;
}

static void tell_users(struct coalesce *c)
{
    while (c->users.tree != NULL) {
        struct kept *k = *(struct kept **)c->users.tree;
        for (uint32_t i = 0; i < k->count; i++) {
            c->deliver(c->context, &k->events[i]);
        }
        forget(&c->users, k);
    }
    c->users.waiting = 0;
}

/* ---- gathering ---- */

static void note(struct coalesce_pile *pile, uint64_t now_ms)
{
    pile->first_ms = pile->waiting++ == 0 ? now_ms : pile->first_ms;
    pile->last_ms = now_ms;
}

void coalesce_event(struct coalesce *c, const struct hearsay_event *event, uint64_t now_ms)
{
    bool is_member = is_member_event(event->type), is_user = event->type == HEARSAY_USER_EVENT && event->coalesce;
    if (event->type == HEARSAY_MEMBER_REAP) {
        struct kept *k = find(&c->members, event->member.name);
        if (k != NULL && k->count == 0) {
            forget(&c->members, k);
        }
    }
    if (c->period_ms == 0 || (!is_member && !is_user)) {
        c->deliver(c->context, event);
        return;
    }
    struct coalesce_pile *pile = is_member ? &c->members : &c->users;
    struct kept *k = get(pile, is_member ? event->member.name : event->name);
    note(pile, now_ms);
    if (is_user && k->count > 0 && k->events[0].ltime > event->ltime) {
        return;
    }
    if (is_member || (k->count > 0 && k->events[0].ltime < event->ltime)) {
        drop_waiting(k);
    }
    keep(k, event);
    if (pile->waiting >= WAITING_MAX) {
        is_member ? tell_members(c) : tell_users(c);
    }
}

static uint64_t due_of(const struct coalesce *c, const struct coalesce_pile *pile)
{
    uint64_t period = pile->first_ms + c->period_ms, quiet = pile->last_ms + c->quiet_ms;
    return pile->waiting == 0 ? 0 : period < quiet ? period : quiet;
}

uint64_t coalesce_due_ms(const struct coalesce *c)
{
    uint64_t members = due_of(c, &c->members), users = due_of(c, &c->users);
    return members == 0 ? users : users == 0 || members < users ? members : users;
}

void coalesce_run(struct coalesce *c, uint64_t now_ms, bool is_everything)
{
    uint64_t members = due_of(c, &c->members), users = due_of(c, &c->users);
    if (members != 0 && (is_everything || members <= now_ms)) {
        tell_members(c);
    }
    if (users != 0 && (is_everything || users <= now_ms)) {
        tell_users(c);
    }
}

void coalesce_deinit(struct coalesce *c)
{
    while (c->members.tree != NULL) {
        forget(&c->members, *(struct kept **)c->members.tree);
    }
    while (c->users.tree != NULL) {
        forget(&c->users, *(struct kept **)c->users.tree);
    }
}
