/* SPDX-License-Identifier: MIT
 *
 * Which mode, fan-out and interval let everybody know in time, and what each costs. Every way is tried on the spread model with independent
 * timers and the loss that is expected; its 99th percentile gives the interval.
 */
#ifndef HEARSAY_SIM_SPREAD_ADVICE_H
#define HEARSAY_SIM_SPREAD_ADVICE_H

#include "sim/spread_model.h"

enum {
    SPREAD_ADVICE_MAX = 9,
    SPREAD_ADVICE_PACKET_BYTES = 28, /* IPv4 and UDP */
    SPREAD_ADVICE_DIGEST_BYTES = 16  /* of a call that only asks whether there is news */
};

struct spread_need {
    uint32_t nodes, rumor_bytes;
    uint64_t seed;
    double loss, within_ms, rumors_per_s; /* rumours of the whole cluster */
};

struct spread_advice {
    enum spread_mode mode;
    uint32_t fanout, copies;    /* copies: after so many a node stops telling; 0 with pull and push-pull, which never stop */
    double periods, complete;   /* 99th percentile until everybody knows; share of the trials in which everybody did */
    double interval_ms;
    double idle_bytes_per_s;    /* sent per node while nothing happens */
    double rumor_bytes;         /* sent per node and rumour */
    double bytes_per_s;         /* sent per node, all in all */
    bool is_possible;           /* everybody hears, with an interval of 10 ms or more */
};

/* Fills advice, the cheapest possible one first; answers how many, 0 when memory is out. */
size_t spread_advice_find(const struct spread_need *need, struct spread_advice advice[SPREAD_ADVICE_MAX]);

#endif
