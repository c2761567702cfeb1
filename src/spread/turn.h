/* SPDX-License-Identifier: MIT
 *
 * A turn: what a part may use while it handles one input. Parts own their struct and receive a turn, never the node.
 * It also names the kinds of timers; node/ routes each kind to its part.
 */
#ifndef HEARSAY_SPREAD_TURN_H
#define HEARSAY_SPREAD_TURN_H

#include "base/rng.h"
#include "base/timers.h"
#include "wire/envelope.h"
#include <hearsay/options.h>

struct outbox;
struct recorder;
struct rumors;

struct turn {
    uint64_t now;      /* attended time: stands still while this node is not running; all timers use it */
    uint64_t host_now; /* the host's clock, for what people read and for ages in minutes and hours */
    const struct hearsay_options *options;
    const struct hearsay_allocator *memory;
    struct hearsay_counters *counters;
    const struct envelope *envelope;
    struct rng *rng;
    struct timers *timers;
    struct outbox *outbox;
    struct recorder *recorder;
    struct rumors *rumors;
    struct buffer *scratch;    /* two buffers, free between calls */
    /* What rides with a ping to a member that holds the store: answers its size, 0 = nothing now. NULL = we hold none. */
    size_t (*write_rider)(void *context, const struct turn *turn, uint8_t *bytes, size_t capacity);
    void *rider;
    uint32_t population;       /* members in the list, ourselves included: the n of all formulas */
    uint32_t pause_ms;         /* how long this node was away just before this turn */
};

enum timer_kind {
    TIMER_PROBE,
    TIMER_PROBE_TIMEOUT,
    TIMER_PROBE_END,
    TIMER_RELAY,     /* number: which indirect probe we relay */
    TIMER_SUSPICION, /* number: member slot */
    TIMER_GOSSIP,
    TIMER_EAGER,
    TIMER_PUSH_PULL,
    TIMER_STREAM,    /* number: which conversation */
    TIMER_HEAL,
    TIMER_HEAL_PING,
    TIMER_REAP,
    TIMER_LEAVE,
    TIMER_QUERY,     /* number: ticket of a question of ours */
    TIMER_STORE,
    TIMER_EXCHANGE,
    TIMER_EXCHANGE_EAGER,
    TIMER_RECONCILE, /* number: which repair */
    TIMER_COPIES,
    TIMER_ITEMS
};

/* Milliseconds to the clock's microseconds. */
static inline uint64_t turn_ms(uint64_t ms)
{
    return ms * 1000;
}

#endif
