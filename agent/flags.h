/* SPDX-License-Identifier: MIT
 *
 * The command line of the agent: `--node x`, `-node=x`, `--node=x`; no abbreviations, nothing after the flags.
 */
#ifndef HEARSAY_AGENT_FLAGS_H
#define HEARSAY_AGENT_FLAGS_H

#include "agent/config.h"

enum flags_result { FLAGS_OK, FLAGS_HELP, FLAGS_WRONG };

/* Fills config with what was given and nothing else. Values of secret flags are wiped from argv, unless they only name a file. */
enum flags_result flags_parse(struct config *config, int argc, char **argv, char *error, size_t size);
void flags_help(FILE *out);
/* The table of --set. */
void flags_help_numbers(FILE *out);

#endif
