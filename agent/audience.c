/* SPDX-License-Identifier: MIT
 *
 * Who is told of events, and when: they are gathered for a short while (coalesce.h), then streams of RPC and event handlers
 * hear them. Log, event log and snapshot do not come here, they hear at once.
 */
#include "agent/life.h"
#include "agent/log.h"
#include "agent/recall.h"

#include "rpc/recall.h"

/* Another node asks what we remember. */
static void recall(struct life *life, const struct hearsay_event *query)
{
    uint8_t room[4096];
    size_t most = life->service.response_bytes_max, overhead = 64 + strlen(life->config.node_name);
    most = most > sizeof room ? sizeof room : most;
    size_t size = recall_answer(&life->service, query->payload, room, most > overhead ? most - overhead : 0);
    if (size > 0 && hearsay_uv_respond(life->uv, query->query, room, size) == HEARSAY_OK) {
        hearsay_uv_flush(life->uv);
    }
}

static void deliver(void *context, const struct hearsay_event *event)
{
    struct life *life = context;
    if (event->type == HEARSAY_QUERY && strcmp(event->name, RECALL_QUERY) == 0) {
        recall(life, event);
        return;
    }
    service_event(&life->service, event);
    if (event->type == HEARSAY_QUERY) {
        handlers_query(&life->handlers, event->name, event->ltime, event->payload, event->query);
        return;
    }
    handlers_event(&life->handlers, event);
    if (life->service.member_count > 0 || life->handlers.members.size > 0) {
        chores_want(&life->chores, CHORE_RECORDS, 0);
    }
}

static bool respond(void *context, uint64_t query, struct hearsay_bytes answer, char *error, size_t size)
{
    struct life *life = context;
    hearsay_err err = hearsay_uv_respond(life->uv, query, answer.data, answer.size);
    if (err == HEARSAY_ERR_TOO_LARGE) {
        snprintf(error, size, "response exceeds limit of %u bytes", life->service.response_bytes_max);
    } else if (err != HEARSAY_OK) {
        snprintf(error, size, "%s", hearsay_err_text(err));
    }
    return err == HEARSAY_OK;
}

static void judged(void *context, uint64_t item, bool is_good)
{
    struct life *life = context;
    (void)hearsay_uv_judge_event(life->uv, item, is_good);
}

void audience_judge(struct life *life, const struct hearsay_event *event)
{
    if (!handlers_judge(&life->handlers, event)) {
        judged(life, event->change, true);
    }
}

static void on_run(void *context, const char *script, uint64_t ms)
{
    struct life *life = context;
    metrics_script(&life->metrics, script, ms);
}

static void set_limits(struct life *life, const struct config *config)
{
    life->handlers.limit_ms = (uint64_t)config->handler_timeout_ms;
    life->handlers.running_max = config->handler_limit > 0 ? (uint32_t)config->handler_limit : 1;
    life->coalesce.period_ms = (uint64_t)config->coalesce_period_ms;
    life->coalesce.quiet_ms = (uint64_t)config->coalesce_quiet_ms;
}

bool audience_open(struct life *life, char *error, size_t size)
{
    life->coalesce = (struct coalesce){.deliver = deliver, .context = life};
    life->handlers = (struct handlers){.loop = &life->loop, .name = life->config.node_name, .respond = respond, .judged = judged, .on_run = on_run,
                                      .context = life};
    set_limits(life, &life->config);
    return handlers_set(&life->handlers, &life->config.event_handlers, error, size);
}

void audience_reload(struct life *life, const struct config *fresh)
{
    char error[512];
    if (handlers_set(&life->handlers, &fresh->event_handlers, error, sizeof error)) {
        set_limits(life, fresh);
    } else {
        log_put(LOG_ERR, "agent: event handlers stay as they were: %s", error);
    }
}

static void wait_for_due(struct life *life)
{
    uint64_t due = coalesce_due_ms(&life->coalesce), now = uv_now(&life->loop);
    if (due != 0) {
        chores_want(&life->chores, CHORE_COALESCE, due > now ? due - now : 0);
    }
}

void audience_event(struct life *life, const struct hearsay_event *event)
{
    coalesce_event(&life->coalesce, event, uv_now(&life->loop));
    wait_for_due(life);
}

void audience_flush(struct life *life)
{
    service_flush_events(&life->service);
    handlers_flush(&life->handlers);
}

void audience_run(struct life *life, bool is_everything)
{
    coalesce_run(&life->coalesce, uv_now(&life->loop), is_everything);
    audience_flush(life);
    wait_for_due(life);
}

void audience_close(struct life *life)
{
    handlers_close(&life->handlers);
    coalesce_deinit(&life->coalesce);
}
