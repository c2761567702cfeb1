/* SPDX-License-Identifier: MIT
 *
 * hearsay leave: the agent says goodbye and ends.
 */
#include "cli/client.h"
#include "cli/command.h"

#include <stdio.h>

#define LEAVE_WAIT_MS 60000

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct client client;
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    client.wait_ms = LEAVE_WAIT_MS;
    bool done = client_ask(&client, "leave", bytes_of(NULL, 0));
    client_close(&client);
    if (done) {
        puts("Graceful leave complete");
    }
    return done ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {COMMAND_RPC_FLAGS, {.name = NULL}};

const struct command command_leave = {
    .name = "leave",
    .summary = "let the agent leave the cluster and end",
    .usage = "leave [flags]",
    .text = "  The agent tells everybody that it leaves, so that nobody takes it for failed, and ends. Example: hearsay leave\n",
    .flags = flags,
    .run = run,
};
