/* SPDX-License-Identifier: MIT
 *
 * See web.h. A browser's page from elsewhere must not steer or read an agent on loopback: without a token the Host must be an address (DNS
 * rebinding brings a name), and what changes something must come from our own origin.
 */
#include "agent/web.h"

#include "agent/eventlog.h"
#include "agent/log.h"
#include "agent/places.h"
#include "agent/secret.h"

#include "base/bytes.h"

#include <dlfcn.h>
#include <hearsay/hearsay_uv.h>
#include <inttypes.h>
#include <unistd.h>

#define MODULE "hearsay-http.so"
#define WAITING_MOST 192u /* streams and blocking reads: the rest of the connections stays for short requests */

/* ---- who may ask ---------------------------------------------------------------------------------------------------------------- */

static bool has_token(const struct web *web, const struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    size_t length = sizeof scheme - 1;
    return web->settings.token == NULL || (strncmp(request->authorization, scheme, length) == 0 &&
                                           secret_equal(web->settings.token, bytes_of_string(request->authorization + length)));
}

static bool is_address(const char *host)
{
    struct hearsay_address address;
    return host[0] == '\0' || strcmp(host, "localhost") == 0 || strncmp(host, "localhost:", 10) == 0 ||
           hearsay_address_parse(host, 80, &address);
}

static bool is_own_origin(const struct http_request *request)
{
    const char *origin = request->origin, *slashes = strstr(origin, "://");
    return origin[0] == '\0' || (slashes != NULL && strcmp(slashes + 3, request->host) == 0);
}

/* ---- answers -------------------------------------------------------------------------------------------------------------------- */

void web_give(struct http_answer *answer, int status, struct text *body)
{
    answer->status = status;
    answer->body = body->data;
    answer->size = body->size;
}

void web_complain(struct http_answer *answer, int status, const char *what)
{
    struct text body = {0};
    text_puts(&body, "{\"error\":");
    text_json_c(&body, what);
    text_puts(&body, "}\n");
    web_give(answer, status, &body);
}

static void answer_health(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct hearsay_stats stats;
    struct text body = {0};
    (void)request;
    hearsay_get_stats(web->service->node, &stats);
    text_printf(&body, "{\"status\":\"alive\",\"health_score\":%u}\n", stats.health_score);
    web_give(answer, 200, &body);
}

static void answer_ready(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct hearsay_stats stats;
    struct text body = {0};
    (void)request;
    hearsay_get_stats(web->service->node, &stats);
    bool is_alone = web->settings.wants_peers && stats.members < 2, is_ready = !stats.is_leaving && !is_alone;
    text_printf(&body, "{\"ready\":%s,\"why\":\"%s\"}\n", is_ready ? "true" : "false",
                stats.is_leaving ? "leaving the cluster" : is_alone ? "nobody was met yet" : "");
    web_give(answer, is_ready ? 200 : 503, &body);
}

static void answer_metrics(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct text body = {0};
    (void)request;
    web_metrics(web->service, web->settings.metrics, &body);
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    web_give(answer, 200, &body);
}

static void answer_members(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct text body = {0};
    (void)request;
    web_members(web->service, &body);
    web_give(answer, 200, &body);
}

static void answer_status(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct text body = {0};
    (void)request;
    web_status(web->service, &body);
    web_give(answer, 200, &body);
}

static void answer_store(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct text body = {0};
    (void)request;
    web_store(web->service, &body);
    web_give(answer, 200, &body);
}

static void answer_why(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    struct text body = {0};
    const char *name = request->path + strlen("/v1/why/");
    struct hearsay_member member;
    if (!hearsay_find_member(web->service->node, name, &member)) {
        web_complain(answer, 404, "there is no member of that name");
        return;
    }
    web_why(web->service, name, &body);
    web_give(answer, 200, &body);
}

/* ---- streams, and those who wait ------------------------------------------------------------------------------------------------ */

struct web_talk *web_talk(struct web *web, const struct http_request *request, int kind, struct http_answer *answer)
{
    if (kind != TALK_WISH && web->waiting >= WAITING_MOST) {
        web_complain(answer, 503, "too many wait here already: try again later, or ask another agent");
        return NULL;
    }
    struct web_talk *talk = must(calloc(1, sizeof *talk));
    talk->kind = kind;
    talk->next = web->talks;
    talk->here = &web->talks;
    if (talk->next != NULL) {
        talk->next->here = &talk->next;
    }
    web->talks = talk;
    web->waiting += kind != TALK_WISH;
    *request->memory = talk;
    return talk;
}

static void forget(void *context, void *memory)
{
    struct web *web = context;
    struct web_talk *talk = memory;
    *talk->here = talk->next;
    if (talk->next != NULL) {
        talk->next->here = talk->here;
    }
    web->waiting -= talk->kind != TALK_WISH;
    text_deinit(&talk->prefix);
    text_deinit(&talk->after);
    free(talk);
}

void web_follow(struct web *web, const struct http_request *request, int kind, struct http_answer *answer)
{
    struct web_talk *talk = web_talk(web, request, kind, answer);
    if (talk == NULL) {
        return;
    }
    answer->status = 200;
    answer->type = "text/event-stream";
    answer->is_stream = true;
    talk->is_resumed = kind == TALK_CHANGES && sscanf(request->last_event_id, "%" SCNu64, &talk->number) == 1;
}

/* ids are EPOCH-NUMBER; of another life's epoch everything that is kept is told. */
static void answer_events(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    unsigned long long epoch = 0, number = 0;
    const char *from = request->last_event_id;
    for (size_t i = 0; i < HTTP_ARGUMENTS && request->arguments[i] != NULL && from[0] == '\0'; i++) {
        if (strncmp(request->arguments[i], "since=", 6) == 0) {
            from = request->arguments[i] + 6;
        }
    }
    web_follow(web, request, TALK_EVENTS, answer);
    if (!answer->is_stream) {
        return;
    }
    struct web_talk *talk = *request->memory;
    talk->number = web->backlog.newest;
    if (from[0] != '\0') {
        bool is_ours = sscanf(from, "%llu-%llu", &epoch, &number) == 2 && epoch == web->epoch && number <= web->backlog.newest;
        talk->number = is_ours ? number : 0;
    }
}

static void answer_file(struct web *web, const struct http_request *request, struct http_answer *answer)
{
    const char *path = strcmp(request->path, "/ui/") == 0 ? "/ui/index.html" : request->path;
    const struct http_file *file = web->module->file(path);
    if (file == NULL) {
        web_complain(answer, 404, "there is nothing here; /openapi.json lists the paths, /ui/ is for people");
        return;
    }
    answer->status = 200;
    answer->type = file->type;
    answer->bytes = file->bytes;
    answer->size = file->size;
    answer->cache = "no-cache";
}

/* ---- routes --------------------------------------------------------------------------------------------------------------------- */

static const struct route {
    const char *path; /* with a '/' at its end: everything below */
    bool is_open;     /* without a token, for orchestrators and the page itself */
    bool is_writable; /* by PUT and DELETE */
    void (*answer)(struct web *web, const struct http_request *request, struct http_answer *answer);
} routes[] = {
    {"/healthz", true, false, answer_health},
    {"/readyz", true, false, answer_ready},
    {"/metrics", false, false, answer_metrics},
    {"/v1/members", false, false, answer_members},
    {"/v1/status", false, false, answer_status},
    {"/v1/store", false, false, answer_store},
    {"/v1/why/", false, false, answer_why},
    {"/v1/kv/", false, true, web_kv},
    {"/v1/services", false, false, web_services},
    {"/v1/services/", false, false, web_services},
    {"/v1/events", false, false, answer_events},
    {"/openapi.json", true, false, answer_file},
    {"/ui/", true, false, answer_file},
    {"/", true, false, answer_file},
};

static const struct route *find_route(const char *path)
{
    const struct route *route = routes;
    for (;; route++) { /* the last one takes everything */
        size_t length = strlen(route->path);
        if (strcmp(path, route->path) == 0 || (route->path[length - 1] == '/' && strncmp(path, route->path, length) == 0)) {
            return route;
        }
    }
}

static bool refuse_request(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct web *web = context;
    const struct route *route = find_route(request->path);
    bool is_reading = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0,
         is_writing = strcmp(request->method, "PUT") == 0 || strcmp(request->method, "DELETE") == 0;
    if (!route->is_open && !has_token(web, request)) {
        web_complain(answer, 401, "this agent wants its token: Authorization: Bearer TOKEN");
    } else if (web->settings.token == NULL && !is_address(request->host)) {
        web_complain(answer, 403, "without a token, name this agent by its address, not by a host name");
    } else if (!is_reading && !is_own_origin(request)) {
        web_complain(answer, 403, "pages of other origins may not change anything here");
    } else if (!is_reading && !(is_writing && route->is_writable)) {
        answer->allow = route->is_writable ? "GET, HEAD, PUT, DELETE" : "GET, HEAD";
        web_complain(answer, 405, route->is_writable ? "use GET, PUT or DELETE" : "this can only be read: use GET");
    } else {
        return false;
    }
    return true;
}

static void answer_request(void *context, const struct http_request *request, struct http_answer *answer)
{
    struct web *web = context;
    if (!refuse_request(web, request, answer)) {
        find_route(request->path)->answer(web, request, answer);
    }
}

static bool next_line(struct web *web, struct web_talk *talk)
{
    uint64_t lost;
    const char *line = backlog_next(&web->backlog, &talk->number, &lost);
    if (line == NULL) {
        return false;
    }
    text_clear(&web->chunk);
    if (lost > 0) {
        text_printf(&web->chunk, "event: lost\ndata: {\"lost\":%llu}\n\n", (unsigned long long)lost);
    }
    text_printf(&web->chunk, "id: %llu-%llu\ndata: ", (unsigned long long)web->epoch, (unsigned long long)talk->number);
    text_puts(&web->chunk, line);
    text_puts(&web->chunk, "\n\n");
    return true;
}

static bool next_event(void *context, void *memory, struct hearsay_bytes *bytes)
{
    struct web *web = context;
    struct web_talk *talk = memory;
    text_shrink(&web->chunk);
    bool is_any = (talk->kind == TALK_CHANGES ? web_kv_next : talk->kind == TALK_SERVICES ? web_services_next : next_line)(web, talk);
    *bytes = (struct hearsay_bytes){(const uint8_t *)web->chunk.data, is_any ? web->chunk.size : 0};
    return is_any;
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

/* The module of the build tree beside the program, or the installed one. */
static const struct http_module *load(char *error, size_t size)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
    path[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(path, '/');
    void *library = NULL;
    if (slash != NULL) {
        strcpy(slash, "/http/" MODULE);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    library = library != NULL ? library : dlopen(HEARSAY_MODULES "/" MODULE, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(error, size, "HTTP needs a module that cannot be loaded (%s): install the package hearsay-http, or leave --http-addr out",
                 dlerror());
        return NULL;
    }
    const struct http_module *module = dlsym(library, HTTP_MODULE_SYMBOL);
    if (module == NULL || module->door != HTTP_DOOR) {
        snprintf(error, size, "the HTTP module is of another version than this agent: install both from one release");
        return NULL;
    }
    return module;
}

static bool check(const struct web_settings *s, struct hearsay_address *address, char *error, size_t size)
{
    const char *where = strncmp(s->address, "localhost:", 10) == 0 ? s->address + 9 : s->address;
    char local[64];
    snprintf(local, sizeof local, "127.0.0.1%s", where);
    if (!hearsay_address_parse(where == s->address ? where : local, 0, address)) {
        snprintf(error, size, "cannot serve HTTP at '%s': it must be a numeric address with a port, such as 127.0.0.1:7380", s->address);
        return false;
    }
    if ((s->certificate == NULL) != (s->key == NULL)) {
        snprintf(error, size, "TLS needs both a certificate and a key: give --http-tls-cert and --http-tls-key");
        return false;
    }
    if (!places_is_loopback(address) && s->token == NULL && s->certificate == NULL) {
        snprintf(error, size,
                 "HTTP at %s could be asked by anybody who reaches it: give a token (--http-token @FILE) or TLS, or serve on loopback",
                 s->address);
        return false;
    }
    return true;
}

bool web_open(struct web *web, uv_loop_t *loop, struct service *service, const struct web_settings *settings, char *error, size_t size)
{
    struct hearsay_address address;
    char ip[46];
    *web = (struct web){.settings = *settings, .service = service, .epoch = service->unix_ms(service->context)};
    if (settings->address == NULL) {
        return true;
    }
    if (!check(settings, &address, error, size) || (web->module = load(error, size)) == NULL) {
        return false;
    }
    text_ip(&address, ip);
    struct http_host host = {.loop = loop,
                             .address = ip,
                             .port = address.port,
                             .certificate = settings->certificate,
                             .key = settings->key,
                             .context = web,
                             .answer = answer_request,
                             .refuse = refuse_request,
                             .next_event = next_event,
                             .forget = forget};
    web->http = web->module->open(&host, &web->port, error, size);
    return web->http != NULL;
}

void web_event(struct web *web, const struct hearsay_event *event)
{
    struct text line = {0};
    if (web->http == NULL || !eventlog_line(&line, event, web->service->unix_ms(web->service->context))) {
        return;
    }
    backlog_put(&web->backlog, line.data, line.size);
    text_deinit(&line);
    web->module->wake(web->http);
}

void web_wake(struct web *web)
{
    if (web->http != NULL && web->talks != NULL) {
        web->module->wake(web->http);
    }
}

void web_close(struct web *web)
{
    if (web->http != NULL) {
        web->module->close(web->http);
        web->http = NULL;
    }
}

void web_deinit(struct web *web)
{
    backlog_deinit(&web->backlog);
    text_deinit(&web->chunk);
}
