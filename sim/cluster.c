/* SPDX-License-Identifier: MIT
 *
 * See cluster.h.
 */
#include "sim/cluster.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTER_RETRY_US 5000000u
#define CLUSTER_POLL_US 100000u
#define CLUSTER_TARGETS 3
#define CLUSTER_KEPT_BYTES (32 << 20)

static void on_event(void *context, struct host *host, const struct hearsay_event *event);

struct cluster *cluster_create(const struct cluster_options *options)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    CHECK(cluster != NULL);
#ifdef M_MMAP_THRESHOLD /* lists of members come and go as buffers of a megabyte: not page by page from the kernel each time */
    (void)mallopt(M_MMAP_THRESHOLD, CLUSTER_KEPT_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, CLUSTER_KEPT_BYTES);
#endif
    cluster->options = *options;
    struct world_options world = options->world;
    world.on_event = on_event;
    world.context = cluster; /* of on_packet too */
    cluster->world = world_create(&world);
    rng_init(&cluster->scarcity, world.seed ^ 0x5ca7c17u);
    return cluster;
}

void cluster_destroy(struct cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    world_destroy(cluster->world);
    for (uint32_t i = 0; i < cluster->count; i++) {
        free(cluster->seats[i]->remembered);
        free(cluster->seats[i]);
    }
    free(cluster->seats);
    free(cluster);
}

/* ---- memory of nodes: counted, and scarce when asked ---------------------------------------------------------------------------- */

/* Says before the bytes how many were asked for: what the C library really gives differs from one to the next. */
union block {
    size_t size;
    max_align_t any;
};

static void *resize(void *context, void *old, size_t size)
{
    struct seat *seat = context;
    struct cluster *cluster = seat->cluster;
    union block *block = old == NULL ? NULL : (union block *)old - 1;
    size_t before = block == NULL ? 0 : block->size;
    if (size == 0) {
        free(block);
        seat->bytes -= before;
        return NULL;
    }
    if (cluster->is_scarce && rng_unit(&cluster->scarcity) < cluster->options.allocation_failures) {
        cluster->failed_allocations++;
        return NULL;
    }
    block = realloc(block, sizeof *block + size);
    CHECK(block != NULL);
    block->size = size;
    seat->bytes += size - before;
    seat->bytes_peak = seat->bytes > seat->bytes_peak ? seat->bytes : seat->bytes_peak;
    return block + 1;
}

/* ---- starting and joining --------------------------------------------------------------------------------------------------------- */

/* Somebody to join through: at random among those of a lower number (the first has nobody, unless it comes back). */
static uint32_t pick_target(const struct seat *seat)
{
    struct cluster *cluster = seat->cluster;
    uint32_t number = seat->host->number, bound = seat->down_at == 0 && number > 0 ? number : cluster->count;
    uint32_t picked = (uint32_t)rng_below(&cluster->world->rng, bound);
    return picked == number ? (picked + 1) % bound : picked;
}

static void on_retry(struct world *world, struct event *event);

static void retry_later(struct seat *seat)
{
    struct event *event = world_schedule(seat->cluster->world, seat->cluster->world->now + CLUSTER_RETRY_US, on_retry);
    event->object = seat;
    event->number = seat->host->life;
}

static void call_on_others(struct seat *seat)
{
    struct hearsay_target targets[CLUSTER_TARGETS] = {0};
    struct cluster *cluster = seat->cluster;
    if (cluster->count < 2) {
        return;
    }
    for (uint32_t i = 0; i < CLUSTER_TARGETS; i++) {
        targets[i].address = world_address(cluster->seats[pick_target(seat)]->host->place);
    }
    if (hearsay_join(seat->host->node, host_now(seat->host), targets, CLUSTER_TARGETS, false, &seat->ticket) != HEARSAY_OK) {
        retry_later(seat);
    }
    host_drain(seat->host);
}

static void on_retry(struct world *world, struct event *event)
{
    struct seat *seat = event->object;
    (void)world;
    if (seat->host->node != NULL && seat->host->life == event->number && !seat->is_met && !seat->has_left) {
        if (seat->host->state == HOST_FROZEN) {
            retry_later(seat);
        } else {
            call_on_others(seat);
        }
    }
}

static void on_left(struct world *world, struct event *event)
{
    struct seat *seat = event->object;
    (void)world;
    if (seat->host->life == event->number) {
        cluster_crash(seat, false);
    }
}

static void on_event(void *context, struct host *host, const struct hearsay_event *event)
{
    struct cluster *cluster = context;
    struct seat *seat = host->number < cluster->count ? cluster->seats[host->number] : NULL;
    if (seat == NULL) {
        return;
    }
    seat->is_recounted &= event->type > HEARSAY_MEMBER_REAP;
    if (event->type == HEARSAY_JOIN_RESULT && event->ticket == seat->ticket) {
        seat->is_met |= event->contacted;
        if (event->is_last && !seat->is_met) {
            retry_later(seat);
        }
    }
    if (event->type == HEARSAY_LEAVE_DONE && seat->has_left) { /* the agent ends; its node cannot while it speaks */
        struct event *end = world_schedule(cluster->world, cluster->world->now, on_left);
        end->object = seat;
        end->number = host->life;
    }
    if (cluster->options.on_event != NULL) {
        cluster->options.on_event(cluster->options.context, seat, event);
    }
}

static hearsay_err start_node(struct seat *seat, bool keeps_disk)
{
    struct hearsay_options options = seat->cluster->options.node;
    options.name = NULL;
    options.allocator = (struct hearsay_allocator){.context = seat, .resize = resize};
    if (keeps_disk) {
        options.clock = seat->clock;
        options.event_clock = seat->event_clock;
    }
    return host_start(seat->host, &options);
}

static void remember_members(struct seat *seat)
{
    for (uint32_t i = 0; i < seat->remembered_count; i++) {
        const struct host *other = seat->cluster->seats[seat->remembered[i]]->host;
        struct hearsay_address address = world_address(other->place);
        (void)!hearsay_remember(seat->host->node, host_now(seat->host), other->name, &address);
    }
    host_drain(seat->host);
}

static void on_boot_again(struct world *world, struct event *event)
{
    struct seat *seat = event->object;
    (void)world;
    if (seat->host->node == NULL && seat->host->life == event->number) {
        cluster_boot(seat, false);
    }
}

void cluster_boot(struct seat *seat, bool keeps_disk)
{
    if (seat->host->node != NULL) {
        return;
    }
    seat->is_met = seat->has_left = seat->is_recounted = false;
    bool is_empty = !keeps_disk || !seat->cluster->options.node.store_durable; /* a store in memory ends with its life */
    if (is_empty && seat->down_at != 0) {
        if (seat->cluster->options.on_wipe != NULL) {
            seat->cluster->options.on_wipe(seat->cluster->options.context, seat);
        }
        disk_wipe(&seat->host->disk);
    }
    if (start_node(seat, keeps_disk) != HEARSAY_OK) { /* memory is scarce: whoever supervises it starts it again */
        struct event *event = world_schedule(seat->cluster->world, seat->cluster->world->now + CLUSTER_RETRY_US, on_boot_again);
        event->object = seat;
        event->number = seat->host->life;
        return;
    }
    if (keeps_disk) {
        remember_members(seat);
    }
    call_on_others(seat);
}

static struct seat *add_seat(struct cluster *cluster)
{
    char name[16];
    if (cluster->count == cluster->capacity) {
        cluster->capacity = cluster->capacity == 0 ? 64 : cluster->capacity * 2;
        cluster->seats = world_resize(cluster->seats, cluster->capacity * sizeof *cluster->seats);
    }
    struct seat *seat = calloc(1, sizeof *seat);
    CHECK(seat != NULL);
    (void)snprintf(name, sizeof name, "n%u", cluster->count + 1);
    seat->cluster = cluster;
    seat->host = host_create(cluster->world, name);
    CHECK(seat->host->number == cluster->count);
    cluster->seats[cluster->count++] = seat;
    return seat;
}

static void on_grow(struct world *world, struct event *event)
{
    (void)world;
    cluster_boot(event->object, false);
}

void cluster_grow(struct cluster *cluster, uint32_t count, uint64_t spacing_us)
{
    for (uint32_t i = 0; i < count; i++) {
        struct seat *seat = add_seat(cluster);
        struct event *event = world_schedule(cluster->world, cluster->world->now + i * spacing_us, on_grow);
        event->object = seat;
    }
}

void cluster_place(struct cluster *cluster, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct seat *seat = add_seat(cluster);
        CHECK(start_node(seat, false) == HEARSAY_OK);
        seat->is_met = true;
    }
}

bool cluster_meet(struct cluster *cluster, uint64_t patience_us)
{
    uint64_t until = cluster->world->now + patience_us;
    while (cluster_running(cluster) < cluster->count || !cluster_agrees(cluster)) {
        if (cluster->world->now >= until) {
            return false;
        }
        world_run(cluster->world, cluster->world->now + CLUSTER_POLL_US);
    }
    return true;
}

/* ---- ending ------------------------------------------------------------------------------------------------------------------------- */

static void write_snapshot(struct seat *seat)
{
    struct hearsay_member member;
    struct hearsay_stats stats;
    hearsay_get_stats(seat->host->node, &stats);
    seat->clock = stats.member_time;
    seat->event_clock = stats.event_time;
    seat->remembered = world_resize(seat->remembered, (stats.members + 1) * sizeof *seat->remembered);
    seat->remembered_count = 0;
    for (size_t position = 0; hearsay_next_member(seat->host->node, &position, &member);) {
        struct seat *other = member.status == HEARSAY_ALIVE && !member.is_self ? cluster_find(seat->cluster, member.name) : NULL;
        if (other != NULL && seat->remembered_count < stats.members) {
            seat->remembered[seat->remembered_count++] = other->host->number;
        }
    }
}

void cluster_crash(struct seat *seat, bool with_machine)
{
    if (seat->host->node != NULL) {
        write_snapshot(seat);
        seat->down_at = seat->cluster->world->now;
    }
    if (with_machine) {
        host_switch_off(seat->host);
    } else {
        host_crash(seat->host);
    }
}

void cluster_leave(struct seat *seat)
{
    if (seat->host->node != NULL && hearsay_leave(seat->host->node, host_now(seat->host)) == HEARSAY_OK) {
        seat->has_left = true;
        host_drain(seat->host);
    }
}

/* ---- who ought to be alive ----------------------------------------------------------------------------------------------------------- */

static bool is_in(const struct seat *seat)
{
    return seat->host->node != NULL && !seat->has_left;
}

uint32_t cluster_running(const struct cluster *cluster)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < cluster->count; i++) {
        running += is_in(cluster->seats[i]);
    }
    return running;
}

bool cluster_is_right_at(struct seat *seat, uint32_t running)
{
    struct hearsay_stats stats;
    if (!is_in(seat)) {
        return true;
    }
    if (!seat->is_recounted) { /* whoever comes to be shown, or is shown no more, makes an event */
        hearsay_get_stats(seat->host->node, &stats);
        seat->shown = stats.alive + stats.suspect;
        seat->is_recounted = true;
    }
    return seat->shown == running;
}

struct seat *cluster_find(const struct cluster *cluster, const char *name)
{
    char *end = NULL;
    unsigned long number = name[0] == 'n' ? strtoul(name + 1, &end, 10) : 0;
    return number == 0 || number > cluster->count || *end != 0 ? NULL : cluster->seats[number - 1];
}

static bool knows_only_the_living(const struct cluster *cluster, const struct seat *seat)
{
    struct hearsay_member member;
    for (size_t position = 0; hearsay_next_member(seat->host->node, &position, &member);) {
        struct seat *other = cluster_find(cluster, member.name);
        bool shows_alive = member.status == HEARSAY_ALIVE || member.status == HEARSAY_SUSPECT || member.status == HEARSAY_LEAVING;
        if (other == NULL ? shows_alive : shows_alive != is_in(other)) {
            return false;
        }
    }
    return true;
}

/* The counts first: who shows exactly as many alive as run, and none who does not run, shows all. */
bool cluster_agrees(const struct cluster *cluster)
{
    uint32_t running = cluster_running(cluster);
    for (uint32_t i = 0; i < cluster->count; i++) {
        if (!cluster_is_right_at(cluster->seats[i], running)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < cluster->count; i++) {
        if (is_in(cluster->seats[i]) && !knows_only_the_living(cluster, cluster->seats[i])) {
            return false;
        }
    }
    return true;
}

/* ---- to the last field ------------------------------------------------------------------------------------------------------------- */

static bool own_view(const struct seat *seat, struct hearsay_member *own)
{
    size_t position = 0;
    return is_in(seat) && hearsay_next_member(seat->host->node, &position, own) && own->is_self;
}

static bool is_same(const struct hearsay_member *shown, const struct hearsay_member *own)
{
    return shown->status == HEARSAY_ALIVE && shown->incarnation == own->incarnation && bytes_equal(shown->meta, own->meta) &&
           address_equal(&shown->address, &own->address);
}

static bool is_right_about(const struct seat *observer, const struct seat *subject, struct cluster_dissent *dissent)
{
    *dissent = (struct cluster_dissent){.observer = observer, .subject = subject};
    bool ought_to = own_view(subject, &dissent->own), is_shown = hearsay_find_member(observer->host->node, subject->host->name, &dissent->shown);
    if (ought_to) {
        return is_shown && is_same(&dissent->shown, &dissent->own);
    }
    return !is_shown || dissent->shown.status == HEARSAY_LEFT || dissent->shown.status == HEARSAY_FAILED;
}

bool cluster_is_settled(const struct cluster *cluster, uint8_t *seen, struct cluster_dissent *dissent)
{
    struct cluster_dissent one;
    bool is_settled = true;
    for (uint32_t i = 0; i < cluster->count && (is_settled || seen != NULL); i++) {
        for (uint32_t k = 0; k < cluster->count && is_in(cluster->seats[i]); k++) {
            size_t pair = (size_t)i * cluster->count + k;
            if ((seen != NULL && seen[pair] != 0) || is_right_about(cluster->seats[i], cluster->seats[k], &one)) {
                if (seen != NULL) {
                    seen[pair] = 1;
                }
                continue;
            }
            *dissent = one;
            is_settled = false;
            if (seen == NULL) {
                break;
            }
        }
    }
    return is_settled;
}
