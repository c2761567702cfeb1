/* SPDX-License-Identifier: MIT
 *
 * A cluster of real agents on loopback, all of one kind: hearsay's or Debian's serf. Every agent has an address of its own and is
 * reached through Serf's RPC, so that both kinds are driven and watched in the same way.
 */
#ifndef HEARSAY_BENCH_AGENTS_H
#define HEARSAY_BENCH_AGENTS_H

#include "bench/rpc.h"

#include <sys/types.h>

enum agents_kind { AGENTS_HEARSAY, AGENTS_SERF, AGENTS_KINDS };

struct agent {
    pid_t pid; /* 0 = ended */
    char name[16], address[24];
    struct rpc rpc;
};

struct agents {
    enum agents_kind kind;
    unsigned count;
    unsigned first;     /* number of the first agent's address and name, when there are several clusters */
    const char *key;    /* base64, or NULL */
    const char *config; /* a file, or NULL */
    const char *first_config; /* a file of the first agent's own, or NULL */
    bool does_not_wait; /* the first is not waited for */
    bool has_store;     /* takes part in the shared store: hearsay only */
    bool is_idle_class; /* scheduled as SCHED_IDLE: any other work goes first */
    struct agent *at;
};

/* What one agent costs on average over a span of time. */
struct agents_cost {
    double pss_kb, cpu_ms_per_s, wakeups_per_s, packets_per_s;
};

const char *agents_kind_text(enum agents_kind kind);
const char *agents_program(enum agents_kind kind);
/* True when both programs are there; says what is missing otherwise. */
bool agents_available(void);
/* Starts count agents, gap_us apart; all but the first join the first. Exits the benchmark when a program cannot be run. */
void agents_start(struct agents *a, unsigned gap_us);
/* Opens RPC to all (false: some did not answer in time). */
bool agents_connect(struct agents *a, double seconds);
/* Waits until every agent calls all of them alive; how many do in the end. */
unsigned agents_meet(struct agents *a, double seconds);
/* Start, connect and meet at leisure; exits the benchmark when that fails. */
void agents_gather(struct agents *a);
/* Subscribes to all agents' events. */
bool agents_watch(struct agents *a, const char *type);
/* Reads everybody's events until the deadline or until done answers true. */
typedef void agents_seen(void *context, unsigned agent, const char *event, const char *name);
void agents_listen(struct agents *a, uint64_t deadline, agents_seen *seen, bool (*done)(void *context), void *context);
/* Takes note of agents that have ended by themselves; answers how many ended since the last call. */
unsigned agents_reap(struct agents *a);
/* SIGKILL. */
void agents_kill(struct agents *a, unsigned agent);
/* Measures for so many seconds. */
struct agents_cost agents_measure(const struct agents *a, double seconds);
void agents_stop(struct agents *a);

#endif
