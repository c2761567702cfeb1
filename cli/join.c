/* SPDX-License-Identifier: MIT
 *
 * hearsay join: lets an agent meet a cluster.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <stdio.h>

#define ROOM 65536
#define JOIN_WAIT_MS 120000 /* the agent tries every address, each with its own time limit */

static bool replay;

static int contacted(struct client *client)
{
    struct hearsay_bytes object;
    if (!client_next(client, &object, false)) {
        return -1;
    }
    struct reader r = reader_of(object);
    (void)msgpack_get_map(&r);
    (void)msgpack_get_raw(&r);
    int64_t number = msgpack_get_int(&r);
    return r.is_bad ? -1 : (int)number;
}

/* Serf's errors span lines; ours do not. */
static void squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from != 0; from++) {
        bool is_space = *from == ' ' || *from == '\n' || *from == '\t';
        if (!is_space || (to > text && to[-1] != ' ')) {
            *to++ = is_space ? ' ' : *from;
        }
    }
    to -= to > text && to[-1] == ' ';
    *to = 0;
    plain_tame(text);
}

static int run(int count, char **arguments)
{
    static uint8_t room[ROOM];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    char error[1024];
    uint64_t seq;
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Existing");
    msgpack_put_array(&w, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        msgpack_put_str(&w, bytes_of_string(arguments[i]));
    }
    msgpack_put_text(&w, "Replay");
    msgpack_put_bool(&w, replay);
    if (w.is_full) {
        return command_fail("too many addresses");
    }
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    client.wait_ms = JOIN_WAIT_MS;
    int result = EXIT_FAILED;
    if (client_send(&client, "join", writer_bytes(&w)) && client_header(&client, &seq, error, sizeof error, false)) {
        if (error[0] != 0) {
            squeeze(error);
            command_fail("could not join: %s", error);
        } else {
            int number = contacted(&client);
            if (number >= 0) {
                printf("Successfully joined cluster by contacting %d nodes.\n", number);
                result = EXIT_DONE;
            }
        }
    }
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"replay", FLAG_SWITCH, &replay, NULL, "also deliver the user events from before joining"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_join = {
    .name = "join",
    .summary = "let the agent join a cluster",
    .usage = "join [flags] ADDRESS …",
    .text = "  Tells the agent to join the cluster of these members; one that answers is enough.\n\n"
            "    hearsay join 10.0.0.1 10.0.0.2:7946\n",
    .flags = flags,
    .least = 1,
    .most = -1,
    .run = run,
};
