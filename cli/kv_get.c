/* SPDX-License-Identifier: MIT
 *
 * hearsay kv get: the value of one entry, byte for byte.
 */
#include "cli/kv.h"

#include "wire/msgpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *format = "text";

static void print_json(const struct kv_item *item)
{
    char version[34];
    kv_version(item, version);
    putchar('{');
    kv_json_key(stdout, item->key);
    putchar(',');
    kv_json_value(stdout, item->value);
    printf(",\"version\":\"%s\",\"size\":%zu", version, item->value.size);
    if (item->ttl_ms > 0) {
        printf(",\"ttl_s\":%.3f", (double)item->ttl_ms / 1000);
    }
    puts("}");
}

static int show(struct client *client, const char *key, bool is_json)
{
    struct kv_item item;
    if (!kv_next_item(client, &item)) {
        return EXIT_FAILED;
    }
    if (item.key.size == 0) {
        char *text = kv_key_text(bytes_of_string(key));
        command_fail("there is no '%s'", text);
        free(text);
        return EXIT_FAILED;
    }
    if (is_json) {
        print_json(&item);
    } else {
        fwrite(item.value.data, 1, item.value.size, stdout);
    }
    return fflush(stdout) == 0 ? EXIT_DONE : command_fail("cannot write the value: %s", strerror(errno));
}

static int run(int count, char **arguments)
{
    uint8_t room[KV_KEY_MAX + 64];
    struct writer w = writer_of(room, sizeof room);
    struct client client;
    struct hearsay_bytes key = bytes_of_string(arguments[0]);
    bool is_json;
    (void)count;
    if (!command_format(format, &is_json) || !kv_check_key(key) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Key");
    msgpack_put_bin(&w, key);
    int result = kv_ask(&client, "kv-get", writer_bytes(&w)) ? show(&client, arguments[0], is_json) : EXIT_FAILED;
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"format", FLAG_TEXT, &format, "text|json", "text is the raw value, json has it in base64 and the version (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_kv_get = {
    .name = "kv get",
    .summary = "read an entry",
    .usage = "kv get [flags] KEY",
    .text = "  Writes the value as it is, without a line end of ours. Exits with 1 when there is no such key.\n\n"
            "    hearsay kv get conf.tar | tar t\n",
    .flags = flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
