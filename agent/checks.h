/* SPDX-License-Identifier: MIT
 *
 * Checks, one by one: when they are run, what their results mean, when the state changes. Scripts are processes of their own, looks at the
 * network wait in the loop; how many of each run at once is limited, the others stand in line. A result that differs counts only when it
 * comes so many times in a row as the definition says, so a check that flaps changes nothing.
 */
#ifndef HEARSAY_AGENT_CHECKS_H
#define HEARSAY_AGENT_CHECKS_H

#include "agent/definition.h"
#include "base/rng.h"

#include <uv.h>

#define CHECKS_OUTPUT_BYTES 4096 /* the last of what a check said */
#define CHECKS_SCRIPTS 16        /* at once */
#define CHECKS_LOOKS 64

struct check;

struct checks {
    uv_loop_t *loop;
    struct rng rng;
    struct check_line {
        struct check *oldest, **end;
        uint32_t running, most;
    } scripts, looks;
    uint64_t runs;
};

struct check {
    struct checks *checks;
    const struct check_definition *definition;
    const struct words *variables; /* for scripts */
    uv_timer_t timer;
    struct check *next_in_line;
    void *running; /* struct script or struct check_net */
    bool is_waiting, has_result;
    uint32_t streak; /* results in a row that differ from the state, all good or all bad */
    bool is_streak_good;
    enum hearsay_service_state state;
    uint64_t since_ms; /* when the state changed, on the loop's clock */
    char *output;      /* of the last result */
    size_t output_size;
    void (*on_change)(void *user, struct check *check);
    void *user;
};

void checks_init(struct checks *checks, uv_loop_t *loop);

/* What is pointed to must outlive the check. The first run is soon. */
struct check *check_start(struct checks *checks, const struct check_definition *definition, const struct words *variables,
                          void (*on_change)(void *user, struct check *check), void *user);
/* A heartbeat, or anybody's word about it. */
void check_report(struct check *check, enum hearsay_service_state state, struct hearsay_bytes output);
/* Forgets it; what runs is not waited for. */
void check_stop(struct check *check);

#endif
