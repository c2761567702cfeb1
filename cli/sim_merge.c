/* SPDX-License-Identifier: MIT
 *
 * `hearsay sim merge`: the results of the shards of a search as one. A seed that two shards ran must have lived the same life in both.
 */
#include "cli/sim.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *format = "text";

static const struct flag flags[] = {{"format", FLAG_TEXT, &format, "text|json", "default text"}, {0}};

struct merge {
    json_t *by_seed; /* seed as text -> result */
    json_int_t inputs;
    size_t failed, parted;
};

static bool add(struct merge *merge, json_t *result, const char *path, size_t line)
{
    char name[32];
    json_t *number = json_object_get(result, "seed"), *digest = json_object_get(result, "digest"), *ok = json_object_get(result, "ok");
    if (!json_is_integer(number) || !json_is_string(digest) || !json_is_boolean(ok)) {
        return command_misused("%s:%zu:1: no result of hearsay sim search (seed, digest and ok are needed)", path, line);
    }
    (void)snprintf(name, sizeof name, "%lld", (long long)json_integer_value(number));
    json_t *other = json_object_get(merge->by_seed, name);
    if (other != NULL) {
        if (json_is_true(ok) && json_is_true(json_object_get(other, "ok")) && !json_equal(digest, json_object_get(other, "digest"))) {
            fprintf(stderr, "hearsay sim merge: seed %s lived two lives: digest %s, and %s in %s\n", name,
                    json_string_value(json_object_get(other, "digest")), json_string_value(digest), path);
            merge->parted++;
        }
        return true;
    }
    merge->failed += json_is_false(ok);
    merge->inputs += json_integer_value(json_object_get(result, "inputs"));
    return json_object_set(merge->by_seed, name, result) == 0;
}

static bool read_file(struct merge *merge, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0, number = 0;
    bool is_fine = true;
    if (file == NULL) {
        return command_misused("cannot read %s: %s", path, strerror(errno));
    }
    while (is_fine && getline(&line, &size, file) >= 0) {
        json_error_t error;
        number++;
        if (line[strspn(line, " \r\n")] == 0) {
            continue;
        }
        json_t *result = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        is_fine = result != NULL ? add(merge, result, path, number)
                                 : command_misused("%s:%zu:%d: %s", path, number, error.column, error.text);
        json_decref(result);
    }
    free(line);
    fclose(file);
    return is_fine;
}

static void tell(const struct merge *merge, bool is_json)
{
    const char *name;
    json_t *result;
    json_object_foreach(merge->by_seed, name, result) {
        if (is_json ? false : json_is_false(json_object_get(result, "ok"))) {
            const char *kept = json_string_value(json_object_get(result, "kept")), *claim = json_string_value(json_object_get(result, "claim"));
            printf("seed %s FAILS: %s\n  again: hearsay sim search --seed %s --faults %s\n", name, claim == NULL ? "?" : claim, name,
                   kept == NULL ? "none" : kept);
        }
    }
    if (is_json) {
        printf("{\"seeds\":%zu,\"failed\":%zu,\"parted\":%zu,\"inputs\":%lld}\n", json_object_size(merge->by_seed), merge->failed,
               merge->parted, (long long)merge->inputs);
    } else {
        printf("%zu seeds, %zu failed, %lld inputs\n", json_object_size(merge->by_seed), merge->failed, (long long)merge->inputs);
    }
}

static int run(int count, char **arguments)
{
    struct merge merge = {.by_seed = json_object()};
    bool is_json, is_fine = command_format(format, &is_json);
    for (int i = 0; i < count && is_fine; i++) {
        is_fine = read_file(&merge, arguments[i]);
    }
    if (is_fine) {
        tell(&merge, is_json);
    }
    json_decref(merge.by_seed);
    return !is_fine ? EXIT_USAGE : merge.failed + merge.parted == 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_sim_merge = {
    .name = "sim merge",
    .summary = "the results of the shards of a search as one",
    .usage = "sim merge [flags] FILE…",
    .text = "Puts the results of the shards of a search together (--format json). Exit code 1 when a seed failed, or when one and the same\n"
            "seed lived two lives in two files.\n\n"
            "Example: hearsay sim merge part1.json part2.json\n",
    .flags = flags,
    .least = 1,
    .most = -1,
    .flags_anywhere = true,
    .run = run,
};
