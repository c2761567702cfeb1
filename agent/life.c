/* SPDX-License-Identifier: MIT
 *
 * See life.h.
 */
#include "agent/life.h"

#include "agent/catalog.h"
#include "agent/disk.h"
#include "agent/keys.h"
#include "agent/kv.h"
#include "agent/log.h"
#include "agent/notify.h"
#include "agent/setup.h"
#include "agent/syslog.h"

#include <malloc.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* ---- the service's deeds ---- */

static uint64_t service_now(void *context)
{
    struct life *life = context;
    return hearsay_uv_now(life->uv);
}

static uint64_t unix_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void service_flush(void *context)
{
    struct life *life = context;
    hearsay_uv_flush(life->uv);
}

static void service_leave(void *context)
{
    struct life *life = context;
    life_leave(life);
}

static bool save_tags(void *context, const struct taglist *tags, char *error, size_t size)
{
    struct life *life = context;
    if (life->config.tags_file == NULL) {
        return true;
    }
    struct text json = {0};
    lists_tags_json(tags, &json);
    bool is_saved = disk_replace(life->config.tags_file, json.data, json.size, 0600, true, error, size);
    text_deinit(&json);
    return is_saved;
}

static uint64_t lines_dropped(void *context)
{
    struct life *life = context;
    return log_dropped() + life->events.sink.dropped;
}

static size_t store_bytes_waiting(void *context)
{
    struct life *life = context;
    return store_waiting(&life->store);
}

static void want_watchers(void *context)
{
    struct life *life = context;
    chores_want(&life->chores, CHORE_WATCHERS, 0);
}

static void want_expiry(void *context, uint64_t ms)
{
    struct life *life = context;
    chores_want(&life->chores, CHORE_EXPIRY, ms);
}

static void want_registry(void *context, uint64_t ms)
{
    struct life *life = context;
    chores_want(&life->chores, CHORE_REGISTRY, ms);
}

static void init_service(struct life *life, const struct hearsay_options *node)
{
    const char *auth = life->config.rpc_auth;
    life->service = (struct service){.node = hearsay_uv_node(life->uv),
                                     .uv = life->uv,
                                     .rpc_auth = auth,
                                     .event_bytes_max = node->event_bytes_max,
                                     .query_bytes_max = node->query_bytes_max,
                                     .response_bytes_max = node->response_bytes_max,
                                     .name = life->config.node_name,
                                     .context = life,
                                     .handlers = &life->handlers,
                                     .now_us = service_now,
                                     .unix_ms = unix_ms,
                                     .flush = service_flush,
                                     .join = joining_by_rpc,
                                     .leave = service_leave,
                                     .save_tags = save_tags,
                                     .lines_dropped = lines_dropped,
                                     .want_watchers = want_watchers,
                                     .want_expiry = want_expiry};
    life->service.catalog = must(hearsay_services_create(life->service.node, NULL));
    life->service.registry = &life->registry;
    life->registry.context = life;
    life->registry.want = want_registry;
    life->service.store.mode = node->store_mode;
    life->service.store.fanout = node->store_fanout;
    life->service.store.interval_ms = node->store_interval_ms;
    life->service.store.path = life->store.storage == NULL ? NULL : life->config.data_dir;
    life->service.store.waiting = store_bytes_waiting;
}

/* ---- events ---- */

static void put_event_line(struct life *life)
{
    if (life->events.path != NULL && life->events.line.size > 0 && eventlog_write(&life->events)) {
        chores_want(&life->chores, CHORE_LINES, 100);
    }
    if (life->events.sink.dropped > life->lines_reported) {
        chores_want(&life->chores, CHORE_LINES, 1000); /* so at most one complaint per second */
    }
}

static void say_member(const struct hearsay_event *event, enum log_level level, const char *word)
{
    char ip[46];
    text_ip(&event->member.address, ip);
    const struct hearsay_cause *cause = &event->cause;
    if (event->type == HEARSAY_MEMBER_JOIN || cause->reason == HEARSAY_BECAUSE_UNKNOWN) {
        log_put(level, "hearsay: %s: %s %s", word, event->member.name, ip);
    } else {
        log_put(level, "hearsay: %s: %s %s (%s%s%s)", word, event->member.name, ip, hearsay_reason_text(cause->reason),
                cause->accuser == NULL ? "" : ", says ", cause->accuser == NULL ? "" : cause->accuser);
    }
}

static void say_event(const struct hearsay_event *event)
{
    char place[56];
    switch (event->type) {
    case HEARSAY_MEMBER_JOIN:
        say_member(event, LOG_INFO, "EventMemberJoin");
        break;
    case HEARSAY_MEMBER_SUSPECT:
        say_member(event, LOG_INFO, "Suspect");
        break;
    case HEARSAY_MEMBER_ALIVE:
        say_member(event, LOG_INFO, "Refuted");
        break;
    case HEARSAY_MEMBER_FAILED:
        say_member(event, LOG_INFO, "EventMemberFailed");
        break;
    case HEARSAY_MEMBER_LEAVE:
        say_member(event, LOG_INFO, "EventMemberLeave");
        break;
    case HEARSAY_MEMBER_UPDATE:
        say_member(event, LOG_INFO, "EventMemberUpdate");
        break;
    case HEARSAY_MEMBER_REAP:
        say_member(event, LOG_INFO, "EventMemberReap");
        break;
    case HEARSAY_USER_EVENT:
        log_put(LOG_INFO, "agent: Received event: user-event: %s", event->name);
        break;
    case HEARSAY_QUERY:
        log_put(LOG_INFO, "agent: Received event: query: %s", event->name);
        break;
    case HEARSAY_KEY_WORN:
        log_put(LOG_WARN,
                "agent: about %llu messages are sealed with the key in use by now; replace it with `hearsay keys rotate` well before 2^32"
                " (4294967296)",
                (unsigned long long)event->messages);
        break;
    case HEARSAY_CONFLICT:
        text_place(&event->other_address, place);
        log_put(LOG_ERR, "hearsay: Name conflict: %s is also claimed by %s: give every node its own name", event->member.name, place);
        break;
    case HEARSAY_FOREIGN_CLUSTER:
        text_place(&event->other_address, place);
        log_put(LOG_WARN, "hearsay: %s now belongs to another cluster at %s; it is left alone", event->member.name, place);
        break;
    default:
        break;
    }
}

/* Whose name it is, a majority has said. Serf shuts down at once and exits with 0; so do we. */
static void on_conflict(struct life *life, const struct hearsay_event *event)
{
    if (event->is_ok) {
        log_put(LOG_INFO, "hearsay: majority in name conflict resolution [%u / %u]", event->acks, event->answers);
        return;
    }
    log_put(LOG_WARN,
            "hearsay: minority in name conflict resolution, quiting [%u / %u]: another node has the name %s; give every node its own",
            event->acks, event->answers, life->config.node_name);
    chores_want(&life->chores, CHORE_LOST, 0);
}

/* Who asked for the change is told when the file could not be written: then it lasts only as long as this process. */
static void keep_keyring(struct life *life, uint64_t query)
{
    char error[400];
    bool is_kept = keys_save(life->service.node, life->config.keyring_file, error, sizeof error);
    if (query != 0 && hearsay_uv_keyring_kept(life->uv, query, is_kept ? NULL : error) != HEARSAY_OK) {
        log_put(LOG_WARN, "agent: who changed the keyring is not answered: its query is over");
    }
}

static void on_event(struct hearsay_uv *uv, const struct hearsay_event *event, void *user)
{
    struct life *life = user;
    if (event->type == HEARSAY_LEAVE_DONE) {
        life->is_told = true;
        chores_want(&life->chores, CHORE_STOP, 0);
        return;
    }
    catalog_event(&life->service, event);
    if (event->type == HEARSAY_PUT_DONE || event->type == HEARSAY_REPAIR_DONE || event->type == HEARSAY_ENTRY_CHANGED) {
        registry_event(&life->registry, event);
        if (life->web.talks != NULL && (event->type == HEARSAY_ENTRY_CHANGED || web_done(&life->web, event))) {
            chores_want(&life->chores, CHORE_WATCHERS, 0);
        }
        service_event(&life->service, event); /* of no interest to anybody else */
        return;
    }
    if (life->events.path != NULL && eventlog_line(&life->events.line, event, unix_ms(life))) {
        put_event_line(life);
    }
    struct hearsay_event large;
    if (event->type == HEARSAY_LARGE_EVENT) { /* from here on it is a user event like any other */
        audience_judge(life, event);
        large = *event;
        large.type = HEARSAY_USER_EVENT;
        large.ltime = 0;
        large.coalesce = false;
        event = &large;
    }
    say_event(event);
    metrics_event(&life->metrics, event);
    if (event->type == HEARSAY_KEYRING_CHANGED) {
        keep_keyring(life, event->query);
        return;
    }
    if (event->type == HEARSAY_CONFLICT_RESOLVED) {
        on_conflict(life, event);
        return;
    }
    web_event(&life->web, event);
    dns_event(&life->dns, event);
    audience_event(life, event);
    if (persist_event(&life->persist, event)) {
        chores_want(&life->chores, CHORE_SNAPSHOT, 500);
        chores_want(&life->chores, CHORE_BOOK, 3000);
    }
    if (event->type == HEARSAY_MEMBER_REAP) {
        registry_event(&life->registry, event);
    }
    (void)uv; /* the node may be asked only now: event is gone after that */
}

static void on_persist(struct hearsay_uv *uv, const struct hearsay_persist *persist, void *user)
{
    struct life *life = user;
    (void)uv;
    store_persist(&life->store, persist);
}

/* ---- chores ---- */

static void finish_leaving(struct life *life)
{
    if (life->state != LIFE_LEAVING) {
        return;
    }
    if (!life->is_told) {
        log_put(LOG_WARN, "agent: the leave took too long; stopping all the same");
    }
    service_left(&life->service);
    life_stop(life, 0);
}

static void close_rest(struct life *life)
{
    server_close(&life->server, true);
    chores_close(&life->chores);
}

static void report_dropped(struct life *life)
{
    if (sink_retry(&life->events.sink)) {
        chores_want(&life->chores, CHORE_LINES, 200);
    }
    if (life->events.sink.dropped > life->lines_reported) {
        log_put(LOG_WARN, "agent: event log: %llu lines were dropped because the reader is too slow",
                (unsigned long long)(life->events.sink.dropped - life->lines_reported));
        life->lines_reported = life->events.sink.dropped;
    }
}

static void run_chore(void *context, enum chore chore)
{
    struct life *life = context;
    switch (chore) {
    case CHORE_RECORDS:
        audience_flush(life);
        break;
    case CHORE_COALESCE:
        audience_run(life, false);
        break;
    case CHORE_SNAPSHOT:
        if (life->state == LIFE_RUNNING && life->persist.snapshot.fd >= 0) {
            persist_clocks(&life->persist, life->service.node);
            persist_flush(&life->persist);
            chores_want(&life->chores, CHORE_SNAPSHOT, 10000); /* clocks also grow without events */
        }
        break;
    case CHORE_BOOK:
        persist_flush_book(&life->persist, life->config.node_name, true);
        if (life->persist.book_path != NULL) {
            chores_want(&life->chores, CHORE_BOOK, 3600 * 1000); /* so that "last seen" stays true */
        }
        break;
    case CHORE_WATCHERS:
        kv_tell_watchers(&life->service);
        catalog_tell_watchers(&life->service);
        web_wake(&life->web);
        break;
    case CHORE_REGISTRY:
        if (life->state == LIFE_RUNNING) {
            registry_run(&life->registry);
        }
        break;
    case CHORE_EXPIRY:
        kv_expire(&life->service);
        break;
    case CHORE_LINES:
        report_dropped(life);
        break;
    case CHORE_TRIM:
        mallopt(M_TOP_PAD, 4 << 10); /* from now on in small pieces */
        malloc_trim(0);
        break;
    case CHORE_JOIN:
        joining_retry(life);
        break;
    case CHORE_METRICS:
        metrics_tick(&life->metrics, life->service.node, life->service.accepted, life->service.commands);
        chores_want(&life->chores, CHORE_METRICS, METRICS_INTERVAL_MS);
        break;
    case CHORE_WATCHDOG:
        notify_send("WATCHDOG=1");
        chores_want(&life->chores, CHORE_WATCHDOG, life->watchdog_ms);
        break;
    case CHORE_LOST:
        life_stop(life, 0);
        break;
    case CHORE_STOP:
        finish_leaving(life);
        break;
    case CHORE_CLOSE:
        close_rest(life);
        break;
    case CHORE_COUNT:
        break;
    }
}

/* ---- the end ---- */

void life_leave(struct life *life)
{
    if (life->state != LIFE_RUNNING) {
        return;
    }
    life->state = LIFE_LEAVING;
    notify_send("STOPPING=1");
    log_put(LOG_INFO, "agent: requesting graceful leave");
    persist_clocks(&life->persist, life->service.node);
    persist_leave(&life->persist);
    chores_want(&life->chores, CHORE_STOP, life->leave_limit_ms);
    hearsay_err err = hearsay_uv_leave(life->uv);
    if (err != HEARSAY_OK) {
        log_put(LOG_WARN, "agent: cannot leave: %s", hearsay_err_text(err));
        chores_want(&life->chores, CHORE_STOP, 0);
    }
    hearsay_uv_flush(life->uv);
}

void life_stop(struct life *life, int exit_code)
{
    if (life->state == LIFE_STOPPING) {
        return;
    }
    bool has_left = life->state == LIFE_LEAVING;
    life->state = LIFE_STOPPING;
    life->exit_code = exit_code;
    notify_send("STOPPING=1");
    log_put(LOG_INFO, "agent: requesting shutdown");
    if (!has_left) {
        log_put(LOG_WARN, "hearsay: Shutdown without a Leave");
        persist_clocks(&life->persist, life->service.node);
    }
    audience_run(life, true);
    audience_close(life);
    metrics_close(&life->metrics);
    persist_close(&life->persist, life->config.node_name);
    for (int i = 0; i < LIFE_SIGNALS; i++) {
        uv_close((uv_handle_t *)&life->signals[i], NULL);
    }
    server_close(&life->server, false);
    registry_close(&life->registry);
    store_mute(&life->store);
    discovery_close(life->discovery);
    web_close(&life->web);
    dns_close(&life->dns);
    hearsay_uv_stop(life->uv, NULL, NULL);
    chores_want(&life->chores, CHORE_CLOSE, life->server.count == 0 ? 0 : 300);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct life *life = handle->data;
    if (number == SIGHUP) {
        log_banner("==> Caught signal: hangup");
        if (life->state == LIFE_RUNNING) {
            reload_now(life);
        }
        return;
    }
    log_banner("==> Caught signal: %s", number == SIGINT ? "interrupt" : "terminated");
    if (life->state == LIFE_LEAVING) {
        fputs("agent: interrupted again while leaving: stopping at once\n", stderr);
        persist_flush(&life->persist);
        _exit(1);
    }
    bool is_leaving = number == SIGINT ? !life->config.stays_on_int : life->config.leaves_on_term != 0;
    if (is_leaving) {
        log_banner("==> Gracefully shutting down agent...");
        life_leave(life);
    } else {
        life_stop(life, 0);
    }
}

/* ---- the start ---- */

static void open_loop(struct life *life)
{
    static const int numbers[LIFE_SIGNALS] = {SIGHUP, SIGINT, SIGTERM};
    uv_loop_init(&life->loop);
    chores_open(&life->chores, &life->loop, run_chore, life);
    for (int i = 0; i < LIFE_SIGNALS; i++) {
        uv_signal_init(&life->loop, &life->signals[i]);
        life->signals[i].data = life;
        uv_signal_start(&life->signals[i], on_signal, numbers[i]);
    }
}

static bool open_log(struct life *life, char *error, size_t size)
{
    enum log_level level;
    bool is_on_stdout = life->config.event_log != NULL && strcmp(life->config.event_log, "-") == 0;
    log_start(is_on_stdout ? STDERR_FILENO : STDOUT_FILENO);
    if (!log_parse_level(life->config.log_level, &level)) {
        snprintf(error, size, "invalid log level: %s. Valid log levels are: [TRACE DEBUG INFO WARN ERR]", life->config.log_level);
        return false;
    }
    log_set_level(level);
    return life->config.has_syslog == 0 || syslog_open(life->config.syslog_facility, error, size);
}

/* The node and RPC. Options hold keys, so they are wiped here and nowhere kept. */
static bool open_node(struct life *life, char *error, size_t size)
{
    struct hearsay_uv_options options;
    struct taglist tags = {0};
    bool is_open = setup_tags(&life->config, &tags, error, size) && setup_options(&life->config, &tags, &options, error, size) &&
                   store_open(&life->store, &life->config, &options, error, size);
    if (is_open) {
        persist_set_clocks(&life->persist, &options.node);
        options.on_event = on_event;
        options.on_persist = on_persist;
        options.user = life;
        life->leave_limit_ms = 2 * (uint64_t)options.node.broadcast_timeout_ms + options.node.leave_propagate_ms + 2000;
        life->uv = hearsay_uv_start(&life->loop, &options, error, size);
        is_open = life->uv != NULL;
        if (is_open) {
            init_service(life, &options.node);
            life->handlers.node = life->service.node;
            is_open = store_load(&life->store, life->uv, &life->loop, error, size);
        }
        explicit_bzero(&options, sizeof options);
    }
    lists_free_tags(&tags);
    return is_open;
}

static bool open_web(struct life *life, char *error, size_t size)
{
    const struct config *c = &life->config;
    struct web_settings settings = {.address = c->http_addr,
                                    .token = c->http_token,
                                    .certificate = c->http_tls_cert,
                                    .key = c->http_tls_key,
                                    .metrics = c->http_metrics,
                                    .wants_peers = c->start_join.count + c->retry_join.count > 0};
    return web_open(&life->web, &life->loop, &life->service, &settings, error, size);
}

static bool open_dns(struct life *life, char *error, size_t size)
{
    const struct config *c = &life->config;
    struct dns_settings settings = {.address = c->dns_addr, .domain = c->dns_domain, .ttl_ms = c->dns_ttl_ms};
    life->service.dns = &life->dns;
    return dns_open(&life->dns, &life->loop, &life->service, &settings, error, size);
}

static void show_banner(struct life *life, const char *bound, bool is_encrypted)
{
    char rpc[56];
    text_place(&life->rpc, rpc);
    log_banner("==> hearsay agent running!");
    log_banner("                      Node name: '%s'", life->config.node_name);
    log_banner("                      Bind addr: '%s'", bound);
    log_banner("                       RPC addr: '%s'", rpc);
    if (life->web.http != NULL) {
        log_banner("                      HTTP addr: '%s'", life->config.http_addr);
    }
    if (life->dns.responder != NULL) {
        char place[56];
        text_place(&life->dns.bound, place);
        log_banner("                       DNS addr: '%s', for %s", place, life->config.dns_domain);
    }
    log_banner("                      Encrypted: %s", is_encrypted ? "true" : "false");
    log_banner("                       Snapshot: %s", life->config.snapshot_path != NULL ? "true" : "false");
    log_banner("                        Profile: %s", life->config.profile);
    log_banner("    Message Compression Enabled: %s", life->config.is_compressing ? "true" : "false");
    log_banner("%s", "");
    log_banner("==> Log data will now stream in as it occurs:");
    log_banner("%s", "");
}

static void say_ready(struct life *life)
{
    struct hearsay_address bound, advertised;
    struct hearsay_stats stats;
    char bind[56], rpc[56];
    hearsay_uv_bound(life->uv, &bound, &advertised);
    hearsay_get_stats(life->service.node, &stats);
    text_place(&bound, bind);
    text_place(&life->rpc, rpc);
    show_banner(life, bind, stats.is_encrypted);
    log_put(LOG_INFO, "agent: hearsay agent starting");
    if (!stats.is_encrypted) {
        log_put(LOG_WARN,
                "agent: RUNNING WITHOUT ENCRYPTION: whoever can reach %s can join and speak for any member; make a key with"
                " `hearsay keygen` and give it with --encrypt @FILE",
                bind);
    }
    if (life->events.path != NULL) {
        eventlog_ready(&life->events.line, life->config.node_name, &advertised, rpc, (int)getpid());
        put_event_line(life);
    }
    notify_send("READY=1");
}

/* Closes what is open after a failed start. */
static void abandon(struct life *life)
{
    for (int i = 0; i < LIFE_SIGNALS; i++) {
        uv_close((uv_handle_t *)&life->signals[i], NULL);
    }
    chores_close(&life->chores);
    discovery_close(life->discovery);
    server_close(&life->server, true);
    web_close(&life->web);
    dns_close(&life->dns);
    registry_close(&life->registry);
    if (life->uv != NULL) {
        hearsay_uv_stop(life->uv, NULL, NULL);
    }
    store_mute(&life->store);
    uv_run(&life->loop, UV_RUN_DEFAULT);
    uv_loop_close(&life->loop);
    dns_deinit(&life->dns);
    store_close(&life->store);
    hearsay_services_destroy(life->service.catalog);
    audience_close(life);
    metrics_close(&life->metrics);
    persist_abandon(&life->persist);
    eventlog_close(&life->events);
}

static bool open_discovery(struct life *life, char *error, size_t size)
{
    struct hearsay_address advertised;
    hearsay_uv_bound(life->uv, NULL, &advertised);
    return discovery_open(&life->discovery, &life->loop, &life->service, &life->config, &advertised, error, size);
}

bool life_start(struct life *life, const struct config *flags, char *error, size_t size)
{
    *life = (struct life){.flags = flags, .events.sink.fd = -1, .persist.snapshot.fd = -1};
    if (!setup_gather(flags, &life->config, error, size) || !setup_resolve(&life->config, error, size) || !open_log(life, error, size)) {
        return false;
    }
    log_banner("==> Starting hearsay agent...");
    open_loop(life);
    bool is_open = audience_open(life, error, size) &&
                   metrics_open(&life->metrics, &life->loop, life->config.statsd_addr, life->config.statsite_addr, error, size) &&
                   persist_open(&life->persist, &life->config, error, size) &&
                   eventlog_open(&life->events, life->config.event_log, error, size) && open_node(life, error, size);
    if (is_open) {
        log_banner("==> Starting hearsay agent RPC...");
        is_open = server_open(&life->server, &life->loop, &life->service, life->config.rpc_addr, &life->rpc, error, size) &&
                  open_web(life, error, size) && open_dns(life, error, size) &&
                  registry_open(&life->registry, &life->loop, &life->service, life->config.data_dir, &life->config.services, error, size);
    }
    if (!is_open) {
        abandon(life);
        return false;
    }
    if (!open_discovery(life, error, size)) {
        abandon(life);
        return false;
    }
    say_ready(life);
    hearsay_uv_flush(life->uv);
    persist_remember(&life->persist, life->uv, life->config.node_name);
    hearsay_uv_flush(life->uv);
    joining_start(life);
    life->watchdog_ms = notify_watchdog_ms();
    if (life->watchdog_ms > 0) {
        chores_want(&life->chores, CHORE_WATCHDOG, life->watchdog_ms);
    }
    if (life->metrics.is_on) {
        chores_want(&life->chores, CHORE_METRICS, METRICS_INTERVAL_MS);
    }
    chores_want(&life->chores, CHORE_TRIM, 3000);
    return true;
}

int life_run(struct life *life)
{
    uv_run(&life->loop, UV_RUN_DEFAULT);
    uv_loop_close(&life->loop);
    store_close(&life->store);
    log_put(LOG_INFO, "agent: shutdown complete");
    eventlog_close(&life->events);
    service_deinit(&life->service);
    web_deinit(&life->web);
    dns_deinit(&life->dns);
    config_deinit(&life->config);
    return life->exit_code;
}
