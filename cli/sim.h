/* SPDX-License-Identifier: MIT
 *
 * hearsay sim SUBCOMMAND: the dispatcher and its commands, whose names begin with "sim ".
 */
#ifndef HEARSAY_CLI_SIM_H
#define HEARSAY_CLI_SIM_H

#include "cli/command.h"

/* Its table; ends with NULL. */
extern const struct command *const sim_commands[];
/* argv[0] is "sim". Answers the exit code. */
int sim_run(int argc, char **argv);

/* A whole number between least and most out of the value of a flag; false after saying why not. */
bool sim_number(const char *flag, const char *text, uint64_t least, uint64_t most, uint64_t *value);

extern const struct command command_sim_advise, command_sim_cluster, command_sim_merge, command_sim_paper, command_sim_replay, command_sim_search,
    command_sim_spread;

#endif
