/* SPDX-License-Identifier: MIT
 *
 * hearsay kv put and delete: writes one entry. When the command ends well the agent has it durably (in memory without --data-dir), and with
 * --copies as many agents have.
 */
#include "cli/kv.h"

#include "cli/sim.h"
#include "wire/msgpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *format = "text", *file, *ttl, *copies = "1", *timeout = "10s";
static uint64_t copy_count, timeout_ms, ttl_ms;

/* ---- the value ---- */

/* Everything that the stream has, to be freed. False after saying why not. */
static bool read_all(FILE *in, const char *name, struct hearsay_bytes *value)
{
    uint8_t *data = malloc(KV_VALUE_MAX + 1);
    if (data == NULL) {
        command_fail("out of memory");
        return false;
    }
    size_t size = fread(data, 1, KV_VALUE_MAX + 1, in);
    if (ferror(in)) {
        command_fail("cannot read %s: %s", name, strerror(errno));
    } else if (size > KV_VALUE_MAX) {
        command_fail("%s is longer than %u bytes, the most that a value can have", name, KV_VALUE_MAX);
    } else {
        *value = (struct hearsay_bytes){data, size};
        return true;
    }
    free(data);
    return false;
}

bool kv_read_file(const char *path, struct hearsay_bytes *value)
{
    if (strcmp(path, "-") == 0) {
        return read_all(stdin, "standard input", value);
    }
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        command_fail("cannot read %s: %s", path, strerror(errno));
        return false;
    }
    bool is_read = read_all(in, path, value);
    fclose(in);
    return is_read;
}

static bool read_value(int count, char **arguments, struct hearsay_bytes *value)
{
    if ((count > 1) == (file != NULL)) {
        return command_misused("give the value as an argument, or - for standard input, or --file FILE: one of them");
    }
    if (file != NULL) {
        return kv_read_file(file, value);
    }
    if (strcmp(arguments[1], "-") == 0) {
        return kv_read_file("-", value);
    }
    size_t size = strlen(arguments[1]);
    uint8_t *data = malloc(size + 1);
    if (data == NULL || size > KV_VALUE_MAX) {
        command_fail("the value has %zu bytes; at most %u are possible", size, KV_VALUE_MAX);
        free(data);
        return false;
    }
    memcpy(data, arguments[1], size);
    *value = (struct hearsay_bytes){data, size};
    return true;
}

/* ---- the request ---- */

static bool read_flags(struct hearsay_bytes key, bool *is_json)
{
    return command_format(format, is_json) && kv_check_key(key) && sim_number("copies", copies, 1, 1000, &copy_count) &&
           kv_span("timeout", timeout, &timeout_ms) && (ttl == NULL || kv_span("ttl", ttl, &ttl_ms));
}

static int show(struct client *client, struct hearsay_bytes key, bool is_json)
{
    struct kv_item item;
    char version[34];
    if (!kv_next_item(client, &item)) {
        return EXIT_FAILED;
    }
    if (is_json) {
        putchar('{');
        kv_json_key(stdout, key);
        kv_version(&item, version);
        printf(",\"version\":\"%s\",\"copies\":%llu}\n", version, (unsigned long long)item.copies);
    }
    return EXIT_DONE;
}

static int ask(const char *command, struct hearsay_bytes key, const struct hearsay_bytes *value, bool is_json)
{
    struct client client;
    struct writer w;
    if (!kv_writer(&w, key.size + (value == NULL ? 0 : value->size))) {
        return EXIT_FAILED;
    }
    msgpack_put_map(&w, value == NULL ? 3 : 5);
    msgpack_put_text(&w, "Key");
    msgpack_put_bin(&w, key);
    msgpack_put_text(&w, "Copies");
    msgpack_put_uint(&w, copy_count);
    msgpack_put_text(&w, "Timeout");
    msgpack_put_uint(&w, timeout_ms);
    if (value != NULL) {
        msgpack_put_text(&w, "Value");
        msgpack_put_bin(&w, *value);
        msgpack_put_text(&w, "TTL");
        msgpack_put_uint(&w, ttl_ms);
    }
    int result = EXIT_FAILED;
    if (client_open(&client)) {
        client.wait_ms = (int)(timeout_ms < 3600000 ? timeout_ms : 3600000) + 2000; /* the agent gives up first, and says what is missing */
        result = kv_ask(&client, command, writer_bytes(&w)) ? show(&client, key, is_json) : EXIT_FAILED;
        client_close(&client);
    }
    free(w.data);
    return result;
}

static int run_put(int count, char **arguments)
{
    struct hearsay_bytes key = bytes_of_string(arguments[0]), value;
    bool is_json;
    if (!read_flags(key, &is_json) || !read_value(count, arguments, &value)) {
        return EXIT_FAILED;
    }
    int result = ask("kv-put", key, &value, is_json);
    free((void *)(uintptr_t)value.data);
    return result;
}

static int run_delete(int count, char **arguments)
{
    struct hearsay_bytes key = bytes_of_string(arguments[0]);
    bool is_json;
    (void)count;
    return read_flags(key, &is_json) ? ask("kv-delete", key, NULL, is_json) : EXIT_FAILED;
}

#define SHARED_FLAGS                                                                                                                       \
    {"copies", FLAG_TEXT, &copies, "COUNT", "end when so many agents have it durably (default 1: the one that is asked)"},                 \
        {"timeout", FLAG_TEXT, &timeout, "SPAN", "longest wait for that (default 10s)"},                                                   \
        {"format", FLAG_TEXT, &format, "text|json", "text prints nothing, json the version and how many have it (default text)"},          \
        COMMAND_RPC_FLAGS,                                                                                                                 \
    {                                                                                                                                      \
        .name = NULL                                                                                                                       \
    }

static const struct flag put_flags[] = {
    {"file", FLAG_TEXT, &file, "FILE", "the value is what this file has"},
    {"ttl", FLAG_TEXT, &ttl, "SPAN", "it disappears everywhere after this: 30s, 5m, 1h30m"},
    SHARED_FLAGS,
};

static const struct flag delete_flags[] = {SHARED_FLAGS};

const struct command command_kv_put = {
    .name = "kv put",
    .summary = "write an entry",
    .usage = "kv put [flags] KEY VALUE|-",
    .text = "  Writes VALUE, or standard input, or a file under KEY. Any bytes will do: keys of 1 to 512, values of up to 1 MiB.\n\n"
            "    hearsay kv put --ttl 1h session/42 alice; tar c conf | hearsay kv put --copies 3 conf.tar -\n",
    .flags = put_flags,
    .least = 1,
    .most = 2,
    .flags_anywhere = true,
    .run = run_put,
};

const struct command command_kv_delete = {
    .name = "kv delete",
    .summary = "delete an entry",
    .usage = "kv delete [flags] KEY",
    .text =
        "  Deletes an entry everywhere. It is no error if there is none: somewhere there might be one that this agent has not heard of.\n\n"
        "    hearsay kv delete session/42\n",
    .flags = delete_flags,
    .least = 1,
    .most = 1,
    .flags_anywhere = true,
    .run = run_delete,
};
