/* SPDX-License-Identifier: MIT
 *
 * See host.h.
 */
#include "sim/host.h"

#include "sim/network.h"
#include "sim/parcel.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

#define HOST_PACKET_OVERHEAD 256  /* what the kernel books for a datagram besides its bytes */
#define HOST_DISK_LEAST_US 300
#define HOST_DISK_MOST_US 20000
#define HOST_DISK_FAILS 0.003    /* of all batches: the disk says no */
#define HOST_TICKS_AT_ONCE 10000  /* a node that is due again at once, this often in a row, never ends */

struct host *host_create(struct world *world, const char *name)
{
    if (world->host_count == world->host_capacity) {
        world->host_capacity = world->host_capacity == 0 ? 16 : world->host_capacity * 2;
        world->hosts = world_resize(world->hosts, world->host_capacity * sizeof *world->hosts);
    }
    struct host *host = calloc(1, sizeof *host);
    CHECK(host != NULL);
    host->world = world;
    host->number = world->host_count;
    host->place = WORLD_NOWHERE;
    host->waiting_end = &host->waiting;
    host->unsent_end = &host->unsent;
    (void)snprintf(host->name, sizeof host->name, "%s", name);
    world->hosts[world->host_count++] = host;
    host_move(host, world_add_place(world));
    return host;
}

static void forget_waiting(struct host *host)
{
    while (host->waiting != NULL) {
        struct parcel *parcel = host->waiting;
        host->waiting = parcel->next;
        network_free(host->world, parcel);
    }
    while (host->unsent != NULL) {
        struct parcel *parcel = host->unsent;
        host->unsent = parcel->next;
        network_free(host->world, parcel);
    }
    host->unsent_end = &host->unsent;
    host->waiting_end = &host->waiting;
    host->waiting_packet_bytes = host->waiting_stream_bytes = 0;
    host->waiting_accepts = 0;
}

void host_destroy(struct host *host)
{
    forget_waiting(host);
    hearsay_destroy(host->node);
    disk_deinit(&host->disk);
    free(host->deaf_to);
    free(host);
}

void host_move(struct host *host, uint32_t place)
{
    struct world *world = host->world;
    CHECK(host->node == NULL && place < world->place_count);
    if (host->place != WORLD_NOWHERE && world->places[host->place] == host->number) {
        world->places[host->place] = WORLD_NOWHERE;
    }
    if (world->places[place] != WORLD_NOWHERE) {
        struct host *other = world->hosts[world->places[place]];
        CHECK(other->node == NULL);
        other->place = WORLD_NOWHERE;
    }
    world->places[place] = host->number;
    host->place = place;
}

/* ---- outputs ---------------------------------------------------------------------------------------------------------------- */

static void digest_output(struct host *host, const struct hearsay_output *output)
{
    struct world *world = host->world;
    const struct hearsay_event *event = &output->event;
    uint8_t head[40] = {(uint8_t)output->type, (uint8_t)event->type, (uint8_t)event->cause.reason, output->address.size};
    bytes_put_u64(head + 4, world->now);
    bytes_put_u32(head + 12, host->number);
    bytes_put_u32(head + 16, output->stream);
    bytes_put_u16(head + 20, output->address.port);
    memcpy(head + 22, output->address.bytes, 16);
    world_digest_add(world, head, sizeof head);
    if (output->type == HEARSAY_PERSIST) {
        uint8_t batch[16];
        bytes_put_u64(batch, output->persist.batch);
        bytes_put_u64(batch + 8, output->persist.count);
        world_digest_add(world, batch, sizeof batch);
    } else if (output->type == HEARSAY_NOTIFY) {
        const char *who = event->member.name != NULL ? event->member.name : event->name;
        world_digest_add(world, who, who == NULL ? 0 : strlen(who));
        world_digest_add(world, event->payload.data, event->payload.size);
    } else {
        world_digest_add(world, output->bytes.data, output->bytes.size);
    }
}

/* When its clock will show that. */
static uint64_t world_time(const struct host *host, uint64_t deadline)
{
    if (host->drift_ppm == 0 || deadline <= host->clock_at) {
        return deadline <= host->clock_at ? host->clock_set_at : deadline - host->clock_at + host->clock_set_at;
    }
    return host->clock_set_at + (deadline - host->clock_at) * 1000000 / (uint64_t)(1000000 + host->drift_ppm) + 1;
}

/* An event loop that counts whole units takes its own time to be the last whole one, rounds the deadline up and sleeps for the difference
 * from where it really is: it is late by one unit on average. */
static uint64_t loop_time(const struct world *world, uint64_t at)
{
    uint64_t grain = world->options.timer_grain_us;
    if (grain == 0) {
        return at;
    }
    uint64_t since = world->now % grain, next = world->now - since + grain, due = (at + grain - 1) / grain * grain;
    return (due < next ? next : due) + since;
}

static void wait_to_send(struct host *host, const struct hearsay_output *output)
{
    struct parcel *parcel = parcel_make(host->world, PARCEL_PACKET, output->bytes.data, output->bytes.size);
    parcel->from = output->address;
    *host->unsent_end = parcel;
    host->unsent_end = &parcel->next;
}

static void note_wake(struct host *host)
{
    if (host->last_wake_at != host->world->now) {
        host->last_wake_at = host->world->now;
        host->traffic.wakes++;
        host->ticks_in_a_row = 0;
    }
    host->world->inputs++;
}

static void on_written(struct world *world, struct event *event)
{
    struct host *host = event->object;
    if (host->node == NULL || host->life != event->number) {
        return; /* it died meanwhile: disk_crash has decided */
    }
    if (host->state != HOST_RUNNING) { /* the answer waits for it */
        struct event *again = world_schedule(world, world->now + HOST_DISK_MOST_US, on_written);
        again->object = host;
        again->number = event->number;
        again->value = event->value;
        return;
    }
    bool is_written = !world_chance(world, HOST_DISK_FAILS);
    if (is_written) {
        disk_commit(&host->disk);
    } else {
        disk_crash(&host->disk, false);
    }
    note_wake(host);
    hearsay_persisted(host->node, host_now(host), event->value, is_written);
    host_drain(host);
}

static void write_to_disk(struct host *host, const struct hearsay_persist *persist)
{
    struct world *world = host->world;
    uint64_t takes = HOST_DISK_LEAST_US + rng_below(&world->rng, HOST_DISK_MOST_US - HOST_DISK_LEAST_US);
    disk_begin(&host->disk, persist);
    struct event *event = world_schedule(world, world->now + takes, on_written);
    event->object = host;
    event->number = host->life;
    event->value = persist->batch;
}

void host_drain(struct host *host)
{
    struct world *world = host->world;
    struct hearsay_output output = {0};
    while (host->node != NULL && hearsay_next_output(host->node, &output)) {
        digest_output(host, &output);
        switch (output.type) {
        case HEARSAY_SEND_PACKET:
            if (host->is_blocked) {
                wait_to_send(host, &output);
            } else {
                network_send(host, &output.address, output.bytes);
            }
            break;
        case HEARSAY_OPEN_STREAM:
            network_open(host, &output.address, output.stream);
            break;
        case HEARSAY_SEND_STREAM:
            network_write(host, output.stream, output.bytes);
            break;
        case HEARSAY_CLOSE_STREAM:
            network_close(host, output.stream);
            break;
        case HEARSAY_PERSIST:
            write_to_disk(host, &output.persist);
            break;
        case HEARSAY_NOTIFY:
            if (world->options.on_event != NULL) {
                world->options.on_event(world->options.context, host, &output.event);
            }
            break;
        }
    }
    if (host->node != NULL && host->state == HOST_RUNNING) {
        uint64_t deadline = hearsay_next_deadline(host->node);
        if (deadline == UINT64_MAX) {
            heap_remove(&world->wakes, host->number);
        } else {
            heap_set(&world->wakes, host->number, loop_time(world, world_time(host, deadline)));
        }
    }
}

/* ---- inputs ----------------------------------------------------------------------------------------------------------------- */

void host_tick(struct host *host)
{
    if (host->state != HOST_RUNNING) {
        return;
    }
    note_wake(host);
    CHECK(++host->ticks_in_a_row < HOST_TICKS_AT_ONCE);
    hearsay_tick(host->node, host_now(host));
    host_drain(host);
}

static void hear(struct host *host, struct parcel *parcel)
{
    uint64_t now = host_now(host);
    note_wake(host);
    if (parcel->type == PARCEL_PACKET) {
        host->traffic.packets_in++;
        hearsay_receive_packet(host->node, now, &parcel->from, parcel->data, parcel->size);
    } else {
        network_hear(host, parcel);
    }
    host_drain(host);
    network_free(host->world, parcel);
}

static void keep_waiting(struct host *host, struct parcel *parcel)
{
    if (parcel->type == PARCEL_PACKET) {
        uint64_t booked = parcel->size + HOST_PACKET_OVERHEAD;
        if (host->waiting_packet_bytes + booked > HOST_BUFFER_BYTES) {
            host->traffic.buffer_full++;
            network_free(host->world, parcel);
            return;
        }
        host->waiting_packet_bytes += booked;
    }
    host->waiting_accepts += parcel->type == PARCEL_ACCEPT;
    host->waiting_stream_bytes += parcel->type == PARCEL_BYTES ? parcel->size : 0;
    parcel->next = NULL;
    *host->waiting_end = parcel;
    host->waiting_end = &parcel->next;
}

void host_deliver(struct host *host, struct parcel *parcel)
{
    if (host->node == NULL) {
        network_free(host->world, parcel);
    } else if (host->state == HOST_FROZEN || host->is_blocked) {
        keep_waiting(host, parcel);
    } else {
        hear(host, parcel);
    }
}

bool host_has_room(const struct host *host, size_t size)
{
    return size == 0 ? host->waiting_accepts < HOST_BACKLOG : host->waiting_stream_bytes + size <= HOST_BUFFER_BYTES;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

static void load_disk(struct host *host)
{
    for (uint32_t i = 0; i < host->disk.count; i++) {
        (void)!hearsay_store_load(host->node, &host->disk.rows[i].entry); /* what memory does not hold is repaired later */
    }
}

hearsay_err host_start(struct host *host, const struct hearsay_options *options)
{
    struct world *world = host->world;
    CHECK(host->node == NULL && host->place != WORLD_NOWHERE);
    struct hearsay_options o = *options;
    hearsay_err err;
    o.name = o.name == NULL ? host->name : o.name;
    o.advertise = world_address(host->place);
    o.seed = rng_next(&world->rng);
    o.pool = world->pool;
    o.store_hlc_mark = host->disk.hlc_mark;
    o.store_purge_hlc = host->disk.purge_hlc;
    host->node = hearsay_create(&o, host_now(host), &err);
    if (host->node == NULL) {
        return err;
    }
    host->life++;
    host->state = HOST_RUNNING;
    host->last_wake_at = 0;
    load_disk(host);
    hearsay_set_wall_clock(host->node, host_now(host), HOST_UNIX_MS + host_now(host) / 1000);
    for (uint32_t i = 0; i < host->disk.meeting_count; i++) {
        (void)!hearsay_store_load_meeting(host->node, host_now(host), &host->disk.meetings[i]);
    }
    host_drain(host);
    return HEARSAY_OK;
}

static void stop(struct host *host, enum host_state state, bool tells_peers)
{
    if (host->node == NULL) {
        host->state = state;
        return;
    }
    heap_remove(&host->world->wakes, host->number);
    forget_waiting(host);
    host->state = state;
    if (host->disk.is_writing) {
        disk_crash(&host->disk, world_chance(host->world, 0.5));
    }
    network_host_stopped(host, tells_peers);
    hearsay_destroy(host->node);
    host->node = NULL;
    host->is_starved = host->is_blocked = false;
}

void host_crash(struct host *host)
{
    stop(host, HOST_DOWN, true);
}

void host_switch_off(struct host *host)
{
    stop(host, HOST_OFF, false);
}

void host_freeze(struct host *host)
{
    if (host->state == HOST_RUNNING) {
        host->state = HOST_FROZEN;
        heap_remove(&host->world->wakes, host->number);
    }
}

static void hear_waiting(struct host *host)
{
    struct parcel *parcel = host->waiting;
    host->waiting = NULL;
    host->waiting_end = &host->waiting;
    host->waiting_packet_bytes = host->waiting_stream_bytes = 0;
    host->waiting_accepts = 0;
    while (parcel != NULL) {
        struct parcel *next = parcel->next;
        hear(host, parcel);
        parcel = next;
    }
}

void host_thaw(struct host *host)
{
    if (host->state != HOST_FROZEN) {
        return;
    }
    host->state = HOST_RUNNING;
    if (!host->is_blocked) {
        hear_waiting(host);
    }
    host_drain(host); /* its deadline, if nothing waited */
}

void host_block(struct host *host)
{
    host->is_blocked = host->node != NULL;
}

void host_unblock(struct host *host)
{
    struct parcel *parcel = host->unsent;
    if (!host->is_blocked) {
        return;
    }
    host->is_blocked = false;
    host->unsent = NULL;
    host->unsent_end = &host->unsent;
    while (parcel != NULL) {
        struct parcel *next = parcel->next;
        network_send(host, &parcel->from, (struct hearsay_bytes){parcel->data, parcel->size});
        network_free(host->world, parcel);
        parcel = next;
    }
    if (host->state == HOST_RUNNING) {
        hear_waiting(host);
    }
}

void host_skew(struct host *host, uint64_t ahead_us, int32_t drift_ppm)
{
    uint64_t now = host_now(host);
    CHECK(drift_ppm > -1000000);
    host->clock_at = now + ahead_us;
    host->clock_set_at = host->world->now;
    host->drift_ppm = drift_ppm;
    if (host->node != NULL) {
        host_drain(host);
    }
}

/* ---- starvation ------------------------------------------------------------------------------------------------------------- */

static uint64_t around(struct world *world, uint32_t span)
{
    return span / 2 + rng_below(&world->rng, (uint64_t)span + 1);
}

static void on_slice_end(struct world *world, struct event *event);

static bool is_current(const struct host *host, const struct event *event)
{
    return host->is_starved && host->slice == event->number;
}

static void schedule_slice(struct host *host, uint64_t in, void (*run)(struct world *world, struct event *event))
{
    struct event *event = world_schedule(host->world, host->world->now + in, run);
    event->object = host;
    event->number = host->slice;
}

static void on_slice_begin(struct world *world, struct event *event)
{
    struct host *host = event->object;
    if (is_current(host, event)) {
        host_thaw(host);
        schedule_slice(host, around(world, host->run_us), on_slice_end);
    }
}

static void on_slice_end(struct world *world, struct event *event)
{
    struct host *host = event->object;
    if (is_current(host, event)) {
        host_freeze(host);
        schedule_slice(host, around(world, host->every_us - host->run_us), on_slice_begin);
    }
}

void host_starve(struct host *host, uint32_t run_us, uint32_t every_us)
{
    host->slice++;
    host->is_starved = every_us > run_us && host->node != NULL;
    host->run_us = run_us;
    host->every_us = every_us;
    if (!host->is_starved) {
        host_thaw(host);
        return;
    }
    host_freeze(host);
    schedule_slice(host, rng_below(&host->world->rng, every_us), on_slice_begin);
}
