/* SPDX-License-Identifier: MIT
 *
 * hearsay monitor: the agent's log and events as they happen, until interrupted.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *level = "info";

/* Others' bytes must neither steer the terminal nor look like lines of ours. */
static void print_raw(struct hearsay_bytes b)
{
    char *text = plain_copy(b);
    if (text != NULL) {
        plain_tame(text);
        fputs(text, stdout);
        free(text);
    }
}

static void print_members(struct reader *r)
{
    uint32_t count = msgpack_get_array(r);
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        uint32_t fields = msgpack_get_map(r);
        for (uint32_t f = 0; f < fields && !r->is_bad; f++) {
            if (msgpack_is(msgpack_get_raw(r), "Name")) {
                putchar(' ');
                print_raw(msgpack_get_raw(r));
            } else {
                msgpack_skip(r);
            }
        }
    }
}

static void print_event(struct hearsay_bytes object)
{
    struct reader r = reader_of(object);
    uint32_t count = msgpack_get_map(&r);
    printf("Event:");
    for (uint32_t i = 0; i < count && !r.is_bad; i++) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Members")) {
            printf(" members");
            print_members(&r);
        } else if (msgpack_is(key, "Event") || msgpack_is(key, "Name") || msgpack_is(key, "Payload")) {
            putchar(' ');
            print_raw(key);
            putchar('=');
            print_raw(msgpack_get_raw(&r));
        } else if (msgpack_is(key, "LTime") || msgpack_is(key, "ID")) {
            putchar(' ');
            print_raw(key);
            printf("=%llu", (unsigned long long)msgpack_get_uint(&r, UINT64_MAX));
        } else {
            msgpack_skip(&r);
        }
    }
    putchar('\n');
}

static void print_log(struct hearsay_bytes object)
{
    struct reader r = reader_of(object);
    (void)msgpack_get_map(&r);
    (void)msgpack_get_raw(&r);
    print_raw(msgpack_get_raw(&r));
    putchar('\n');
}

static bool subscribe(struct client *client, const char *command, const char *key, const char *value)
{
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, key);
    msgpack_put_str(&w, bytes_of_string(value));
    return client_send(client, command, writer_bytes(&w));
}

/* Subscriptions are confirmed between the records of others. */
static int watch(struct client *client, uint64_t stream, uint64_t monitor)
{
    bool is_streaming = false, is_monitoring = false;
    char error[1024];
    uint64_t seq;
    while (client_header(client, &seq, error, sizeof error, true)) {
        struct hearsay_bytes object;
        bool *is_open = seq == stream ? &is_streaming : seq == monitor ? &is_monitoring : NULL;
        if (error[0] != 0) {
            return command_fail("%s", error);
        }
        if (is_open != NULL && !*is_open) {
            *is_open = true;
            continue;
        }
        if (!client_next(client, &object, true)) {
            break;
        }
        if (seq == monitor) {
            print_log(object);
        } else {
            print_event(object);
        }
        fflush(stdout);
    }
    return command_fail("the agent is gone");
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct client client;
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    client.wait_ms = -1;
    int result = EXIT_FAILED;
    if (subscribe(&client, "stream", "Type", "*") && subscribe(&client, "monitor", "LogLevel", level)) {
        result = watch(&client, client.seq - 1, client.seq);
    }
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"log-level", FLAG_TEXT, &level, "LEVEL", "trace, debug, info, warn or err (default info)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_monitor = {
    .name = "monitor",
    .summary = "follow the agent's log and events",
    .usage = "monitor [flags]",
    .text = "  Prints the agent's last log lines, then log and events as they happen, until interrupted.\n\n"
            "    hearsay monitor --log-level debug\n",
    .flags = flags,
    .run = run,
};
