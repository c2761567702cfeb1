/* SPDX-License-Identifier: MIT
 *
 * A cluster: hosts of one world that mean to be together. Every seat is a host with what an agent around its node would do: it joins
 * through others, tries again until it met somebody, and after a restart remembers what was on its disk, if that was kept. It knows who
 * ought to be alive; faults.h does harm to it, checkers.h and report.h watch it.
 */
#ifndef HEARSAY_SIM_CLUSTER_H
#define HEARSAY_SIM_CLUSTER_H

#include "sim/host.h"

struct cluster;

struct seat {
    struct host *host;
    uint32_t ticket;
    uint32_t tries;          /* of the join under way */
    bool is_met;             /* this life contacted somebody */
    bool has_left;           /* this life said goodbye */
    bool is_harmed;          /* some fault was aimed at this host */
    uint64_t down_at;        /* when its last life ended; 0 = never */
    uint64_t clock, event_clock;      /* what its snapshot says */
    uint32_t *remembered, remembered_count; /* members in it, by number */
    size_t bytes, bytes_peak;         /* memory of its node */
    uint32_t shown;                   /* as alive or suspect by its node, when last counted */
    bool is_recounted;                /* no member changed there since */
    struct cluster *cluster;
};

struct cluster_options {
    struct world_options world;       /* on_event is the cluster's, and it is the context */
    struct hearsay_options node;      /* name, address, seed, pool and allocator are filled in per seat */
    double allocation_failures;       /* chance of each allocation of a node to fail, once cluster->is_scarce */
    void (*on_event)(void *context, struct seat *seat, const struct hearsay_event *event);
    /* The host is down and its disk about to be wiped; may be NULL. */
    void (*on_wipe)(void *context, struct seat *seat);
    void *context;
};

struct cluster {
    struct cluster_options options;
    struct world *world;
    struct seat **seats;
    uint32_t count, capacity;
    bool is_scarce;
    struct rng scarcity;
    uint64_t failed_allocations;
};

struct cluster *cluster_create(const struct cluster_options *options);
void cluster_destroy(struct cluster *cluster);

/* Adds hosts, named n1, n2 …, and starts them; each joins through earlier ones, `spacing_us` apart. */
void cluster_grow(struct cluster *cluster, uint32_t count, uint64_t spacing_us);
/* Adds hosts and starts them; each is alone. For warm.h. */
void cluster_place(struct cluster *cluster, uint32_t count);
/* Lets time pass until all know each other; false when that took longer. */
bool cluster_meet(struct cluster *cluster, uint64_t patience_us);
/* Starts a host that is down and lets it join. keeps_disk: with the clocks and members of its former life. */
void cluster_boot(struct seat *seat, bool keeps_disk);
/* Ends its process: kill -9, or with the whole machine. */
void cluster_crash(struct seat *seat, bool with_machine);
void cluster_leave(struct seat *seat);

uint32_t cluster_running(const struct cluster *cluster);
/* Does this node know exactly those who run as alive? By count, which is cheap, or name by name. */
bool cluster_is_right_at(struct seat *seat, uint32_t running);
/* Does everybody show exactly those who run? A suspect is not buried yet, and counts as alive, as Serf shows it; so does who is shown as
 * leaving. */
bool cluster_agrees(const struct cluster *cluster);
/* A view that is not what it ought to be: `shown` is what the observer shows of the subject, status NONE when it knows nothing of it. */
struct cluster_dissent {
    const struct seat *observer, *subject;
    struct hearsay_member shown, own;
};
/* The same view everywhere, to the last field: everybody who runs is alive, with the incarnation, the tags and the place that it shows of
 * itself; nobody else is. Else one dissent (it borrows until anything runs). seen: NULL, or count * count bytes, first zero, in which every
 * pair is marked that was right in some look: such a pair counts as right from then on. */
bool cluster_is_settled(const struct cluster *cluster, uint8_t *seen, struct cluster_dissent *dissent);
/* The seat called that, or NULL. */
struct seat *cluster_find(const struct cluster *cluster, const char *name);

#endif
