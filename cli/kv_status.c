/* SPDX-License-Identifier: MIT
 *
 * hearsay kv status: how the store of one agent is, and what it knows of the others'.
 */
#include "cli/facts.h"
#include "cli/kv.h"

#include <stdlib.h>
#include <string.h>

static const char *format = "text";
static bool is_gossip;

/* Node by node, as nodetool's gossipinfo. */
static void print_gossip(const json_t *members)
{
    size_t i;
    json_t *member;
    json_array_foreach((json_t *)members, i, member)
    {
        const char *name = json_string_value(json_object_get(member, "name"));
        printf("%s\n", name == NULL ? "?" : name);
        facts_print(member, "  ");
    }
}

static void print_text(const json_t *answer)
{
    const json_t *members = json_object_get(answer, "members");
    if (is_gossip) {
        print_gossip(members);
        return;
    }
    facts_print(json_object_get(answer, "store"), "");
    if (json_array_size(members) > 0) {
        putchar('\n');
        facts_print_table(members);
    }
}

static int show(struct client *client, bool is_json)
{
    json_t *answer = facts_next(client);
    if (answer == NULL) {
        return EXIT_FAILED;
    }
    if (is_json) {
        facts_print_json(is_gossip ? json_object_get(answer, "members") : answer);
    } else {
        print_text(answer);
    }
    json_decref(answer);
    return EXIT_DONE;
}

static int run(int count, char **arguments)
{
    struct client client;
    bool is_json;
    (void)count;
    (void)arguments;
    if (!command_format(format, &is_json) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    int result = kv_ask(&client, "kv-status", (struct hearsay_bytes){NULL, 0}) ? show(&client, is_json) : EXIT_FAILED;
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"gossip", FLAG_SWITCH, &is_gossip, NULL, "what this agent knows of every member's store, one after the other"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_kv_status = {
    .name = "kv status",
    .summary = "entries, bytes, root, and how equal the others are",
    .usage = "kv status [flags]",
    .text = "  Shows the agent's own store: entries, bytes, root and epoch; and for every member with a store when both were last equal, "
            "and what\n"
            "  repair has moved. Two agents with the same root at the same epoch hold the same entries.\n\n"
            "    hearsay kv status --gossip\n",
    .flags = flags,
    .flags_anywhere = true,
    .run = run,
};
