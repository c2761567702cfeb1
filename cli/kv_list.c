/* SPDX-License-Identifier: MIT
 *
 * hearsay kv list and export: entries in the order of their keys, a page at a time, so that neither side holds them all.
 */
#include "cli/kv.h"

#include "wire/msgpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *format = "text";

struct listing {
    bool is_json, is_export, is_terminal;
    uint64_t count;
    int width; /* of the column of keys */
    uint8_t last[KV_KEY_MAX];
    size_t last_size;
};

/* ---- one entry ---- */

static void print_text(struct listing *l, const struct kv_item *item, const char *key)
{
    char version[34], ttl[32] = "-";
    kv_version(item, version);
    if (item->ttl_ms > 0) {
        snprintf(ttl, sizeof ttl, "%.0fs", (double)item->ttl_ms / 1000);
    }
    if (l->count == 0) {
        printf("%-*s  %8s  %8s  %s\n", l->width, "KEY", "SIZE", "TTL", "VERSION");
    }
    printf("%-*s  %8llu  %8s  %s\n", l->width, key, (unsigned long long)item->size, ttl, version);
}

static void print_json(const struct listing *l, const struct kv_item *item)
{
    char version[34];
    kv_version(item, version);
    fputs(l->count == 0 ? "[{" : ",\n {", stdout);
    kv_json_key(stdout, item->key);
    printf(",\"version\":\"%s\",\"size\":%llu", version, (unsigned long long)item->size);
    if (item->ttl_ms > 0) {
        printf(",\"ttl_s\":%.3f", (double)item->ttl_ms / 1000);
    }
    putchar('}');
}

static void print_line(const struct kv_item *item)
{
    putchar('{');
    kv_json_key(stdout, item->key);
    putchar(',');
    kv_json_value(stdout, item->value);
    if (item->ttl_ms > 0) {
        printf(",\"ttl_s\":%.3f", (double)item->ttl_ms / 1000);
    }
    puts("}");
}

/* ---- a page ---- */

/* Columns grow with the keys, so that they are straight within a page, and usually in all of them. */
static void measure(struct listing *l, struct reader r, uint32_t count)
{
    struct kv_item item;
    for (uint32_t i = 0; i < count && !r.is_bad; i++) {
        kv_read_item(&r, &item);
        l->width = (int)item.key.size > l->width && item.key.size <= 60 ? (int)item.key.size : l->width;
    }
}

static bool print_page(struct listing *l, struct reader *r)
{
    struct kv_item item;
    uint32_t count = msgpack_get_array(r);
    measure(l, *r, count);
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        kv_read_item(r, &item);
        if (r->is_bad || item.key.size == 0 || item.key.size > KV_KEY_MAX) {
            return false;
        }
        if (l->is_export) {
            print_line(&item);
        } else if (l->is_json) {
            print_json(l, &item);
        } else {
            char *key = kv_key_text(item.key);
            print_text(l, &item, key);
            free(key);
        }
        l->count++;
        memcpy(l->last, item.key.data, item.key.size);
        l->last_size = item.key.size;
    }
    return true;
}

/* False when it makes no sense. */
static bool read_page(struct listing *l, struct hearsay_bytes object, bool *is_more)
{
    struct reader r = reader_of(object);
    *is_more = false;
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Entries")) {
            if (!print_page(l, &r)) {
                return false;
            }
        } else if (msgpack_is(key, "More")) {
            *is_more = msgpack_get_bool(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad;
}

static bool ask_page(struct client *client, const struct listing *l, struct hearsay_bytes prefix)
{
    uint8_t room[2 * KV_KEY_MAX + 128];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "Prefix");
    msgpack_put_bin(&w, prefix);
    msgpack_put_text(&w, "After");
    msgpack_put_bin(&w, (struct hearsay_bytes){l->last, l->last_size});
    msgpack_put_text(&w, "Values");
    msgpack_put_bool(&w, l->is_export);
    return kv_ask(client, "kv-list", writer_bytes(&w));
}

/* ---- all of it ---- */

static void show_progress(const struct listing *l, bool is_end)
{
    if (l->is_terminal) {
        fprintf(stderr, "\r%llu entries%s", (unsigned long long)l->count, is_end ? "\n" : "");
    }
}

static int walk(struct client *client, struct listing *l, struct hearsay_bytes prefix)
{
    struct hearsay_bytes object;
    bool is_more = true;
    while (is_more) {
        uint64_t before = l->count;
        if (!ask_page(client, l, prefix) || !client_next(client, &object, false)) {
            return EXIT_FAILED;
        }
        if (!read_page(l, object, &is_more) || (is_more && l->count == before)) {
            return command_fail("the agent's list makes no sense");
        }
        show_progress(l, !is_more);
        if (ferror(stdout)) {
            return command_fail("cannot write: %s", strerror(errno));
        }
    }
    if (l->is_json) {
        puts(l->count == 0 ? "[]" : "]");
    }
    return fflush(stdout) == 0 ? EXIT_DONE : command_fail("cannot write: %s", strerror(errno));
}

static int list(struct listing *l, int count, char **arguments)
{
    struct client client;
    struct hearsay_bytes prefix = bytes_of_string(count > 0 ? arguments[0] : "");
    if (prefix.size > KV_KEY_MAX) {
        (void)command_misused("the prefix has %zu bytes; keys have at most %u", prefix.size, KV_KEY_MAX);
        return EXIT_USAGE;
    }
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    int result = walk(&client, l, prefix);
    client_close(&client);
    return result;
}

static int run_list(int count, char **arguments)
{
    struct listing l = {.width = 12};
    return command_format(format, &l.is_json) ? list(&l, count, arguments) : EXIT_FAILED;
}

static int run_export(int count, char **arguments)
{
    struct listing l = {.is_export = true, .is_terminal = isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) == 0};
    return list(&l, count, arguments);
}

static const struct flag list_flags[] = {
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

static const struct flag export_flags[] = {
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_kv_list = {
    .name = "kv list",
    .summary = "list entries in the order of their keys",
    .usage = "kv list [flags] [PREFIX]",
    .text = "  Lists the entries whose keys begin with PREFIX, or all, with their sizes and versions.\n\n"
            "    hearsay kv list --format json session/\n",
    .flags = list_flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run_list,
};

const struct command command_kv_export = {
    .name = "kv export",
    .summary = "write entries as JSON lines",
    .usage = "kv export [flags] [PREFIX]",
    .text =
        "  Writes a JSON line per entry to standard output, which kv import takes: the key (key_base64 if it is no text), the value in\n"
        "  base64, and ttl_s if the entry expires.\n\n"
        "    hearsay kv export session/ > sessions.jsonl\n",
    .flags = export_flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run_export,
};
