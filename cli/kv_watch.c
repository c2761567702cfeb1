/* SPDX-License-Identifier: MIT
 *
 * hearsay kv watch: changes as they happen, until interrupted.
 */
#include "cli/kv.h"

#include "cli/sim.h"
#include "wire/msgpack.h"

#include <stdlib.h>
#include <string.h>

static const char *format = "text", *after;

static void print_text(const struct kv_item *item)
{
    char version[34], *key = kv_key_text(item->key);
    kv_version(item, version);
    if (msgpack_is(item->event, "put")) {
        printf("%llu put %s %s %llu bytes\n", (unsigned long long)item->change, key, version, (unsigned long long)item->size);
    } else if (msgpack_is(item->event, "delete")) {
        printf("%llu delete %s %s\n", (unsigned long long)item->change, key, version);
    } else if (msgpack_is(item->event, "reset")) {
        puts("reset: what follows is everything");
    } else if (msgpack_is(item->event, "listed")) {
        printf("%llu listed: that was everything\n", (unsigned long long)item->change);
    }
    free(key);
}

static void print_json(const struct kv_item *item)
{
    char version[34];
    bool is_put = msgpack_is(item->event, "put");
    printf("{\"event\":\"%.*s\",\"change\":%llu", (int)item->event.size, (const char *)item->event.data, (unsigned long long)item->change);
    if (is_put || msgpack_is(item->event, "delete")) {
        kv_version(item, version);
        putchar(',');
        kv_json_key(stdout, item->key);
        printf(",\"version\":\"%s\"", version);
    }
    if (is_put) {
        putchar(',');
        kv_json_value(stdout, item->value);
        if (item->ttl_ms > 0) {
            printf(",\"ttl_s\":%.3f", (double)item->ttl_ms / 1000);
        }
    }
    puts("}");
}

static bool is_known(struct hearsay_bytes event)
{
    return msgpack_is(event, "put") || msgpack_is(event, "delete") || msgpack_is(event, "reset") || msgpack_is(event, "listed");
}

static int follow(struct client *client, bool is_json)
{
    char error[1024];
    uint64_t seq;
    while (client_header(client, &seq, error, sizeof error, true)) {
        struct hearsay_bytes object;
        struct kv_item item;
        if (error[0] != '\0') {
            return command_fail("%s", error);
        }
        if (!client_next(client, &object, true)) {
            break;
        }
        struct reader r = reader_of(object);
        kv_read_item(&r, &item);
        if (r.is_bad) {
            return command_fail("the agent's answer makes no sense");
        }
        if (is_known(item.event)) {
            (is_json ? print_json : print_text)(&item);
        }
        if (fflush(stdout) != 0) {
            return EXIT_FAILED; /* nobody reads any more */
        }
    }
    return command_fail("the agent is gone");
}

static int run(int count, char **arguments)
{
    uint8_t room[KV_KEY_MAX + 128];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    struct hearsay_bytes prefix = bytes_of_string(count > 0 ? arguments[0] : "");
    uint64_t number = 0;
    bool is_json;
    if (!command_format(format, &is_json) || (after != NULL && !sim_number("after", after, 0, UINT64_MAX, &number))) {
        return EXIT_FAILED;
    }
    if (prefix.size > KV_KEY_MAX) {
        (void)command_misused("the prefix has %zu bytes; keys have at most %u", prefix.size, KV_KEY_MAX);
        return EXIT_USAGE;
    }
    msgpack_put_map(&w, after == NULL ? 1 : 2);
    msgpack_put_text(&w, "Prefix");
    msgpack_put_bin(&w, prefix);
    if (after != NULL) {
        msgpack_put_text(&w, "After");
        msgpack_put_uint(&w, number);
    }
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    client.wait_ms = -1;
    int result = kv_ask(&client, "kv-watch", writer_bytes(&w)) ? follow(&client, is_json) : EXIT_FAILED;
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"after", FLAG_TEXT, &after, "CHANGE", "go on after the change of this number, instead of now; 0 = begin with all that is there"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print; json has values in base64 (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_kv_watch = {
    .name = "kv watch",
    .summary = "follow changes as they happen",
    .usage = "kv watch [flags] [PREFIX]",
    .text = "  Prints a line per change of an entry whose key begins with PREFIX, or of any, until interrupted. Each begins with the "
            "number of the\n"
            "  change; who was away goes on with --after the last one seen. Of several changes of one key between two looks only the last "
            "is told.\n\n"
            "    hearsay kv watch --format json --after 0 session/\n",
    .flags = flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
