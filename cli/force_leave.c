/* SPDX-License-Identifier: MIT
 *
 * hearsay force-leave: declares a failed member gone for good.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "wire/msgpack.h"

static bool prune;

static int run(int count, char **arguments)
{
    (void)count;
    uint8_t room[1024];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Node");
    msgpack_put_str(&w, bytes_of_string(arguments[0]));
    msgpack_put_text(&w, "Prune");
    msgpack_put_bool(&w, prune);
    if (w.is_full) {
        return command_fail("%s: no member has so long a name", arguments[0]);
    }
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    bool done = client_ask(&client, "force-leave", writer_bytes(&w));
    client_close(&client);
    return done ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {
    {"prune", FLAG_SWITCH, &prune, NULL, "also forget it at once"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_force_leave = {
    .name = "force-leave",
    .summary = "declare a failed member gone for good",
    .usage = "force-leave [flags] NAME",
    .text = "  Moves a failed member to the status left, so that nobody looks for it any more. If it is alive after all, it comes back.\n\n"
            "    hearsay force-leave --prune web-7\n",
    .flags = flags,
    .least = 1,
    .most = 1,
    .run = run,
};
