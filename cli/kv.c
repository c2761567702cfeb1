/* SPDX-License-Identifier: MIT
 *
 * See kv.h.
 */
#include "cli/kv.h"

#include "agent/setup.h"
#include "cli/base64.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const struct command *const kv_commands[] = {
    /* clang-format off */
    &command_kv_delete,
    &command_kv_export,
    &command_kv_get,
    &command_kv_import,
    &command_kv_list,
    &command_kv_put,
    &command_kv_status,
    &command_kv_tune,
    &command_kv_watch,
    NULL,
    /* clang-format on */
};

#define COMMAND_COUNT (sizeof kv_commands / sizeof kv_commands[0] - 1)

static void usage(FILE *out)
{
    fputs("Usage: hearsay kv COMMAND [flags] [arguments]\n\n"
          "  The shared store: every agent with --store holds all of it, and gossip and repair keep it equal everywhere.\n\nCommands:\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-13s %s\n", kv_commands[i]->name + strlen("kv "), kv_commands[i]->summary);
    }
    fputs("\n`hearsay kv COMMAND --help` explains one. Example: hearsay kv put greeting hello; hearsay kv get greeting\n", out);
}

int kv_run(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, kv_commands[i]->name + strlen("kv ")) == 0) {
            return command_run(kv_commands[i], argc - 1, argv + 1);
        }
    }
    if (argc < 2) {
        usage(stderr);
    } else {
        fprintf(stderr, "hearsay kv: there is no command '%s'; see hearsay kv --help\n", name);
    }
    return EXIT_USAGE;
}

/* ---- asking ---- */

bool kv_refused(const char *error)
{
    bool needs_token = strcmp(error, "Authentication required") == 0 || strcmp(error, "Invalid authentication token") == 0;
    if (strcmp(error, "Unsupported command") == 0) {
        command_fail("this agent has no shared store: it is Serf's, or an older hearsay");
    } else {
        command_fail("%s%s", error, needs_token ? "; give the agent's token with --rpc-auth @FILE" : "");
    }
    return false;
}

bool kv_ask(struct client *client, const char *command, struct hearsay_bytes body)
{
    char error[1024];
    uint64_t seq;
    if (!client_send(client, command, body) || !client_header(client, &seq, error, sizeof error, false)) {
        return false;
    }
    plain_tame(error);
    return error[0] == '\0' || kv_refused(error);
}

bool kv_writer(struct writer *w, size_t room)
{
    void *memory = malloc(room + 1024);
    *w = writer_of(memory, memory == NULL ? 0 : room + 1024);
    if (memory == NULL) {
        command_fail("out of memory");
    }
    return memory != NULL;
}

void kv_read_item(struct reader *r, struct kv_item *item)
{
    *item = (struct kv_item){.size = 0};
    struct {
        const char *key;
        uint64_t *number;
    } numbers[] = {
        {"Size", &item->size},  {"Hlc", &item->hlc},       {"Origin", &item->origin},
        {"TTL", &item->ttl_ms}, {"Copies", &item->copies}, {"Change", &item->change},
    };
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        size_t i = 0;
        while (i < sizeof numbers / sizeof numbers[0] && !msgpack_is(key, numbers[i].key)) {
            i++;
        }
        if (i < sizeof numbers / sizeof numbers[0]) {
            *numbers[i].number = msgpack_get_uint(r, UINT64_MAX);
        } else if (msgpack_is(key, "Key")) {
            item->key = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Value")) {
            item->value = msgpack_get_raw(r);
        } else if (msgpack_is(key, "Event")) {
            item->event = msgpack_get_raw(r);
        } else {
            msgpack_skip(r);
        }
    }
}

/* ---- writing ---- */

bool kv_next_item(struct client *client, struct kv_item *item)
{
    struct hearsay_bytes object;
    if (!client_next(client, &object, false)) {
        return false;
    }
    struct reader r = reader_of(object);
    kv_read_item(&r, item);
    if (r.is_bad) {
        command_fail("the agent's answer makes no sense");
    }
    return !r.is_bad;
}

void kv_version(const struct kv_item *item, char out[34])
{
    snprintf(out, 34, "%016" PRIx64 "-%016" PRIx64, item->hlc, item->origin);
}

char *kv_key_text(struct hearsay_bytes key)
{
    char *text = plain_copy(key);
    if (text == NULL) {
        exit(command_fail("out of memory"));
    }
    plain_tame(text);
    return text;
}

static void put_base64(FILE *out, struct hearsay_bytes bytes)
{
    char text[4 * 3072 / 3 + 1];
    for (size_t at = 0; at < bytes.size; at += 3072) { /* a multiple of three, so that the pieces join */
        base64_encode(text, bytes.data + at, bytes.size - at < 3072 ? bytes.size - at : 3072);
        fputs(text, out);
    }
}

void kv_json_value(FILE *out, struct hearsay_bytes value)
{
    fputs("\"value\":\"", out);
    put_base64(out, value);
    fputc('"', out);
}

void kv_json_key(FILE *out, struct hearsay_bytes key)
{
    json_t *string = json_stringn((const char *)key.data, key.size);
    if (string == NULL) {
        fputs("\"key_base64\":\"", out);
        put_base64(out, key);
        fputc('"', out);
        return;
    }
    fputs("\"key\":", out);
    json_dumpf(string, out, JSON_ENCODE_ANY);
    json_decref(string);
}

/* ---- checking ---- */

bool kv_check_key(struct hearsay_bytes key)
{
    return key.size >= 1 && key.size <= KV_KEY_MAX ? true
                                                   : command_misused("the key has %zu bytes; it must have 1 to %u", key.size, KV_KEY_MAX);
}

bool kv_span(const char *flag, const char *text, uint64_t *ms)
{
    int64_t span;
    char *end;
    unsigned long seconds = strtoul(text, &end, 10);
    bool is_plain = text[0] >= '0' && text[0] <= '9' && *end == '\0' && seconds <= 1000000000u;
    if (is_plain) {
        span = (int64_t)seconds * 1000;
    } else if (!config_parse_span(text, &span)) {
        return command_misused("--%s %s: give a span such as 30s, 5m or 1h30m", flag, text);
    }
    if (span <= 0) {
        return command_misused("--%s %s: it must be longer than nothing", flag, text);
    }
    *ms = (uint64_t)span;
    return true;
}
