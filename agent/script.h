/* SPDX-License-Identifier: MIT
 *
 * One running script: a shell in a process group of its own, something on its standard input, the end of what it prints kept.
 * Whatever it does (hang, flood, fork, die), it costs the agent a bounded amount of memory and is over at its time limit.
 */
#ifndef HEARSAY_AGENT_SCRIPT_H
#define HEARSAY_AGENT_SCRIPT_H

#include "agent/lists.h"

#include <uv.h>

#define SCRIPT_OUTPUT_BYTES 8192 /* as Serf: the last of what was printed is kept */

struct script_result {
    int exit_code, signal; /* signal 0 = it ended by itself */
    bool was_stopped;      /* the time limit stopped it */
    struct hearsay_bytes output;
    uint64_t printed; /* bytes in all */
};

struct script_order {
    const char *command;       /* for /bin/sh -c */
    const struct words *added; /* to the environment: "NAME=value" */
    struct hearsay_bytes input; /* copied */
    uint64_t limit_ms;         /* 0 = none */
    void (*on_slow)(void *user); /* once, after a second */
    /* Once, when the shell has ended; result is borrowed. */
    void (*on_end)(void *user, const struct script_result *result);
    void *user;
};

struct script;

/* NULL with a line in error when no process could be made; on_end is not called then. */
struct script *script_start(uv_loop_t *loop, const struct script_order *order, char *error, size_t size);
/* Nobody waits for it any more: its handles are closed, it runs on by itself. on_end is not called. */
void script_forget(struct script *script);

#endif
