/* SPDX-License-Identifier: MIT
 *
 * hearsay service register: a definition made of flags, or read from a file, is handed to the agent, which says what is wrong with it.
 */
#include "cli/service.h"

#include "cli/kv.h"
#include "cli/sim.h"
#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *id, *port, *address, *file, *tcp, *http, *ttl, *interval, *timeout, *successes, *failures, *initial;
static struct flag_list tags, meta;

static bool set_text(json_t *object, const char *key, const char *value)
{
    if (value == NULL) {
        return true;
    }
    json_t *string = json_string(value);
    return string != NULL && json_object_set_new(object, key, string) == 0 ? true : command_misused("'%s' is no UTF-8", key);
}

static bool set_number(json_t *object, const char *key, const char *flag, const char *value, uint64_t least, uint64_t most)
{
    uint64_t number;
    return value == NULL ||
           (sim_number(flag, value, least, most, &number) && json_object_set_new(object, key, json_integer((json_int_t)number)) == 0);
}

/* The check that the flags name, if any. */
static bool add_check(json_t *object)
{
    json_t *check = json_object(), *list = json_array();
    bool is_any = tcp != NULL || http != NULL || ttl != NULL;
    if (!is_any && (interval != NULL || timeout != NULL || successes != NULL || failures != NULL || initial != NULL)) {
        json_decref(check);
        json_decref(list);
        return command_misused("these flags are of a check: give --tcp, --http or --ttl too");
    }
    bool is_set = set_text(check, "tcp", tcp) && set_text(check, "http", http) && set_text(check, "ttl", ttl) &&
                  set_text(check, "interval", interval) && set_text(check, "timeout", timeout) && set_text(check, "initial", initial) &&
                  set_number(check, "success_threshold", "success-threshold", successes, 1, 1000) &&
                  set_number(check, "failure_threshold", "failure-threshold", failures, 1, 1000);
    json_array_append_new(list, check);
    if (is_any && is_set) {
        json_object_set(object, "checks", list);
    }
    json_decref(list);
    return is_set;
}

static bool add_lists(json_t *object)
{
    json_t *words = json_array(), *pairs = json_object();
    bool is_fine = true;
    for (size_t i = 0; i < tags.count; i++) {
        is_fine = is_fine && json_array_append_new(words, json_string(tags.at[i])) == 0;
    }
    for (size_t i = 0; i < meta.count && is_fine; i++) {
        const char *equals = strchr(meta.at[i], '=');
        if (equals == NULL || equals == meta.at[i]) {
            is_fine = command_misused("--meta %s: give it as KEY=VALUE", meta.at[i]);
            break;
        }
        json_t *value = json_string(equals + 1);
        is_fine = value != NULL && json_object_setn_new(pairs, meta.at[i], (size_t)(equals - meta.at[i]), value) == 0;
    }
    json_object_set_new(object, "tags", words);
    json_object_set_new(object, "meta", pairs);
    return is_fine;
}

static int register_one(const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY);
    struct writer w;
    if (text == NULL || !kv_writer(&w, strlen(text))) {
        free(text);
        return command_fail("out of memory");
    }
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Definition");
    msgpack_put_text(&w, text);
    int result = service_ask("service-register", &w);
    free(w.data);
    free(text);
    return result;
}

static int register_file(void)
{
    json_error_t problem;
    struct hearsay_bytes content;
    if (!kv_read_file(file, &content)) {
        return EXIT_FAILED;
    }
    json_t *json = json_loadb((const char *)content.data, content.size, JSON_REJECT_DUPLICATES, &problem);
    free((void *)(uintptr_t)content.data);
    if (json == NULL) {
        return command_fail("%s, line %d: %s", file, problem.line, problem.text);
    }
    int result = EXIT_DONE;
    const json_t *list = json_object_get(json, "services"); /* as in a configuration */
    list = json_is_array(json) ? json : list;
    for (size_t i = 0; list != NULL && i < json_array_size(list) && result == EXIT_DONE; i++) {
        result = register_one(json_array_get(list, i));
    }
    if (list == NULL) {
        result = register_one(json);
    }
    json_decref(json);
    return result;
}

static int run(int count, char **arguments)
{
    if ((count > 0) == (file != NULL)) {
        (void)command_misused("give the NAME of a service and flags, or --file FILE");
        return EXIT_USAGE;
    }
    if (file != NULL) {
        return register_file();
    }
    json_t *object = json_object();
    bool is_made = set_text(object, "name", arguments[0]) && set_text(object, "id", id) && set_text(object, "address", address) &&
                   set_number(object, "port", "port", port, 1, 65535) && add_lists(object) && add_check(object);
    int result = is_made ? register_one(object) : EXIT_FAILED;
    json_decref(object);
    return result;
}

static const struct flag flags[] = {
    {"id", FLAG_TEXT, &id, "ID", "tells instances of one service at one agent apart (default: the name)"},
    {"port", FLAG_TEXT, &port, "PORT", "where it listens"},
    {"address", FLAG_TEXT, &address, "IP", "numeric address (default: the agent's)"},
    {"tag", FLAG_LIST, &tags, "TAG", "by which it can be asked for (repeatable)"},
    {"meta", FLAG_LIST, &meta, "KEY=VALUE", "anything else that others may want to know (repeatable)"},
    {"tcp", FLAG_TEXT, &tcp, "HOST:PORT", "check: can it be connected to?"},
    {"http", FLAG_TEXT, &http, "URL", "check: is the status 2xx? (429 is a warning)"},
    {"ttl", FLAG_TEXT, &ttl, "SPAN", "check: heartbeats, with hearsay service pass, at least this often"},
    {"interval", FLAG_TEXT, &interval, "SPAN", "between two runs of the check (default 10s)"},
    {"timeout", FLAG_TEXT, &timeout, "SPAN", "longest run of the check (default 10s)"},
    {"success-threshold", FLAG_TEXT, &successes, "COUNT", "good results in a row before it is healthy (default 1)"},
    {"failure-threshold", FLAG_TEXT, &failures, "COUNT", "bad results in a row before it is not (default 1)"},
    {"initial", FLAG_TEXT, &initial, "passing|warning|critical", "state before the first result (default critical)"},
    {"file", FLAG_TEXT, &file, "FILE", "instead of flags: a JSON object, an array of them, or {\"services\": […]}; - is standard input"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_service_register = {
    .name = "service register",
    .summary = "offer a service at this agent",
    .usage = "service register [flags] [NAME]",
    .text =
        "  Registers a service, or replaces the one with its id. NAME is a DNS label. With --data-dir it survives a restart of the agent.\n"
        "  Scripts as checks come from the agent's configuration only.\n\n"
        "    hearsay service register web --port 80 --tag v1 --http http://127.0.0.1/health --interval 5s\n",
    .flags = flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
