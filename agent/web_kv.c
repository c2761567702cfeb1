/* SPDX-License-Identifier: MIT
 *
 * The shared store over HTTP, under /v1/kv/: the key is the rest of the path (or ?key= where a path cannot carry it). Reading can wait for a
 * change as Consul's blocking queries do (?index=), or follow all changes as a stream (?watch). A write is answered when the node reports it.
 */
#include "agent/config.h"
#include "agent/kv.h"
#include "agent/web.h"

#include "base/bytes.h"

#include <hearsay/hearsay_uv.h>

#define PAGE_BYTES ((size_t)256 << 10)
#define PAGE_ENTRIES 1000u
#define WAIT_MS 300000  /* Consul's, if the request says nothing */
#define WAIT_MOST_MS 600000
#define CONFIRM_MS 10000

static struct hearsay_bytes bytes_of_text(const struct text *t)
{
    return bytes_of(t->data, t->size);
}

/* ---- what was asked ------------------------------------------------------------------------------------------------------------- */

struct wish {
    struct hearsay_bytes key;
    bool is_raw, is_list, has_values, is_stream, is_blocking;
    uint64_t index, copies;
    int64_t ttl_ms, timeout_ms, wait_ms;
    const char *after;
    uint64_t limit;
};

static bool read_number(const char *text, uint64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    *number = digits > 0 && digits < 20 ? strtoull(text, NULL, 10) : 0;
    return digits > 0 && digits < 20 && text[digits] == '\0';
}

/* One "name=value" of the query; what makes no sense is named in *error. */
static void read_argument(struct wish *wish, const char *argument, const char **error)
{
    size_t length = strcspn(argument, "=");
    const char *value = argument + length + (argument[length] == '=');
#define IS(word) (length == sizeof(word) - 1 && memcmp(argument, word, length) == 0)
    if (IS("key")) {
        wish->key = bytes_of_string(value);
    } else if (IS("prefix")) {
        wish->is_list = wish->has_values = true;
    } else if (IS("keys")) {
        wish->is_list = true;
    } else if (IS("watch")) {
        wish->is_stream = true;
    } else if (IS("format")) {
        wish->is_raw = strcmp(value, "json") != 0;
        *error = wish->is_raw && strcmp(value, "raw") != 0 ? "format is raw or json" : *error;
    } else if (IS("after")) {
        wish->after = value;
    } else if (IS("limit")) {
        *error = read_number(value, &wish->limit) && wish->limit > 0 ? *error : "limit is a number above 0";
    } else if (IS("index")) {
        wish->is_blocking = true;
        *error = read_number(value, &wish->index) ? *error : "index is a number, as X-Hearsay-Index told it";
    } else if (IS("wait")) {
        *error = config_parse_span(value, &wish->wait_ms) ? *error : "wait is a span such as 30s or 5m";
    } else if (IS("ttl")) {
        *error = config_parse_span(value, &wish->ttl_ms) && wish->ttl_ms > 0 ? *error : "ttl is a span such as 30s or 1h";
    } else if (IS("timeout")) {
        *error = config_parse_span(value, &wish->timeout_ms) && wish->timeout_ms > 0 ? *error : "timeout is a span such as 10s";
    } else if (IS("copies")) {
        *error = read_number(value, &wish->copies) && wish->copies <= 17 ? *error : "copies is a number up to 17";
    } else {
        *error = "this parameter means nothing here: key, prefix, keys, after, limit, format, index, wait, watch, ttl, copies, timeout do";
    }
#undef IS
}

static const char *read_wish(const struct http_request *request, struct wish *wish)
{
    const char *error = NULL;
    *wish = (struct wish){.key = bytes_of_string(request->path + strlen("/v1/kv/")), .is_raw = true, .limit = PAGE_ENTRIES,
                          .copies = 1, .timeout_ms = CONFIRM_MS, .wait_ms = WAIT_MS};
    for (size_t i = 0; i < HTTP_ARGUMENTS && request->arguments[i] != NULL && error == NULL; i++) {
        read_argument(wish, request->arguments[i], &error);
    }
    wish->limit = wish->limit > PAGE_ENTRIES ? PAGE_ENTRIES : wish->limit;
    wish->wait_ms = wish->wait_ms > WAIT_MOST_MS ? WAIT_MOST_MS : wish->wait_ms;
    wish->timeout_ms = wish->timeout_ms > WAIT_MOST_MS ? WAIT_MOST_MS : wish->timeout_ms;
    return error != NULL ? error : wish->key.size > HEARSAY_KEY_MAX ? "a key has at most 512 bytes" : NULL;
}

/* ---- entries as JSON ------------------------------------------------------------------------------------------------------------ */

static void put_version(struct text *out, const struct hearsay_entry_version *version)
{
    text_printf(out, ",\"version\":\"%016llx-%016llx\"", (unsigned long long)version->hlc, (unsigned long long)version->origin);
}

static void put_key(struct text *out, struct hearsay_bytes key)
{
    if (text_is_utf8(key)) {
        text_puts(out, "{\"key\":");
        text_json(out, key);
    } else {
        text_puts(out, "{\"key_base64\":\"");
        text_base64(out, key);
        text_puts(out, "\"");
    }
}

static void put_entry(struct text *out, const struct hearsay_entry *entry, uint64_t unix_ms, bool has_value)
{
    uint64_t end_ms = entry->expires_hlc >> 16;
    put_key(out, entry->key);
    if (has_value) {
        text_puts(out, ",\"value\":\"");
        text_base64(out, entry->value);
        text_puts(out, "\"");
    }
    put_version(out, &entry->version);
    text_printf(out, ",\"size\":%zu", entry->value.size);
    if (entry->expires_hlc != 0) {
        text_printf(out, ",\"ttl_s\":%.3f", end_ms > unix_ms ? (double)(end_ms - unix_ms) / 1000 : 0.001);
    }
    text_puts(out, "}");
}

/* ---- reading -------------------------------------------------------------------------------------------------------------------- */

static uint64_t newest_change(const struct web *web)
{
    struct hearsay_store_stats stats;
    hearsay_get_store_stats(web->service->node, &stats);
    return stats.change;
}

/* Did anything that was asked for change after *number? It moves on to what was looked at. */
static bool has_changed(const struct web *web, const struct wish *wish, uint64_t *number)
{
    struct hearsay_entry entry;
    enum hearsay_change found;
    if (*number > newest_change(web)) {
        return true; /* not of this agent, or of a lost life: it hears the true number */
    }
    while ((found = hearsay_next_change(web->service->node, wish->key, number, &entry)) == HEARSAY_CHANGE_FOUND) {
        if (wish->is_list || entry.key.size == wish->key.size) {
            return true;
        }
    }
    return found == HEARSAY_CHANGE_TOO_OLD;
}

static void answer_one(struct web *web, const struct wish *wish, struct http_answer *answer)
{
    const struct service *service = web->service;
    struct hearsay_entry entry;
    struct text body = {0};
    if (!hearsay_get(service->node, wish->key, &entry)) {
        web_complain(answer, 404, "there is no entry of this key");
    } else if (wish->is_raw) {
        text_put(&body, entry.value.data == NULL ? (const uint8_t *)"" : entry.value.data, entry.value.size);
        answer->type = "application/octet-stream";
        web_give(answer, 200, &body);
    } else {
        put_entry(&body, &entry, service->unix_ms(service->context), true);
        text_puts(&body, "\n");
        web_give(answer, 200, &body);
    }
    answer->has_index = true;
    answer->index = newest_change(web);
}

static void answer_list(struct web *web, const struct wish *wish, struct http_answer *answer)
{
    const struct service *service = web->service;
    struct hearsay_bytes after = bytes_of_string(wish->after == NULL ? "" : wish->after);
    struct hearsay_entry entry;
    struct text body = {0};
    uint64_t unix_ms = service->unix_ms(service->context), count = 0;
    bool is_more;
    answer->has_index = true;
    answer->index = newest_change(web);
    text_printf(&body, "{\"index\":%llu,\"entries\":[", (unsigned long long)answer->index);
    while ((is_more = hearsay_next_entry(service->node, wish->key, &after, &entry)) && count < wish->limit && body.size < PAGE_BYTES) {
        text_puts(&body, count++ == 0 ? "\n" : ",\n");
        put_entry(&body, &entry, unix_ms, wish->has_values);
    }
    text_printf(&body, "\n],\"more\":%s}\n", is_more ? "true" : "false");
    web_give(answer, 200, &body);
}

static void answer_get(struct web *web, const struct http_request *request, const struct wish *wish, struct http_answer *answer)
{
    if (wish->is_stream) {
        web_follow(web, request, TALK_CHANGES, answer);
        if (answer->is_stream) {
            struct web_talk *talk = *request->memory;
            text_put(&talk->prefix, wish->key.data, wish->key.size);
            talk->number = talk->is_resumed ? talk->number : wish->is_blocking ? wish->index : newest_change(web);
            talk->is_listing = talk->number == 0 || talk->number > newest_change(web);
        }
        return;
    }
    if (wish->key.size == 0 && !wish->is_list) {
        web_complain(answer, 400, "which key? /v1/kv/KEY; all of them are listed by /v1/kv/?keys, and with their values by /v1/kv/?prefix");
        return;
    }
    if (wish->is_blocking && wish->index > 0) {
        struct web_talk *talk = *request->memory;
        bool is_first = talk == NULL;
        if (is_first && (talk = web_talk(web, request, TALK_WAIT, answer)) == NULL) {
            return;
        }
        talk->number = is_first ? wish->index : talk->number;
        if (!has_changed(web, wish, &talk->number) && !request->is_last_try) {
            answer->wait_ms = (uint32_t)wish->wait_ms;
            if (wish->wait_ms > 0) {
                return;
            }
        }
    }
    (wish->is_list ? answer_list : answer_one)(web, wish, answer);
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

static int status_of(hearsay_err err)
{
    return err == HEARSAY_ERR_TOO_LARGE   ? 413
           : err == HEARSAY_ERR_ENTRY_KEY ? 400
           : err == HEARSAY_ERR_RESERVED  ? 403
                                          : 503;
}

static void answer_written(const struct web_talk *talk, const struct wish *wish, struct http_answer *answer)
{
    struct text body = {0};
    if (!talk->is_ok) {
        web_complain(answer, 503, talk->error);
        return;
    }
    put_key(&body, wish->key);
    put_version(&body, &(struct hearsay_entry_version){talk->hlc, talk->origin});
    text_printf(&body, ",\"copies\":%u}\n", talk->copies);
    web_give(answer, 200, &body);
}

static void answer_write(struct web *web, const struct http_request *request, const struct wish *wish, struct http_answer *answer)
{
    struct service *s = web->service;
    struct web_talk *talk = *request->memory;
    if (talk == NULL) { /* the first try is the write, the others look whether it is done */
        uint32_t ticket = 0, copies = (uint32_t)wish->copies;
        hearsay_err err = strcmp(request->method, "DELETE") == 0
                              ? hearsay_uv_delete(s->uv, wish->key, copies, &ticket)
                              : hearsay_uv_put(s->uv, wish->key, request->body, (uint64_t)wish->ttl_ms, copies, &ticket);
        if (err != HEARSAY_OK) {
            web_complain(answer, status_of(err), hearsay_err_text(err));
            return;
        }
        talk = web_talk(web, request, TALK_WISH, answer);
        talk->ticket = ticket;
        s->flush(s->context); /* only now, so that the report finds who waits for it */
    }
    if (talk->is_done) {
        answer_written(talk, wish, answer);
    } else if (request->is_last_try) {
        web_complain(answer, 504, "not confirmed in time; what was written stays, and spreads on");
    } else {
        answer->wait_ms = (uint32_t)wish->timeout_ms;
    }
}

void web_kv(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct hearsay_store_stats stats;
    struct wish wish;
    const char *error = read_wish(request, &wish);
    bool is_reading = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    hearsay_get_store_stats(web->service->node, &stats);
    if (!stats.is_on) {
        web_complain(answer, 501, "the store of this agent is off: start it with --store");
    } else if (error != NULL) {
        web_complain(answer, 400, error);
    } else if (is_reading) {
        answer_get(web, request, &wish, answer);
    } else if (kv_is_reserved(wish.key)) {
        web_complain(answer, 403, hearsay_err_text(HEARSAY_ERR_RESERVED));
    } else {
        answer_write(web, request, &wish, answer);
    }
}

bool web_done(struct web *web, const struct hearsay_event *event)
{
    struct web_talk *talk = web->talks;
    while (talk != NULL && (talk->kind != TALK_WISH || talk->ticket != event->ticket || talk->is_done)) {
        talk = talk->next;
    }
    if (talk != NULL) {
        talk->is_done = true;
        talk->is_ok = event->is_ok;
        talk->copies = event->copies;
        talk->hlc = event->hlc;
        talk->origin = event->origin;
        snprintf(talk->error, sizeof talk->error, "%s", event->text == NULL ? "it failed" : event->text);
    }
    return talk != NULL;
}

/* ---- following ------------------------------------------------------------------------------------------------------------------ */

static void put_frame(struct text *out, const char *kind, uint64_t number, const struct hearsay_entry *entry, uint64_t unix_ms)
{
    text_clear(out);
    if (number > 0) {
        text_printf(out, "id: %llu\n", (unsigned long long)number);
    }
    text_printf(out, "event: %s\ndata: ", kind);
    if (entry == NULL) {
        text_printf(out, "{\"index\":%llu}", (unsigned long long)number);
    } else {
        put_entry(out, entry, unix_ms, !entry->is_tombstone);
    }
    text_puts(out, "\n\n");
}

/* As over RPC: who is further behind than the node remembers hears "reset", everything, and "listed". */
bool web_kv_next(struct web *web, struct web_talk *talk)
{
    struct hearsay_entry entry;
    struct hearsay_bytes prefix = bytes_of_text(&talk->prefix), after = bytes_of_text(&talk->after);
    uint64_t unix_ms = web->service->unix_ms(web->service->context);
    if (!talk->is_listing) {
        enum hearsay_change found = hearsay_next_change(web->service->node, prefix, &talk->number, &entry);
        if (found == HEARSAY_CHANGE_FOUND) {
            put_frame(&web->chunk, entry.is_tombstone ? "delete" : "put", talk->number, &entry, unix_ms);
        }
        if (found != HEARSAY_CHANGE_TOO_OLD) {
            return found == HEARSAY_CHANGE_FOUND;
        }
        talk->is_listing = true;
    }
    if (!talk->is_reset) {
        talk->is_reset = true;
        talk->number = newest_change(web); /* what changes while everything is told is told again */
        text_clear(&talk->after);
        put_frame(&web->chunk, "reset", 0, NULL, unix_ms);
    } else if (hearsay_next_entry(web->service->node, prefix, &after, &entry)) {
        text_clear(&talk->after);
        text_put(&talk->after, entry.key.data, entry.key.size);
        put_frame(&web->chunk, "put", 0, &entry, unix_ms);
    } else {
        talk->is_listing = talk->is_reset = false;
        put_frame(&web->chunk, "listed", talk->number, NULL, unix_ms);
    }
    return true;
}
