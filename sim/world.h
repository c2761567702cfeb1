/* SPDX-License-Identifier: MIT
 *
 * The virtual world: one clock in microseconds, one seed, what is due next, and the places where hosts stand. network.h carries what
 * hosts say to each other, host.h runs their nodes. Nothing here reads a clock or draws chance from anywhere but the seed, so one
 * seed is one run; world_digest says whether two runs were the same.
 *
 * Memory that runs out stops the program: a simulation has nobody to answer to.
 */
#ifndef HEARSAY_SIM_WORLD_H
#define HEARSAY_SIM_WORLD_H

#include "base/rng.h"
#include "sim/heap.h"

#include <hearsay/hearsay.h>

#define WORLD_PORT 7946
#define WORLD_NOWHERE UINT32_MAX

struct host;
struct world;
struct pipe;
struct pipe_end;
struct event;

/* How packets travel. Chances are in [0, 1]. */
struct link {
    uint32_t latency_us;       /* least time of travel */
    uint32_t jitter_us;        /* added: uniform in [0, jitter], or with a long tail of that mean */
    bool has_long_tail;
    double loss;               /* of each packet; of each segment of a stream (which is sent again) */
    double duplication;
    double reordering;         /* chance to be held back by another reorder_us */
    uint32_t reorder_us;
    uint32_t burst_every_us;   /* Gilbert-Elliott, per receiving host: mean time between bursts; 0 = none */
    uint32_t burst_us;         /* mean length of a burst */
    double burst_loss;         /* loss within one */
    uint32_t bytes_per_second; /* what a host can send; 0 = no cap. What would wait longer than a second is lost */
};

#define WORLD_CORES_MAX 64

struct world_options {
    uint64_t seed;
    struct link link;
    uint32_t timer_grain_us;   /* timers fire as an event loop's that counts in such units; 0 = on time. libuv: 1000 */
    uint32_t cores;            /* that all hosts share, as processes of one computer do; 0 = each host has its own. At most WORLD_CORES_MAX */
    uint32_t wake_cpu_us;      /* what one waking of a host costs a shared core; whoever finds all cores busy waits in order */
    uint32_t segment_bytes;    /* largest piece of a stream that arrives at once; pieces are cut at random */
    /* What hosts' nodes notify, and every packet at the moment it is sent; may be NULL. to is NULL when nobody ever stood there. */
    void (*on_event)(void *context, struct host *host, const struct hearsay_event *event);
    void (*on_packet)(void *context, struct host *from, struct host *to, struct hearsay_bytes bytes);
    /* What a packet takes between two hosts on top of the link's latency; NULL = nothing. */
    uint64_t (*distance_us)(void *context, const struct host *from, const struct host *to);
    void *context;
};

/* A millisecond of latency, no faults, pieces of at most 4 KiB. */
struct world_options world_options_quiet(uint64_t seed);

/* Something that will happen. Whoever schedules it says what `run` makes of the fields. */
struct event {
    void (*run)(struct world *world, struct event *event);
    void *object;
    uint64_t value;
    uint32_t number;
    struct event *next_free;
};

struct world {
    struct world_options options;
    uint64_t now, digest;
    uint64_t core_free_at[WORLD_CORES_MAX];
    struct rng rng;
    struct hearsay_pool *pool;
    uint64_t nonces;             /* of cipher_toy */
    uint64_t inputs;             /* given to nodes so far */

    struct heap agenda, wakes;   /* events by number; hosts' deadlines by host number */
    struct event **events;
    uint32_t event_count, event_capacity;
    struct event *free_events;

    struct host **hosts;
    uint32_t host_count, host_capacity;
    uint32_t *places;            /* place -> number of the host that stands there, or WORLD_NOWHERE */
    uint32_t place_count, place_capacity;

    struct pipe *pipes;
    struct parcel *free_parcels[12]; /* by size class */
};

struct world *world_create(const struct world_options *options);
void world_destroy(struct world *world);

/* Does the next thing that is due at or before `until`. False when there is none; then it is `until`. */
bool world_step(struct world *world, uint64_t until);
void world_run(struct world *world, uint64_t until);

/* Schedules an event; fill in object, value and number of the answer. It is freed after run. */
struct event *world_schedule(struct world *world, uint64_t at, void (*run)(struct world *world, struct event *event));

/* With shared cores: when this host, woken now, will have been on one. Who waits already is not woken twice: whatever comes meanwhile is
 * dealt with at that moment too, as a process does that drains its sockets and then runs its timers. */
uint64_t world_serve(struct world *world, struct host *host);

/* A new place for hosts to stand, and its address. */
uint32_t world_add_place(struct world *world);
struct hearsay_address world_address(uint32_t place);
/* Who stands there, or NULL. */
struct host *world_find(const struct world *world, const struct hearsay_address *address);

/* A hash over every output of every node with its time. */
uint64_t world_digest(const struct world *world);
void world_digest_add(struct world *world, const void *data, size_t size);

void *world_resize(void *old, size_t size);

/* With this chance; draws nothing when it is 0. */
bool world_chance(struct world *world, double chance);
/* A span with this mean and a long tail: the number of misses before a hit of 1/16, in sixteenths of the mean. */
uint64_t world_span(struct world *world, uint64_t mean);

#endif
