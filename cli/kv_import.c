/* SPDX-License-Identifier: MIT
 *
 * hearsay kv import: JSON lines into the store. Many puts are under way at once, so that the agent can write them to its disk together; an
 * answer's number leads back to its line.
 */
#include "cli/kv.h"

#include "cli/base64.h"
#include "wire/msgpack.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW 512u             /* puts under way */
#define WINDOW_BYTES (4u << 20) /* and their values */

struct import {
    struct client client;
    const char *name;
    uint64_t line, done, read, total;      /* total: bytes of the file, 0 = unknown */
    uint64_t lines[WINDOW], sizes[WINDOW]; /* by number of request */
    unsigned under_way;
    uint64_t bytes;
    bool is_terminal;
    uint8_t *value; /* where base64 becomes bytes */
};

static bool refuse(const struct import *im, uint64_t line, const char *what)
{
    command_fail("%s, line %llu: %s; %llu entries were put before", im->name, (unsigned long long)line, what, (unsigned long long)im->done);
    return false;
}

/* ---- answers ---- */

static bool take_answer(struct import *im)
{
    char error[1024];
    uint64_t seq;
    struct hearsay_bytes object;
    if (!client_header(&im->client, &seq, error, sizeof error, false)) {
        return false;
    }
    if (strcmp(error, "Unsupported command") == 0) {
        return kv_refused(error);
    }
    if (error[0] != '\0') {
        return refuse(im, im->lines[seq % WINDOW], error);
    }
    if (!client_next(&im->client, &object, false)) {
        return false;
    }
    im->under_way--;
    im->bytes -= im->sizes[seq % WINDOW];
    im->done++;
    return true;
}

/* Until there is room for one more of this size. */
static bool make_room(struct import *im, size_t size)
{
    while (im->under_way > 0 && (im->under_way == WINDOW || im->bytes + size > WINDOW_BYTES)) {
        if (!take_answer(im)) {
            return false;
        }
    }
    return true;
}

/* ---- lines ---- */

struct line {
    struct hearsay_bytes key, value;
    uint64_t ttl_ms;
    uint8_t key_room[KV_KEY_MAX + 3];
};

/* Answers what is wrong, or NULL. */
static const char *read_key(const json_t *object, struct line *line)
{
    const json_t *key = json_object_get(object, "key"), *coded = json_object_get(object, "key_base64");
    if (json_is_string(key) && coded == NULL) {
        line->key = (struct hearsay_bytes){(const uint8_t *)json_string_value(key), json_string_length(key)};
    } else if (json_is_string(coded) && key == NULL) {
        int size =
            json_string_length(coded) > 4 * (KV_KEY_MAX / 3 + 1) ? -1 : base64_decode(json_string_value(coded), line->key_room, KV_KEY_MAX);
        if (size < 0) {
            return "key_base64 is not base64 of at most 512 bytes";
        }
        line->key = (struct hearsay_bytes){line->key_room, (size_t)size};
    } else {
        return "it needs a key, a string";
    }
    return line->key.size == 0 ? "the key is empty" : line->key.size > KV_KEY_MAX ? "the key has more than 512 bytes" : NULL;
}

static const char *read_value(const json_t *object, struct line *line, uint8_t *room)
{
    const json_t *value = json_object_get(object, "value");
    if (!json_is_string(value)) {
        return "it needs a value, a string";
    }
    if (json_string_length(value) > 4 * ((size_t)KV_VALUE_MAX / 3 + 1)) {
        return "the value has more than 1 MiB";
    }
    int size = base64_decode(json_string_value(value), room, KV_VALUE_MAX);
    if (size < 0 || memchr(json_string_value(value), '\0', json_string_length(value)) != NULL) {
        return "the value is not base64";
    }
    line->value = (struct hearsay_bytes){room, (size_t)size};
    return NULL;
}

static const char *read_ttl(const json_t *object, struct line *line)
{
    const json_t *ttl = json_object_get(object, "ttl_s");
    line->ttl_ms = 0;
    if (ttl == NULL) {
        return NULL;
    }
    if (!json_is_number(ttl) || !(json_number_value(ttl) > 0) || json_number_value(ttl) > 1e9) {
        return "ttl_s must be a number of seconds above 0";
    }
    line->ttl_ms = (uint64_t)(json_number_value(ttl) * 1000 + 0.999);
    return NULL;
}

static bool send_line(struct import *im, const struct line *line)
{
    struct writer w;
    if (!make_room(im, line->value.size) || !kv_writer(&w, line->key.size + line->value.size)) {
        return false;
    }
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "Key");
    msgpack_put_bin(&w, line->key);
    msgpack_put_text(&w, "Value");
    msgpack_put_bin(&w, line->value);
    msgpack_put_text(&w, "TTL");
    msgpack_put_uint(&w, line->ttl_ms);
    bool is_sent = client_send(&im->client, "kv-put", writer_bytes(&w));
    free(w.data);
    im->lines[im->client.seq % WINDOW] = im->line;
    im->sizes[im->client.seq % WINDOW] = line->value.size;
    im->under_way++;
    im->bytes += line->value.size;
    return is_sent;
}

static bool take_line(struct import *im, const char *text, size_t size)
{
    json_error_t problem;
    struct line line;
    if (strspn(text, " \t\r\n") == size) {
        return true;
    }
    json_t *object = json_loadb(text, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &problem);
    const char *wrong = object == NULL ? problem.text : !json_is_object(object) ? "it is not a JSON object" : read_key(object, &line);
    wrong = wrong != NULL ? wrong : read_value(object, &line, im->value);
    wrong = wrong != NULL ? wrong : read_ttl(object, &line);
    if (wrong != NULL) { /* what was sent before is worth waiting for, so that the count is true */
        while (im->under_way > 0 && take_answer(im)) {
        }
    }
    bool is_fine = wrong == NULL ? send_line(im, &line) : im->under_way == 0 && refuse(im, im->line, wrong);
    json_decref(object);
    return is_fine;
}

/* ---- the whole ---- */

static void show_progress(const struct import *im, bool is_end)
{
    if (!im->is_terminal) {
        return;
    }
    fputc('\r', stderr);
    if (im->total > 0) {
        unsigned filled = (unsigned)(im->read * 40 / im->total);
        fprintf(stderr, "[%.*s%*s] %3u%%  ", (int)filled, "########################################", 40 - (int)filled, "",
                filled * 100 / 40);
    }
    fprintf(stderr, "%llu entries%s", (unsigned long long)im->done, is_end ? "\n" : "");
}

static bool read_lines(struct import *im, FILE *in)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t size;
    bool is_fine = true;
    while (is_fine && (errno = 0, size = getline(&text, &room, in)) >= 0) {
        im->line++;
        im->read += (uint64_t)size;
        is_fine = take_line(im, text, (size_t)size);
        if (im->line % 1000 == 0) {
            show_progress(im, false);
        }
    }
    if (is_fine && ferror(in)) {
        command_fail("cannot read %s: %s", im->name, strerror(errno));
        is_fine = false;
    }
    while (is_fine && im->under_way > 0) {
        is_fine = take_answer(im);
    }
    free(text);
    return is_fine;
}

static int import(struct import *im, FILE *in)
{
    struct stat facts;
    im->total = fstat(fileno(in), &facts) == 0 && S_ISREG(facts.st_mode) ? (uint64_t)facts.st_size : 0;
    im->is_terminal = isatty(STDERR_FILENO) != 0 && isatty(fileno(in)) == 0;
    im->value = malloc(KV_VALUE_MAX + 8);
    if (im->value == NULL) {
        return command_fail("out of memory");
    }
    if (!client_open(&im->client)) {
        free(im->value);
        return EXIT_FAILED;
    }
    client_cork(&im->client);
    bool is_done = read_lines(im, in);
    client_close(&im->client);
    free(im->value);
    if (is_done) {
        show_progress(im, true);
        printf("%llu entries imported\n", (unsigned long long)im->done);
    }
    return is_done ? EXIT_DONE : EXIT_FAILED;
}

static int run(int count, char **arguments)
{
    static struct import im;
    bool is_stdin = count == 0 || strcmp(arguments[0], "-") == 0;
    im.name = is_stdin ? "standard input" : arguments[0];
    FILE *in = is_stdin ? stdin : fopen(arguments[0], "r");
    if (in == NULL) {
        return command_fail("cannot read %s: %s", im.name, strerror(errno));
    }
    int result = import(&im, in);
    if (!is_stdin) {
        fclose(in);
    }
    return result;
}

static const struct flag flags[] = {
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_kv_import = {
    .name = "kv import",
    .summary = "put entries from JSON lines",
    .usage = "kv import [flags] [FILE|-]",
    .text = "  Puts an entry per line of FILE or standard input: {\"key\":\"…\",\"value\":\"BASE64\",\"ttl_s\":60}, as kv export writes "
            "them; ttl_s may\n"
            "  be missing. The first wrong line ends it, and is named.\n\n"
            "    hearsay kv import sessions.jsonl\n",
    .flags = flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
