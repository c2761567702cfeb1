/* SPDX-License-Identifier: MIT
 *
 * hearsay force-leave: declares a failed member gone for good.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/roster.h"
#include "wire/msgpack.h"

#include <string.h>

static bool prune, is_strict;

/* Serf's agents say nothing of a name that nobody has. */
static bool is_member(struct client *client, const char *name)
{
    struct hearsay_bytes object;
    struct roster roster;
    bool is_known = false;
    if (!client_ask(client, "members", bytes_of(NULL, 0)) || !client_next(client, &object, false)) {
        return false;
    }
    if (!roster_read(&roster, object)) {
        command_fail("the agent's list of members makes no sense");
        return false;
    }
    for (size_t i = 0; i < roster.count; i++) {
        is_known |= strcmp(roster.at[i].name, name) == 0;
    }
    roster_free(&roster);
    if (!is_known) {
        command_fail("no member is called %s", name);
    }
    return is_known;
}

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
    bool done = (!is_strict || is_member(&client, arguments[0])) && client_ask(&client, "force-leave", writer_bytes(&w));
    client_close(&client);
    return done ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {
    {"prune", FLAG_SWITCH, &prune, NULL, "also forget it at once"},
    {"strict", FLAG_SWITCH, &is_strict, NULL, "fail when no member has that name (Serf does not)"},
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
