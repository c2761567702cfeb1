/* SPDX-License-Identifier: MIT
 *
 * hearsay service SUBCOMMAND: the commands about services and their health, whose names begin with "service ", and what they have in
 * common.
 */
#ifndef HEARSAY_CLI_SERVICE_H
#define HEARSAY_CLI_SERVICE_H

#include "cli/client.h"
#include "cli/command.h"

#include <jansson.h>

/* Its table; ends with NULL. */
extern const struct command *const service_commands[];
/* argv[0] is "service". Answers the exit code. */
int service_run(int argc, char **argv);

/* A request that is answered with nothing: its fields are written by the caller. Answers the exit code. */
int service_ask(const char *command, const struct writer *body);
/* The next answer as JSON, to be released; NULL after saying why not. */
json_t *service_next(struct client *client);

extern const struct command command_service_checks;
extern const struct command command_service_deregister;
extern const struct command command_service_fail;
extern const struct command command_service_list;
extern const struct command command_service_maint;
extern const struct command command_service_pass;
extern const struct command command_service_register;
extern const struct command command_service_warn;
extern const struct command command_service_watch;

#endif
