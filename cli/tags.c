/* SPDX-License-Identifier: MIT
 *
 * hearsay tags: changes the tags of the agent.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <string.h>

#define ROOM 65536

static struct flag_list set, gone;

static bool put_request(struct writer *w)
{
    msgpack_put_map(w, 2);
    msgpack_put_text(w, "DeleteTags");
    msgpack_put_array(w, (uint32_t)gone.count);
    for (size_t i = 0; i < gone.count; i++) {
        msgpack_put_str(w, bytes_of_string(gone.at[i]));
    }
    msgpack_put_text(w, "Tags");
    msgpack_put_map(w, (uint32_t)set.count);
    for (size_t i = 0; i < set.count; i++) {
        const char *equals = strchr(set.at[i], '=');
        if (equals == NULL || equals == set.at[i]) {
            return command_misused("--set %s: give it as key=value", set.at[i]);
        }
        msgpack_put_str(w, bytes_of(set.at[i], (size_t)(equals - set.at[i])));
        msgpack_put_str(w, bytes_of_string(equals + 1));
    }
    return !w->is_full;
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    static uint8_t room[ROOM];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    if (set.count == 0 && gone.count == 0) {
        (void)command_misused("nothing to change: give --set key=value or --delete key");
        return EXIT_USAGE;
    }
    if (!put_request(&w) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    bool done = client_ask(&client, "tags", writer_bytes(&w));
    client_close(&client);
    if (done) {
        puts("Successfully updated agent tags");
    }
    return done ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {
    {"set", FLAG_LIST, &set, "KEY=VALUE", "set or change a tag (may be repeated)"},
    {"delete", FLAG_LIST, &gone, "KEY", "remove a tag (may be repeated)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_tags = {
    .name = "tags",
    .summary = "change the tags of the agent",
    .usage = "tags [flags]",
    .text = "  Changes the agent's tags and tells everybody. Removals come first.\n\n"
            "    hearsay tags --set role=web --delete draining\n",
    .flags = flags,
    .run = run,
};
