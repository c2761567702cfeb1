/* SPDX-License-Identifier: MIT
 *
 * hearsay sim SUBCOMMAND: the dispatcher and its commands, whose names begin with "sim ".
 */
#ifndef HEARSAY_CLI_SIM_H
#define HEARSAY_CLI_SIM_H

#include "cli/command.h"

/* argv[0] is "sim". Answers the exit code. */
int sim_run(int argc, char **argv);

extern const struct command command_sim_merge, command_sim_replay, command_sim_search, command_sim_spread;

#endif
