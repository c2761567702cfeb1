/* SPDX-License-Identifier: MIT
 *
 * Figures for statsd (UDP) and statsite (TCP), under the names and in the lines of Serf's agent, so that dashboards stay as they are. What
 * cannot be sent at once is dropped and counted: figures never make the agent wait or grow.
 */
#ifndef HEARSAY_AGENT_METRICS_H
#define HEARSAY_AGENT_METRICS_H

#include "agent/text.h"

#include <hearsay/hearsay.h>
#include <uv.h>

#define METRICS_INTERVAL_MS 1000
#define METRICS_PACKETS_MAX 64                /* per interval and destination; more is dropped */
#define METRICS_QUEUE_MAX ((size_t)256 << 10) /* bytes that statsite may be behind */
#define METRICS_FLAPS 256                     /* departures remembered to tell flapping */

struct metrics;

struct metrics_sink {
    struct metrics *owner;
    char *host, *port; /* NULL = not wanted */
    bool is_stream, is_ready, is_busy; /* busy: looking its address up or connecting */
    struct sockaddr_storage address;
    uv_getaddrinfo_t lookup;
    uv_connect_t connecting;
    union {
        uv_udp_t udp;
        uv_tcp_t tcp;
    } socket;
    bool is_open;
    uint64_t retry_at_ms;
    uint32_t sent; /* packets in this interval */
};

struct metrics {
    uv_loop_t *loop;
    struct metrics_sink sinks[2];
    char host[256];
    struct text lines; /* of the packet being filled */
    struct hearsay_counters before;
    uint64_t accepted_before, commands_before;
    uint32_t score_before;
    struct {
        uint64_t name; /* hashed */
        uint64_t at_ms;
    } gone[METRICS_FLAPS];
    uint32_t gone_next;
    uint64_t dropped;
    bool is_on;
};

/* The addresses are HOST:PORT, or NULL. False with a line in error. */
bool metrics_open(struct metrics *m, uv_loop_t *loop, const char *statsd, const char *statsite, char *error, size_t size);
void metrics_close(struct metrics *m);
void metrics_event(struct metrics *m, const struct hearsay_event *event);
/* A handler's script ran so long. */
void metrics_script(struct metrics *m, const char *script, uint64_t ms);
/* Once per interval, when is_on: what changed in the node, connections and requests of RPC so far; and everything is sent. */
void metrics_tick(struct metrics *m, const struct hearsay_node *node, uint64_t accepted, uint64_t commands);

#endif
