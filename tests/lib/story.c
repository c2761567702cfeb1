/* SPDX-License-Identifier: MIT
 *
 * See story.h: the cluster, its deeds and the faults of its network.
 */
#include "story_inside.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#define START_SPACING_US 5000u
#define START_PATIENCE_US 20000000u
#define START_SETTLE_US 3000000u

/* ---- keeping what nodes notify -------------------------------------------------------------------------------------------- */

static uint32_t number_named(const char *name)
{
    return name != NULL && name[0] == 'n' ? (uint32_t)strtoul(name + 1, NULL, 10) : 0;
}

static void copy_text(char *to, size_t room, const void *from, size_t size)
{
    size = size < room - 1 ? size : room - 1;
    if (size > 0) {
        memcpy(to, from, size);
    }
    to[size] = 0;
}

static void keep(struct story *c, const struct host *host, const struct hearsay_event *event)
{
    if (c->told_count == c->told_capacity) {
        c->told_capacity = c->told_capacity == 0 ? 256 : c->told_capacity * 2;
        c->told = world_resize(c->told, c->told_capacity * sizeof *c->told);
    }
    struct told *told = &c->told[c->told_count++];
    *told = (struct told){.at = c->world->now, .host = host->number, .life = host->life, .type = event->type,
                          .about = number_named(event->member.name), .cause = event->cause};
    told->cause.accuser = NULL;
    told->about = event->from != NULL ? number_named(event->from) : told->about;
    told->members = event->members;
    told->acks = event->acks;
    told->answers = event->answers;
    told->errors = event->errors;
    told->is_ok = event->is_ok;
    if (event->type == HEARSAY_KEY_RESULT) {
        copy_text(told->name, sizeof told->name, event->text == NULL ? "" : event->text, event->text == NULL ? 0 : strlen(event->text));
    } else if (event->name != NULL) {
        copy_text(told->name, sizeof told->name, event->name, strlen(event->name));
    } else if (event->payload.size > 0) {
        copy_text(told->name, sizeof told->name, event->payload.data, event->payload.size);
    }
}

static void answer(struct story *c, struct host *host, const struct hearsay_event *event)
{
    uint8_t reversed[64];
    size_t size = event->payload.size < sizeof reversed ? event->payload.size : sizeof reversed;
    for (size_t i = 0; i < size; i++) {
        reversed[i] = event->payload.data[size - 1 - i];
    }
    CHECK(hearsay_respond(host->node, host_now(host), event->query, reversed, size) == HEARSAY_OK);
    (void)c;
}

static void on_event(void *context, struct host *host, const struct hearsay_event *event)
{
    struct story *c = context;
    struct story_node *node = &c->nodes[host->number];
    keep(c, host, event);
    report_event(c, host->number, event);
    if (event->type == HEARSAY_JOIN_RESULT && node->is_joining && event->ticket == node->ticket) {
        *(event->contacted ? &node->contacted : &node->refused) += 1;
        node->is_joining = !event->is_last;
    }
    if (event->type == HEARSAY_QUERY && strncmp(event->name, "answer", 6) == 0) {
        answer(c, host, event);
    }
}

struct story *story_create(const char *title, uint64_t seed, bool is_traced)
{
    struct story *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    struct world_options options = world_options_quiet(seed);
    options.on_event = on_event;
    options.on_packet = is_traced ? report_packet : NULL;
    options.context = c;
    c->world = world_create(&options);
    c->seed = seed;
    c->title = title;
    c->is_traced = is_traced;
    c->began_at = c->world->now;
    return c;
}

void story_destroy(struct story *c)
{
    if (c != NULL) {
        world_destroy(c->world);
        free(c->told);
        free(c);
    }
}

struct world *story_world(struct story *c)
{
    return c->world;
}

uint64_t story_seed(const struct story *c)
{
    return c->seed;
}

span time_of(const struct story *c)
{
    return c->world->now - c->began_at;
}

struct host *host_of(struct story *c, nodes who)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i)) {
            return c->nodes[i].host;
        }
    }
    CHECK(false && "a story must name a node that exists");
    return NULL;
}

/* ---- starting ------------------------------------------------------------------------------------------------------------- */

static void must(struct story *c, unsigned index, hearsay_err err, const char *deed)
{
    if (err != HEARSAY_OK) {
        char claim[128];
        (void)snprintf(claim, sizeof claim, "%s can %s: %s", c->nodes[index].name, deed, hearsay_err_text(err));
        report_failure(c, claim);
    }
}

static void boot(struct story *c, unsigned index)
{
    struct story_node *node = &c->nodes[index];
    struct hearsay_options options;
    hearsay_options_lan(&options);
    options.name = node->name;
    if (c->amend != NULL) {
        c->amend(c, &options, index + 1);
    }
    node->is_joining = false;
    must(c, index, host_start(node->host, &options), "start");
}

void amend_later_starts(struct story *c, amend_options *amend)
{
    c->amend = amend;
}

void start_apart_with(struct story *c, unsigned count, amend_options *amend)
{
    c->amend = amend;
    report_line(c, "-- start %u", count);
    for (unsigned i = 0; i < count; i++) {
        CHECK(c->count < STORY_NODES);
        unsigned index = c->count++;
        struct story_node *node = &c->nodes[index];
        (void)snprintf(node->name, sizeof node->name, "n%u", index + 1);
        node->host = host_create(c->world, node->name);
        CHECK(node->host->number == index);
        boot(c, index);
    }
}

void start_apart(struct story *c, unsigned count)
{
    start_apart_with(c, count, NULL);
}

static void call_on(struct story *c, unsigned index, const struct hearsay_target *targets, size_t count)
{
    struct story_node *node = &c->nodes[index];
    node->contacted = node->refused = 0;
    node->is_joining = true;
    must(c, index, hearsay_join(node->host->node, c->world->now, targets, count, false, &node->ticket), "join");
    host_drain(node->host);
}

void start_with(struct story *c, unsigned count, amend_options *amend)
{
    start_apart_with(c, count, amend);
    struct hearsay_target first = {.address = world_address(c->nodes[0].host->place)};
    for (unsigned i = 1; i < c->count; i++) {
        call_on(c, i, &first, 1);
        world_run(c->world, c->world->now + START_SPACING_US);
    }
    (void)expect_converged_within(c, START_PATIENCE_US);
    world_run(c->world, c->world->now + START_SETTLE_US);
    report_line(c, "-- all have met");
}

void start(struct story *c, unsigned count)
{
    start_with(c, count, NULL);
}

void join(struct story *c, nodes who, nodes through)
{
    char some[64], others[64];
    struct hearsay_target targets[STORY_NODES] = {0};
    size_t count = 0;
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(through, i)) {
            targets[count++].address = world_address(c->nodes[i].host->place);
        }
    }
    report_line(c, "-- join %s through %s", report_nodes(who, some, sizeof some), report_nodes(through, others, sizeof others));
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            call_on(c, i, targets, count);
        }
    }
}

/* ---- deeds of many ----------------------------------------------------------------------------------------------------------- */

static void note(struct story *c, const char *deed, nodes who)
{
    char text[64];
    report_line(c, "-- %s %s", deed, report_nodes(who, text, sizeof text));
}

static void each_host(struct story *c, const char *deed, nodes who, void (*act)(struct host *host))
{
    note(c, deed, who);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i)) {
            act(c->nodes[i].host);
        }
    }
}

void crash(struct story *c, nodes who)
{
    each_host(c, "crash", who, host_crash);
}

void switch_off(struct story *c, nodes who)
{
    each_host(c, "switch off", who, host_switch_off);
}

void freeze(struct story *c, nodes who)
{
    each_host(c, "freeze", who, host_freeze);
}

void thaw(struct story *c, nodes who)
{
    each_host(c, "thaw", who, host_thaw);
}

void starve(struct story *c, nodes who, span run, span every)
{
    note(c, "starve", who);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i)) {
            host_starve(c->nodes[i].host, (uint32_t)run, (uint32_t)every);
        }
    }
}

static void feed_host(struct host *host)
{
    host_starve(host, 0, 0);
}

void feed(struct story *c, nodes who)
{
    each_host(c, "feed", who, feed_host);
}

void restart(struct story *c, nodes who)
{
    note(c, "restart", who);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i)) {
            boot(c, i);
        }
    }
}

void restart_at_new_address(struct story *c, nodes who)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i)) {
            host_move(c->nodes[i].host, world_add_place(c->world));
        }
    }
    restart(c, who);
}

void restart_at_address_of(struct story *c, nodes who, nodes victim)
{
    note(c, "at this one's address:", victim);
    host_move(host_of(c, who), host_of(c, victim)->place);
    restart(c, who);
}

void restart_as(struct story *c, nodes who, nodes owner)
{
    unsigned index = host_of(c, who)->number;
    memcpy(c->nodes[index].name, c->nodes[host_of(c, owner)->number].name, sizeof c->nodes[index].name);
    note(c, "under this one's name:", owner);
    restart(c, who);
}

static hearsay_err wish(struct story *c, unsigned index, hearsay_err err)
{
    host_drain(c->nodes[index].host);
    return err;
}

void leave(struct story *c, nodes who)
{
    note(c, "leave", who);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            must(c, i, wish(c, i, hearsay_leave(node_of(c, i), c->world->now)), "leave");
        }
    }
}

static void send_off(struct story *c, nodes by, nodes who, bool prune)
{
    unsigned index = host_of(c, by)->number;
    note(c, prune ? "force-leave and prune" : "force-leave", who);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i)) {
            hearsay_err err = hearsay_force_leave(node_of(c, index), c->world->now, c->nodes[i].name, prune);
            must(c, index, wish(c, index, err), "force others to leave");
        }
    }
}

void force_leave(struct story *c, nodes by, nodes who)
{
    send_off(c, by, who, false);
}

void forget_for_good(struct story *c, nodes by, nodes who)
{
    send_off(c, by, who, true);
}

void send_event(struct story *c, nodes who, const char *name, const char *payload)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            hearsay_err err = hearsay_send_event(node_of(c, i), c->world->now, name, payload, strlen(payload), false);
            must(c, i, wish(c, i, err), "send an event");
        }
    }
}

void ask_with(struct story *c, nodes who, struct hearsay_question question)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            uint32_t ticket;
            report_line(c, "%s: asks %s", c->nodes[i].name, question.name);
            must(c, i, wish(c, i, hearsay_query(node_of(c, i), host_now(c->nodes[i].host), &question, &ticket)), "ask");
        }
    }
}

void ask(struct story *c, nodes who, const char *name, const char *payload)
{
    struct hearsay_question question = {.name = name, .payload = {(const uint8_t *)payload, strlen(payload)}, .wants_acks = true};
    ask_with(c, who, question);
}

void ask_keys(struct story *c, nodes who, enum hearsay_key_wish wanted, const struct hearsay_key *key)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            uint32_t ticket;
            must(c, i, wish(c, i, hearsay_query_keys(node_of(c, i), host_now(c->nodes[i].host), wanted, key, 0, &ticket)), "ask for keys");
        }
    }
}

void broadcast_message(struct story *c, nodes who, const char *text)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            must(c, i, wish(c, i, hearsay_broadcast(node_of(c, i), c->world->now, text, strlen(text))), "broadcast");
        }
    }
}

void set_tag(struct story *c, nodes who, const char *key, const char *value)
{
    struct hearsay_tag tag = {key, value};
    note(c, "new tag at", who);
    for (unsigned i = 0; i < c->count; i++) {
        if (is_in(who, i) && is_running(c, i)) {
            must(c, i, wish(c, i, hearsay_set_tags(node_of(c, i), c->world->now, &tag, 1)), "set tags");
        }
    }
}

void remember(struct story *c, nodes who, nodes whom)
{
    note(c, "remembered:", whom);
    for (unsigned i = 0; i < c->count; i++) {
        for (unsigned k = 0; is_in(who, i) && k < c->count; k++) {
            if (is_in(whom, k) && i != k) {
                struct hearsay_address address = world_address(c->nodes[k].host->place);
                must(c, i, wish(c, i, hearsay_remember(node_of(c, i), c->world->now, c->nodes[k].name, &address)), "remember");
            }
        }
    }
}

/* ---- the network ------------------------------------------------------------------------------------------------------------- */

static void cut_pairs(struct story *c, nodes from, nodes to)
{
    for (unsigned i = 0; i < c->count; i++) {
        for (unsigned k = 0; is_in(from, i) && k < c->count; k++) {
            if (is_in(to, k) && i != k) {
                network_cut(c->nodes[i].host, c->nodes[k].host);
            }
        }
    }
}

void cut_one_way(struct story *c, nodes from, nodes to)
{
    char some[64], others[64];
    report_line(c, "-- cut %s -> %s", report_nodes(from, some, sizeof some), report_nodes(to, others, sizeof others));
    cut_pairs(c, from, to);
}

void cut(struct story *c, nodes some, nodes others)
{
    cut_one_way(c, some, others);
    cut_pairs(c, others, some);
}

void partition(struct story *c, nodes one, nodes other)
{
    char some[64], others[64];
    report_line(c, "-- part %s | %s", report_nodes(one, some, sizeof some), report_nodes(other, others, sizeof others));
    for (unsigned i = 0; i < c->count; i++) {
        c->nodes[i].host->group = is_in(one, i) ? 1 : is_in(other, i) ? 2 : 0;
    }
}

void mend(struct story *c)
{
    report_line(c, "-- mend");
    network_mend_all(c->world);
}

void latency(struct story *c, span least, span jitter)
{
    c->world->options.link.latency_us = (uint32_t)least;
    c->world->options.link.jitter_us = (uint32_t)jitter;
}

void lose(struct story *c, double probability)
{
    report_line(c, "-- lose %.0f %%", probability * 100);
    c->world->options.link.loss = probability;
}

void duplicate(struct story *c, double probability)
{
    c->world->options.link.duplication = probability;
}

void reorder(struct story *c, double probability, span by)
{
    c->world->options.link.reordering = probability;
    c->world->options.link.reorder_us = (uint32_t)by;
}

void burst(struct story *c, span length, span every, double loss)
{
    struct link *link = &c->world->options.link;
    report_line(c, "-- bursts of %.0f ms about every %.0f ms", (double)length / 1e3, (double)every / 1e3);
    link->burst_us = (uint32_t)length;
    link->burst_every_us = (uint32_t)every;
    link->burst_loss = loss;
}
