/* SPDX-License-Identifier: MIT
 *
 * hearsay info: the agent's own figures.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *format = "text";

static json_t *read_stats(struct hearsay_bytes object)
{
    struct reader r = reader_of(object);
    json_t *root = json_object();
    uint32_t groups = msgpack_get_map(&r);
    for (uint32_t g = 0; g < groups && !r.is_bad; g++) {
        struct hearsay_bytes name = msgpack_get_raw(&r);
        json_t *group = json_object();
        uint32_t count = msgpack_get_map(&r);
        char key[128];
        for (uint32_t i = 0; i < count && !r.is_bad; i++) {
            struct hearsay_bytes k = msgpack_get_raw(&r), v = msgpack_get_raw(&r);
            char *value = plain_copy(v);
            plain_into(key, sizeof key, k);
            json_object_set_new(group, key, json_string(value == NULL ? "" : value));
            free(value);
        }
        plain_into(key, sizeof key, name);
        json_object_set_new(root, key, group);
    }
    if (r.is_bad) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Calls print for every key in order. */
static void sorted(json_t *object, void (*print)(const char *key, json_t *value))
{
    const char *keys[256], *key;
    size_t count = 0;
    json_t *value;
    json_object_foreach (object, key, value) {
        if (count < sizeof keys / sizeof keys[0]) {
            keys[count++] = key;
        }
    }
    qsort(keys, count, sizeof keys[0], compare);
    for (size_t i = 0; i < count; i++) {
        print(keys[i], json_object_get(object, keys[i]));
    }
}

static void print_tame(const char *text)
{
    char *copy = strdup(text);
    if (copy != NULL) {
        plain_tame(copy);
        fputs(copy, stdout);
    }
    free(copy);
}

static void print_value(const char *key, json_t *value)
{
    fputs("\t", stdout);
    print_tame(key);
    fputs(" = ", stdout);
    print_tame(json_string_value(value));
    putchar('\n');
}

static void print_group(const char *key, json_t *group)
{
    printf("%s:\n", key);
    sorted(group, print_value);
}

static int show(struct client *client, bool is_json)
{
    struct hearsay_bytes object;
    if (!client_next(client, &object, false)) {
        return EXIT_FAILED;
    }
    json_t *stats = read_stats(object);
    if (stats == NULL) {
        return command_fail("the agent's figures make no sense");
    }
    if (is_json) {
        json_dumpf(stats, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        putchar('\n');
    } else {
        sorted(stats, print_group);
    }
    json_decref(stats);
    return EXIT_DONE;
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct client client;
    bool is_json;
    if (!command_format(format, &is_json) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    int result = client_ask(&client, "stats", bytes_of(NULL, 0)) ? show(&client, is_json) : EXIT_FAILED;
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_info = {
    .name = "info",
    .summary = "print the agent's own figures",
    .usage = "info [flags]",
    .text = "  Prints what the agent knows of itself: queues, clocks, health, tags. Example: hearsay info --format json\n",
    .flags = flags,
    .run = run,
};
