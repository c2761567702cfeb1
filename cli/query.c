/* SPDX-License-Identifier: MIT
 *
 * hearsay query: asks members something and shows who answers what.
 */
#include "agent/setup.h"
#include "cli/plain.h"
#include "cli/question.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *format = "text", *timeout, *relay_factor = "0";
static bool has_no_acks;
static struct flag_list nodes, tags;

struct tally {
    bool is_json;
    unsigned acks, answers;
    json_t *acked, *answered;
};

static void on_ack(void *context, struct hearsay_bytes from)
{
    struct tally *tally = context;
    char *name = plain_copy(from);
    tally->acks++;
    if (name != NULL && tally->is_json) {
        json_array_append_new(tally->acked, json_string(name));
    } else if (name != NULL) {
        plain_tame(name);
        printf("Ack from '%s'\n", name);
        fflush(stdout);
    }
    free(name);
}

static void on_answer(void *context, struct hearsay_bytes from, struct hearsay_bytes payload)
{
    struct tally *tally = context;
    char *name = plain_copy(from), *text = plain_copy(payload);
    tally->answers++;
    if (name != NULL && text != NULL && tally->is_json) {
        json_object_set_new(tally->answered, name, json_string(text));
    } else if (name != NULL && text != NULL) {
        size_t length = strlen(text);
        if (length > 0 && text[length - 1] == '\n') {
            text[length - 1] = 0;
        }
        plain_tame(name);
        plain_tame_lines(text);
        printf("Response from '%s': %s\n", name, text);
        fflush(stdout);
    }
    free(name);
    free(text);
}

static void show_totals(struct tally *tally)
{
    if (!tally->is_json) {
        if (!has_no_acks) {
            printf("Total Acks: %u\n", tally->acks);
        }
        printf("Total Responses: %u\n", tally->answers);
        return;
    }
    json_t *root = json_pack("{s:o, s:O}", "Acks", tally->acks == 0 ? json_null() : json_incref(tally->acked), "Responses", tally->answered);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(root);
}

static bool read_numbers(struct question *q)
{
    char *end;
    long relays = strtol(relay_factor, &end, 10);
    if (*end != 0 || end == relay_factor || relays < 0 || relays > UINT8_MAX) {
        return command_misused("--relay-factor %s: it must be from 0 to 255", relay_factor);
    }
    if (timeout != NULL && (!config_parse_span(timeout, &q->timeout_ms) || q->timeout_ms > 86400000)) {
        return command_misused("--timeout %s: give it as 500ms, 15s or 2m, at most 24h", timeout);
    }
    q->relays = (uint8_t)relays;
    return true;
}

static int ask(const struct question *q, struct tally *tally)
{
    struct client client;
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    bool done = question_send(&client, q);
    if (done && !tally->is_json) {
        printf("Query '%s' dispatched\n", q->name);
        fflush(stdout);
    }
    done = done && question_wait(&client, q);
    client_close(&client);
    if (done) {
        show_totals(tally);
    }
    return done ? EXIT_DONE : EXIT_FAILED;
}

static int run(int count, char **arguments)
{
    struct tally tally = {0};
    struct question q = {.name = arguments[0], .nodes = &nodes, .tags = &tags, .wants_acks = !has_no_acks, .on_ack = on_ack,
                         .on_answer = on_answer, .context = &tally};
    q.payload = bytes_of_string(count > 1 ? arguments[1] : "");
    if (!command_format(format, &tally.is_json) || !read_numbers(&q)) {
        return EXIT_FAILED;
    }
    tally.acked = json_array();
    tally.answered = json_object();
    int result = ask(&q, &tally);
    json_decref(tally.acked);
    json_decref(tally.answered);
    return result;
}

static const struct flag flags[] = {
    {"node", FLAG_LIST, &nodes, "NAME", "ask only this member (may be repeated)"},
    {"tag", FLAG_LIST, &tags, "KEY=REGEXP", "ask only members with this tag (may be repeated)"},
    {"timeout", FLAG_TEXT, &timeout, "SPAN", "wait so long for answers (default: the agent's, by cluster size)"},
    {"no-ack", FLAG_SWITCH, &has_no_acks, NULL, "members need not acknowledge the query"},
    {"relay-factor", FLAG_TEXT, &relay_factor, "COUNT", "answers also come through so many other members (default 0)"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_query = {
    .name = "query",
    .summary = "ask members something and show their answers",
    .usage = "query [flags] NAME [PAYLOAD]",
    .text = "  Sends a query to every member, or to those that the filters name. Event handlers answer it.\n\n"
            "    hearsay query --tag role=web --timeout 5s load\n",
    .flags = flags,
    .least = 1,
    .most = 2,
    .run = run,
};
