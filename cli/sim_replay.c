/* SPDX-License-Identifier: MIT
 *
 * hearsay sim replay: what an agent recorded (hearsay agent --record FILE), lived again by the core of this program, and the first
 * difference if there is one.
 */
#include "cli/sim.h"

#include "base/memory.h"
#include "cli/base64.h"

#include <hearsay/hearsay_uv.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *encrypt;
static const char *format = "text";
static bool verbose;

static const struct flag flags[] = {{"encrypt", FLAG_SECRET, &encrypt, "KEY|@FILE", "the key that the agent had, in base64"},
                                    {"verbose", FLAG_SWITCH, &verbose, NULL, "tell every event of members on the way"},
                                    {"format", FLAG_TEXT, &format, "text|json", "default text"},
                                    {.name = NULL}};

/* The clock of the tape has any zero: times are told since its first output. */
static void on_output(uint64_t now, const struct hearsay_output *output, void *user)
{
    uint64_t *began_at = user;
    *began_at = *began_at == 0 ? now : *began_at;
    if (verbose && output->type == HEARSAY_NOTIFY && output->event.member.name != NULL) {
        fprintf(stderr, "%10.3f %s %s (%s)\n", (double)(now - *began_at) / 1e6, hearsay_event_text(output->event.type),
                output->event.member.name, hearsay_reason_text(output->event.cause.reason));
    }
}

static bool read_key(struct hearsay_options *options)
{
    if (encrypt == NULL) {
        return true;
    }
    int size = base64_decode(encrypt, options->keys[0].bytes, sizeof options->keys[0].bytes);
    memory_wipe(encrypt, strlen(encrypt));
    if (size != 16 && size != 24 && size != 32) {
        return command_misused("--encrypt: not 16, 24 or 32 bytes in base64");
    }
    options->keys[0].size = (uint8_t)size;
    options->key_count = 1;
    return true;
}

static int tell(const struct hearsay_tape_result *result, bool is_json, uint64_t began_at)
{
    bool is_same = result->diverged_at == 0;
    if (is_json) {
        printf("{\"same\":%s,\"inputs\":%" PRIu64 ",\"outputs\":%" PRIu64 ",\"digest\":\"%016" PRIx64 "\"", is_same ? "true" : "false",
               result->inputs, result->outputs, result->digest);
        if (!is_same) {
            printf(",\"diverged_at_input\":%" PRIu64 ",\"diverged_at_byte\":%" PRIu64, result->diverged_at, result->diverged_at_byte);
        }
        printf("}\n");
    } else if (is_same) {
        printf("the same: %" PRIu64 " inputs, %" PRIu64 " outputs, digest %016" PRIx64 "\n", result->inputs, result->outputs, result->digest);
    } else {
        printf("DIFFERS after input %" PRIu64 ", %.3f s after the begin, byte %" PRIu64 " of the tape: other outputs than recorded\n",
               result->diverged_at, (double)(result->diverged_at_us - began_at) / 1e6, result->diverged_at_byte);
    }
    return is_same ? EXIT_DONE : EXIT_FAILED;
}

static int run(int count, char **arguments)
{
    struct hearsay_options options;
    struct hearsay_tape_result result;
    char error[400];
    uint64_t began_at = 0;
    bool is_json;
    (void)count;
    hearsay_options_lan(&options);
    if (!command_format(format, &is_json) || !read_key(&options)) {
        return EXIT_USAGE;
    }
    bool is_read = hearsay_tape_replay(arguments[0], &options, on_output, &began_at, &result, error, sizeof error);
    memory_wipe(&options.keys, sizeof options.keys);
    if (!is_read) {
        (void)command_misused("%s", error);
        return EXIT_USAGE;
    }
    if (result.diverged_at == 0 && result.cut_at_byte > 0) {
        (void)command_misused("%s is cut off: the record at byte %" PRIu64 " ends too early; %" PRIu64 " inputs before it gave the same outputs",
                              arguments[0], result.cut_at_byte, result.inputs);
        return EXIT_USAGE;
    }
    return tell(&result, is_json, began_at);
}

const struct command command_sim_replay = {
    .name = "sim replay",
    .summary = "live again what an agent recorded, and tell the first difference",
    .usage = "sim replay [flags] TAPE",
    .text = "  Feeds every input of a tape to the core and compares what comes out with what came out then. Exit code 1 at the first\n"
            "  difference, 2 when the tape is damaged or cut off.\n\n"
            "    hearsay agent --record web-7.tape …; hearsay sim replay web-7.tape\n",
    .flags = flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
