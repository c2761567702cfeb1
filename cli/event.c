/* SPDX-License-Identifier: MIT
 *
 * hearsay event: tells every member something.
 */
#include "cli/kv.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 32768

static bool coalesce = true, is_large;

/* The payload is the content of a file. */
static int run_large(const char *name, const char *path)
{
    struct hearsay_bytes payload;
    struct client client;
    struct writer w;
    if (!kv_read_file(path, &payload)) {
        return EXIT_FAILED;
    }
    int result = EXIT_FAILED;
    if (kv_writer(&w, strlen(name) + payload.size) && client_open(&client)) {
        msgpack_put_map(&w, 2);
        msgpack_put_text(&w, "Name");
        msgpack_put_str(&w, bytes_of_string(name));
        msgpack_put_text(&w, "Payload");
        msgpack_put_bin(&w, payload);
        if (kv_ask(&client, "event-large", writer_bytes(&w))) {
            printf("Event '%s' of %zu bytes dispatched to hearsay agents with a store; Serf agents do not hear of it\n", name,
                   payload.size);
            result = EXIT_DONE;
        }
        client_close(&client);
    }
    free(w.data);
    free((void *)(uintptr_t)payload.data);
    return result;
}

static int run(int count, char **arguments)
{
    static uint8_t room[ROOM];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    const char *payload = count > 1 ? arguments[1] : "";
    if (is_large) {
        return count > 1                                                          ? run_large(arguments[0], payload)
               : command_misused("--large needs a file, or - for standard input") ? 0
                                                                                  : EXIT_USAGE;
    }
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "Coalesce");
    msgpack_put_bool(&w, coalesce);
    msgpack_put_text(&w, "Name");
    msgpack_put_str(&w, bytes_of_string(arguments[0]));
    msgpack_put_text(&w, "Payload");
    msgpack_put_bin(&w, bytes_of_string(payload));
    if (w.is_full) {
        return command_fail("the payload has %zu bytes; events are limited to 512 by default", strlen(payload));
    }
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    bool done = client_ask(&client, "event", writer_bytes(&w));
    client_close(&client);
    if (done) {
        printf("Event '%s' dispatched! Coalescing enabled: %s\n", arguments[0], coalesce ? "true" : "false");
    }
    return done ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {
    {"coalesce", FLAG_SWITCH, &coalesce, NULL, "of several events of one name in a short time, deliver only the last (default true)"},
    {"large", FLAG_SWITCH, &is_large, NULL, "the payload is a file of up to 1 MiB; only hearsay agents with a store hear it"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_event = {
    .name = "event",
    .summary = "send a user event to every member",
    .usage = "event [flags] NAME [PAYLOAD], event --large NAME FILE|-",
    .text = "  Tells every member of the cluster. Name and payload together are limited to 512 bytes. With --large a file of up to 1 MiB "
            "is told to\n"
            "  all hearsay agents with --store, each fetching it once from whoever has it; Serf agents do not hear of it.\n\n"
            "    hearsay event --coalesce=false deploy v1.2.3; hearsay event --large config new.tar\n",
    .flags = flags,
    .least = 1,
    .most = 2,
    .run = run,
};
