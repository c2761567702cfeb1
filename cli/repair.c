/* SPDX-License-Identifier: MIT
 *
 * hearsay repair: compares the agent's store with a member's now, instead of when its turn comes, and mends what differs.
 */
#include "cli/facts.h"
#include "cli/kv.h"
#include "wire/msgpack.h"

#include <stdlib.h>

static const char *format = "text", *timeout = "60s";

static int show(struct client *client, bool is_json)
{
    json_t *answer = facts_next(client);
    if (answer == NULL) {
        return EXIT_FAILED;
    }
    (is_json ? facts_print_json(answer) : facts_print(answer, ""));
    json_decref(answer);
    return EXIT_DONE;
}

static int run(int count, char **arguments)
{
    uint8_t room[HEARSAY_NAME_MAX + 64];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    uint64_t timeout_ms;
    bool is_json;
    if (!command_format(format, &is_json) || !kv_span("timeout", timeout, &timeout_ms)) {
        return EXIT_FAILED;
    }
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Member");
    msgpack_put_str(&w, bytes_of_string(count > 0 ? arguments[0] : ""));
    msgpack_put_text(&w, "Timeout");
    msgpack_put_uint(&w, timeout_ms);
    if (w.is_full) {
        return command_fail("names of members have at most %d bytes", HEARSAY_NAME_MAX);
    }
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    client.wait_ms = (int)(timeout_ms < 86400000 ? timeout_ms : 86400000) + 2000;
    int result = kv_ask(&client, "kv-repair", writer_bytes(&w)) ? show(&client, is_json) : EXIT_FAILED;
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"timeout", FLAG_TEXT, &timeout, "SPAN", "longest wait for the end (default 60s)"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_repair = {
    .name = "repair",
    .summary = "compare the store with another member's now",
    .usage = "repair [flags] [MEMBER]",
    .text = "  Compares the shared store of the agent with that of MEMBER, or of one that it chooses, moves the entries that differ, and "
            "says what\n"
            "  was found and moved. This also happens by itself, in turn.\n\n"
            "    hearsay repair n3\n",
    .flags = flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
