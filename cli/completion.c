/* SPDX-License-Identifier: MIT
 *
 * hearsay completion: what bash, zsh or fish need to complete commands and flags, made from the tables that the program itself uses, so that
 * it is never behind them.
 */
#include "agent/setup.h"
#include "cli/command.h"
#include "cli/kv.h"
#include "cli/service.h"
#include "cli/sim.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A flag of any kind: its name, what its value is called (NULL = none), its sentence. */
typedef void visit_flag(void *context, const char *name, const char *argument, const char *help);

/* name is "members", "sim spread", "agent". */
struct entry {
    const char *name, *summary;
    const struct command *command; /* NULL = the agent, or the head of a group */
};

typedef void visit_entry(const struct entry *entry);

static void visit_table(const struct command *const *table, visit_entry *visit)
{
    for (; *table != NULL; table++) {
        struct entry entry = {(*table)->name, (*table)->summary, *table};
        visit(&entry);
    }
}

/* What may stand behind "hearsay". */
static void visit_words(visit_entry *visit)
{
    static const struct entry others[] = {{"agent", "run one node of a cluster", NULL}, {"kv", "the shared store", NULL},
                                          {"service", "services and their health", NULL}, {"sim", "simulate", NULL}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        visit(&others[i]);
    }
    visit_table(command_all, visit);
}

/* Everything that takes flags. */
static void visit_takers(visit_entry *visit)
{
    static const struct entry agent = {"agent", "", NULL};
    visit(&agent);
    visit_table(command_all, visit);
    visit_table(kv_commands, visit);
    visit_table(service_commands, visit);
    visit_table(sim_commands, visit);
}

static void visit_flags(const struct entry *entry, visit_flag *visit, void *context)
{
    for (size_t i = 0; entry->command == NULL && i < config_field_count; i++) {
        const struct config_field *field = &config_fields[i];
        if (field->flag != NULL && field->help != NULL && field->kind != CONFIG_HELP) {
            visit(context, field->flag, field->argument, field->help);
        }
    }
    for (const struct flag *flag = entry->command == NULL ? NULL : entry->command->flags; flag != NULL && flag->name != NULL; flag++) {
        visit(context, flag->name, flag->argument, flag->help);
    }
    visit(context, "help", NULL, "explain");
}

/* "text|json": the value is one of these words. */
static bool is_choice(const char *argument)
{
    bool has_bar = false;
    for (const char *p = argument; *p != '\0'; p++) {
        has_bar |= *p == '|';
        if (!islower((unsigned char)*p) && *p != '|' && *p != '-') {
            return false;
        }
    }
    return has_bar;
}

static bool is_file(const char *argument)
{
    return strstr(argument, "FILE") != NULL || strstr(argument, "FOLDER") != NULL;
}

static void put_choices(const char *argument)
{
    for (; *argument != '\0'; argument++) {
        putchar(*argument == '|' ? ' ' : *argument);
    }
}

/* In single quotes of a shell; also without what zsh's _arguments takes for its own. */
static void put_quoted(const char *text, const char *forbidden)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
        } else if (strchr(forbidden, *text) != NULL) {
            printf("\\%c", *text);
        } else {
            putchar(*text);
        }
    }
}

/* ---- bash ---- */

static void bash_word(const struct entry *entry)
{
    printf("%s ", entry->name);
}

static void bash_second(const struct entry *entry)
{
    printf("%s ", strchr(entry->name, ' ') + 1);
}

static void bash_flag(void *context, const char *name, const char *argument, const char *help)
{
    (void)context;
    (void)argument;
    (void)help;
    printf(" --%s", name);
}

static void bash_flags(const struct entry *entry)
{
    printf("    '%s') flags='", entry->name);
    visit_flags(entry, bash_flag, NULL);
    puts("' ;;");
}

static void bash_value(void *context, const char *name, const char *argument, const char *help)
{
    const struct entry *entry = context;
    (void)help;
    if (argument != NULL) {
        printf("    '%s --%s') ", entry->name, name);
        if (is_choice(argument)) {
            fputs("values='", stdout);
            put_choices(argument);
            puts("' ;;");
        } else {
            puts(is_file(argument) ? "files=1 ;;" : "return ;;");
        }
    }
}

static void bash_values(const struct entry *entry)
{
    visit_flags(entry, bash_value, (void *)entry);
}

static void bash(void)
{
    fputs("# Completion of hearsay for bash, made by `hearsay completion bash`.\n"
          "_hearsay() {\n"
          "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} flags= values= files=\n"
          "  COMPREPLY=()\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "    COMPREPLY=($(compgen -W '",
          stdout);
    visit_words(bash_word);
    fputs("help' -- \"$cur\"))\n    return\n  fi\n  case $command in\n  kv | service | sim)\n"
          "    if [ \"$COMP_CWORD\" -eq 2 ]; then\n      case $command in\n"
          "      kv) values='",
          stdout);
    visit_table(kv_commands, bash_second);
    fputs("' ;;\n      service) values='", stdout);
    visit_table(service_commands, bash_second);
    fputs("' ;;\n      sim) values='", stdout);
    visit_table(sim_commands, bash_second);
    fputs("' ;;\n      esac\n      COMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n      return\n    fi\n"
          "    command=\"$command ${COMP_WORDS[2]}\"\n    ;;\n"
          "  esac\n  case \"$command $prev\" in\n",
          stdout);
    visit_takers(bash_values);
    fputs("  esac\n"
          "  if [ -n \"$values\" ]; then\n"
          "    COMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n"
          "  elif [ -n \"$files\" ] || [ \"${cur#-}\" = \"$cur\" ]; then\n"
          "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
          "  else\n"
          "    case $command in\n",
          stdout);
    visit_takers(bash_flags);
    puts("    esac\n    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n  fi\n}\ncomplete -o filenames -F _hearsay hearsay");
}

/* ---- zsh ---- */

static void zsh_word(const struct entry *entry)
{
    const char *space = strchr(entry->name, ' ');
    printf("    '%s:", space == NULL ? entry->name : space + 1);
    put_quoted(entry->summary, ":");
    puts("'");
}

static void zsh_flag(void *context, const char *name, const char *argument, const char *help)
{
    (void)context;
    printf(" \\\n      '*--%s[", name);
    put_quoted(help, "[]:");
    putchar(']');
    if (argument != NULL) {
        putchar(':');
        put_quoted(argument, ":[]");
        putchar(':');
        if (is_choice(argument)) {
            putchar('(');
            put_choices(argument);
            putchar(')');
        } else if (is_file(argument)) {
            fputs("_files", stdout);
        }
    }
    putchar('\'');
}

static void zsh_flags(const struct entry *entry)
{
    printf("  '%s')\n    _arguments '*:file:_files'", entry->name);
    visit_flags(entry, zsh_flag, NULL);
    puts("\n    ;;");
}

static void zsh(void)
{
    puts("#compdef hearsay\n# Completion of hearsay for zsh, made by `hearsay completion zsh`.\n_hearsay() {\n  local command=${words[2]}\n"
         "  local -a commands kv service sim\n  commands=(");
    visit_words(zsh_word);
    puts("  )\n  kv=(");
    visit_table(kv_commands, zsh_word);
    puts("  )\n  service=(");
    visit_table(service_commands, zsh_word);
    puts("  )\n  sim=(");
    visit_table(sim_commands, zsh_word);
    puts("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n  case $command in\n  kv | service | sim)\n"
         "    if (( CURRENT == 3 )); then\n      _describe command $command\n      return\n    fi\n    command=\"$command ${words[3]}\"\n    ;;\n"
         "  esac\n  case $command in");
    visit_takers(zsh_flags);
    puts("  esac\n}\n_hearsay \"$@\"");
}

/* ---- fish ---- */

static void fish_word(const struct entry *entry)
{
    const char *space = strchr(entry->name, ' ');
    if (space == NULL) {
        printf("complete -c hearsay -n __fish_use_subcommand -f -a %s -d '", entry->name);
    } else {
        printf("complete -c hearsay -n 'test (count (commandline -opc)) -eq 2; and __fish_seen_subcommand_from %.*s' -f -a %s -d '",
               (int)(space - entry->name), entry->name, space + 1);
    }
    put_quoted(entry->summary, "");
    puts("'");
}

static void fish_flag(void *context, const char *name, const char *argument, const char *help)
{
    const struct entry *entry = context;
    const char *space = strchr(entry->name, ' ');
    fputs("complete -c hearsay -n '", stdout);
    if (space == NULL) {
        printf("__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from kv service sim", entry->name);
    } else {
        printf("__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s", (int)(space - entry->name), entry->name, space + 1);
    }
    printf("' -l %s", name);
    if (argument != NULL && is_choice(argument)) {
        fputs(" -x -a '", stdout);
        put_choices(argument);
        putchar('\'');
    } else if (argument != NULL) {
        fputs(is_file(argument) ? " -r -F" : " -x", stdout);
    }
    fputs(" -d '", stdout);
    put_quoted(help, "");
    puts("'");
}

static void fish_flags(const struct entry *entry)
{
    visit_flags(entry, fish_flag, (void *)entry);
}

static void fish(void)
{
    puts("# Completion of hearsay for fish, made by `hearsay completion fish`.");
    visit_words(fish_word);
    visit_table(kv_commands, fish_word);
    visit_table(service_commands, fish_word);
    visit_table(sim_commands, fish_word);
    visit_takers(fish_flags);
}

static int run(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    (void)count;
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(arguments[0], shells[i].name) == 0) {
            shells[i].print();
            return EXIT_DONE;
        }
    }
    (void)command_misused("%s: there are completions for bash, zsh and fish", arguments[0]);
    return EXIT_USAGE;
}

static const struct flag flags[] = {{.name = NULL}};

const struct command command_completion = {
    .name = "completion",
    .summary = "print the completion for a shell",
    .usage = "completion bash|zsh|fish",
    .text = "  Prints what the shell needs to complete commands and flags. Packages install it; by hand:\n\n"
            "    hearsay completion bash > /etc/bash_completion.d/hearsay\n",
    .flags = flags,
    .least = 1,
    .most = 1,
    .run = run,
};
