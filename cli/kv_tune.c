/* SPDX-License-Identifier: MIT
 *
 * hearsay kv tune: changes how one agent tells fresh entries, while it runs.
 */
#include "cli/kv.h"

#include "cli/sim.h"
#include "wire/msgpack.h"

#include <string.h>

static const char *mode, *fanout, *interval;

static bool put_mode(struct writer *w)
{
    static const char *const words[] = {"push", "pull", "push-pull"}; /* 1, 2, 3 of the option store_mode */
    for (uint32_t i = 0; i < 3; i++) {
        if (strcmp(mode, words[i]) == 0) {
            msgpack_put_text(w, "Mode");
            msgpack_put_uint(w, i + 1);
            return true;
        }
    }
    return command_misused("--mode %s: there is push, pull and push-pull", mode);
}

static bool put_request(struct writer *w)
{
    uint64_t number;
    msgpack_put_map(w, (uint32_t)(mode != NULL) + (fanout != NULL) + (interval != NULL));
    if (mode != NULL && !put_mode(w)) {
        return false;
    }
    if (fanout != NULL) {
        if (!sim_number("fanout", fanout, 1, 255, &number)) {
            return false;
        }
        msgpack_put_text(w, "Fanout");
        msgpack_put_uint(w, number);
    }
    if (interval != NULL) {
        if (!kv_span("interval", interval, &number)) {
            return false;
        }
        if (number < 10 || number > 3600000) {
            return command_misused("--interval %s: from 10ms to 1h", interval);
        }
        msgpack_put_text(w, "Interval");
        msgpack_put_uint(w, number);
    }
    return true;
}

static int run(int count, char **arguments)
{
    uint8_t room[128];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    struct hearsay_bytes object;
    (void)count;
    (void)arguments;
    if (mode == NULL && fanout == NULL && interval == NULL) {
        (void)command_misused("nothing to change: give --mode, --fanout or --interval");
        return EXIT_USAGE;
    }
    if (!put_request(&w) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    int result = kv_ask(&client, "kv-tune", writer_bytes(&w)) && client_next(&client, &object, false) ? EXIT_DONE : EXIT_FAILED;
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"mode", FLAG_TEXT, &mode, "MODE", "push, pull or push-pull"},
    {"fanout", FLAG_TEXT, &fanout, "COUNT", "members met per round"},
    {"interval", FLAG_TEXT, &interval, "SPAN", "time between rounds: 100ms, 1s"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_kv_tune = {
    .name = "kv tune",
    .summary = "change how fresh entries are told, while running",
    .usage = "kv tune [flags]",
    .text = "  Changes the gossip of the store of this one agent until it ends; --set store_mode and so on do so for good.\n\n"
            "    hearsay kv tune --mode push --fanout 2 --interval 500ms\n",
    .flags = flags,
    .flags_anywhere = true,
    .run = run,
};
