/* SPDX-License-Identifier: MIT
 *
 * hearsay inspect: looks at any memberlist or Serf node from outside. One exchange that carries no members, so our name never enters the
 * cluster, and a few pings. inspection.c prints what was seen.
 */
#include "cli/command.h"
#include "cli/inspection.h"
#include "cli/look.h"
#include "cli/product.h"

#define PINGS 5
#define PING_WAIT_MS 500

static const char *format = "text", *personality;

/* The places a name stands for, one after the other until one takes the stream. */
static bool look_at(struct look *look, const struct places *places, const struct look_rules *rules)
{
    const struct inspection nothing = look->inspection;
    for (size_t i = 0; i < places->count && !look->inspection.has_connected; i++) {
        hearsay_inspect_destroy(look->inspection.look);
        *look = (struct look){.inspection = nothing, .place = places->at[i]};
        if (!looks_run(look, 1, rules)) {
            command_fail("out of memory");
            return false;
        }
    }
    return true;
}

static int run(int count, char **arguments)
{
    (void)count;
    struct hearsay_inspect_options options;
    struct look look = {.inspection = {.address = arguments[0], .expected = personality}};
    struct places places;
    struct look_rules rules = {.options = &options, .ping_wait_ms = PING_WAIT_MS, .pings = PINGS};
    bool is_json;
    if (personality != NULL && product_of_word(personality) == PRODUCT_KINDS) {
        command_misused("--personality %s: there is memberlist, serf, alertmanager, consul, nomad and dskit", personality);
        return EXIT_FAILED;
    }
    if (!command_format(format, &is_json) || !look_read_flags(&options, &rules.timeout_ms) ||
        !place_resolve(arguments[0], "7946", &places) || !look_at(&look, &places, &rules)) {
        return EXIT_FAILED;
    }
    const struct inspection *i = &look.inspection;
    bool is_seen = i->status == HEARSAY_INSPECT_DONE && i->has_connected;
    if (is_json) {
        inspection_print_json(i);
    } else {
        inspection_print_text(i);
    }
    hearsay_inspect_destroy(i->look);
    look_forget(&options);
    return is_seen ? EXIT_DONE : EXIT_FAILED;
}

static const struct flag flags[] = {
    LOOK_FLAGS,
    {"personality", FLAG_TEXT, &personality, "PRODUCT", "memberlist, serf, alertmanager, consul, nomad or dskit; says when it is not"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    {.name = NULL},
};

const struct command command_inspect = {
    .name = "inspect",
    .summary = "look at any memberlist or Serf node from outside",
    .usage = "inspect [flags] HOST[:PORT]",
    .text = "  Asks a node for its view of the cluster, pings it, and explains what it refuses. Costs it one exchange; we join nothing.\n\n"
            "    hearsay inspect --encrypt @cluster.key 10.0.0.1:7946\n",
    .flags = flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
