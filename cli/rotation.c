/* SPDX-License-Identifier: MIT
 *
 * See rotation.h. A member that does not have the new key when the old one goes is cut off from the cluster: so before the removal every
 * living member must have said that it has the new key, and no member may be failed, for it would come back with the old one only.
 */
#include "cli/rotation.h"

#include "cli/command.h"
#include "cli/keyring.h"
#include "cli/plain.h"
#include "cli/roster.h"

#include <stdio.h>
#include <string.h>

static bool is_complete(const struct keyring *k)
{
    return k->error[0] == 0 && k->failures == 0 && k->members > 0 && k->answers == k->members;
}

static void say_refusals(const struct keyring *k)
{
    for (size_t i = 0; i < k->message_count; i++) {
        plain_tame(k->messages[i].name);
        plain_tame(k->messages[i].text);
        fprintf(stderr, "failed: %s: %s\n", k->messages[i].name, k->messages[i].text);
    }
}

/* One step that every member must confirm. */
static bool step(struct client *client, const char *command, const char *key, const char *what, const char *state)
{
    struct keyring k;
    printf("==> %s on all members...\n", what);
    fflush(stdout);
    if (!keyring_ask(client, command, key, &k)) {
        fprintf(stderr, "stopped: %s\n", state);
        return false;
    }
    bool is_done = is_complete(&k);
    if (!is_done) {
        say_refusals(&k);
        command_fail("%u of %u members confirmed (%s): stopped; %s", k.answers - (k.failures < k.answers ? k.failures : k.answers), k.members,
                     k.error[0] == 0 ? "some are silent" : k.error, state);
    }
    keyring_free(&k);
    return is_done;
}

/* Whoever is failed now may come back. */
static bool nobody_is_failed(struct client *client)
{
    struct roster roster;
    struct hearsay_bytes object;
    size_t failed = 0;
    if (!client_ask(client, "members", bytes_of(NULL, 0)) || !client_next(client, &object, false)) {
        return false;
    }
    if (!roster_read(&roster, object)) {
        command_fail("the agent's list of members makes no sense");
        return false;
    }
    for (size_t i = 0; i < roster.count; i++) {
        if (strcmp(roster.at[i].status, "failed") == 0) {
            plain_tame(roster.at[i].name);
            fprintf(stderr, "failed member: %s\n", roster.at[i].name);
            failed++;
        }
    }
    roster_free(&roster);
    if (failed > 0) {
        command_fail("%zu failed members would come back with the old key only: nothing was removed; everybody uses the new key."
                     " Run it again when they are back or were forced to leave, or with --ignore-failed", failed);
    }
    return failed == 0;
}

static int remove_others(struct client *client, const struct rotation *rotation)
{
    struct keyring k;
    if ((!rotation->ignores_failed && !nobody_is_failed(client)) || !keyring_ask(client, "list-keys", NULL, &k)) {
        return EXIT_FAILED;
    }
    bool is_safe = is_complete(&k) && keyring_count(&k, rotation->key) == k.members;
    if (!is_safe) {
        say_refusals(&k);
        command_fail("%u of %u members confirmed that they have the new key: nothing was removed; run it again when all answer",
                     keyring_count(&k, rotation->key), k.members);
    }
    size_t removed = 0;
    for (size_t i = 0; i < k.key_count && is_safe; i++) {
        if (strcmp(k.keys[i].name, rotation->key) != 0) {
            is_safe = step(client, "remove-key", k.keys[i].name, "Removing an old key", "everybody uses the new key, some still have the old one");
            removed++;
        }
    }
    if (is_safe) {
        printf("==> Rotated: %u members use the new key, %zu old %s removed\n", k.members, removed, removed == 1 ? "key was" : "keys were");
    }
    keyring_free(&k);
    return is_safe ? EXIT_DONE : EXIT_FAILED;
}

int rotation_run(struct client *client, const struct rotation *rotation)
{
    struct keyring k;
    printf("==> Asking all members for installed keys...\n");
    fflush(stdout);
    if (!keyring_ask(client, "list-keys", NULL, &k)) {
        return EXIT_FAILED;
    }
    bool is_fine = is_complete(&k);
    if (!is_fine) {
        say_refusals(&k);
        command_fail("%u of %u members answered (%s): nothing was changed", k.answers, k.members, k.error[0] == 0 ? "some are silent" : k.error);
    }
    keyring_free(&k);
    if (!is_fine || !step(client, "install-key", rotation->key, "Installing the new key", "everybody still uses the old key")
        || !step(client, "use-key", rotation->key, "Changing the primary key", "nothing was removed, all members understand each other")) {
        return EXIT_FAILED;
    }
    if (rotation->keeps_old) {
        printf("==> Everybody uses the new key; old ones were kept\n");
        return EXIT_DONE;
    }
    return remove_others(client, rotation);
}
