/* SPDX-License-Identifier: MIT
 *
 * hearsay keys: the encryption keys of the whole cluster. What is printed for install, use, remove and list is what `serf keys` prints.
 */
#include "base/memory.h"
#include "cli/base64.h"
#include "cli/command.h"
#include "cli/keyring.h"
#include "cli/plain.h"
#include "cli/rotation.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char *format = "text";
static char *installed, *used, *removed;
static bool is_listing, keeps_old, ignores_failed;

struct deed {
    const char *verb, *command, *begin, *done, *failure;
};

static const struct deed deeds[] = {
    {"install", "install-key", "Installing key on all members...", "Successfully installed key!", "Error installing key"},
    {"use", "use-key", "Changing primary key on all members...", "Successfully changed primary key!", "Error changing primary key"},
    {"remove", "remove-key", "Removing key on all members...", "Successfully removed key!", "Error removing key"},
    {"list", "list-keys", "Asking all members for installed keys...", "Keys gathered, listing cluster keys...", "Failed to gather member keys"},
    {"rotate", NULL, NULL, NULL, NULL},
};

static void print_refusals(const struct keyring *k)
{
    int width = 0;
    for (size_t i = 0; i < k->message_count; i++) {
        plain_tame(k->messages[i].name);
        plain_tame(k->messages[i].text);
        int length = (int)strlen(k->messages[i].name);
        width = length > width ? length : width;
    }
    for (size_t i = 0; i < k->message_count; i++) {
        printf("failed:  %-*s  %s\n", width, k->messages[i].name, k->messages[i].text);
    }
}

static void print_keys(const struct keyring *k, bool is_json)
{
    json_t *root = is_json ? json_object() : NULL;
    for (size_t i = 0; i < k->key_count; i++) {
        plain_tame(k->keys[i].name);
        if (is_json) {
            json_object_set_new(root, k->keys[i].name, json_integer(k->keys[i].count));
        } else {
            printf("%s  [%u/%u]\n", k->keys[i].name, k->keys[i].count, k->members);
        }
    }
    if (is_json) {
        json_t *all = json_pack("{s:o, s:i}", "keys", root, "members", (int)k->members);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    }
}

static int run_deed(struct client *client, const struct deed *deed, const char *key, bool is_json)
{
    struct keyring k;
    if (!is_json) {
        printf("==> %s\n", deed->begin);
        fflush(stdout);
    }
    if (!keyring_ask(client, deed->command, key, &k)) {
        return EXIT_FAILED;
    }
    bool is_done = k.error[0] == 0;
    if (!is_done) {
        print_refusals(&k);
        command_fail("%s: %s", deed->failure, k.error);
    } else if (!is_json) {
        printf("==> %s\n%s", deed->done, key == NULL ? "\n" : "");
    }
    if (is_done && key == NULL) {
        print_keys(&k, is_json);
    }
    keyring_free(&k);
    return is_done ? EXIT_DONE : EXIT_FAILED;
}

/* A new key when none was given. */
static bool make_key(char room[48])
{
    uint8_t key[32];
    if (getrandom(key, sizeof key, 0) != sizeof key) {
        command_fail("the system gave no random bytes");
        return false;
    }
    base64_encode(room, key, sizeof key);
    memory_wipe(key, sizeof key);
    return true;
}

static int rotate(struct client *client, const char *key)
{
    char room[48];
    struct rotation rotation = {.key = key, .keeps_old = keeps_old, .ignores_failed = ignores_failed};
    if (key == NULL) {
        if (!make_key(room)) {
            return EXIT_FAILED;
        }
        rotation.key = room;
    }
    int result = rotation_run(client, &rotation);
    memory_wipe(room, sizeof room);
    return result;
}

/* "install KEY" as well as Serf's "-install KEY". */
static bool choose(int count, char **arguments, const struct deed **deed, char **key)
{
    char *const given[] = {installed, used, removed};
    unsigned chosen = is_listing;
    *deed = is_listing ? &deeds[3] : NULL;
    *key = NULL;
    for (unsigned i = 0; i < 3; i++) {
        if (given[i] != NULL) {
            chosen++;
            *deed = &deeds[i];
            *key = given[i];
        }
    }
    for (size_t i = 0; chosen == 0 && count > 0 && i < sizeof deeds / sizeof deeds[0]; i++) {
        *deed = strcmp(arguments[0], deeds[i].verb) == 0 ? &deeds[i] : *deed;
    }
    if (chosen > 1 || (chosen == 1 && count > 0)) {
        return command_misused("only one of install, use, remove, list and rotate is done at a time");
    }
    if (*deed == NULL) {
        return command_misused("say what to do with keys: install KEY, use KEY, remove KEY, list or rotate");
    }
    if (count > 1 && !command_secret(key, arguments[1])) {
        return false;
    }
    bool needs_key = *deed < &deeds[3], takes_key = needs_key || *deed == &deeds[4];
    if (needs_key != (*key != NULL) && !(takes_key && !needs_key)) {
        return command_misused(needs_key ? "%s needs a key" : "%s takes no key", (*deed)->verb);
    }
    return true;
}

static int run(int count, char **arguments)
{
    const struct deed *deed;
    struct client client;
    char *key;
    bool is_json;
    if (!command_format(format, &is_json) || !choose(count, arguments, &deed, &key) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    int result = deed->command == NULL ? rotate(&client, key) : run_deed(&client, deed, key, is_json && deed == &deeds[3]);
    if (key != NULL) {
        memory_wipe(key, strlen(key));
    }
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"install", FLAG_SECRET, &installed, "KEY|@FILE", "Serf's spelling of install"},
    {"use", FLAG_SECRET, &used, "KEY|@FILE", "Serf's spelling of use"},
    {"remove", FLAG_SECRET, &removed, "KEY|@FILE", "Serf's spelling of remove"},
    {"list", FLAG_SWITCH, &is_listing, NULL, "Serf's spelling of list"},
    {"keep-old", FLAG_SWITCH, &keeps_old, NULL, "rotate: stop before old keys are removed"},
    {"ignore-failed", FLAG_SWITCH, &ignores_failed, NULL, "rotate: remove old keys although members are failed"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print a list (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_keys = {
    .name = "keys",
    .summary = "manage the encryption keys of the whole cluster",
    .usage = "keys [flags] install|use|remove KEY | list | rotate [KEY]",
    .text = "  install  every member can decrypt with KEY from now on\n"
            "  use      every member encrypts with KEY, which all must have\n"
            "  remove   every member forgets KEY, which nobody may use\n"
            "  list     which keys are on how many members\n"
            "  rotate   installs KEY (a new one if none is given), uses it, removes all others; it stops as soon as a member\n"
            "           does not confirm, and removes nothing while a member is failed\n\n"
            "  A key is base64, or @FILE. Members keep a key over a restart if they have a keyring file.\n\n"
            "    hearsay keygen > new.key; hearsay keys rotate @new.key\n",
    .flags = flags,
    .flags_anywhere = true,
    .most = 2,
    .run = run,
};
