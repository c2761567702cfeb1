/* SPDX-License-Identifier: MIT
 *
 * hearsay sim: the table of what can be simulated. Each subcommand is a file cli/sim_*.c, which reads flags and tells results; the
 * work itself is done in sim/.
 */
#include "cli/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct command *const sim_commands[] = {
    &command_sim_advise,
    &command_sim_cluster,
    &command_sim_merge,
    &command_sim_paper,
    &command_sim_replay,
    &command_sim_search,
    &command_sim_spread,
    NULL,
};

#define COMMAND_COUNT (sizeof sim_commands / sizeof sim_commands[0] - 1)

bool sim_number(const char *flag, const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || *value < least || *value > most) {
        return command_misused("--%s %s: give a whole number from %llu to %llu", flag, text, (unsigned long long)least, (unsigned long long)most);
    }
    return true;
}

static void usage(FILE *out)
{
    fputs("Usage: hearsay sim COMMAND [flags]\n\n  What will a cluster do? Asked of a computer instead of a cluster.\n\nCommands:\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-13s %s\n", sim_commands[i]->name + strlen("sim "), sim_commands[i]->summary);
    }
    fputs("\n`hearsay sim COMMAND --help` explains one. Example: hearsay sim spread --nodes 10000 --mode push-pull --fanout 1\n", out);
}

int sim_run(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, sim_commands[i]->name + strlen("sim ")) == 0) {
            return command_run(sim_commands[i], argc - 1, argv + 1);
        }
    }
    if (argc < 2) {
        usage(stderr);
    } else {
        fprintf(stderr, "hearsay sim: there is no command '%s'; see hearsay sim --help\n", name);
    }
    return EXIT_USAGE;
}
