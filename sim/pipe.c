/* SPDX-License-Identifier: MIT
 *
 * See pipe.h.
 */
#include "sim/pipe.h"

#include "sim/parcel.h"

#include "base/check.h"

#include <stdlib.h>

struct pipe *pipe_create(struct world *world)
{
    struct pipe *pipe = calloc(1, sizeof *pipe);
    CHECK(pipe != NULL);
    for (uint8_t side = 0; side < 2; side++) {
        pipe->ends[side].pipe = pipe;
        pipe->ends[side].last = &pipe->ends[side].first;
    }
    pipe->port = (uint16_t)(32768 + rng_below(&world->rng, 28000));
    pipe->next = world->pipes;
    if (world->pipes != NULL) {
        world->pipes->previous = pipe;
    }
    world->pipes = pipe;
    pipe->references = 1;
    return pipe;
}

struct pipe *pipe_hold(struct pipe *pipe)
{
    pipe->references++;
    return pipe;
}

void pipe_drop_segments(struct world *world, struct pipe *pipe, uint8_t side)
{
    struct pipe_end *end = &pipe->ends[side];
    while (end->first != NULL) {
        struct parcel *segment = end->first;
        end->first = segment->next;
        parcel_free(world, segment); /* segments in a pipe do not hold it */
    }
    end->last = &end->first;
}

void pipe_release(struct world *world, struct pipe *pipe)
{
    CHECK(pipe->references > 0);
    if (--pipe->references > 0) {
        return;
    }
    pipe_drop_segments(world, pipe, 0);
    pipe_drop_segments(world, pipe, 1);
    if (pipe->next != NULL) {
        pipe->next->previous = pipe->previous;
    }
    if (pipe->previous != NULL) {
        pipe->previous->next = pipe->next;
    } else {
        world->pipes = pipe->next;
    }
    free(pipe);
}

struct pipe *pipe_find(const struct host *host, uint32_t stream, uint8_t *side)
{
    for (const struct pipe_end *end = host->ends; end != NULL; end = end->next) {
        if (end->stream == stream && end->life == host->life) {
            *side = end == &end->pipe->ends[1];
            return end->pipe;
        }
    }
    return NULL;
}

void pipe_open_end(struct pipe *pipe, uint8_t side, struct host *host, uint32_t stream)
{
    struct pipe_end *end = &pipe->ends[side];
    end->host = host;
    end->life = host->life;
    end->stream = stream;
    end->is_open = true;
    end->previous = NULL;
    end->next = host->ends;
    if (end->next != NULL) {
        end->next->previous = end;
    }
    host->ends = end;
    pipe_hold(pipe);
}

void pipe_close_end(struct world *world, struct pipe *pipe, uint8_t side)
{
    struct pipe_end *end = &pipe->ends[side];
    if (!end->is_open) {
        return;
    }
    end->is_open = false;
    if (end->next != NULL) {
        end->next->previous = end->previous;
    }
    *(end->previous == NULL ? &end->host->ends : &end->previous->next) = end->next;
    pipe_release(world, pipe);
}
