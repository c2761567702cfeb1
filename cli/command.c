/* SPDX-License-Identifier: MIT
 *
 * Flags in both spellings (--name x, -name=x), never abbreviated, never after the first argument; help; and errors of one line.
 */
#include "cli/command.h"

#include "base/memory.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS_MAX 24
#define SECRET_MAX 4096

const char *command_rpc_addr;
char *command_rpc_auth;
static const struct command *running;
static bool was_misused;

static void say(const char *format, va_list arguments)
{
    fprintf(stderr, "hearsay%s%s: ", running == NULL ? "" : " ", running == NULL ? "" : running->name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int command_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return EXIT_FAILED;
}

bool command_misused(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    was_misused = true;
    return false;
}

bool command_format(const char *format, bool *is_json)
{
    *is_json = strcmp(format, "json") == 0;
    if (!*is_json && strcmp(format, "text") != 0) {
        return command_misused("--format %s: there is only text and json", format);
    }
    return true;
}

static void help(const struct command *command, FILE *out)
{
    fprintf(out, "Usage: hearsay %s\n\n%s\nFlags:\n\n", command->usage, command->text);
    for (const struct flag *flag = command->flags; flag->name != NULL; flag++) {
        int length = fprintf(out, "  --%s%s%s", flag->name, flag->argument == NULL ? "" : " ", flag->argument == NULL ? "" : flag->argument);
        fprintf(out, "%*s%s\n", length < 28 ? 28 - length : 2, "", flag->help);
    }
    fprintf(out, "  --help%*sthis\n", 20, "");
}

static int wrong_usage(const struct command *command, const char *what, const char *token)
{
    fprintf(stderr, "hearsay %s: %s%s%s; see hearsay %s --help\n", command->name, what, token == NULL ? "" : " ", token == NULL ? "" : token,
            command->name);
    return EXIT_USAGE;
}

/* A secret's own copy; the original in argv is overwritten, so that ps does not show it. */
bool command_secret(char **target, char *value)
{
    if (value[0] != '@') {
        *target = strdup(value);
        memory_wipe(value, strlen(value));
        return *target != NULL;
    }
    FILE *file = fopen(value + 1, "r");
    char text[SECRET_MAX];
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    bool is_read = file != NULL && ferror(file) == 0;
    if (!is_read) {
        command_fail("cannot read the secret in %s: %s", value + 1, strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
    }
    if (!is_read) {
        exit(EXIT_FAILED); /* the flag was right, the file is not */
    }
    text[size] = 0;
    text[strcspn(text, "\r\n")] = 0;
    *target = strdup(text);
    memory_wipe(text, sizeof text);
    return *target != NULL;
}

static bool is_spelled_out(const char *token, const char *name)
{
    token += token[1] == '-' ? 2 : 1;
    size_t length = strcspn(token, "=");
    return strlen(name) == length && memcmp(token, name, length) == 0;
}

static bool take(const struct flag *flag, char *value)
{
    switch (flag->kind) {
    case FLAG_TEXT:
        *(const char **)flag->target = value;
        return true;
    case FLAG_SECRET:
        return command_secret(flag->target, value);
    case FLAG_SWITCH:
        *(bool *)flag->target = value == NULL || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
        return value == NULL || *(bool *)flag->target || strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
    case FLAG_LIST:
        break;
    }
    struct flag_list *list = flag->target;
    if (list->count == sizeof list->at / sizeof list->at[0]) {
        return false;
    }
    list->at[list->count++] = value;
    return true;
}

/* Reads flags until the first argument, from where the last call stopped. */
static int read_flags(const struct command *command, int argc, char **argv, bool *wants_help)
{
    struct option options[FLAGS_MAX + 2] = {{"help", no_argument, NULL, 1}};
    int count = 0;
    while (command->flags[count].name != NULL && count < FLAGS_MAX) {
        const struct flag *flag = &command->flags[count];
        options[count + 1] = (struct option){flag->name, flag->kind == FLAG_SWITCH ? optional_argument : required_argument, NULL, count + 2};
        count++;
    }
    opterr = 0;
    for (int at = optind == 0 ? 1 : optind, found; (found = getopt_long_only(argc, argv, "+:h", options, NULL)) != -1; at = optind) {
        if (found == 1 || found == 'h') {
            *wants_help = true;
            return EXIT_DONE;
        }
        if (found == ':') {
            return wrong_usage(command, "this flag needs a value:", argv[at]);
        }
        const struct flag *flag = found >= 2 && found < count + 2 ? &command->flags[found - 2] : NULL;
        if (flag == NULL || !is_spelled_out(argv[at], flag->name)) {
            return wrong_usage(command, "there is no flag", argv[at]);
        }
        if (!take(flag, optarg)) {
            return was_misused ? EXIT_USAGE : wrong_usage(command, "cannot use the value of", flag->name);
        }
    }
    return EXIT_DONE;
}

/* Reads the whole line; its arguments then stand at argv[1..*count]. */
static int read_line(const struct command *command, int argc, char **argv, int *count, bool *wants_help)
{
    int result = EXIT_DONE;
    optind = 0; /* glibc: start afresh */
    for (*count = 0; result == EXIT_DONE && !*wants_help; ) {
        result = read_flags(command, argc, argv, wants_help);
        if (optind >= argc) {
            break;
        }
        bool are_rest = !command->flags_anywhere || strcmp(argv[optind - 1], "--") == 0;
        do {
            argv[++*count] = argv[optind++];
        } while (are_rest && optind < argc);
    }
    return result;
}

int command_run(const struct command *command, int argc, char **argv)
{
    bool wants_help = false;
    int count;
    running = command;
    int result = read_line(command, argc, argv, &count, &wants_help);
    if (wants_help) {
        help(command, stdout);
        return EXIT_DONE;
    }
    if (result == EXIT_DONE && count < command->least) {
        result = wrong_usage(command, "an argument is missing", NULL);
    }
    if (result == EXIT_DONE && command->most >= 0 && count > command->most) {
        result = wrong_usage(command, "unexpected argument", argv[command->most + 1]);
    }
    if (result == EXIT_DONE) {
        result = command->run(count, argv + 1);
    }
    return was_misused ? EXIT_USAGE : result;
}
