/* SPDX-License-Identifier: MIT
 *
 * See world.h.
 */
#include "sim/world.h"

#include "sim/host.h"
#include "sim/network.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdlib.h>

#define WORLD_START_US 1000000u
#define WORLD_PLACES_MAX 0xffffffu

void *world_resize(void *old, size_t size)
{
    void *data = realloc(old, size);
    CHECK(data != NULL);
    return data;
}

struct world_options world_options_quiet(uint64_t seed)
{
    return (struct world_options){.seed = seed, .link = {.latency_us = 1000}, .segment_bytes = 4096};
}

struct world *world_create(const struct world_options *options)
{
    struct world *world = calloc(1, sizeof *world);
    CHECK(world != NULL && options->segment_bytes > 0);
    world->options = *options;
    world->now = WORLD_START_US;
    world->pool = hearsay_pool_create(NULL);
    CHECK(world->pool != NULL);
    rng_init(&world->rng, options->seed);
    return world;
}

void world_destroy(struct world *world)
{
    if (world == NULL) {
        return;
    }
    for (uint32_t i = 0; i < world->host_count; i++) {
        host_destroy(world->hosts[i]);
    }
    network_deinit(world);
    hearsay_pool_destroy(world->pool);
    heap_deinit(&world->agenda);
    heap_deinit(&world->wakes);
    for (uint32_t i = 0; i < world->event_count; i++) {
        free(world->events[i]);
    }
    free(world->events);
    free(world->hosts);
    free(world->places);
    free(world);
}

/* ---- what is due ---------------------------------------------------------------------------------------------------------- */

/* An event keeps its number for life: that is how it stands in the agenda. */
struct numbered_event {
    struct event event;
    uint32_t place;
};

static struct event *take_event(struct world *world)
{
    struct event *event = world->free_events;
    if (event != NULL) {
        world->free_events = event->next_free;
        return event;
    }
    if (world->event_count == world->event_capacity) {
        world->event_capacity = world->event_capacity == 0 ? 64 : world->event_capacity * 2;
        world->events = world_resize(world->events, world->event_capacity * sizeof *world->events);
    }
    struct numbered_event *made = world_resize(NULL, sizeof *made);
    made->place = world->event_count;
    world->events[world->event_count++] = &made->event;
    return &made->event;
}

struct event *world_schedule(struct world *world, uint64_t at, void (*run)(struct world *world, struct event *event))
{
    struct event *event = take_event(world);
    *event = (struct event){.run = run};
    heap_set(&world->agenda, ((struct numbered_event *)(void *)event)->place, at < world->now ? world->now : at);
    return event;
}

uint64_t world_serve(struct world *world, struct host *host)
{
    uint64_t *core = world->core_free_at;
    if (host->served_at > world->now) {
        return host->served_at;
    }
    for (uint32_t i = 1; i < world->options.cores; i++) {
        core = world->core_free_at[i] < *core ? &world->core_free_at[i] : core;
    }
    *core = (*core > world->now ? *core : world->now) + world->options.wake_cpu_us;
    host->served_at = *core;
    return *core;
}

/* A host whose deadline has come; with shared cores it first waits for one. */
static void wake_host(struct world *world, struct host *host)
{
    if (world->options.cores > 0 && !host->has_core) {
        host->has_core = true;
        heap_set(&world->wakes, host->number, world_serve(world, host));
        return;
    }
    host->has_core = false;
    host_tick(host);
}

/* What the network brings comes before deadlines of the same instant: hosts drain their sockets before they tick. */
bool world_step(struct world *world, uint64_t until)
{
    uint64_t arrival = heap_next(&world->agenda), wake = heap_next(&world->wakes);
    uint64_t next = arrival <= wake ? arrival : wake;
    if (next > until) {
        world->now = until > world->now ? until : world->now;
        return false;
    }
    world->now = next > world->now ? next : world->now;
    if (arrival > wake) {
        wake_host(world, world->hosts[heap_take(&world->wakes)]);
        return true;
    }
    struct event *event = world->events[heap_take(&world->agenda)];
    event->run(world, event);
    event->next_free = world->free_events;
    world->free_events = event;
    return true;
}

void world_run(struct world *world, uint64_t until)
{
    while (world_step(world, until)) {
    }
}

/* ---- places --------------------------------------------------------------------------------------------------------------- */

uint32_t world_add_place(struct world *world)
{
    CHECK(world->place_count < WORLD_PLACES_MAX);
    if (world->place_count == world->place_capacity) {
        world->place_capacity = world->place_capacity == 0 ? 16 : world->place_capacity * 2;
        world->places = world_resize(world->places, world->place_capacity * sizeof *world->places);
    }
    world->places[world->place_count] = WORLD_NOWHERE;
    return world->place_count++;
}

struct hearsay_address world_address(uint32_t place)
{
    uint32_t n = place + 1;
    return (struct hearsay_address){.bytes = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, .port = WORLD_PORT, .size = 4};
}

struct host *world_find(const struct world *world, const struct hearsay_address *address)
{
    struct hearsay_address a = address_normal(address);
    uint32_t place = ((uint32_t)a.bytes[1] << 16 | (uint32_t)a.bytes[2] << 8 | a.bytes[3]) - 1;
    if (a.size != 4 || a.bytes[0] != 10 || a.port != WORLD_PORT || place >= world->place_count) {
        return NULL;
    }
    uint32_t number = world->places[place];
    return number == WORLD_NOWHERE ? NULL : world->hosts[number];
}

/* ---- chance and digest ---------------------------------------------------------------------------------------------------- */

bool world_chance(struct world *world, double chance)
{
    return chance > 0 && rng_unit(&world->rng) < chance;
}

uint64_t world_span(struct world *world, uint64_t mean)
{
    uint64_t misses = 0;
    while (rng_below(&world->rng, 16) != 0) {
        misses++;
    }
    return misses * mean / 15;
}

uint64_t world_digest(const struct world *world)
{
    return world->digest;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9fb21c651e98df25u;
    return h ^ (h >> 29);
}

/* Eight bytes at a time: it runs over everything that is ever said. */
void world_digest_add(struct world *world, const void *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t h = mix(world->digest, size);
    if (size >= 64) { /* four at once: none waits for the one before */
        uint64_t a = h, b = h ^ 1, c = h ^ 2, d = h ^ 3;
        for (; size >= 32; size -= 32, at += 32) {
            a = mix(a, bytes_get_u64(at));
            b = mix(b, bytes_get_u64(at + 8));
            c = mix(c, bytes_get_u64(at + 16));
            d = mix(d, bytes_get_u64(at + 24));
        }
        h = mix(mix(a, b), mix(c, d));
    }
    for (; size >= 8; size -= 8, at += 8) {
        h = mix(h, bytes_get_u64(at));
    }
    for (; size > 0; size--) {
        h = mix(h, *at++);
    }
    world->digest = h;
}
