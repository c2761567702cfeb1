/* SPDX-License-Identifier: MIT
 *
 * SIGHUP: tags, event handlers and log level come from the files again, and the event log is opened anew for those who rotate it. A file that is
 * wrong now changes nothing.
 */
#include "agent/life.h"
#include "agent/log.h"
#include "agent/notify.h"
#include "agent/setup.h"
#include "agent/syslog.h"

static void apply(struct life *life, const struct config *fresh, const struct taglist *tags)
{
    enum log_level level;
    if (log_parse_level(fresh->log_level, &level)) {
        log_set_level(level);
        syslog_set_level(level);
    } else {
        log_put(LOG_ERR, "agent: invalid log level: %s; it stays as it was", fresh->log_level);
    }
    if (strcmp(life->config.personality, "serf") != 0) {
        return;
    }
    hearsay_err err = hearsay_uv_set_tags(life->uv, tags->at, tags->count);
    if (err != HEARSAY_OK) {
        log_put(LOG_ERR, "agent: tags stay as they were: %s", hearsay_err_text(err));
    }
    hearsay_uv_flush(life->uv);
}

void reload_now(struct life *life)
{
    char error[512], state[64];
    struct config fresh;
    struct taglist tags = {0};
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(uv_hrtime() / 1000));
    notify_send(state);
    log_put(LOG_INFO, "agent: Reloading configuration...");
    if (!eventlog_reopen(&life->events, error, sizeof error)) {
        log_put(LOG_ERR, "agent: %s; events still go to the old file", error);
    }
    if (!setup_gather(life->flags, &fresh, error, sizeof error) || !setup_tags(&fresh, &tags, error, sizeof error)) {
        log_put(LOG_ERR, "agent: Failed to reload: %s", error);
    } else {
        apply(life, &fresh, &tags);
        audience_reload(life, &fresh);
        if (!registry_configure(&life->registry, &fresh.services, error, sizeof error)) {
            log_put(LOG_ERR, "agent: services stay as they were: %s", error);
        }
    }
    config_deinit(&fresh);
    lists_free_tags(&tags);
    notify_send("READY=1");
}
