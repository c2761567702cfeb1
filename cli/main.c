/* SPDX-License-Identifier: MIT
 *
 * hearsay: one program, one command per file.
 */
#include "agent/agent.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "agent") == 0) {
        return agent_main(argc - 1, argv + 1);
    }
    fputs("usage: hearsay agent [flags]\n", stderr);
    return 2;
}
