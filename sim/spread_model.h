/* SPDX-License-Identifier: MIT
 *
 * How a rumour spreads, without packets or protocol: n nodes, one of which knows something, call each other. Rounds are synchronous (what
 * a node does is decided by the state at the start of the round) or every node has a timer of its own with a random phase and uses news at
 * once. A few bits per node, so that ten million fit anywhere. It prints nothing.
 *
 * The words are those of Demers et al., Epidemic Algorithms for Replicated Database Maintenance, 1987: push, pull, feedback or blind,
 * counter or coin, residue.
 */
#ifndef HEARSAY_SIM_SPREAD_MODEL_H
#define HEARSAY_SIM_SPREAD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPREAD_NODES_MAX = 10000000,
    SPREAD_FANOUT_MAX = 64,
    SPREAD_STOP_MAX = 255,
    SPREAD_CURVE_MAX = 512, /* points of a curve */
    SPREAD_CURVE_TIMERS = 8 /* points per period with timers; with rounds it is one per round */
};

enum spread_mode {
    SPREAD_PUSH,      /* those who know call */
    SPREAD_PULL,      /* those who do not know call; with a stopping rule everybody does, since nobody knows that there is something to know */
    SPREAD_PUSH_PULL, /* everybody calls; the answer carries the rumour when the call did not */
    SPREAD_CENTRAL,   /* to a coordinator, which tells everybody; repeated until acknowledged */
    SPREAD_BROADCAST  /* the one who knows tells everybody; repeated until acknowledged */
};

/* When a node that knows stops telling. A call is useful when the other did not know; consecutive useless ones are counted. */
enum spread_stop {
    SPREAD_STOP_NEVER,
    SPREAD_STOP_AGE,              /* so many rounds after hearing */
    SPREAD_STOP_FEEDBACK_COUNTER, /* after so many useless calls in a row */
    SPREAD_STOP_FEEDBACK_COIN,    /* after a useless call, with probability 1/so many */
    SPREAD_STOP_BLIND_COUNTER,    /* after so many calls */
    SPREAD_STOP_BLIND_COIN,       /* after a call, with probability 1/so many */
    SPREAD_STOP_TRANSMITS         /* after so many copies: memberlist's limit */
};

struct spread_setting {
    enum spread_mode mode;
    enum spread_stop stop;
    uint32_t nodes, fanout, trials;
    uint32_t stop_after;     /* the "so many" of the rule, 1 … SPREAD_STOP_MAX */
    uint32_t origins;        /* how many know at the start; 0 = 1 */
    uint32_t incoming_limit; /* calls that a node accepts per round, 0 = all; which ones is chance */
    uint32_t rounds_max;     /* give up after this many */
    uint64_t seed;
    double loss;             /* of every single message, 0 … below 1 */
    bool has_timers;
    bool has_load; /* measure the busiest node; costs four bytes per node */
};

struct spread_statistic {
    double mean, sd, p50, p99, max; /* p = the smallest value that so many percent of the trials do not exceed */
    double p99_least, p99_most;     /* the true p99 lies between them, with a probability of 99.9 % */
};

struct spread_result {
    struct spread_statistic rounds;   /* until the last node that ever hears has heard */
    struct spread_statistic payloads; /* copies of the rumour sent, per node */
    struct spread_statistic messages; /* everything sent, calls and answers, per node */
    struct spread_statistic residue;  /* share of nodes that never hear */
    struct spread_statistic busiest;  /* messages sent and received by the busiest node; with has_load or without gossip */
    struct spread_statistic connections; /* most partners of one node in one round; likewise */
    double coverage[3];               /* mean rounds until 50, 90, 99 % know, over the trials that got there */
    double coverage_share[3];         /* share of the trials that got there */
    double complete;                  /* share of the trials in which everybody heard */
    double curve[SPREAD_CURVE_MAX];   /* mean share of nodes that know after 0, 1, 2 … steps */
    size_t curve_count, curve_per_round;
};

/* Transmit limit of memberlist: multiplier * ceil(log10(n + 1)). */
uint32_t spread_model_transmits(uint32_t multiplier, uint32_t nodes);
/* One sentence about what cannot be in this setting, or NULL. */
const char *spread_model_refuse(const struct spread_setting *setting);
/* Runs all trials on this many threads (0 = one per processor); the result does not depend on their number. is_done is told trials done
 * and is called on the caller's thread; it may be NULL. False when memory is out. */
bool spread_model_run(const struct spread_setting *setting, unsigned threads, void (*is_done)(void *context, uint32_t trials), void *context,
                      struct spread_result *result);

#endif
