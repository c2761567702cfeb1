/* SPDX-License-Identifier: MIT
 *
 * /v1/services and /v1/services/NAME: the JSON of catalog_json.c, at once, when something of it has changed (?index=, as Consul's blocking
 * queries), or as a stream of the whole answer after every change (?watch). Read only: services are changed by RPC.
 */
#include "agent/catalog.h"
#include "agent/config.h"
#include "agent/web.h"

#include "base/bytes.h"

#define WAIT_MS 300000      /* a blocking read that does not say how long */
#define WAIT_MOST_MS 600000 /* and the most that one can say */

struct asked_services {
    struct catalog_query query;
    uint64_t index;
    int64_t wait_ms;
    bool is_stream;
};

/* One "name=value"; what makes no sense is named. */
static const char *read_argument(struct asked_services *asked, const char *argument)
{
    size_t length = strcspn(argument, "=");
    const char *value = argument + length + (argument[length] == '=');
#define IS(word) (length == sizeof(word) - 1 && memcmp(argument, word, length) == 0)
    if (IS("healthy")) {
        asked->query.is_healthy_only = strcmp(value, "false") != 0;
    } else if (IS("tag")) {
        asked->query.tag = bytes_of_string(value);
    } else if (IS("watch")) {
        asked->is_stream = true;
    } else if (IS("wait")) {
        return config_parse_span(value, &asked->wait_ms) ? NULL : "wait is a span such as 30s or 5m";
    } else if (IS("index")) {
        char *end;
        asked->index = strtoull(value, &end, 10);
        return value[0] >= '0' && value[0] <= '9' && *end == '\0' ? NULL : "index is a number, as the answer before told it";
    } else {
        return "this parameter means nothing here: healthy, tag, index, wait, watch do";
    }
#undef IS
    return NULL;
}

static const char *read_request(const struct http_request *request, struct asked_services *asked)
{
    static const char root[] = "/v1/services/";
    const char *error = NULL;
    *asked = (struct asked_services){.wait_ms = WAIT_MS};
    asked->query.name = bytes_of_string(strlen(request->path) < sizeof root ? "" : request->path + sizeof root - 1);
    for (size_t i = 0; i < HTTP_ARGUMENTS && request->arguments[i] != NULL && error == NULL; i++) {
        error = read_argument(asked, request->arguments[i]);
    }
    asked->wait_ms = asked->wait_ms > WAIT_MOST_MS ? WAIT_MOST_MS : asked->wait_ms;
    bool is_filtered = asked->query.tag.size > 0 || asked->query.is_healthy_only;
    return error != NULL || asked->query.name.size > 0 || !is_filtered ? error
                                                                       : "healthy and tag need the name of a service: /v1/services/NAME";
}

static void answer_services(struct web *web, const struct asked_services *asked, struct http_answer *answer)
{
    struct text body = {0};
    answer->has_index = true;
    answer->index = catalog_index(web->service, asked->query.name);
    catalog_json(web->service, &asked->query, &body);
    web_give(answer, 200, &body);
}

/* True when nothing has changed since, and there is time to wait. */
static bool waits(struct web *web, const struct http_request *request, const struct asked_services *asked, struct http_answer *answer)
{
    if (asked->index == 0 || asked->index != catalog_index(web->service, asked->query.name) || request->is_last_try ||
        asked->wait_ms <= 0) {
        return false; /* another index than ours may be of another agent: its reader hears the true one */
    }
    if (*request->memory == NULL && web_talk(web, request, TALK_WAIT, answer) == NULL) {
        return true; /* too many do: that is the answer */
    }
    answer->wait_ms = (uint32_t)asked->wait_ms;
    return true;
}

void web_services(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct hearsay_store_stats stats;
    struct asked_services asked;
    const char *error = read_request(request, &asked);
    hearsay_get_store_stats(web->service->node, &stats);
    if (!stats.is_on) {
        web_complain(answer, 501, "the store of this agent is off, and services are kept there: start it with --store");
    } else if (error != NULL) {
        web_complain(answer, 400, error);
    } else if (asked.is_stream) {
        web_follow(web, request, TALK_SERVICES, answer);
        if (answer->is_stream) {
            struct web_talk *talk = *request->memory;
            text_put(&talk->prefix, asked.query.name.data, asked.query.name.size);
            text_put(&talk->after, asked.query.tag.data, asked.query.tag.size);
            talk->is_healthy_only = asked.query.is_healthy_only;
            talk->is_listing = true;
        }
    } else if (!waits(web, request, &asked, answer)) {
        answer_services(web, &asked, answer);
    }
}

bool web_services_next(struct web *web, struct web_talk *talk)
{
    struct catalog_query query = {.name = bytes_of(talk->prefix.data, talk->prefix.size),
                                  .tag = bytes_of(talk->after.data, talk->after.size),
                                  .is_healthy_only = talk->is_healthy_only};
    uint64_t index = catalog_index(web->service, query.name);
    if (!talk->is_listing && index == talk->number) {
        return false;
    }
    talk->is_listing = false;
    talk->number = index;
    text_clear(&web->chunk);
    text_printf(&web->chunk, "id: %llu\ndata: ", (unsigned long long)index);
    size_t begun = web->chunk.size;
    catalog_json(web->service, &query, &web->chunk);
    for (size_t i = begun; i < web->chunk.size; i++) { /* an event's data is one line */
        web->chunk.data[i] = web->chunk.data[i] == '\n' ? ' ' : web->chunk.data[i];
    }
    text_puts(&web->chunk, "\n\n");
    return true;
}
