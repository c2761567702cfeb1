/* SPDX-License-Identifier: MIT
 *
 * RPC conversations: any bytes from a client, in pieces of any size, to a session with a real node behind it. Nothing is kept that is
 * longer than the longest request, and what is answered is msgpack.
 */
#include "fuzz.h"

#include "agent/catalog.h"
#include "agent/expression.h"
#include "agent/kv.h"

static struct service service;
static service_joined joined;
static void *joined_user;

enum { SESSION_SHAKEN = 1, SESSION_TOKEN = 2, SESSION_JOIN_LATER = 4, SESSION_SMALL_PIECES = 8 };

static uint64_t now_us(void *context)
{
    (void)context;
    return 1000000;
}

static uint64_t unix_ms(void *context)
{
    (void)context;
    return 1700000000000;
}

static void flush(void *context)
{
    struct hearsay_output output;
    (void)context;
    while (hearsay_next_output(service.node, &output)) {
        if (output.type == HEARSAY_NOTIFY) {
            catalog_event(&service, &output.event);
            service_event(&service, &output.event);
        } else if (output.type == HEARSAY_PERSIST) {
            hearsay_persisted(service.node, 1000000, output.persist.batch, output.persist.batch % 4 != 3);
        }
    }
    service_flush_events(&service);
}

static void join(void *context, const char *const *peers, size_t count, bool replay, service_joined done, void *user)
{
    (void)context;
    (void)peers;
    (void)replay;
    FUZZ_CHECK(joined == NULL && count <= 1024);
    if (count % 2 == 0) { /* such joins end at once */
        done(user, count % 4, count % 4 == 0 ? "nobody answered" : NULL);
        return;
    }
    joined = done;
    joined_user = user;
}

static void finish_join(void)
{
    service_joined done = joined;
    joined = NULL;
    if (done != NULL) {
        done(joined_user, 0, "nobody answered");
    }
}

static void leave(void *context)
{
    (void)context;
}

static bool save_tags(void *context, const struct taglist *tags, char *error, size_t size)
{
    (void)context;
    (void)tags;
    snprintf(error, size, "no disk");
    return tags->count % 2 == 0;
}

static void want_watchers(void *context)
{
    (void)context;
}

static void want_expiry(void *context, uint64_t ms)
{
    (void)context;
    (void)ms;
}

static uint64_t lines_dropped(void *context)
{
    (void)context;
    return 0;
}

static void start(uint8_t settings)
{
    struct hearsay_options options;
    struct hearsay_tag tag = {"role", "web"};
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.tags = &tag;
    options.tag_count = 1;
    options.seed = 1;
    options.matcher.match = expression_match;
    options.store = options.store_durable = (settings & SESSION_TOKEN) == 0;
    service = (struct service){.name = "n1", .rpc_auth = settings & SESSION_TOKEN ? "secret" : NULL, .event_bytes_max = 512,
                               .now_us = now_us, .unix_ms = unix_ms, .flush = flush, .join = join, .leave = leave,
                               .save_tags = save_tags, .lines_dropped = lines_dropped, .want_watchers = want_watchers, .want_expiry = want_expiry};
    service.node = hearsay_create(&options, 1000000, NULL);
    FUZZ_CHECK(service.node != NULL);
    service.catalog = hearsay_services_create(service.node, NULL);
    hearsay_set_wall_clock(service.node, 1000000, unix_ms(NULL));
    flush(NULL);
}

static void take_output(struct session *session)
{
    struct scan scan = {0};
    while (scan.at < session->output.size) {
        FUZZ_CHECK(scan_object(&scan, (const uint8_t *)session->output.data, session->output.size, SIZE_MAX) == SCAN_DONE);
    }
    text_clear(&session->output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session session;
    if (size < 1) {
        return 0;
    }
    uint8_t settings = data[0];
    log_set_level(LOG_ERR);
    start(settings);
    session_init(&session, &service);
    session.is_shaken = (settings & SESSION_SHAKEN) != 0;
    size_t piece = settings & SESSION_SMALL_PIECES ? 1u + (settings >> 4) : size;
    for (size_t at = 1; at < size && !session.is_closing; at += piece) {
        session_feed(&session, data + at, at + piece <= size ? piece : size - at);
        FUZZ_CHECK(session.input.size <= size && session.subscription_count <= SESSION_STREAMS);
        if (!(settings & SESSION_JOIN_LATER)) {
            finish_join();
        }
        if (session.is_leaving) {
            service_left(&service);
        }
        kv_tell_watchers(&service);
        catalog_tell_watchers(&service);
        kv_expire(&service);
        take_output(&session);
    }
    session_deinit(&session);
    finish_join(); /* the client is gone by now */
    hearsay_destroy(service.node);
    service_deinit(&service);
    return 0;
}
