/* SPDX-License-Identifier: MIT
 *
 * hearsay migrate-check: reads the configuration of a Serf agent as our agent would, and says what will be different with it.
 */
#include "agent/setup.h"
#include "cli/command.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

static const char *format = "text";

struct difference {
    const char *key, *serf, *ours;
};

/* Settings that do not do quite the same here. All others do. */
static const struct difference of_keys[] = {
    {"event_handlers", "one script at a time, however long it takes; waits for what it left in the background",
     "handlers run side by side (handler_limit), each in the order of events; a script is stopped after 10m (handler_timeout)"},
    {"statsd_addr", "one line for every occurrence", "one line a second with the sum, same names; none of Go's runtime"},
    {"statsite_addr", "one line for every occurrence", "one line a second with the sum, same names; none of Go's runtime"},
};

#define KEYS (sizeof of_keys / sizeof of_keys[0])

struct report {
    struct difference at[KEYS + 4];
    size_t count;
};

static void add(struct report *report, const struct difference *difference)
{
    report->at[report->count++] = *difference;
}

/* Was the key given anywhere? Files were parsed before, so they are fine. */
static bool is_given(const struct words *files, const char *key)
{
    bool is_found = false;
    for (size_t i = 0; i < files->count; i++) {
        json_t *object = json_load_file(files->at[i], 0, NULL);
        const char *name;
        json_t *value;
        json_object_foreach (object, name, value) {
            is_found |= strcasecmp(name, key) == 0;
        }
        json_decref(object);
    }
    return is_found;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "localhost:", 10) == 0 || strncmp(address, "[::1]:", 6) == 0;
}

static void compare(const struct config *config, const struct words *files, struct report *report)
{
    static const struct difference open_rpc = {"rpc_addr", "anybody who reaches it may command the agent",
                                               "does not start: beyond loopback RPC needs a token (rpc_auth)"};
    static const struct difference term = {"leave_on_terminate", "SIGTERM ends with exit code 1", "SIGTERM ends with exit code 0"};
    for (size_t i = 0; i < KEYS; i++) {
        if (is_given(files, of_keys[i].key)) {
            add(report, &of_keys[i]);
        }
    }
    if (config->rpc_auth == NULL && !is_loopback(config->rpc_addr)) {
        add(report, &open_rpc);
    }
    if (is_given(files, "leave_on_terminate") && config->leaves_on_term == 0) {
        add(report, &term);
    }
}

static void print_text(const struct report *report)
{
    int key = 3, serf = 4;
    for (size_t i = 0; i < report->count; i++) {
        key = (int)strlen(report->at[i].key) > key ? (int)strlen(report->at[i].key) : key;
        serf = (int)strlen(report->at[i].serf) > serf ? (int)strlen(report->at[i].serf) : serf;
    }
    if (report->count == 0) {
        puts("Nothing differs.");
        return;
    }
    printf("%-*s  %-*s  %s\n", key, "KEY", serf, "SERF", "HEARSAY");
    for (size_t i = 0; i < report->count; i++) {
        printf("%-*s  %-*s  %s\n", key, report->at[i].key, serf, report->at[i].serf, report->at[i].ours);
    }
}

static void print_json(const struct report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->count; i++) {
        json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "key", report->at[i].key, "serf", report->at[i].serf, "hearsay", report->at[i].ours));
    }
    json_t *root = json_pack("{s:o}", "differences", all);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

/* What the agent would say on starting, as far as the files decide it. */
static bool is_startable(struct config *config, char *error, size_t size)
{
    struct hearsay_uv_options options;
    struct taglist tags = {0};
    bool is_fine = setup_resolve(config, error, size) && setup_tags(config, &tags, error, size)
                   && setup_options(config, &tags, &options, error, size);
    lists_free_tags(&tags);
    return is_fine;
}

static int run(int count, char **arguments)
{
    char error[512];
    bool is_json;
    struct config given, config;
    struct report report = {.count = 0};
    if (!command_format(format, &is_json)) {
        return EXIT_USAGE;
    }
    config_init(&given);
    for (int i = 0; i < count; i++) {
        lists_add_word(&given.files, arguments[i]);
    }
    bool is_fine = setup_gather(&given, &config, error, sizeof error) && is_startable(&config, error, sizeof error);
    if (!is_fine) {
        command_fail("%s", error);
    } else {
        compare(&config, &given.files, &report);
        (is_json ? print_json : print_text)(&report);
    }
    config_deinit(&config);
    config_deinit(&given);
    return !is_fine ? EXIT_USAGE : report.count > 0 ? EXIT_FAILED : EXIT_DONE;
}

static const struct flag flags[] = {{"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"}, {.name = NULL}};

const struct command command_migrate_check = {
    .name = "migrate-check",
    .summary = "say what will differ with the configuration of a Serf agent",
    .usage = "migrate-check [flags] FILE...",
    .text = "  Reads a Serf agent's configuration files, as the agent would with --config-file, and lists what they do differently here.\n"
            "  Exit code 0: nothing, 1: something, 2: the agent would refuse them.\n\n"
            "    hearsay migrate-check /etc/serf/agent.json\n",
    .flags = flags,
    .least = 1,
    .most = -1,
    .run = run,
};
