/* SPDX-License-Identifier: MIT
 *
 * See network.h. Streams follow TCP where a node can tell the difference: a lost SYN is sent again after 1, 2, 4 … s, a lost segment
 * after 0.2, 0.4 … s, and what was behind it waits; the kernel of a frozen process still accepts, up to its backlog.
 */
#include "sim/network.h"

#include "sim/parcel.h"
#include "sim/pipe.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdlib.h>

#define NETWORK_SYN_US 1000000u       /* wait after the first unanswered SYN; doubles */
#define NETWORK_SYNS 7
#define NETWORK_RESEND_US 200000u     /* wait after the first unanswered segment; doubles */
#define NETWORK_RESEND_DOUBLINGS 8
#define NETWORK_QUEUE_US 1000000u     /* longest queue in front of a capped link */
#define NETWORK_ORPHAN_FAILURES 8     /* a closed end stops resending after so many failures */

/* ---- who hears whom ---------------------------------------------------------------------------------------------------------- */

void network_cut(struct host *from, const struct host *to)
{
    uint32_t words = to->number / 64 + 1;
    if (words > from->deaf_words) {
        from->deaf_to = world_resize(from->deaf_to, words * sizeof *from->deaf_to);
        memset(from->deaf_to + from->deaf_words, 0, (words - from->deaf_words) * sizeof *from->deaf_to);
        from->deaf_words = words;
    }
    from->deaf_to[to->number / 64] |= (uint64_t)1 << to->number % 64;
}

void network_mend(struct host *from, const struct host *to)
{
    if (to->number / 64 < from->deaf_words) {
        from->deaf_to[to->number / 64] &= ~((uint64_t)1 << to->number % 64);
    }
}

void network_mend_all(struct world *world)
{
    for (uint32_t i = 0; i < world->host_count; i++) {
        struct host *host = world->hosts[i];
        host->group = 0;
        if (host->deaf_to != NULL) {
            memset(host->deaf_to, 0, host->deaf_words * sizeof *host->deaf_to);
        }
    }
}

bool network_is_cut(const struct host *from, const struct host *to)
{
    if (from->group != to->group || to->state == HOST_OFF || from->state == HOST_OFF) {
        return true;
    }
    return to->number / 64 < from->deaf_words && (from->deaf_to[to->number / 64] >> to->number % 64 & 1) != 0;
}

static const struct link *link_of(const struct host *from, const struct host *to)
{
    if (from->link != NULL) {
        return from->link;
    }
    return to != NULL && to->link != NULL ? to->link : &from->world->options.link;
}

/* Gilbert-Elliott in continuous time: the receiver's bursts come and go whether or not anything arrives. */
static bool is_lost_in_burst(struct world *world, struct host *to, const struct link *link)
{
    if (link->burst_every_us == 0) {
        return false;
    }
    if (to->burst_changes_at == 0) {
        to->burst_changes_at = world->now + world_span(world, link->burst_every_us);
    }
    while (to->burst_changes_at <= world->now) {
        to->is_in_burst = !to->is_in_burst;
        to->burst_changes_at += 1 + world_span(world, to->is_in_burst ? link->burst_us : link->burst_every_us);
    }
    return to->is_in_burst && world_chance(world, link->burst_loss);
}

static bool is_lost(struct host *from, struct host *to, const struct link *link)
{
    struct world *world = from->world;
    return network_is_cut(from, to) || world_chance(world, link->loss) || is_lost_in_burst(world, to, link);
}

static uint64_t travel(struct world *world, const struct link *link)
{
    uint64_t jitter = 0;
    if (link->jitter_us > 0) {
        jitter = link->has_long_tail ? world_span(world, link->jitter_us) : rng_below(&world->rng, (uint64_t)link->jitter_us + 1);
    }
    return link->latency_us + jitter;
}

/* ---- datagrams --------------------------------------------------------------------------------------------------------------- */

static void on_served(struct world *world, struct event *event)
{
    struct parcel *parcel = event->object;
    struct hearsay_address to = world_address(event->number);
    struct host *host = world_find(world, &to);
    if (host == NULL) {
        network_free(world, parcel);
        return;
    }
    host_deliver(host, parcel);
}

static void on_packet(struct world *world, struct event *event)
{
    struct hearsay_address to = world_address(event->number);
    struct host *host = world_find(world, &to);
    if (world->options.cores == 0 || host == NULL) {
        on_served(world, event);
        return;
    }
    struct event *served = world_schedule(world, world_serve(world, host), on_served);
    served->object = event->object;
    served->number = event->number;
}

/* How long this waits until it has left a host with a capped link. */
static uint64_t queue_for(struct host *from, const struct link *link, size_t size)
{
    uint64_t now = from->world->now;
    if (link->bytes_per_second == 0) {
        return 0;
    }
    uint64_t begins_at = from->sent_until > now ? from->sent_until : now;
    uint64_t ends_at = begins_at + size * 1000000u / link->bytes_per_second;
    if (ends_at - now <= NETWORK_QUEUE_US) {
        from->sent_until = ends_at;
    }
    return ends_at - now;
}

static void send_copy(struct host *from, struct host *to, struct hearsay_bytes bytes, const struct link *link)
{
    struct world *world = from->world;
    if (is_lost(from, to, link)) {
        to->traffic.lost++;
        return;
    }
    uint64_t queued = queue_for(from, link, bytes.size);
    if (queued > NETWORK_QUEUE_US) {
        to->traffic.lost++;
        return;
    }
    uint64_t delay = queued + travel(world, link);
    delay += world_chance(world, link->reordering) ? link->reorder_us : 0; /* in this order: C leaves that of operands open */
    if (world->options.distance_us != NULL) {
        delay += world->options.distance_us(world->options.context, from, to);
    }
    struct parcel *parcel = parcel_make(world, PARCEL_PACKET, bytes.data, bytes.size);
    parcel->from = world_address(from->place);
    struct event *event = world_schedule(world, world->now + delay, on_packet);
    event->object = parcel;
    event->number = to->place;
}

void network_send(struct host *from, const struct hearsay_address *to, struct hearsay_bytes bytes)
{
    struct world *world = from->world;
    struct host *host = world_find(world, to);
    from->traffic.packets_out++;
    from->traffic.packet_bytes_out += bytes.size;
    if (world->options.on_packet != NULL) {
        world->options.on_packet(world->options.context, from, host, bytes);
    }
    if (host == NULL) {
        return;
    }
    const struct link *link = link_of(from, host);
    send_copy(from, host, bytes, link);
    if (world_chance(world, link->duplication)) {
        send_copy(from, host, bytes, link);
    }
}

/* ---- streams: telling the ends ----------------------------------------------------------------------------------------------- */

void network_free(struct world *world, struct parcel *parcel)
{
    struct pipe *pipe = parcel->pipe;
    parcel->pipe = NULL;
    parcel_free(world, parcel);
    if (pipe != NULL) {
        pipe_release(world, pipe);
    }
}

static bool is_held(const struct pipe_end *end)
{
    return end->is_open && end->host->life == end->life && end->host->node != NULL;
}

static void give(struct pipe *pipe, uint8_t side, struct parcel *parcel)
{
    parcel->pipe = pipe_hold(pipe);
    parcel->side = side;
    host_deliver(pipe->ends[side].host, parcel);
}

static void on_report(struct world *world, struct event *event)
{
    struct parcel *parcel = event->object;
    struct pipe *pipe = parcel->pipe;
    struct host *host = pipe->ends[parcel->side].host;
    if (is_held(&pipe->ends[parcel->side])) {
        host_deliver(host, parcel);
    } else {
        network_free(world, parcel);
    }
}

/* CONNECTED or CLOSED, to be heard after `delay`. */
static void report(struct world *world, struct pipe *pipe, uint8_t side, enum parcel_type type, enum hearsay_close how, uint64_t delay)
{
    struct parcel *parcel = parcel_make(world, type, NULL, 0);
    parcel->how = how;
    parcel->pipe = pipe_hold(pipe);
    parcel->side = side;
    struct event *event = world_schedule(world, world->now + delay, on_report);
    event->object = parcel;
}

static void reset_other(struct world *world, struct pipe *pipe, uint8_t side)
{
    uint8_t other = (uint8_t)!side;
    const struct pipe_end *end = &pipe->ends[side];
    if (is_held(&pipe->ends[other]) && end->host != NULL && !network_is_cut(end->host, pipe->ends[other].host)) {
        report(world, pipe, other, PARCEL_CLOSED, HEARSAY_CLOSE_RESET, travel(world, link_of(end->host, pipe->ends[other].host)));
    }
}

void network_hear(struct host *host, struct parcel *parcel)
{
    struct world *world = host->world;
    struct pipe *pipe = parcel->pipe;
    struct pipe_end *end = &pipe->ends[parcel->side];
    if (!is_held(end)) {
        if (parcel->type == PARCEL_BYTES) {
            reset_other(world, pipe, parcel->side);
        }
        return;
    }
    switch (parcel->type) {
    case PARCEL_ACCEPT:
        end->stream = hearsay_stream_accepted(host->node, host_now(host), &parcel->from);
        if (end->stream == 0) {
            reset_other(world, pipe, parcel->side);
            pipe_close_end(world, pipe, parcel->side);
        }
        break;
    case PARCEL_CONNECTED:
        hearsay_stream_connected(host->node, host_now(host), end->stream);
        break;
    case PARCEL_BYTES:
        hearsay_receive_stream(host->node, host_now(host), end->stream, parcel->data, parcel->size);
        break;
    case PARCEL_CLOSED: {
        uint32_t stream = end->stream;
        pipe_close_end(world, pipe, parcel->side);
        hearsay_stream_closed(host->node, host_now(host), stream, parcel->how);
        break;
    }
    case PARCEL_PACKET:
        break;
    }
}

/* ---- streams: connecting ------------------------------------------------------------------------------------------------------ */

static void on_syn(struct world *world, struct event *event);

static void schedule_syn(struct world *world, struct pipe *pipe, uint64_t delay)
{
    struct event *event = world_schedule(world, world->now + delay, on_syn);
    event->object = pipe;
}

static void syn_again(struct world *world, struct pipe *pipe)
{
    struct pipe_end *end = &pipe->ends[0];
    if (++end->failures < NETWORK_SYNS) {
        schedule_syn(world, pipe, (uint64_t)NETWORK_SYN_US << (end->failures - 1));
        return;
    }
    report(world, pipe, 0, PARCEL_CLOSED, HEARSAY_CLOSE_TIMEOUT, 0);
    pipe_release(world, pipe);
}

static void connect_ends(struct world *world, struct pipe *pipe, struct host *target, const struct link *link)
{
    struct host *opener = pipe->ends[0].host;
    struct parcel *accept = parcel_make(world, PARCEL_ACCEPT, NULL, 0);
    accept->from = world_address(opener->place);
    accept->from.port = pipe->port;
    pipe_open_end(pipe, 1, target, 0);
    report(world, pipe, 0, PARCEL_CONNECTED, HEARSAY_CLOSE_END, travel(world, link));
    give(pipe, 1, accept);
}

/* The event holds the pipe until the connection is decided. */
static void on_syn(struct world *world, struct event *event)
{
    struct pipe *pipe = event->object;
    struct host *opener = pipe->ends[0].host, *target = world_find(world, &pipe->to);
    if (!is_held(&pipe->ends[0])) {
        pipe_release(world, pipe);
        return;
    }
    if (target == NULL || opener->is_blocked || network_is_cut(opener, target) || network_is_cut(target, opener)) {
        syn_again(world, pipe);
        return;
    }
    const struct link *link = link_of(opener, target);
    if (world_chance(world, link->loss) || is_lost_in_burst(world, target, link) ||
        (target->node != NULL && !host_has_room(target, 0))) {
        syn_again(world, pipe);
        return;
    }
    if (target->node == NULL) {
        report(world, pipe, 0, PARCEL_CLOSED, HEARSAY_CLOSE_REFUSED, travel(world, link));
    } else {
        connect_ends(world, pipe, target, link);
    }
    pipe_release(world, pipe);
}

void network_open(struct host *host, const struct hearsay_address *to, uint32_t stream)
{
    struct world *world = host->world;
    struct pipe *pipe = pipe_create(world); /* its one reference goes to the event */
    pipe->to = *to;
    pipe_open_end(pipe, 0, host, stream);
    host->traffic.streams_out++;
    schedule_syn(world, pipe, travel(world, link_of(host, world_find(world, to))));
}

/* ---- streams: carrying ------------------------------------------------------------------------------------------------------ */

static void on_carry(struct world *world, struct event *event);

static void schedule_carry(struct world *world, struct pipe *pipe, uint8_t side, uint64_t at)
{
    struct event *event = world_schedule(world, at, on_carry);
    event->object = pipe_hold(pipe);
    event->number = side;
    pipe->ends[side].is_carrying = true;
}

static bool is_blocked(struct world *world, const struct pipe_end *from, const struct pipe_end *to, const struct parcel *segment)
{
    const struct link *link = link_of(from->host, to->host);
    return from->host->is_blocked || network_is_cut(from->host, to->host) || network_is_cut(to->host, from->host) ||
           world_chance(world, link->loss) ||
           is_lost_in_burst(world, to->host, link) || (segment->size > 0 && !host_has_room(to->host, segment->size));
}

static void carry_later(struct world *world, struct pipe *pipe, uint8_t side)
{
    struct pipe_end *end = &pipe->ends[side];
    uint32_t doublings = end->failures < NETWORK_RESEND_DOUBLINGS ? end->failures : NETWORK_RESEND_DOUBLINGS;
    end->failures++;
    if (!end->is_open && end->failures > NETWORK_ORPHAN_FAILURES) {
        pipe_drop_segments(world, pipe, side);
        return;
    }
    schedule_carry(world, pipe, side, world->now + ((uint64_t)NETWORK_RESEND_US << doublings));
}

static void carry_first(struct world *world, struct pipe *pipe, uint8_t side)
{
    struct pipe_end *from = &pipe->ends[side], *to = &pipe->ends[!side];
    struct parcel *segment = from->first;
    if (is_blocked(world, from, to, segment)) {
        carry_later(world, pipe, side);
        return;
    }
    from->failures = 0;
    if (!is_held(to)) {
        if (segment->type == PARCEL_BYTES) {
            reset_other(world, pipe, (uint8_t)!side);
        }
        pipe_drop_segments(world, pipe, side);
        return;
    }
    from->first = segment->next;
    if (from->first == NULL) {
        from->last = &from->first;
    } else {
        schedule_carry(world, pipe, side, from->first->ready_at);
    }
    give(pipe, (uint8_t)!side, segment);
}

static void on_carry(struct world *world, struct event *event)
{
    struct pipe *pipe = event->object;
    uint8_t side = (uint8_t)event->number;
    pipe->ends[side].is_carrying = false;
    if (pipe->ends[side].first != NULL) {
        carry_first(world, pipe, side);
    }
    pipe_release(world, pipe);
}

/* A stream waits instead of losing. */
static uint64_t stream_queue_for(struct host *from, const struct link *link, size_t size)
{
    uint64_t now = from->world->now;
    if (link->bytes_per_second == 0) {
        return 0;
    }
    from->sent_until = (from->sent_until > now ? from->sent_until : now) + size * 1000000u / link->bytes_per_second;
    return from->sent_until - now;
}

static void append(struct host *host, struct pipe *pipe, uint8_t side, struct parcel *segment)
{
    struct world *world = host->world;
    struct pipe_end *end = &pipe->ends[side];
    const struct link *link = link_of(host, pipe->ends[!side].host);
    uint64_t ready_at = world->now + stream_queue_for(host, link, segment->size) + travel(world, link);
    end->ready_at = ready_at > end->ready_at ? ready_at : end->ready_at;
    segment->ready_at = end->ready_at;
    *end->last = segment;
    end->last = &segment->next;
    if (!end->is_carrying) {
        schedule_carry(world, pipe, side, segment->ready_at);
    }
}

void network_write(struct host *host, uint32_t stream, struct hearsay_bytes bytes)
{
    uint8_t side;
    struct world *world = host->world;
    struct pipe *pipe = pipe_find(host, stream, &side);
    if (pipe == NULL || pipe->ends[!side].host == NULL) {
        return;
    }
    host->traffic.stream_bytes_out += bytes.size;
    while (bytes.size > 0) {
        size_t size = 1 + rng_below(&world->rng, world->options.segment_bytes);
        size = size < bytes.size ? size : bytes.size;
        append(host, pipe, side, parcel_make(world, PARCEL_BYTES, bytes.data, size));
        bytes.data += size;
        bytes.size -= size;
    }
}

void network_close(struct host *host, uint32_t stream)
{
    uint8_t side;
    struct world *world = host->world;
    struct pipe *pipe = pipe_find(host, stream, &side);
    if (pipe == NULL) {
        return;
    }
    if (pipe->ends[!side].host != NULL) {
        struct parcel *end = parcel_make(world, PARCEL_CLOSED, NULL, 0);
        end->how = HEARSAY_CLOSE_END;
        append(host, pipe, side, end);
    }
    pipe_close_end(world, pipe, side);
}

/* ---- ends of processes and of the world ---------------------------------------------------------------------------------------- */

void network_host_stopped(struct host *host, bool tells_peers)
{
    struct world *world = host->world;
    for (struct pipe_end *end = host->ends, *next; end != NULL; end = next) {
        struct pipe *pipe = end->pipe;
        uint8_t side = end == &pipe->ends[1];
        next = end->next;
        pipe_drop_segments(world, pipe, side);
        if (tells_peers) {
            reset_other(world, pipe, side);
        }
        pipe_close_end(world, pipe, side);
    }
}

void network_deinit(struct world *world)
{
    for (struct pipe *pipe = world->pipes, *next; pipe != NULL; pipe = next) {
        next = pipe->next;
        pipe_drop_segments(world, pipe, 0);
        pipe_drop_segments(world, pipe, 1);
        free(pipe);
    }
    while (world->agenda.count > 0) {
        struct event *event = world->events[heap_take(&world->agenda)];
        if (event->run == on_packet || event->run == on_report) {
            ((struct parcel *)event->object)->pipe = NULL;
            parcel_free(world, event->object);
        }
    }
    parcel_deinit(world);
}
