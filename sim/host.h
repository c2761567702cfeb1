/* SPDX-License-Identifier: MIT
 *
 * A host: a machine that runs one hearsay_node. Its process can be started, killed (the kernel then refuses and resets), switched off
 * with the machine (silence), frozen as SIGSTOP does, starved of CPU, cut off from its sockets while its timers fire on time (Lifeguard's
 * slow processing of messages), given a clock of its own, and started again in the same place or another. What arrives while it does not run
 * waits in its socket buffers; when it runs again it hears all of that before its deadlines fire.
 */
#ifndef HEARSAY_SIM_HOST_H
#define HEARSAY_SIM_HOST_H

#include "sim/disk.h"
#include "sim/world.h"

#define HOST_BUFFER_BYTES (2u << 20) /* datagrams that wait; more are dropped. Streams push back instead */
#define HOST_UNIX_MS 1700000000000u   /* the wall clock when a host's clock shows 0 */
#define HOST_BACKLOG 128             /* connections that wait to be accepted; more are not answered */

enum host_state {
    HOST_DOWN,    /* the process is gone, the machine answers: connections are refused */
    HOST_OFF,     /* the machine is off or unreachable: silence */
    HOST_RUNNING,
    HOST_FROZEN
};

enum parcel_type { PARCEL_PACKET, PARCEL_ACCEPT, PARCEL_CONNECTED, PARCEL_BYTES, PARCEL_CLOSED };

/* One input on its way to a host. */
struct parcel {
    struct parcel *next;
    enum parcel_type type;
    enum hearsay_close how;      /* CLOSED */
    struct hearsay_address from; /* PACKET, ACCEPT */
    struct pipe *pipe;           /* held; all but PACKET */
    uint8_t side;                /* which end of the pipe is meant */
    uint8_t size_class;
    uint32_t size;
    uint64_t ready_at;           /* in a pipe: when it has travelled */
    uint8_t data[];
};

struct host_traffic {
    uint64_t packets_out, packet_bytes_out, packets_in, stream_bytes_out, streams_out;
    uint64_t lost, buffer_full;  /* packets to this host that the world dropped */
    uint64_t wakes;              /* distinct instants at which it had something to do */
};

struct host {
    struct world *world;
    struct hearsay_node *node;   /* NULL while DOWN or OFF */
    char name[32];
    uint32_t number, place;
    uint32_t life;               /* counts the starts of its process */
    enum host_state state;
    uint32_t group;              /* hosts of different groups do not hear each other */
    uint64_t *deaf_to;           /* bits by host number: cuts of single directions; NULL = none */
    uint32_t deaf_words;
    const struct link *link;     /* of this host alone, or NULL; borrowed */

    struct pipe_end *ends;       /* of streams that its processes hold open */
    struct parcel *waiting, **waiting_end; /* while it does not run */
    uint64_t waiting_packet_bytes, waiting_stream_bytes;
    uint32_t waiting_accepts;
    bool is_starved;             /* runs for run_us in every every_us, about */
    uint32_t run_us, every_us, slice;
    bool is_blocked;             /* messages wait both ways, timers fire */
    struct parcel *unsent, **unsent_end; /* packets that wait to go out; a parcel's from is then where to */
    uint64_t sent_until;         /* with a cap on bandwidth: when all it sent has left */
    uint64_t clock_at, clock_set_at; /* its clock showed clock_at when the world's was clock_set_at */
    int32_t drift_ppm;

    struct disk disk;            /* of the shared store; it survives the process */
    uint64_t burst_changes_at;
    bool is_in_burst;
    uint64_t last_wake_at;
    uint64_t served_at;          /* when it was or will be on a shared core: see world_serve */
    bool has_core;               /* its deadline has waited for one */
    uint32_t ticks_in_a_row;
    struct host_traffic traffic;
};

/* A machine without a process yet, in a place of its own. */
struct host *host_create(struct world *world, const char *name);
void host_destroy(struct host *host);
/* Where the next process will be reached; the host must be down. Whoever stands there must be down, and moves to nowhere. */
void host_move(struct host *host, uint32_t place);

/* Starts the process with these options; name, advertise, seed and pool are filled in here (a name that is set stays). */
hearsay_err host_start(struct host *host, const struct hearsay_options *options);
void host_crash(struct host *host);
void host_switch_off(struct host *host);
void host_freeze(struct host *host);
void host_thaw(struct host *host);
/* Lets the process run only for run_us in every every_us (each span drawn around that); 0 ends it. */
void host_starve(struct host *host, uint32_t run_us, uint32_t every_us);
/* Messages wait both ways while timers fire on time, until it is unblocked. */
void host_block(struct host *host);
void host_unblock(struct host *host);
/* Its clock jumps ahead and from now on runs faster (or slower, above -1000000) than the world's. */
void host_skew(struct host *host, uint64_t ahead_us, int32_t drift_ppm);

/* What its clock shows. */
static inline uint64_t host_now(const struct host *host)
{
    int64_t passed = (int64_t)(host->world->now - host->clock_set_at);
    return host->clock_at + (uint64_t)(passed + (host->drift_ppm == 0 ? 0 : passed * host->drift_ppm / 1000000));
}

static inline bool host_is_up(const struct host *host)
{
    return host->node != NULL;
}

/* Gives the node all its outputs' worth: call after every wish. */
void host_drain(struct host *host);

/* For world.c and network.c. */
void host_tick(struct host *host);
/* Hands the parcel over or lets it wait; frees it when done. */
void host_deliver(struct host *host, struct parcel *parcel);
/* Is there room for size more bytes of a stream, or for one more connection (size 0)? */
bool host_has_room(const struct host *host, size_t size);

#endif
