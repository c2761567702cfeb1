/* SPDX-License-Identifier: MIT
 *
 * A command of the program: its flags, its help, what it does. One file per command; main.c has the list.
 */
#ifndef HEARSAY_CLI_COMMAND_H
#define HEARSAY_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum flag_kind {
    FLAG_TEXT,   /* const char **: the value */
    FLAG_LIST,   /* struct flag_list *: may be given again and again */
    FLAG_SWITCH, /* bool *: --x, --x=true, --x=false */
    FLAG_SECRET  /* char **: an owned copy, wiped from argv; @FILE reads a file */
};

struct flag_list {
    const char *at[64];
    size_t count;
};

struct flag {
    const char *name;
    enum flag_kind kind;
    void *target;
    const char *argument; /* word for the help, NULL for switches */
    const char *help;
};

struct command {
    const char *name;
    const char *summary; /* one line for the list of commands */
    const char *usage;   /* "members [flags]" */
    const char *text;    /* what it does, and an example */
    const struct flag *flags; /* ends with name NULL */
    int least, most;     /* arguments after the flags; most -1 = any number */
    bool flags_anywhere; /* flags may also follow arguments; Serf's commands do not have that */
    int (*run)(int count, char **arguments);
};

/* One per line and sorted, as in main.c. */
extern const struct command command_completion;
extern const struct command command_decode;
extern const struct command command_doctor;
extern const struct command command_event;
extern const struct command command_force_leave;
extern const struct command command_info;
extern const struct command command_inspect;
extern const struct command command_join;
extern const struct command command_keygen;
extern const struct command command_keys;
extern const struct command command_leave;
extern const struct command command_members;
extern const struct command command_migrate_check;
extern const struct command command_monitor;
extern const struct command command_query;
extern const struct command command_reachability;
extern const struct command command_repair;
extern const struct command command_rtt;
extern const struct command command_tags;
extern const struct command command_top;
extern const struct command command_version;
extern const struct command command_why;

/* What may stand behind "hearsay", but for the agent and the groups kv and sim; ends with NULL. */
extern const struct command *const command_all[];

/* Reads flags and arguments, then runs. Answers the exit code. */
int command_run(const struct command *command, int argc, char **argv);
/* One line on stderr: "hearsay COMMAND: …". Answers EXIT_FAILED. */
int command_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for wrong usage: whatever the command answers, the program's exit code is then EXIT_USAGE. Answers false. */
bool command_misused(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A secret argument: an owned copy, wiped from argv; @FILE reads a file. */
bool command_secret(char **target, char *value);
/* "text" or "json" into *is_json; else a line on stderr and false. */
bool command_format(const char *format, bool *is_json);

/* The flags of every command that talks to an agent. */
extern const char *command_rpc_addr;
extern char *command_rpc_auth;
#define COMMAND_RPC_FLAGS                                                                                                    \
    {"rpc-addr", FLAG_TEXT, &command_rpc_addr, "HOST:PORT", "RPC address of the agent (default 127.0.0.1:7373, or HEARSAY_RPC_ADDR)"}, \
    {"rpc-auth", FLAG_SECRET, &command_rpc_auth, "TOKEN|@FILE", "RPC auth token of the agent (or HEARSAY_RPC_AUTH)"}

#endif
