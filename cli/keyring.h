/* SPDX-License-Identifier: MIT
 *
 * Key requests over RPC and what the members answered: how many did, who refused and why, and for lists who has which key.
 */
#ifndef HEARSAY_CLI_KEYRING_H
#define HEARSAY_CLI_KEYRING_H

#include "cli/client.h"

struct keyring_pair {
    char *name; /* of a key, or of a member */
    char *text; /* a member's message */
    uint32_t count;
};

struct keyring {
    uint32_t members, answers, failures;
    struct keyring_pair *keys, *messages; /* sorted by name */
    size_t key_count, message_count;
    char error[512]; /* the agent's, "" = all is well */
};

/* command is install-key, use-key, remove-key with a key, or list-keys with NULL. False after saying why there is no answer; a refusal
 * of members is an answer, with error set. */
bool keyring_ask(struct client *client, const char *command, const char *key, struct keyring *k);
void keyring_free(struct keyring *k);
/* On how many members the key is; of list-keys. */
uint32_t keyring_count(const struct keyring *k, const char *key);

#endif
