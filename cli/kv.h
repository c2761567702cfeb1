/* SPDX-License-Identifier: MIT
 *
 * hearsay kv SUBCOMMAND: the commands of the shared store, whose names begin with "kv ", and what they have in common: how an entry is
 * asked for and read, and how keys and versions are written for people and for programs.
 */
#ifndef HEARSAY_CLI_KV_H
#define HEARSAY_CLI_KV_H

#include "cli/client.h"
#include "cli/command.h"

#include <stdio.h>

#define KV_KEY_MAX 512u
#define KV_VALUE_MAX (1u << 20)

struct kv_item {
    struct hearsay_bytes key, value; /* borrowed from the answer */
    uint64_t size, hlc, origin;
    uint64_t ttl_ms; /* what is left of it; 0 = it stays */
    uint64_t copies; /* of a put */
    uint64_t change; /* of kv-watch: where to go on */
    struct hearsay_bytes event;
};

/* Its table; ends with NULL. */
extern const struct command *const kv_commands[];
/* argv[0] is "kv". Answers the exit code. */
int kv_run(int argc, char **argv);

/* As client_ask, and says what it means when the agent knows no store. */
bool kv_ask(struct client *client, const char *command, struct hearsay_bytes body);
/* The meaning of an error text of the agent, in one line on stderr. Answers false. */
bool kv_refused(const char *error);
/* Reads a map of named fields; what it does not know it skips. */
void kv_read_item(struct reader *r, struct kv_item *item);
/* The next object of an answer as an item; it borrows that object. False after saying why. */
bool kv_next_item(struct client *client, struct kv_item *item);
/* "0193a0b1c2d3e4f5-89abcdef01234567"; later versions sort after earlier ones. */
void kv_version(const struct kv_item *item, char out[34]);
/* Key for people: nothing in it steers the terminal. To be freed. */
char *kv_key_text(struct hearsay_bytes key);
/* "key":"…", or "key_base64":"…" when it is not UTF-8. */
void kv_json_key(FILE *out, struct hearsay_bytes key);
/* "value":"…" in base64. */
void kv_json_value(FILE *out, struct hearsay_bytes value);
/* Is the key of a possible length? False after saying why not. */
bool kv_check_key(struct hearsay_bytes key);
/* "30s", "5m", "1h30m", or seconds. */
bool kv_span(const char *flag, const char *text, uint64_t *ms);
/* Up to 1 MiB of a file, or of standard input if it is "-", to be freed. False after saying why not. */
bool kv_read_file(const char *path, struct hearsay_bytes *value);
/* A request in memory of its own, to be freed; room is for everything but small fields. */
bool kv_writer(struct writer *w, size_t room);

extern const struct command command_kv_delete;
extern const struct command command_kv_export;
extern const struct command command_kv_get;
extern const struct command command_kv_import;
extern const struct command command_kv_list;
extern const struct command command_kv_put;
extern const struct command command_kv_status;
extern const struct command command_kv_tune;
extern const struct command command_kv_watch;

#endif
