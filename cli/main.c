/* SPDX-License-Identifier: MIT
 *
 * hearsay: one program, one command per file.
 */
#include "agent/agent.h"
#include "cli/command.h"
#include "cli/kv.h"
#include "cli/service.h"
#include "cli/sim.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

const struct command *const command_all[] = {
    /* clang-format off */
    &command_completion,
    &command_decode,
    &command_doctor,
    &command_event,
    &command_force_leave,
    &command_info,
    &command_inspect,
    &command_join,
    &command_keygen,
    &command_keys,
    &command_leave,
    &command_members,
    &command_migrate_check,
    &command_monitor,
    &command_query,
    &command_reachability,
    &command_repair,
    &command_rtt,
    &command_tags,
    &command_top,
    &command_version,
    &command_why,
    NULL,
    /* clang-format on */
};

#define COMMAND_COUNT (sizeof command_all / sizeof command_all[0] - 1)

static void usage(FILE *out)
{
    fputs("Usage: hearsay COMMAND [flags] [arguments]\n\n"
          "  Gossip: membership, failure detection and events, compatible with memberlist and Serf.\n\n"
          "Commands:\n\n"
          "  agent         run one node of a cluster\n"
          "  kv            the shared store: put, get, list, watch, …\n"
          "  service       services and their health: register, list, watch, …\n"
          "  sim           simulate: how rumours spread, what a cluster will do\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-13s %s\n", command_all[i]->name, command_all[i]->summary);
    }
    fputs("\n`hearsay COMMAND --help` explains one, with an example.\n", out);
}

/* Letters to change, insert or leave out on the way from a to b (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], length = strlen(b);
    if (length >= sizeof row / sizeof row[0]) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != 0; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= length; j++) {
            size_t change = corner + (a[i] != b[j - 1]), other = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            corner = row[j];
            row[j] = change < other ? change : other;
        }
    }
    return row[length];
}

static int unknown(const char *name)
{
    const char *nearest = "agent";
    size_t least = distance(name, nearest);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t far = distance(name, command_all[i]->name);
        if (far < least) {
            least = far;
            nearest = command_all[i]->name;
        }
    }
    fprintf(stderr, "hearsay: there is no command '%s'", name);
    if (least <= 1 + strlen(name) / 3) {
        fprintf(stderr, "; did you mean %s?", nearest);
    }
    fputs(" See hearsay --help\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "agent") == 0) {
        return agent_main(argc - 1, argv + 1);
    }
    if (strcmp(name, "kv") == 0) {
        return kv_run(argc - 1, argv + 1);
    }
    if (strcmp(name, "service") == 0) {
        return service_run(argc - 1, argv + 1);
    }
    if (strcmp(name, "sim") == 0) {
        return sim_run(argc - 1, argv + 1);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-version") == 0) {
        name = "version";
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, command_all[i]->name) == 0) {
            return command_run(command_all[i], argc - 1, argv + 1);
        }
    }
    return unknown(name);
}
