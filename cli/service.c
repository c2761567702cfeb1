/* SPDX-License-Identifier: MIT
 *
 * See service.h; and the short commands: deregister, maint, pass, warn, fail.
 */
#include "cli/service.h"

#include "cli/kv.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <string.h>

const struct command *const service_commands[] = {
    /* clang-format off */
    &command_service_checks,
    &command_service_deregister,
    &command_service_fail,
    &command_service_list,
    &command_service_maint,
    &command_service_pass,
    &command_service_register,
    &command_service_warn,
    &command_service_watch,
    NULL,
    /* clang-format on */
};

#define COMMAND_COUNT (sizeof service_commands / sizeof service_commands[0] - 1)

static void usage(FILE *out)
{
    fputs("Usage: hearsay service COMMAND [flags] [arguments]\n\n"
          "  Services and their health: each agent checks what runs beside it, and every agent knows where a healthy one "
          "is.\n\nCommands:\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-13s %s\n", service_commands[i]->name + strlen("service "), service_commands[i]->summary);
    }
    fputs("\n`hearsay service COMMAND --help` explains one. Example: hearsay service register web --port 80; hearsay service list web\n",
          out);
}

int service_run(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, service_commands[i]->name + strlen("service ")) == 0) {
            return command_run(service_commands[i], argc - 1, argv + 1);
        }
    }
    if (argc < 2) {
        usage(stderr);
    } else {
        fprintf(stderr, "hearsay service: there is no command '%s'; see hearsay service --help\n", name);
    }
    return EXIT_USAGE;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------------ */

int service_ask(const char *command, const struct writer *body)
{
    struct client client;
    struct hearsay_bytes nothing;
    if (body->is_full) {
        return command_fail("the arguments are too long");
    }
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    bool is_done = kv_ask(&client, command, writer_bytes(body)) && client_next(&client, &nothing, false);
    client_close(&client);
    return is_done ? EXIT_DONE : EXIT_FAILED;
}

json_t *service_next(struct client *client)
{
    struct hearsay_bytes object, text = {NULL, 0};
    json_error_t problem;
    if (!client_next(client, &object, false)) {
        return NULL;
    }
    struct reader r = reader_of(object);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Services")) {
            text = msgpack_get_raw(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    json_t *json = r.is_bad ? NULL : json_loadb((const char *)text.data, text.size, 0, &problem);
    if (!json_is_array(json_object_get(json, "services"))) {
        json_decref(json);
        command_fail("the agent's answer makes no sense");
        return NULL;
    }
    return json;
}

/* ---- short commands ------------------------------------------------------------------------------------------------------------ */

static const char *reason = "in maintenance", *check = "", *note = "";
static bool is_off;

static int run_deregister(int count, char **arguments)
{
    uint8_t room[4096];
    struct writer w = writer_of(room, sizeof room);
    (void)count;
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "ID");
    msgpack_put_text(&w, arguments[0]);
    return service_ask("service-deregister", &w);
}

static int run_maint(int count, char **arguments)
{
    uint8_t room[8192];
    struct writer w = writer_of(room, sizeof room);
    (void)count;
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "ID");
    msgpack_put_text(&w, arguments[0]);
    msgpack_put_text(&w, "Reason");
    msgpack_put_text(&w, reason);
    msgpack_put_text(&w, "Off");
    msgpack_put_bool(&w, is_off);
    return service_ask("service-maint", &w);
}

static int report(char **arguments, unsigned state)
{
    uint8_t room[16384];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 4);
    msgpack_put_text(&w, "ID");
    msgpack_put_text(&w, arguments[0]);
    msgpack_put_text(&w, "Check");
    msgpack_put_text(&w, check);
    msgpack_put_text(&w, "Output");
    msgpack_put_text(&w, note);
    msgpack_put_text(&w, "State");
    msgpack_put_uint(&w, state);
    return service_ask("service-report", &w);
}

static int run_pass(int count, char **arguments)
{
    (void)count;
    return report(arguments, 0);
}

static int run_warn(int count, char **arguments)
{
    (void)count;
    return report(arguments, 1);
}

static int run_fail(int count, char **arguments)
{
    (void)count;
    return report(arguments, 2);
}

static const struct flag deregister_flags[] = {COMMAND_RPC_FLAGS, {.name = NULL}};

static const struct flag maint_flags[] = {
    {"reason", FLAG_TEXT, &reason, "TEXT", "why; everybody can see it (default \"in maintenance\")"},
    {"off", FLAG_SWITCH, &is_off, NULL, "it is back in service, as its checks say"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

static const struct flag report_flags[] = {
    {"check", FLAG_TEXT, &check, "NAME", "which heartbeat, when the service has several"},
    {"note", FLAG_TEXT, &note, "TEXT", "what everybody is to read about it"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_service_deregister = {
    .name = "service deregister",
    .summary = "take a service back",
    .usage = "service deregister [flags] ID",
    .text = "  Takes back a service that was registered at this agent. What the configuration defines is taken out there.\n\n"
            "    hearsay service deregister web\n",
    .flags = deregister_flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run_deregister,
};

const struct command command_service_maint = {
    .name = "service maint",
    .summary = "take a service out of use for a while, or back",
    .usage = "service maint [flags] ID",
    .text =
        "  From now on the service counts as unhealthy, whatever its checks say, until --off. With --data-dir this survives a restart.\n\n"
        "    hearsay service maint web --reason 'new disk'; hearsay service maint web --off\n",
    .flags = maint_flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run_maint,
};

#define REPORT(verb, sentence)                                                                                                             \
    {                                                                                                                                      \
        .name = "service " #verb, .summary = sentence, .usage = "service " #verb " [flags] ID",                                            \
        .text = "  A heartbeat of a check with a ttl: until it ends the service is what was said last; afterwards it is critical.\n\n"     \
                "    hearsay service " #verb " web --note 'queue 3'\n",                                                                    \
        .flags = report_flags, .least = 1, .most = 1, .flags_anywhere = true, .run = run_##verb,                                           \
    }

const struct command command_service_pass = REPORT(pass, "a heartbeat: all is well");
const struct command command_service_warn = REPORT(warn, "a heartbeat: still healthy, but look at it");
const struct command command_service_fail = REPORT(fail, "a heartbeat: do not use it");
