/* SPDX-License-Identifier: MIT
 *
 * See flags.h.
 */
#include "agent/flags.h"

#include "agent/secret.h"

#include <getopt.h>
#include <hearsay/options.h>

#define FIELD 256 /* getopt's answers begin here, so that none of them is ':' or '?' */

static bool needs_value(enum config_kind kind)
{
    return kind != CONFIG_SWITCH && kind != CONFIG_SWITCH_OFF && kind != CONFIG_HELP;
}

static struct option *options_of_fields(void)
{
    struct option *options = must(calloc(config_field_count + 1, sizeof *options));
    size_t count = 0;
    for (size_t i = 0; i < config_field_count; i++) {
        if (config_fields[i].flag != NULL) {
            int argument = needs_value(config_fields[i].kind) ? required_argument : optional_argument;
            options[count++] = (struct option){config_fields[i].flag, argument, NULL, FIELD + (int)i};
        }
    }
    return options;
}

/* getopt takes unique beginnings of names; Serf does not, and a later flag could change their meaning. */
static bool is_spelled_out(const char *token, const char *name)
{
    token += token[0] == '-' && token[1] == '-' ? 2 : 1;
    size_t length = strcspn(token, "=");
    return strlen(name) == length && memcmp(token, name, length) == 0;
}

static void say_unknown(const char *token, char *error, size_t size)
{
    char word[64];
    const char *name = token + strspn(token, "-"), *nearest = NULL;
    uint32_t best = UINT32_MAX;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(name, "="), name);
    for (size_t i = 0; i < config_field_count; i++) {
        const char *flag = config_fields[i].flag;
        if (flag != NULL && text_is_nearer(word, flag, &best)) {
            nearest = flag;
        }
    }
    snprintf(error, size, "unknown flag --%s%s%s%s", word, nearest == NULL ? "" : "; did you mean --",
             nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

static bool take(struct config *config, int found, const char *token, char *error, size_t size)
{
    if (found == ':') {
        snprintf(error, size, "flag %s needs a value", token);
        return false;
    }
    if (found == '?' || !is_spelled_out(token, config_fields[found - FIELD].flag)) {
        say_unknown(token, error, size);
        return false;
    }
    const struct config_field *field = &config_fields[found - FIELD];
    if (!config_set(config, field, optarg, error, size)) {
        return false;
    }
    if (field->kind == CONFIG_SECRET && !secret_is_path(optarg)) {
        explicit_bzero(optarg, strlen(optarg));
    }
    return true;
}

enum flags_result flags_parse(struct config *config, int argc, char **argv, char *error, size_t size)
{
    struct option *options = options_of_fields();
    enum flags_result result = FLAGS_OK;
    int at = 1, found;
    optind = 0; /* glibc: start afresh, and read the '+' */
    while (result == FLAGS_OK && (found = getopt_long_only(argc, argv, "+:", options, NULL)) != -1) {
        if (!take(config, found, argv[at], error, size)) {
            result = FLAGS_WRONG;
        } else if (config_fields[found - FIELD].kind == CONFIG_HELP) {
            result = FLAGS_HELP;
        }
        at = optind;
    }
    free(options);
    if (result == FLAGS_OK && optind < argc) {
        snprintf(error, size, "unexpected argument '%s': the agent takes flags only", argv[optind]);
        result = FLAGS_WRONG;
    }
    return result;
}

void flags_help(FILE *out)
{
    fputs("Usage: hearsay agent [flags]\n\n"
          "  Starts one node of a cluster and runs until it is interrupted. Flags may be written --flag x, --flag=x or -flag=x.\n"
          "  HEARSAY_ENCRYPT and HEARSAY_RPC_AUTH in the environment do as --encrypt and --rpc-auth.\n\n"
          "    hearsay agent --node n2 --bind 10.0.0.2 --encrypt @/etc/hearsay/key --retry-join 10.0.0.1\n\n",
          out);
    for (size_t i = 0; i < config_field_count; i++) {
        const struct config_field *field = &config_fields[i];
        if (field->flag != NULL && field->help != NULL) {
            int length = fprintf(out, "  --%s%s%s", field->flag, field->argument == NULL ? "" : " ",
                                 field->argument == NULL ? "" : field->argument);
            fprintf(out, "%*s%s\n", length < 36 ? 36 - length : 1, "", field->help);
        }
    }
    fputs("\nSignals: HUP reloads tags, event handlers and log level and reopens the event log, INT leaves gracefully, TERM ends.\n"
          "Exit codes: 0 fine, 1 failure, 2 wrong usage.\n",
          out);
}

void flags_help_numbers(FILE *out)
{
    fputs("Numbers for --set NAME=NUMBER, and for \"numbers\" in configuration files (default of the LAN profile, range, unit):\n\n", out);
    for (size_t i = 0; i < hearsay_number_count(); i++) {
        const struct hearsay_number *n = hearsay_number_at(i);
        fprintf(out, "  %-26s %8u  %u..%u %s: %s\n", n->name, n->lan_default, n->least, n->most, n->unit, n->sentence);
    }
}
