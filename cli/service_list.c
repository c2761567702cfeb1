/* SPDX-License-Identifier: MIT
 *
 * hearsay service list, watch and checks: the names, the instances of one service nearest first, and what an agent knows of its own checks.
 */
#include "cli/service.h"

#include "cli/kv.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 7
#define CELL 96

static const char *format = "text", *tag = "";
static bool is_healthy_only;

/* ---- tables ---------------------------------------------------------------------------------------------------------------------- */

typedef void make_row(const json_t *item, char cells[COLUMNS][CELL]);

static void put_cell(char cell[CELL], const char *text)
{
    snprintf(cell, CELL, "%s", text == NULL ? "" : text);
    cell[strcspn(cell, "\r\n")] = '\0';
    plain_tame(cell);
}

static void measure(int widths[COLUMNS], char cells[COLUMNS][CELL], int columns)
{
    for (int i = 0; i < columns; i++) {
        int width = (int)strlen(cells[i]);
        widths[i] = width > widths[i] ? width : widths[i];
    }
}

static void print_row(const int widths[COLUMNS], char cells[COLUMNS][CELL], int columns)
{
    int last = columns - 1;
    while (last > 0 && cells[last][0] == '\0') {
        last--;
    }
    for (int i = 0; i <= last; i++) {
        printf("%-*s%s", i < last ? widths[i] : 0, cells[i], i < last ? "  " : "\n");
    }
}

static void print_table(const json_t *list, const char *const *heads, int columns, make_row *make)
{
    char cells[COLUMNS][CELL];
    int widths[COLUMNS] = {0};
    for (size_t pass = 0; pass < 2; pass++) {
        for (int i = 0; i < columns; i++) {
            put_cell(cells[i], heads[i]);
        }
        measure(widths, cells, columns);
        if (pass == 1) {
            print_row(widths, cells, columns);
        }
        for (size_t at = 0; at < json_array_size(list); at++) {
            make(json_array_get(list, at), cells);
            measure(widths, cells, columns);
            if (pass == 1) {
                print_row(widths, cells, columns);
            }
        }
    }
}

static const char *text_of(const json_t *item, const char *key)
{
    return json_string_value(json_object_get(item, key));
}

static void make_name(const json_t *item, char cells[COLUMNS][CELL])
{
    put_cell(cells[0], text_of(item, "name"));
    snprintf(cells[1], CELL, "%lld of %lld", (long long)json_integer_value(json_object_get(item, "healthy")),
             (long long)json_integer_value(json_object_get(item, "instances")));
}

static void join_tags(const json_t *item, char cell[CELL])
{
    const json_t *list = json_object_get(item, "tags");
    char all[CELL] = "";
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(list) && used < sizeof all - 1; i++) {
        int length = snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ",", json_string_value(json_array_get(list, i)));
        used += length < 0 ? 0 : (size_t)length;
    }
    put_cell(cell, all);
}

static void make_instance(const json_t *item, char cells[COLUMNS][CELL])
{
    const char *address = text_of(item, "address"), *status = text_of(item, "node_status");
    bool is_v6 = address != NULL && strchr(address, ':') != NULL, is_up = status != NULL && strcmp(status, "alive") == 0;
    const json_t *rtt = json_object_get(item, "rtt_ms");
    put_cell(cells[0], text_of(item, "node"));
    put_cell(cells[1], text_of(item, "id"));
    snprintf(cells[2], CELL, "%s%s%s:%lld", is_v6 ? "[" : "", address == NULL ? "" : address, is_v6 ? "]" : "",
             (long long)json_integer_value(json_object_get(item, "port")));
    snprintf(cells[3], CELL, "%s%s%s", text_of(item, "state"), is_up ? "" : ", node ", is_up || status == NULL ? "" : status);
    snprintf(cells[4], CELL, rtt == NULL ? "-" : "%.1f ms", json_number_value(rtt));
    join_tags(item, cells[5]);
    put_cell(cells[6], text_of(item, "output"));
}

static void print_services(const json_t *answer, bool is_of_one)
{
    static const char *const names[] = {"NAME", "HEALTHY"};
    static const char *const instances[] = {"NODE", "ID", "ADDRESS", "STATE", "RTT", "TAGS", "OUTPUT"};
    const json_t *list = json_object_get(answer, "services");
    if (is_of_one) {
        print_table(list, instances, 7, make_instance);
    } else {
        print_table(list, names, 2, make_name);
    }
}

/* One row per check of one service; a service without checks has one, too. */
static void print_checks(const json_t *answer)
{
    static const char *const heads[] = {"ID", "STATE", "CHECK", "KIND", "RESULT", "SINCE", "OUTPUT"};
    const json_t *list = json_object_get(answer, "services");
    char cells[COLUMNS][CELL];
    int widths[COLUMNS] = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < COLUMNS; i++) {
            put_cell(cells[i], heads[i]);
        }
        measure(widths, cells, COLUMNS);
        if (pass == 1) {
            print_row(widths, cells, COLUMNS);
        }
        for (size_t at = 0; at < json_array_size(list); at++) {
            const json_t *service = json_array_get(list, at), *checks = json_object_get(service, "checks");
            for (size_t i = 0; i == 0 || i < json_array_size(checks); i++) {
                const json_t *check = json_array_get(checks, i);
                put_cell(cells[0], text_of(service, "id"));
                put_cell(cells[1], text_of(service, "state"));
                put_cell(cells[2], check == NULL ? "-" : text_of(check, "name"));
                put_cell(cells[3], check == NULL ? "-" : text_of(check, "kind"));
                put_cell(cells[4], check == NULL ? "-" : text_of(check, "state"));
                snprintf(cells[5], CELL, check == NULL ? "-" : "%.0fs", json_number_value(json_object_get(check, "since_s")));
                put_cell(cells[6], check == NULL ? text_of(service, "maintenance") : text_of(check, "output"));
                measure(widths, cells, COLUMNS);
                if (pass == 1) {
                    print_row(widths, cells, COLUMNS);
                }
            }
        }
    }
}

/* ---- asking ------------------------------------------------------------------------------------------------------------------------ */

static bool put_query(struct writer *w, int count, char **arguments)
{
    msgpack_put_map(w, 3);
    msgpack_put_text(w, "Name");
    msgpack_put_text(w, count > 0 ? arguments[0] : "");
    msgpack_put_text(w, "Tag");
    msgpack_put_text(w, tag);
    msgpack_put_text(w, "Healthy");
    msgpack_put_bool(w, is_healthy_only);
    if (w->is_full) {
        return command_misused("the name or the tag is too long");
    }
    return count > 0 || (tag[0] == '\0' && !is_healthy_only) ? true : command_misused("--tag and --healthy need the NAME of a service");
}

static int finish(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : command_fail("cannot write: %s", strerror(errno));
}

/* Prints an answer, or all that come. */
static int follow(struct client *client, bool is_json, bool is_of_one, bool is_watch)
{
    int result = EXIT_DONE;
    for (bool is_first = true; result == EXIT_DONE && (is_first || is_watch); is_first = false) {
        char error[1024];
        uint64_t seq;
        if (is_watch && !client_header(client, &seq, error, sizeof error, false)) {
            return EXIT_FAILED;
        }
        json_t *answer = service_next(client);
        if (answer == NULL) {
            return EXIT_FAILED;
        }
        if (is_json) {
            json_dumpf(answer, stdout, is_watch ? JSON_COMPACT : JSON_INDENT(1));
            putchar('\n');
        } else {
            fputs(is_first ? "" : "\n", stdout);
            print_services(answer, is_of_one);
        }
        json_decref(answer);
        result = finish();
    }
    return result;
}

static int ask(int count, char **arguments, bool is_watch)
{
    struct client client;
    uint8_t room[2048];
    struct writer w = writer_of(room, sizeof room);
    bool is_json;
    if (!command_format(format, &is_json) || !put_query(&w, count, arguments) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    if (is_watch) {
        client.wait_ms = -1;
    }
    bool is_asked = kv_ask(&client, is_watch ? "service-watch" : "service-list", writer_bytes(&w));
    int result = is_asked ? follow(&client, is_json, count > 0, is_watch) : EXIT_FAILED;
    client_close(&client);
    return result;
}

static int run_list(int count, char **arguments)
{
    return ask(count, arguments, false);
}

static int run_watch(int count, char **arguments)
{
    return ask(count, arguments, true);
}

static int run_checks(int count, char **arguments)
{
    struct client client;
    bool is_json;
    (void)count;
    (void)arguments;
    if (!command_format(format, &is_json) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    json_t *answer = kv_ask(&client, "service-checks", (struct hearsay_bytes){NULL, 0}) ? service_next(&client) : NULL;
    client_close(&client);
    if (answer == NULL) {
        return EXIT_FAILED;
    }
    if (is_json) {
        json_dumpf(answer, stdout, JSON_INDENT(1));
        putchar('\n');
    } else {
        print_checks(answer);
    }
    json_decref(answer);
    return finish();
}

#define QUERY_FLAGS                                                                                                                        \
    {"tag", FLAG_TEXT, &tag, "TAG", "only instances with this tag"},                                                                       \
        {"healthy", FLAG_SWITCH, &is_healthy_only, NULL, "only healthy ones"},                                                             \
        {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"}, COMMAND_RPC_FLAGS,                                     \
    {                                                                                                                                      \
        .name = NULL                                                                                                                       \
    }

static const struct flag list_flags[] = {QUERY_FLAGS};
static const struct flag checks_flags[] = {
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_service_list = {
    .name = "service list",
    .summary = "which services there are, and where",
    .usage = "service list [flags] [NAME]",
    .text = "  Without NAME: the names, and how many instances are healthy. With it: its instances in the whole cluster, nearest first, "
            "from the\n"
            "  agent's own memory. A service is unhealthy as soon as its node has failed or left.\n\n"
            "    hearsay service list web --healthy --tag v1\n",
    .flags = list_flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run_list,
};

const struct command command_service_watch = {
    .name = "service watch",
    .summary = "the same, anew after every change",
    .usage = "service watch [flags] [NAME]",
    .text = "  Prints what list prints, and again whenever something of it changes, until interrupted; JSON has a line each time.\n\n"
            "    hearsay service watch web --healthy --format json\n",
    .flags = list_flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run_watch,
};

const struct command command_service_checks = {
    .name = "service checks",
    .summary = "the checks of this agent, and what they said last",
    .usage = "service checks [flags]",
    .text =
        "  The services of the one agent that is asked, with every check, its last result, and all of its output with --format json.\n\n"
        "    hearsay service checks --format json\n",
    .flags = checks_flags,
    .least = 0,
    .most = 0,
    .flags_anywhere = true,
    .run = run_checks,
};
