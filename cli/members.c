/* SPDX-License-Identifier: MIT
 *
 * hearsay members: who is in the cluster, as one agent sees it.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/roster.h"
#include "wire/msgpack.h"

#include <string.h>

#define ROOM 65536

static bool is_detailed;
static const char *format = "text", *name = "", *status = "", *role;
static struct flag_list tags;

static bool put_request(struct writer *w)
{
    msgpack_put_map(w, 3);
    msgpack_put_text(w, "Name");
    msgpack_put_str(w, bytes_of_string(name));
    msgpack_put_text(w, "Status");
    msgpack_put_str(w, bytes_of_string(status));
    msgpack_put_text(w, "Tags");
    msgpack_put_map(w, (uint32_t)tags.count + (role != NULL));
    for (size_t i = 0; i < tags.count; i++) {
        const char *equals = strchr(tags.at[i], '=');
        if (equals == NULL) {
            return command_misused("--tag %s: give it as key=regexp", tags.at[i]);
        }
        msgpack_put_str(w, bytes_of(tags.at[i], (size_t)(equals - tags.at[i])));
        msgpack_put_str(w, bytes_of_string(equals + 1));
    }
    if (role != NULL) {
        msgpack_put_text(w, "role");
        msgpack_put_str(w, bytes_of_string(role));
    }
    if (w->is_full) {
        command_fail("the filters are too long");
    }
    return !w->is_full;
}

static int show(struct client *client, bool is_json)
{
    struct hearsay_bytes object;
    struct roster roster;
    if (!client_next(client, &object, false)) {
        return EXIT_FAILED;
    }
    if (!roster_read(&roster, object)) {
        return command_fail("the agent's list of members makes no sense");
    }
    if (is_json) {
        roster_print_json(&roster);
    } else {
        roster_print_text(&roster, is_detailed);
    }
    roster_free(&roster);
    return EXIT_DONE;
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    static uint8_t room[ROOM];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    bool is_json;
    if (!command_format(format, &is_json) || !put_request(&w) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    client.closed_hint = "; is one of the regular expressions wrong?";
    int result = client_ask(&client, "members-filtered", writer_bytes(&w)) ? show(&client, is_json) : EXIT_FAILED;
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"detailed", FLAG_SWITCH, &is_detailed, NULL, "also show protocol versions (text only)"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    {"name", FLAG_TEXT, &name, "REGEXP", "only members whose whole name matches"},
    {"status", FLAG_TEXT, &status, "REGEXP", "only members with this status: alive, leaving, left, failed"},
    {"tag", FLAG_LIST, &tags, "KEY=REGEXP", "only members with this tag (may be repeated)"},
    {"role", FLAG_TEXT, &role, "REGEXP", "the same as --tag role=REGEXP"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_members = {
    .name = "members",
    .summary = "list the members of the cluster",
    .usage = "members [flags]",
    .text = "  Lists the members that an agent knows: name, address, status, tags.\n\n"
            "    hearsay members --status alive --tag role=web --format json\n",
    .flags = flags,
    .run = run,
};
