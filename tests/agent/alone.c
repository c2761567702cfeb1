/* SPDX-License-Identifier: MIT
 *
 * `hearsay agent` without the rest of the command line, for tests.
 */
#include "agent/agent.h"

int main(int argc, char **argv)
{
    return agent_main(argc, argv);
}
