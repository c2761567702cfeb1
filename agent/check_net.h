/* SPDX-License-Identifier: MIT
 *
 * One look at something on the network: can it be connected to (TCP), what status does it answer (HTTP)? Non-blocking on the loop; names
 * are resolved on its thread pool. Whatever the other side does, it costs bounded memory and is over at its time limit.
 */
#ifndef HEARSAY_AGENT_CHECK_NET_H
#define HEARSAY_AGENT_CHECK_NET_H

#include "agent/definition.h"

#include <uv.h>

#define CHECK_NET_HOST_MAX 255

struct check_net_place {
    char host[CHECK_NET_HOST_MAX + 1], path[1024];
    uint16_t port;
};

/* Reads "host:port" or "http://host[:port][/path]" into *place (NULL: only looks). False with a sentence in error. */
bool check_net_target(enum check_kind kind, const char *target, struct check_net_place *place, char *error, size_t size);

struct check_net;
typedef void (*check_net_end)(void *user, enum hearsay_service_state state, struct hearsay_bytes output);
/* on_end is called once, later, unless check_net_forget comes first. */
struct check_net *check_net_start(uv_loop_t *loop, const struct check_definition *check, check_net_end on_end, void *user);
void check_net_forget(struct check_net *look);

#endif
