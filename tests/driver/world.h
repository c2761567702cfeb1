/* SPDX-License-Identifier: MIT
 *
 * A few real nodes on one loop, for tests of the driver: start them, run the loop until something is true or time is up, look at what
 * they were told.
 */
#ifndef HEARSAY_TESTS_DRIVER_WORLD_H
#define HEARSAY_TESTS_DRIVER_WORLD_H

#include <hearsay/hearsay_uv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WORLD_NODES 8

struct world;

struct told {
    struct world *world;
    struct hearsay_uv *uv;                  /* NULL once stopped */
    unsigned events[HEARSAY_EVENT_COUNT];
    char last_name[HEARSAY_NAME_MAX + 1];   /* of the last member event */
    char last_event[64], last_payload[64];
    /* Runs at the end of every event. */
    void (*hook)(struct told *told, const struct hearsay_event *event);
    size_t joins, contacted;                /* joins that were over, and peers they met */
    char join_error[256];
};

struct world {
    uv_loop_t loop;
    uv_timer_t guard;
    bool is_late;
    struct told nodes[WORLD_NODES];
};

int world_setup(void **state);
/* Stops what still runs; fails when the loop keeps a handle. */
int world_teardown(void **state);

/* The local profile with this name and bind address; node n's told gets the events. */
void world_options(struct world *w, int n, struct hearsay_uv_options *options, const char *name, const char *bind);
/* Fails the test when it cannot start. */
struct told *world_start(struct world *w, int n, const struct hearsay_uv_options *options);
/* world_options and world_start. */
struct told *world_node(struct world *w, int n, const char *name, const char *bind);
void world_stop(struct told *told);
/* Joins through where the other is bound; contacted counts. */
void world_join(struct told *told, struct told *through);
void world_join_text(struct told *told, const char *peer);

#define WORLD_PATIENCE_MS 60000 /* a machine may be busy: how fast a thing is, the benches say */

/* Runs the loop until is_true, which must become so before patience ends. */
#define world_until(w, is_true) \
    do { \
        world_guard(w, WORLD_PATIENCE_MS); \
        while (!(is_true) && !(w)->is_late) { \
            uv_run(&(w)->loop, UV_RUN_ONCE); \
        } \
        if (!(is_true)) { \
            fail_msg("not true within %d s: %s", WORLD_PATIENCE_MS / 1000, #is_true); \
        } \
    } while (0)
/* Runs the loop for so long. */
void world_run(struct world *w, unsigned ms);
void world_guard(struct world *w, unsigned ms);

enum hearsay_status world_status(struct told *told, const char *name);

#endif
