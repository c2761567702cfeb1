/* SPDX-License-Identifier: MIT
 *
 * See faults.h: beginning, ending and coming again. Drawing and telling stand in fault_draw.c.
 */
#include "sim/faults.h"

#include "sim/network.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOISE_BYTES_MAX 600

struct active {
    struct fault fault;
    struct faults *faults;
    uint32_t *who, who_count;   /* fixed when it first begins */
    uint32_t *whom, whom_count;
    uint32_t group;
    bool is_on;
};

struct faults {
    struct cluster *cluster;
    struct active *list;
    size_t count;
    uint64_t began_at;
    struct link usual;
    bool is_over;
    struct rng noise;
    void (*on_change)(void *context, const struct fault *fault, bool begins);
    void *context;
};

/* ---- crowds ------------------------------------------------------------------------------------------------------------------------- */

static bool is_everybody(const struct crowd *crowd)
{
    return crowd->first == 0 && crowd->count == 0 && crowd->share == 0;
}

static uint32_t size_of(const struct crowd *crowd, uint32_t all)
{
    uint32_t size = is_everybody(crowd) ? all : crowd->share > 0 ? (uint32_t)(crowd->share * all + 0.5) : crowd->count;
    size = size == 0 ? 1 : size;
    return size < all ? size : all;
}

static uint32_t *choose(const struct cluster *cluster, const struct crowd *crowd, uint32_t *count)
{
    uint32_t all = cluster->count, *list = world_resize(NULL, (all + 1) * sizeof *list);
    struct rng rng;
    *count = size_of(crowd, all);
    for (uint32_t i = 0; i < all; i++) {
        list[i] = (crowd->first > 0 ? crowd->first - 1 + i : i) % all;
    }
    rng_init(&rng, crowd->salt);
    for (uint32_t i = 0; crowd->first == 0 && *count < all && i < *count; i++) {
        uint32_t other = i + (uint32_t)rng_below(&rng, all - i), kept = list[i];
        list[i] = list[other];
        list[other] = kept;
    }
    return list;
}

static bool holds(const uint32_t *list, uint32_t count, uint32_t number)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == number) {
            return true;
        }
    }
    return false;
}

/* ---- links between crowds -------------------------------------------------------------------------------------------------------------- */

static void each_pair(struct active *active, void (*act)(struct host *from, const struct host *to))
{
    struct seat **seats = active->faults->cluster->seats;
    bool both = active->fault.kind == FAULT_CUT;
    for (uint32_t i = 0; i < active->who_count; i++) {
        for (uint32_t k = 0; k < active->whom_count; k++) {
            if (active->who[i] != active->whom[k]) {
                act(seats[active->who[i]]->host, seats[active->whom[k]]->host);
                if (both) {
                    act(seats[active->whom[k]]->host, seats[active->who[i]]->host);
                }
            }
        }
    }
}

static void set_group(struct active *active, uint32_t group)
{
    for (uint32_t i = 0; i < active->who_count; i++) {
        struct host *host = active->faults->cluster->seats[active->who[i]]->host;
        if (group != 0 || host->group == active->group) {
            host->group = group;
        }
    }
}

static void set_link(struct active *active, bool begins)
{
    struct faults *faults = active->faults;
    if (is_everybody(&active->fault.who)) {
        faults->cluster->world->options.link = begins ? active->fault.link : faults->usual;
        return;
    }
    for (uint32_t i = 0; i < active->who_count; i++) {
        struct host *host = faults->cluster->seats[active->who[i]]->host;
        if (begins) {
            host->link = &active->fault.link;
        } else if (host->link == &active->fault.link) {
            host->link = NULL;
        }
    }
}

/* ---- noise ------------------------------------------------------------------------------------------------------------------------------- */

static void on_noise(struct world *world, struct event *event);

static void make_noise_later(struct active *active)
{
    struct world *world = active->faults->cluster->world;
    double rate = active->fault.rate > 0 ? active->fault.rate : 10;
    struct event *event = world_schedule(world, world->now + 1 + (uint64_t)(1e6 / rate), on_noise);
    event->object = active;
}

/* Bytes that look like something: a message type first, then chance. */
static void on_noise(struct world *world, struct event *event)
{
    struct active *active = event->object;
    struct faults *faults = active->faults;
    uint8_t bytes[NOISE_BYTES_MAX];
    (void)world;
    if (!active->is_on || faults->is_over) {
        return;
    }
    size_t size = 1 + rng_below(&faults->noise, sizeof bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)rng_next(&faults->noise);
    }
    bytes[0] = rng_below(&faults->noise, 4) == 0 ? bytes[0] : (uint8_t)(bytes[0] % 15);
    struct host *to = faults->cluster->seats[active->who[rng_below(&faults->noise, active->who_count)]]->host;
    struct host *from = faults->cluster->seats[rng_below(&faults->noise, faults->cluster->count)]->host;
    struct hearsay_address address = world_address(to->place);
    network_send(from, &address, (struct hearsay_bytes){bytes, size});
    make_noise_later(active);
}

/* ---- one host ------------------------------------------------------------------------------------------------------------------------------ */

static void change_tags(struct active *active, struct host *host)
{
    char value[24];
    (void)snprintf(value, sizeof value, "%u", (unsigned)rng_below(&active->faults->noise, 1000000));
    struct hearsay_tag tag = {"drawn", value};
    if (host->node != NULL) {
        (void)!hearsay_set_tags(host->node, host_now(host), &tag, 1);
        host_drain(host);
    }
}

static void send_event(struct active *active, struct host *host)
{
    char payload[24];
    int size = snprintf(payload, sizeof payload, "%u", (unsigned)rng_below(&active->faults->noise, 1000000));
    if (host->node != NULL) {
        (void)!hearsay_send_event(host->node, host_now(host), "drawn", payload, (size_t)size, false);
        host_drain(host);
    }
}

static void harm(struct active *active, struct seat *seat)
{
    const struct fault *fault = &active->fault;
    struct host *host = seat->host;
    seat->is_harmed |= fault->kind != FAULT_EVENT && fault->kind != FAULT_TAGS;
    switch (fault->kind) {
    case FAULT_CRASH: cluster_crash(seat, false); break;
    case FAULT_SWITCH_OFF: cluster_crash(seat, true); break;
    case FAULT_LEAVE: cluster_leave(seat); break;
    case FAULT_FREEZE: host_freeze(host); break;
    case FAULT_BLOCK: host_block(host); break;
    case FAULT_SLOW: host_starve(host, fault->run_us, fault->slice_us); break;
    case FAULT_SKEW: host_skew(host, fault->ahead_us, fault->drift_ppm); break;
    case FAULT_EVENT: send_event(active, host); break;
    case FAULT_TAGS: change_tags(active, host); break;
    case FAULT_JOIN:
    case FAULT_CUT:
    case FAULT_CUT_ONE_WAY:
    case FAULT_PARTITION:
    case FAULT_LINK:
    case FAULT_GARBAGE:
    case FAULT_KINDS: break;
    }
}

static void mend(struct active *active, struct seat *seat)
{
    switch (active->fault.kind) {
    case FAULT_LEAVE:
        if (seat->has_left) {
            cluster_crash(seat, false);
        }
        cluster_boot(seat, active->fault.keeps_disk);
        break;
    case FAULT_CRASH:
    case FAULT_SWITCH_OFF: cluster_boot(seat, active->fault.keeps_disk); break;
    case FAULT_FREEZE: host_thaw(seat->host); break;
    case FAULT_BLOCK: host_unblock(seat->host); break;
    case FAULT_SLOW: host_starve(seat->host, 0, 0); break;
    case FAULT_SKEW: host_skew(seat->host, 0, 0); break;
    default: break;
    }
}

/* ---- all of them ----------------------------------------------------------------------------------------------------------------------------- */

static bool is_about_each_host(enum fault_kind kind)
{
    return kind != FAULT_JOIN && (kind < FAULT_CUT || kind > FAULT_GARBAGE);
}

static void begin_whole(struct active *active)
{
    struct cluster *cluster = active->faults->cluster;
    active->is_on = true;
    switch (active->fault.kind) {
    case FAULT_JOIN: cluster_grow(cluster, active->fault.who.count, active->fault.spacing_us); break;
    case FAULT_CUT:
    case FAULT_CUT_ONE_WAY: each_pair(active, network_cut); break;
    case FAULT_PARTITION: set_group(active, active->group); break;
    case FAULT_LINK: set_link(active, true); break;
    case FAULT_GARBAGE: make_noise_later(active); break;
    default: break;
    }
    for (uint32_t i = 0; i < active->who_count && !is_everybody(&active->fault.who) && active->fault.kind != FAULT_GARBAGE; i++) {
        cluster->seats[active->who[i]]->is_harmed |= active->fault.kind >= FAULT_CUT && active->fault.kind <= FAULT_LINK;
    }
}

static void end_whole(struct active *active)
{
    active->is_on = false;
    switch (active->fault.kind) {
    case FAULT_CUT:
    case FAULT_CUT_ONE_WAY: each_pair(active, network_mend); break;
    case FAULT_PARTITION: set_group(active, 0); break;
    case FAULT_LINK: set_link(active, false); break;
    default: break;
    }
}

/* number: host index + 1, or 0 for the whole; value: does it begin? */
static void on_turn(struct world *world, struct event *event);

static void schedule(struct active *active, uint64_t at, uint32_t number, bool begins)
{
    struct event *event = world_schedule(active->faults->cluster->world, at, on_turn);
    event->object = active;
    event->number = number;
    event->value = begins;
}

static void find_crowds(struct active *active)
{
    const struct cluster *cluster = active->faults->cluster;
    const struct fault *fault = &active->fault;
    if (active->who != NULL || fault->kind == FAULT_JOIN) {
        return;
    }
    active->who = choose(cluster, &fault->who, &active->who_count);
    active->whom = choose(cluster, &fault->whom, &active->whom_count);
    if (is_everybody(&fault->whom)) {
        active->whom_count = 0;
        for (uint32_t i = 0; i < cluster->count; i++) {
            if (!holds(active->who, active->who_count, i)) {
                active->whom[active->whom_count++] = i;
            }
        }
    }
}

/* An occurrence begins: every host gets its own begin and end, spaced; the next occurrence is arranged. */
static void begin_occurrence(struct active *active)
{
    const struct fault *fault = &active->fault;
    struct faults *faults = active->faults;
    uint64_t now = faults->cluster->world->now;
    find_crowds(active);
    if (is_about_each_host(fault->kind)) {
        for (uint32_t i = 0; i < active->who_count; i++) {
            uint64_t at = now + i * fault->spacing_us;
            schedule(active, at, active->who[i] + 1, true);
            if (fault->for_us > 0) {
                schedule(active, at + fault->for_us, active->who[i] + 1, false);
            }
        }
    } else {
        begin_whole(active);
        if (fault->for_us > 0) {
            schedule(active, now + fault->for_us, 0, false);
        }
    }
    if (fault->every_us > 0 && now + fault->every_us < faults->began_at + fault->until_us) {
        schedule(active, now + fault->every_us, 0, true);
    }
}

static void on_turn(struct world *world, struct event *event)
{
    struct active *active = event->object;
    struct faults *faults = active->faults;
    (void)world;
    if (faults->is_over) {
        return;
    }
    if (event->number > 0) {
        struct seat *seat = faults->cluster->seats[event->number - 1];
        (event->value != 0 ? harm : mend)(active, seat);
    } else if (event->value != 0) {
        begin_occurrence(active);
    } else {
        end_whole(active);
    }
    if (faults->on_change != NULL) {
        faults->on_change(faults->context, &active->fault, event->value != 0);
    }
}

struct faults *faults_start(struct cluster *cluster, const struct fault *list, size_t count,
                            void (*on_change)(void *context, const struct fault *fault, bool begins), void *context)
{
    struct faults *faults = calloc(1, sizeof *faults);
    CHECK(faults != NULL);
    faults->cluster = cluster;
    faults->usual = cluster->world->options.link;
    faults->began_at = cluster->world->now;
    faults->on_change = on_change;
    faults->context = context;
    faults->count = count;
    rng_init(&faults->noise, cluster->options.world.seed ^ 0x6e6f697365u);
    faults->list = calloc(count + 1, sizeof *faults->list);
    CHECK(faults->list != NULL);
    for (size_t i = 0; i < count; i++) {
        faults->list[i] = (struct active){.fault = list[i], .faults = faults, .group = (uint32_t)i + 1};
        schedule(&faults->list[i], faults->began_at + list[i].at_us, 0, true);
    }
    return faults;
}

void faults_heal(struct faults *faults)
{
    struct cluster *cluster = faults->cluster;
    faults->is_over = true;
    network_mend_all(cluster->world);
    cluster->world->options.link = faults->usual;
    for (uint32_t i = 0; i < cluster->count; i++) {
        struct seat *seat = cluster->seats[i];
        struct host *host = seat->host;
        host->link = NULL;
        host_starve(host, 0, 0);
        host_thaw(host);
        host_unblock(host);
        host_skew(host, 0, 0);
        if (seat->has_left) {
            cluster_crash(seat, false);
        }
        cluster_boot(seat, false);
    }
}

void faults_destroy(struct faults *faults)
{
    if (faults == NULL) {
        return;
    }
    for (size_t i = 0; i < faults->count; i++) {
        free(faults->list[i].who);
        free(faults->list[i].whom);
    }
    free(faults->list);
    free(faults);
}
