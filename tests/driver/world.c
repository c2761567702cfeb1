/* SPDX-License-Identifier: MIT
 *
 * See world.h.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_guard(uv_timer_t *timer)
{
    struct world *w = timer->data;
    w->is_late = true;
}

int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL || uv_loop_init(&w->loop) != 0) {
        return -1;
    }
    uv_timer_init(&w->loop, &w->guard);
    w->guard.data = w;
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;
    for (int n = 0; n < WORLD_NODES; n++) {
        world_stop(&w->nodes[n]);
    }
    uv_close((uv_handle_t *)&w->guard, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    int err = uv_loop_close(&w->loop);
    free(w);
    return err;
}

static void on_event(struct hearsay_uv *uv, const struct hearsay_event *event, void *user)
{
    struct told *told = user;
    told->uv = uv;
    told->events[event->type]++;
    if (event->member.name != NULL) {
        snprintf(told->last_name, sizeof told->last_name, "%s", event->member.name);
    }
    if (event->type == HEARSAY_USER_EVENT) {
        snprintf(told->last_event, sizeof told->last_event, "%s", event->name);
        snprintf(told->last_payload, sizeof told->last_payload, "%.*s", (int)event->payload.size, (const char *)event->payload.data);
    }
    if (told->hook != NULL) {
        told->hook(told, event);
    }
}

void world_options(struct world *w, int n, struct hearsay_uv_options *options, const char *name, const char *bind)
{
    hearsay_uv_options(options);
    hearsay_options_local(&options->node);
    options->node.name = name;
    options->bind = bind;
    options->on_event = on_event;
    options->user = &w->nodes[n];
}

struct told *world_start(struct world *w, int n, const struct hearsay_uv_options *options)
{
    char error[256] = "";
    struct told *told = &w->nodes[n];
    *told = (struct told){.world = w};
    told->uv = hearsay_uv_start(&w->loop, options, error, sizeof error);
    if (told->uv == NULL) {
        fail_msg("%s", error);
    }
    return told;
}

struct told *world_node(struct world *w, int n, const char *name, const char *bind)
{
    struct hearsay_uv_options options;
    world_options(w, n, &options, name, bind);
    return world_start(w, n, &options);
}

static void on_stopped(void *user)
{
    struct told *told = user;
    told->uv = NULL;
}

void world_stop(struct told *told)
{
    if (told->uv != NULL) {
        hearsay_uv_stop(told->uv, on_stopped, told);
    }
}

static void on_joined(struct hearsay_uv *uv, size_t contacted, const char *error, void *user)
{
    struct told *told = user;
    (void)uv;
    told->joins++;
    told->contacted += contacted;
    snprintf(told->join_error, sizeof told->join_error, "%s", error == NULL ? "" : error);
}

void world_join_text(struct told *told, const char *peer)
{
    hearsay_uv_join(told->uv, &peer, 1, false, on_joined, told);
}

void world_join(struct told *told, struct told *through)
{
    struct hearsay_address bound;
    char text[64];
    hearsay_uv_bound(through->uv, &bound, NULL);
    hearsay_address_text(&bound, text, sizeof text);
    world_join_text(told, text);
}

void world_guard(struct world *w, unsigned ms)
{
    w->is_late = false;
    uv_update_time(&w->loop);
    uv_timer_start(&w->guard, on_guard, ms, 0);
}

void world_run(struct world *w, unsigned ms)
{
    world_guard(w, ms);
    while (!w->is_late) {
        uv_run(&w->loop, UV_RUN_ONCE);
    }
}

enum hearsay_status world_status(struct told *told, const char *name)
{
    struct hearsay_member member;
    return hearsay_find_member(hearsay_uv_node(told->uv), name, &member) ? member.status : HEARSAY_NONE;
}
