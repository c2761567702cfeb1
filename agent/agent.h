/* SPDX-License-Identifier: MIT
 *
 * The agent: one hearsay node as a process, with Serf's flags, configuration, snapshot and RPC.
 */
#ifndef HEARSAY_AGENT_H
#define HEARSAY_AGENT_H

/* `hearsay agent …`: argv[0] is the command's name. Secrets in argv are wiped. Answers the exit code: 0 fine, 1 failure,
 * 2 wrong usage. */
int agent_main(int argc, char **argv);

#endif
