/* SPDX-License-Identifier: MIT
 *
 * A node on a loop of your own, among your other handles: here a timer that tells everybody how often it has ticked, and then leaves.
 *
 *     own_loop NAME ADDRESS[:PORT] PEER TICKS
 */
#include <hearsay/hearsay_uv.h>
#include <stdio.h>
#include <stdlib.h>

static struct hearsay_uv *node;
static uv_timer_t timer;
static int ticks;

static void on_tick(uv_timer_t *handle)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%d ticks to go", --ticks);
    hearsay_err err = hearsay_uv_send_event(node, "tick", text, (size_t)size, true);
    if (err == HEARSAY_OK && ticks == 0) {
        uv_close((uv_handle_t *)handle, NULL);
        err = hearsay_uv_leave(node);
    }
    if (err != HEARSAY_OK) {
        fprintf(stderr, "%s\n", hearsay_err_text(err));
    }
}

static void on_joined(struct hearsay_uv *uv, size_t contacted, const char *error, void *user)
{
    (void)uv, (void)user;
    printf("%s\n", contacted > 0 ? "joined" : error);
    uv_timer_start(&timer, on_tick, 1000, 1000);
}

static void on_event(struct hearsay_uv *uv, const struct hearsay_event *event, void *user)
{
    (void)user;
    if (event->type == HEARSAY_LEAVE_DONE) {
        hearsay_uv_stop(uv, NULL, NULL); /* with the last handle closed, uv_run returns */
    }
}

int main(int argc, char **argv)
{
    struct hearsay_uv_options options;
    char error[256] = "usage: own_loop NAME ADDRESS[:PORT] PEER TICKS";
    hearsay_uv_options(&options);
    options.on_event = on_event;
    options.node.name = argc == 5 ? argv[1] : NULL;
    options.bind = argc == 5 ? argv[2] : NULL;
    if (argc != 5 || (node = hearsay_uv_start(uv_default_loop(), &options, error, sizeof error)) == NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    ticks = atoi(argv[4]);
    uv_timer_init(uv_default_loop(), &timer);
    hearsay_uv_join(node, (const char *const *)argv + 3, 1, false, on_joined, NULL);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
