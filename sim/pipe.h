/* SPDX-License-Identifier: MIT
 *
 * A pipe: one stream between two hosts, from the first attempt to connect to the last byte. End 0 is who opened it. A pipe lives as
 * long as anybody refers to it: an open end, a parcel, an event.
 */
#ifndef HEARSAY_SIM_PIPE_H
#define HEARSAY_SIM_PIPE_H

#include "sim/host.h"

struct pipe_end {
    struct pipe *pipe;
    struct pipe_end *next, *previous; /* while it is open: all open ends of the host */
    struct host *host;              /* NULL: not connected yet */
    uint32_t life;                  /* of the host's process that holds this end */
    uint32_t stream;                /* the node's id; 0 = not accepted yet */
    bool is_open;
    bool is_carrying;               /* an event will carry the first segment over */
    struct parcel *first, **last;   /* segments on their way to the other end */
    uint64_t ready_at;              /* of the last one */
    uint32_t failures;              /* attempts in a row that found the way blocked */
};

struct pipe {
    struct pipe *next, *previous;   /* all pipes of the world */
    uint32_t references;
    struct hearsay_address to;
    uint16_t port;                  /* ephemeral, of the opener */
    struct pipe_end ends[2];
};

struct pipe *pipe_create(struct world *world);
struct pipe *pipe_hold(struct pipe *pipe);
void pipe_release(struct world *world, struct pipe *pipe);
/* The open end of a host's stream; *side is set. NULL if there is none. */
struct pipe *pipe_find(const struct host *host, uint32_t stream, uint8_t *side);
/* An end that just became open counts as a reference; closing gives it back (and may free the pipe). */
void pipe_open_end(struct pipe *pipe, uint8_t side, struct host *host, uint32_t stream);
void pipe_close_end(struct world *world, struct pipe *pipe, uint8_t side);
void pipe_drop_segments(struct world *world, struct pipe *pipe, uint8_t side);

#endif
