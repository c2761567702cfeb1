/* SPDX-License-Identifier: MIT
 *
 * hearsay event: tells every member something.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <string.h>

#define ROOM 32768

static bool coalesce = true;

static int run(int count, char **arguments)
{
    static uint8_t room[ROOM];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    const char *payload = count > 1 ? arguments[1] : "";
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
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_event = {
    .name = "event",
    .summary = "send a user event to every member",
    .usage = "event [flags] NAME [PAYLOAD]",
    .text = "  Tells every member of the cluster. Name and payload together are limited to 512 bytes.\n\n"
            "    hearsay event --coalesce=false deploy v1.2.3\n",
    .flags = flags,
    .least = 1,
    .most = 2,
    .run = run,
};
