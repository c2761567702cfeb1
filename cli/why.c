/* SPDX-License-Identifier: MIT
 *
 * hearsay why: what the nodes of a cluster heard and did about a member, from their flight recorders, as one timeline with a diagnosis; or,
 * with --local, what one agent remembers, in full.
 */
#include "agent/setup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/plain.h"
#include "cli/recall.h"
#include "wire/msgpack.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *format = "text", *timeout;
static bool is_local;

struct records {
    struct story_record *at;
    size_t count;
};

static void take_text(struct reader *r, char *out, size_t size)
{
    plain_into(out, size, msgpack_get_raw(r));
    plain_tame(out);
}

static void read_cause(struct reader *r, struct story_record *record)
{
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        struct story_place place = story_place(record, (const char *)key.data, key.size);
        if (place.text != NULL) {
            take_text(r, place.text, place.size);
        } else if (place.number != NULL) {
            *place.number = msgpack_get_uint(r, UINT64_MAX);
        } else {
            msgpack_skip(r);
        }
    }
}

static void read_record(struct reader *r, struct story_record *record)
{
    uint32_t count = msgpack_get_map(r);
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "AtMs")) {
            record->at_ms = msgpack_get_uint(r, UINT64_MAX);
        } else if (msgpack_is(key, "Event")) {
            take_text(r, record->event, sizeof record->event);
        } else if (msgpack_is(key, "Name")) {
            take_text(r, record->name, sizeof record->name);
        } else if (msgpack_is(key, "Cause")) {
            read_cause(r, record);
        } else {
            msgpack_skip(r);
        }
    }
}

static bool read_records(struct hearsay_bytes object, struct records *records)
{
    struct reader r = reader_of(object);
    if (msgpack_get_map(&r) != 1 || !msgpack_is(msgpack_get_raw(&r), "Records")) {
        return false;
    }
    uint32_t count = msgpack_get_array(&r);
    if (r.is_bad || count > reader_left(&r)) {
        return false;
    }
    records->at = calloc(count + 1, sizeof *records->at);
    for (uint32_t i = 0; i < count && records->at != NULL; i++) {
        read_record(&r, &records->at[i]);
    }
    records->count = count;
    return records->at != NULL && !r.is_bad;
}

static void print_line(const struct story_record *r, uint64_t *before, int width, const char *observer)
{
    char text[1024], clock[16];
    time_t seconds = (time_t)(r->at_ms / 1000);
    struct tm when;
    localtime_r(&seconds, &when);
    strftime(clock, sizeof clock, "%H:%M:%S", &when);
    story_sentence(r, text, sizeof text);
    printf("%s.%03u  %+9.3f s  ", clock, (unsigned)(r->at_ms % 1000), (double)(r->at_ms - *before) / 1000);
    if (observer != NULL) {
        printf("%-*s  ", width, observer);
    }
    printf("%-15s  %s\n", r->event, text);
    *before = r->at_ms;
}

static void print_text(const struct records *records)
{
    char text[1024];
    uint64_t before = records->at[0].at_ms;
    for (size_t i = 0; i < records->count; i++) {
        print_line(&records->at[i], &before, 0, NULL);
    }
    story_diagnosis(records->at, records->count, text, sizeof text);
    printf("\n%s\n", text);
}

static json_t *record_json(const struct story_record *r)
{
    char text[1024];
    story_sentence(r, text, sizeof text);
    json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s}", "time_ms", (json_int_t)r->at_ms, "event", r->event, "name", r->name, "reason",
                          r->reason, "text", text);
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {{"incarnation", r->incarnation}, {"relays_asked", r->relays_asked}, {"nacks", r->nacks}, {"acks", r->acks},
                   {"waited_ms", r->waited_ms}, {"confirmations", r->confirmations}, {"confirmations_wanted", r->confirmations_wanted},
                   {"timer_min_ms", r->timer_min_ms}, {"timer_max_ms", r->timer_max_ms}, {"timer_ran_ms", r->timer_ran_ms},
                   {"own_health", r->own_health}, {"own_pause_ms", r->own_pause_ms}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].number > 0) {
            json_object_set_new(o, numbers[i].key, json_integer((json_int_t)numbers[i].number));
        }
    }
    const char *const words[][2] = {{"accuser", r->accuser}, {"probe_direct", r->direct}, {"probe_indirect", r->indirect},
                                    {"probe_stream", r->stream}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i][1][0] != 0) {
            json_object_set_new(o, words[i][0], json_string(words[i][1]));
        }
    }
    return o;
}

static void print_json(const struct records *records)
{
    char text[1024];
    json_t *list = json_array();
    for (size_t i = 0; i < records->count; i++) {
        json_array_append_new(list, record_json(&records->at[i]));
    }
    story_diagnosis(records->at, records->count, text, sizeof text);
    json_t *root = json_pack("{s:o, s:s}", "records", list, "diagnosis", text);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static int show(struct client *client, const char *name, bool is_json)
{
    struct hearsay_bytes object;
    struct records records = {0};
    if (!client_next(client, &object, false)) {
        return EXIT_FAILED;
    }
    int result = EXIT_DONE;
    if (!read_records(object, &records)) {
        result = command_fail("the agent's records make no sense");
    } else if (records.count == 0) {
        result = command_fail("this agent remembers nothing about '%s'; `hearsay members` lists the names it knows", name);
    } else if (is_json) {
        print_json(&records);
    } else {
        print_text(&records);
    }
    free(records.at);
    return result;
}

static int ask(struct client *client, const char *name)
{
    uint8_t room[512];
    char error[1024];
    uint64_t seq;
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Node");
    msgpack_put_str(&w, bytes_of_string(name));
    if (w.is_full) {
        return command_fail("%s: no member has so long a name", name);
    }
    if (!client_send(client, "why", writer_bytes(&w)) || !client_header(client, &seq, error, sizeof error, false)) {
        return EXIT_FAILED;
    }
    if (strcmp(error, "Unsupported command") == 0) {
        return command_fail("that is a Serf agent, which keeps no record of its reasons; ask a hearsay agent of the same cluster");
    }
    return error[0] == 0 ? EXIT_DONE : command_fail("%s", error);
}

/* ---- the whole cluster ---------------------------------------------------------------------------------------------------------- */

static void print_recall_text(const struct recall *recall, const char *name)
{
    char text[2048];
    int width = 4;
    uint64_t before = recall->count > 0 ? recall->at[0].record.at_ms : 0;
    for (size_t i = 0; i < recall->count; i++) {
        int length = (int)strlen(recall->at[i].observer);
        width = length > width ? length : width;
    }
    for (size_t i = 0; i < recall->count; i++) {
        print_line(&recall->at[i].record, &before, width, recall->at[i].observer);
    }
    recall_verdict(recall, name, text, sizeof text);
    printf("%s%s\n(%zu node%s answered; times are by this agent's clock)\n", recall->count > 0 ? "\n" : "", text, recall->observer_count,
           recall->observer_count == 1 ? "" : "s");
}

static void print_recall_json(const struct recall *recall, const char *name)
{
    char text[2048];
    json_t *list = json_array(), *observers = json_array();
    for (size_t i = 0; i < recall->count; i++) {
        json_t *one = record_json(&recall->at[i].record);
        json_object_set_new(one, "observer", json_string(recall->at[i].observer));
        json_array_append_new(list, one);
    }
    for (size_t i = 0; i < recall->observer_count; i++) {
        json_array_append_new(observers, json_string(recall->observers[i]));
    }
    recall_verdict(recall, name, text, sizeof text);
    json_t *root = json_pack("{s:o, s:o, s:s}", "observers", observers, "records", list, "diagnosis", text);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static int ask_everybody(struct client *client, const char *name, bool is_json)
{
    struct recall recall;
    int64_t timeout_ms = 0;
    if (timeout != NULL && (!config_parse_span(timeout, &timeout_ms) || timeout_ms > 86400000)) {
        command_misused("--timeout %s: give it as 500ms, 15s or 2m, at most 24h", timeout);
        return EXIT_FAILED;
    }
    if (!recall_ask(&recall, client, name, timeout_ms)) {
        return EXIT_FAILED;
    }
    int result = EXIT_DONE;
    if (recall.observer_count == 0) {
        result = command_fail("no hearsay node answered; Serf agents keep no record of their reasons");
    } else if (is_json) {
        print_recall_json(&recall, name);
    } else {
        print_recall_text(&recall, name);
    }
    recall_free(&recall);
    return recall.count == 0 ? EXIT_FAILED : result;
}

static int run(int count, char **arguments)
{
    (void)count;
    struct client client;
    bool is_json;
    if (!command_format(format, &is_json) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    int result = EXIT_DONE;
    if (!is_local) {
        result = ask_everybody(&client, arguments[0], is_json);
    } else if ((result = ask(&client, arguments[0])) == EXIT_DONE) {
        result = show(&client, arguments[0], is_json);
    }
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"local", FLAG_SWITCH, &is_local, NULL, "only what this agent remembers, in full"},
    {"timeout", FLAG_TEXT, &timeout, "SPAN", "wait so long for the others (default: the agent's, by cluster size)"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_why = {
    .name = "why",
    .summary = "tell what the cluster heard and decided about a member, and why",
    .usage = "why [flags] NAME",
    .text = "  Asks every hearsay node what it heard and did about NAME, prints one timeline with the evidence, and says what it amounts to.\n\n"
            "    hearsay why web-7\n",
    .flags = flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
