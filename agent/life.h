/* SPDX-License-Identifier: MIT
 *
 * One running agent: what it consists of, and its states from start to end.
 */
#ifndef HEARSAY_AGENT_LIFE_H
#define HEARSAY_AGENT_LIFE_H

#include "agent/chores.h"
#include "agent/coalesce.h"
#include "agent/config.h"
#include "agent/discovery.h"
#include "agent/dns.h"
#include "agent/eventlog.h"
#include "agent/handlers.h"
#include "agent/metrics.h"
#include "agent/persist.h"
#include "agent/registry.h"
#include "agent/server.h"
#include "agent/store.h"
#include "agent/web.h"

#include <hearsay/hearsay_uv.h>

enum life_state { LIFE_RUNNING, LIFE_LEAVING, LIFE_STOPPING };

enum { LIFE_HUP, LIFE_INT, LIFE_TERM, LIFE_SIGNALS };

struct life {
    const struct config *flags; /* as given, for reloading */
    struct config config;
    uv_loop_t loop;
    uv_signal_t signals[LIFE_SIGNALS];
    struct chores chores;
    struct hearsay_uv *uv;
    struct service service;
    struct server server;
    struct web web;
    struct dns dns;
    struct eventlog events;
    struct coalesce coalesce;
    struct handlers handlers;
    struct metrics metrics;
    struct persist persist;
    struct store store;
    struct registry registry;
    struct discovery *discovery; /* NULL = none */
    struct hearsay_address rpc;
    enum life_state state;
    uint64_t leave_limit_ms; /* longest time a leave may take */
    uint64_t watchdog_ms;
    uint64_t lines_reported; /* dropped event lines that the log knows of */
    int64_t attempts;        /* of retry_join */
    bool has_met;            /* retry-join has worked at least once */
    size_t rejoined;         /* addresses of the former life that were tried */
    int exit_code;
    bool is_told; /* LEAVE_DONE has come */
};

/* Opens everything. False with a line in error. */
bool life_start(struct life *life, const struct config *flags, char *error, size_t size);
/* Runs until the end; answers the exit code. */
int life_run(struct life *life);
/* Leaves the cluster, then stops. */
void life_leave(struct life *life);
/* Stops without leaving. */
void life_stop(struct life *life, int exit_code);

/* joining.c: meets the cluster in all the ways that were configured. */
void joining_start(struct life *life);
void joining_retry(struct life *life);
/* The service's join. */
void joining_by_rpc(void *context, const char *const *peers, size_t count, bool replay, service_joined done, void *user);
/* audience.c: streams and event handlers hear of events. */
bool audience_open(struct life *life, char *error, size_t size);
void audience_reload(struct life *life, const struct config *fresh);
/* A large event came: is it told on? Handlers that judge are asked, who may take their time. */
void audience_judge(struct life *life, const struct hearsay_event *event);
void audience_event(struct life *life, const struct hearsay_event *event);
void audience_run(struct life *life, bool is_everything);
/* Member events that wait for others of their kind are told now. */
void audience_flush(struct life *life);
void audience_close(struct life *life);
/* reload.c: SIGHUP. */
void reload_now(struct life *life);

#endif
