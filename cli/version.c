/* SPDX-License-Identifier: MIT
 *
 * hearsay version.
 */
#include "cli/command.h"

#include <hearsay/hearsay.h>
#include <stdio.h>

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    printf("hearsay %s\nmemberlist protocol 2 (understands 1 to 5), Serf protocol 5 (understands 2 to 5)\n", hearsay_version());
    return EXIT_DONE;
}

static const struct flag flags[] = {{.name = NULL}};

const struct command command_version = {
    .name = "version",
    .summary = "print versions of program and protocols",
    .usage = "version",
    .text = "  Prints the version of the program and the protocols that it speaks. Example: hearsay version\n",
    .flags = flags,
    .run = run,
};
