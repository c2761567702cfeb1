/* SPDX-License-Identifier: MIT
 *
 * Things to do later, on one timer, so that an idle agent sleeps.
 */
#ifndef HEARSAY_AGENT_CHORES_H
#define HEARSAY_AGENT_CHORES_H

#include <stdbool.h>
#include <uv.h>

enum chore {
    CHORE_RECORDS,  /* tell streams and handlers the member events of this turn */
    CHORE_COALESCE, /* what was gathered is due */
    CHORE_SNAPSHOT, /* write snapshot lines */
    CHORE_BOOK,     /* write the address book */
    CHORE_WATCHERS, /* tell who watches the store what changed */
    CHORE_REGISTRY, /* publish services, and keep the store's part of them true */
    CHORE_EXPIRY,   /* tell clients of the store whose time is up */
    CHORE_LINES,    /* try again what a full pipe did not take */
    CHORE_TRIM,     /* give memory of the start back */
    CHORE_JOIN,     /* retry-join */
    CHORE_METRICS,  /* send figures to statsd */
    CHORE_WATCHDOG, /* tell systemd that we live */
    CHORE_LOST,     /* our name is another node's */
    CHORE_STOP,     /* the leave is done, or took too long */
    CHORE_CLOSE,    /* connections had their time to read the last answers */
    CHORE_COUNT
};

struct chores {
    uv_timer_t timer;
    uint64_t due_ms[CHORE_COUNT]; /* on the loop's clock; 0 = not wanted */
    void (*run)(void *context, enum chore chore);
    void *context;
    bool is_open;
};

void chores_open(struct chores *chores, uv_loop_t *loop, void (*run)(void *context, enum chore chore), void *context);
/* In ms from now, unless it is due earlier anyway. */
void chores_want(struct chores *chores, enum chore chore, uint64_t ms);
void chores_cancel(struct chores *chores, enum chore chore);
void chores_close(struct chores *chores);

#endif
