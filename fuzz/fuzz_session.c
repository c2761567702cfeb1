/* SPDX-License-Identifier: MIT
 *
 * The agent's RPC: any bytes from a client, in pieces, with and without a token; a real node answers. What waits for output and for the rest of a
 * request stays within the session's limits.
 */
#include "fuzz.h"

#include "agent/session.h"

#include <string.h>

static struct service service;

static uint64_t zero(void *context)
{
    (void)context;
    return 0;
}

static void flush(void *context)
{
    struct hearsay_output output;
    (void)context;
    while (hearsay_next_output(service.node, &output)) {
        if (output.type == HEARSAY_NOTIFY) {
            service_event(&service, &output.event);
        }
    }
}

static void join(void *context, const char *const *peers, size_t count, bool replay, service_joined done, void *user)
{
    (void)context, (void)peers, (void)replay;
    done(user, count % 2, count % 2 ? NULL : "nobody there");
}

static void leave(void *context)
{
    (void)context;
    service_left(&service);
}

static bool save_tags(void *context, const struct taglist *tags, char *error, size_t size)
{
    (void)context, (void)tags, (void)error, (void)size;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hearsay_options options;
    struct session session;
    if (size < 2) {
        return 0;
    }
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.seed = 1;
    service = (struct service){.name = "n1", .event_bytes_max = 512, .now_us = zero, .unix_ms = zero, .flush = flush, .join = join,
                               .leave = leave, .save_tags = save_tags, .lines_dropped = zero,
                               .rpc_auth = data[0] & 1 ? "token" : NULL};
    service.node = hearsay_create(&options, 0, NULL);
    FUZZ_CHECK(service.node != NULL);
    flush(NULL);
    session_init(&session, &service);
    size_t step = 1 + data[1];
    for (size_t at = 2; at < size && !session.is_closing; at += step) {
        size_t left = size - at;
        session_feed(&session, data + at, left < step ? left : step);
        service_flush_events(&service);
        FUZZ_CHECK(session.input.size <= SESSION_REQUEST_BYTES + step);
        session.output.size = 0; /* a client that reads */
    }
    session_deinit(&session);
    hearsay_destroy(service.node);
    service_deinit(&service);
    return 0;
}
