/* SPDX-License-Identifier: MIT
 *
 * The one-call form: a loop, a node, and two signals. The first signal leaves politely, a second one does not wait for that.
 */
#include "driver.h"

#include <stdio.h>

struct run {
    struct hearsay_uv *uv; /* NULL once stopped */
    uv_loop_t loop;
    uv_signal_t signals[2];
    bool is_leaving, has_failed;
};

static void on_stopped(void *user)
{
    struct run *run = user;
    run->uv = NULL;
}

static void stop(struct run *run)
{
    if (run->uv != NULL) {
        hearsay_uv_stop(run->uv, on_stopped, run);
    }
}

static void on_left(void *context)
{
    stop(context);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct run *run = signal->data;
    (void)number;
    if (run->uv == NULL) {
        return;
    }
    if (run->is_leaving || hearsay_uv_leave(run->uv) != HEARSAY_OK) {
        stop(run);
    }
    run->is_leaving = true;
}

static void on_joined(struct hearsay_uv *uv, size_t contacted, const char *error, void *user)
{
    struct run *run = user;
    if (contacted == 0 && uv->joins.retry_ms == 0 && !uv->door.is_stopping) {
        fprintf(stderr, "%s\n", error);
        run->has_failed = true;
        stop(run);
    }
}

static void start_signals(struct run *run)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&run->loop, &run->signals[i]);
        run->signals[i].data = run;
        uv_signal_start(&run->signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&run->signals[i]); /* the node alone keeps us running */
    }
}

int hearsay_uv_run(const struct hearsay_uv_options *options, const char *const *peers)
{
    struct run run = {.uv = NULL};
    char error[256];
    size_t count = 0;
    if (uv_loop_init(&run.loop) != 0) {
        fprintf(stderr, "cannot make an event loop: no descriptors or memory left\n");
        return 1;
    }
    run.uv = hearsay_uv_start(&run.loop, options, error, sizeof error);
    if (run.uv == NULL) {
        fprintf(stderr, "%s\n", error);
        uv_run(&run.loop, UV_RUN_DEFAULT); /* handles may be closing */
        uv_loop_close(&run.loop);
        return 1;
    }
    run.uv->on_left = on_left;
    run.uv->left_context = &run;
    start_signals(&run);
    while (peers != NULL && peers[count] != NULL) {
        count++;
    }
    if (count > 0) {
        hearsay_uv_join(run.uv, peers, count, false, on_joined, &run);
    }
    uv_run(&run.loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < 2; i++) {
        uv_close((uv_handle_t *)&run.signals[i], NULL);
    }
    uv_run(&run.loop, UV_RUN_DEFAULT);
    uv_loop_close(&run.loop);
    return run.has_failed ? 1 : 0;
}
