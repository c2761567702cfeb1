/* SPDX-License-Identifier: MIT
 *
 * hearsay keygen: a fresh key, in the form that --encrypt and keyring files take.
 */
#include "cli/command.h"

#include "base/memory.h"
#include "cli/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static const char *key_size = "32";

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    char *end;
    long size = strtol(key_size, &end, 10);
    uint8_t key[32];
    char text[64];
    if (*end != 0 || (size != 16 && size != 24 && size != 32)) {
        (void)command_misused("--size %s: a key has 16, 24 or 32 bytes", key_size);
        return EXIT_USAGE;
    }
    if (getrandom(key, (size_t)size, 0) != size) {
        return command_fail("the system gave no random bytes");
    }
    base64_encode(text, key, (size_t)size);
    puts(text);
    memory_wipe(key, sizeof key);
    memory_wipe(text, sizeof text);
    return EXIT_DONE;
}

static const struct flag flags[] = {{"size", FLAG_TEXT, &key_size, "BYTES", "16, 24 or 32 (default 32: AES-256)"}, {.name = NULL}};

const struct command command_keygen = {
    .name = "keygen",
    .summary = "make an encryption key",
    .usage = "keygen [--size BYTES]",
    .text = "  Prints a new random key in base64. Keep it in a file that only the agent can read:\n\n"
            "    (umask 077; hearsay keygen > cluster.key); hearsay agent --encrypt @cluster.key\n",
    .flags = flags,
    .run = run,
};
