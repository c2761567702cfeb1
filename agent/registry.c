/* SPDX-License-Identifier: MIT
 *
 * See registry.h. An entry says the worst state of the service's checks; what they print is published only with a change of it.
 */
#include "agent/own.h"

#include "agent/log.h"

#include <hearsay/hearsay_uv.h>
#include <jansson.h>

#define REASON_BYTES_MAX 255

static char sentence[600];

static const char *__attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    return sentence;
}

struct own *registry_find(const struct registry *r, const char *id)
{
    struct own *own = r->first;
    while (own != NULL && strcmp(own->d.id, id) != 0) {
        own = own->next;
    }
    return own;
}

/* ---- publishing ----------------------------------------------------------------------------------------------------------------- */

static hearsay_err put(struct registry *r, struct hearsay_bytes key, struct hearsay_bytes value, uint32_t *ticket)
{
    struct service *s = r->service;
    r->writes++;
    return s->uv != NULL ? hearsay_uv_put(s->uv, key, value, 0, 1, ticket)
                         : hearsay_put(s->node, s->now_us(s->context), key, value, 0, 1, ticket);
}

hearsay_err registry_delete(struct registry *r, struct hearsay_bytes key)
{
    struct service *s = r->service;
    r->writes++;
    return s->uv != NULL ? hearsay_uv_delete(s->uv, key, 1, NULL) : hearsay_delete(s->node, s->now_us(s->context), key, 1, NULL);
}

/* The worst of its checks, and what that one says. */
static enum hearsay_service_state state_of(const struct own *own, struct hearsay_bytes *output)
{
    enum hearsay_service_state worst = HEARSAY_SERVICE_PASSING;
    *output = (struct hearsay_bytes){(const uint8_t *)"", 0};
    if (own->maintenance != NULL) {
        *output = (struct hearsay_bytes){(const uint8_t *)own->maintenance, strlen(own->maintenance)};
        return HEARSAY_SERVICE_MAINTENANCE;
    }
    for (size_t i = 0; i < own->d.check_count; i++) {
        const struct check *check = own->checks[i];
        if (i == 0 || check->state > worst) {
            worst = check->state;
            *output = (struct hearsay_bytes){(const uint8_t *)check->output, check->output_size};
        }
    }
    return worst;
}

/* Puts what the store should have, if that is not what was put last. */
void registry_publish(struct registry *r, struct own *own)
{
    uint8_t key[HEARSAY_KEY_MAX], value[HEARSAY_SERVICE_VALUE_MAX];
    struct hearsay_service_definition d = definition_service(&own->d);
    d.state = state_of(own, &d.output);
    size_t key_size = hearsay_service_key(r->service->name, own->d.id, key), size = hearsay_service_value(&d, value);
    if (!own->is_dirty && size == own->value_size && memcmp(value, own->value, size) == 0) {
        return;
    }
    hearsay_err err = put(r, (struct hearsay_bytes){key, key_size}, (struct hearsay_bytes){value, size}, &own->ticket);
    own->is_dirty = err != HEARSAY_OK;
    if (err != HEARSAY_OK) {
        own->ticket = 0;
        if (err != HEARSAY_ERR_LEFT) {
            log_put(LOG_WARN, "agent: service '%s' cannot be published yet: %s", own->d.id, hearsay_err_text(err));
            r->want(r->context, REGISTRY_RETRY_MS);
        }
        return;
    }
    free(own->value);
    own->value = must(malloc(size));
    memcpy(own->value, value, size);
    own->value_size = size;
    r->service->flush(r->service->context);
}

void registry_withdraw(struct registry *r, const char *id)
{
    uint8_t key[HEARSAY_KEY_MAX];
    size_t size = hearsay_service_key(r->service->name, id, key);
    hearsay_err err = registry_delete(r, (struct hearsay_bytes){key, size});
    if (err == HEARSAY_OK) {
        r->service->flush(r->service->context);
    } else if (err != HEARSAY_ERR_LEFT) {
        r->has_listed = false; /* what should not be there is found again */
        r->want(r->context, REGISTRY_RETRY_MS);
    }
}

static void on_check(void *user, struct check *check)
{
    struct own *own = user;
    log_put(LOG_INFO, "agent: service '%s': check '%s' is %s", own->d.id, check->definition->name,
            hearsay_service_state_text(check->state));
    registry_publish(own->registry, own);
}

/* ---- services come and go ----------------------------------------------------------------------------------------------------------- */

void registry_free(struct own *own)
{
    for (size_t i = 0; own->checks != NULL && i < own->d.check_count; i++) {
        check_stop(own->checks[i]);
    }
    free(own->checks);
    lists_free_words(&own->variables);
    definition_free(&own->d);
    free(own->json);
    free(own->maintenance);
    free(own->value);
    free(own);
}

/* NULL with a complaint. */
struct own *registry_parse(struct registry *r, const char *json, struct complaint *complaint)
{
    json_error_t problem;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &problem);
    struct own *own = must(calloc(1, sizeof *own));
    own->registry = r;
    if (object == NULL) {
        snprintf(complaint->text, sizeof complaint->text, "line %d: %s", problem.line, problem.text);
    }
    bool is_fine = object != NULL && definition_read(&own->d, object, complaint);
    if (!is_fine) {
        json_decref(object);
        registry_free(own);
        return NULL;
    }
    char *text = must(json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS));
    own->json = must(strdup(text));
    free(text);
    json_decref(object);
    return own;
}

static void add_variable(struct own *own, const char *name, const char *value)
{
    struct text line = {0};
    text_printf(&line, "%s=%s", name, value);
    lists_add_word(&own->variables, line.data);
    text_deinit(&line);
}

void registry_begin(struct registry *r, struct own *own)
{
    add_variable(own, "HEARSAY_SERVICE", own->d.name);
    add_variable(own, "HEARSAY_SERVICE_ID", own->d.id);
    add_variable(own, "HEARSAY_NODE", r->service->name);
    own->checks = must(calloc(own->d.check_count + 1, sizeof *own->checks));
    for (size_t i = 0; i < own->d.check_count; i++) {
        own->checks[i] = check_start(&r->checks, &own->d.checks[i], &own->variables, on_check, own);
    }
    own->is_dirty = true;
    own->next = r->first;
    r->first = own;
    r->count++;
    registry_publish(r, own);
}

static void unlink_own(struct registry *r, struct own *own)
{
    struct own **at = &r->first;
    while (*at != own) {
        at = &(*at)->next;
    }
    *at = own->next;
    r->count--;
}

/* Takes the place of its predecessor, whose maintenance it keeps. */
static void replace(struct registry *r, struct own *old, struct own *fresh)
{
    fresh->maintenance = old->maintenance;
    old->maintenance = NULL;
    unlink_own(r, old);
    registry_free(old);
    registry_begin(r, fresh);
}

static const char *saved(const struct registry *r)
{
    char error[400];
    return registry_save(r, error, sizeof error) ? "" : say("it is done, but will not survive a restart: %s", error);
}

/* ---- the configuration ----------------------------------------------------------------------------------------------------------------
 */

/* All of it is looked at before anything changes. */
static bool parse_all(struct registry *r, const struct words *configured, struct own **list, char *error, size_t size)
{
    for (size_t i = 0; i < configured->count; i++) {
        struct complaint complaint;
        struct own *own = registry_parse(r, configured->at[i], &complaint);
        if (own == NULL) {
            snprintf(error, size, "%s", complaint.text);
            return false;
        }
        own->is_configured = true;
        own->next = *list;
        *list = own;
        for (const struct own *other = own->next; other != NULL; other = other->next) {
            if (strcmp(other->d.id, own->d.id) == 0) {
                snprintf(error, size, "two services have the id '%s': give one of them an 'id' of its own", own->d.id);
                return false;
            }
        }
    }
    return true;
}

static void take_all(struct registry *r, struct own *list)
{
    for (struct own *own = r->first; own != NULL; own = own->next) {
        own->is_seen = !own->is_configured;
    }
    for (struct own *fresh = list, *next; fresh != NULL; fresh = next) {
        next = fresh->next;
        struct own *old = registry_find(r, fresh->d.id);
        fresh->is_seen = true;
        if (old != NULL && old->is_configured && strcmp(old->json, fresh->json) == 0) {
            old->is_seen = true;
            registry_free(fresh);
        } else if (old != NULL) {
            replace(r, old, fresh);
        } else {
            registry_begin(r, fresh);
        }
    }
    for (struct own *own = r->first, *next; own != NULL; own = next) {
        next = own->next;
        if (!own->is_seen) {
            registry_withdraw(r, own->d.id);
            unlink_own(r, own);
            registry_free(own);
        }
    }
}

bool registry_is_on(const struct registry *r)
{
    struct hearsay_store_stats stats;
    hearsay_get_store_stats(r->service->node, &stats);
    return stats.is_on;
}

bool registry_configure(struct registry *r, const struct words *configured, char *error, size_t size)
{
    struct own *list = NULL;
    bool is_fine = configured->count <= REGISTRY_MOST && (configured->count == 0 || registry_is_on(r));
    if (!is_fine) {
        snprintf(error, size,
                 configured->count > 0 && !registry_is_on(r) ? "services are kept in the shared store: start the agent with --store"
                                                             : "there are more than 4096 services");
    }
    is_fine = is_fine && parse_all(r, configured, &list, error, size);
    if (is_fine) {
        take_all(r, list);
        return true;
    }
    for (struct own *own = list, *next; own != NULL; own = next) {
        next = own->next;
        registry_free(own);
    }
    return false;
}

bool registry_open(struct registry *r, uv_loop_t *loop, struct service *service, const char *data_dir, const struct words *configured,
                   char *error, size_t size)
{
    r->service = service;
    checks_init(&r->checks, loop);
    if (!registry_is_on(r) && configured->count == 0) {
        return true;
    }
    if (data_dir != NULL) {
        struct text path = {0};
        text_printf(&path, "%s/services.json", data_dir);
        r->path = path.data;
    }
    bool is_open = registry_configure(r, configured, error, size) && registry_restore(r, error, size);
    if (is_open) {
        r->want(r->context, 0);
    }
    return is_open;
}

void registry_close(struct registry *r)
{
    while (r->first != NULL) {
        struct own *own = r->first;
        r->first = own->next;
        registry_free(own);
    }
    lists_free_words(&r->buried);
    free(r->path);
    r->path = NULL;
}

/* ---- wishes ----------------------------------------------------------------------------------------------------------------------------
 */

static const char *unknown(const char *id)
{
    return say("this agent has no service with the id '%.127s'", id);
}

static bool has_script(const struct own *own)
{
    for (size_t i = 0; i < own->d.check_count; i++) {
        if (own->d.checks[i].kind == CHECK_SCRIPT) {
            return true;
        }
    }
    return false;
}

static const char *cannot_take(const struct registry *r, const struct own *own, const struct own *old)
{
    if (has_script(own)) { /* as handlers: nobody runs programs here from afar */
        return "script checks come from the configuration only, never from a request: use tcp, http or ttl, or put it into the "
               "configuration";
    }
    if (old != NULL && old->is_configured) {
        return say("the service '%s' is defined in the configuration: change it there", own->d.id);
    }
    return old == NULL && r->count >= REGISTRY_MOST ? "this agent has 4096 services already" : NULL;
}

const char *registry_register(struct registry *r, struct hearsay_bytes json)
{
    struct complaint complaint;
    if (!registry_is_on(r)) {
        return "services are kept in the shared store, which is off: start the agent with --store";
    }
    char *text = must(strndup((const char *)json.data, json.size));
    struct own *own = registry_parse(r, text, &complaint);
    free(text);
    if (own == NULL) {
        return say("%s", complaint.text);
    }
    struct own *old = registry_find(r, own->d.id);
    const char *refusal = cannot_take(r, own, old);
    if (refusal != NULL) {
        registry_free(own);
        return refusal;
    }
    if (old != NULL && strcmp(old->json, own->json) == 0) { /* the same again */
        registry_free(own);
        return "";
    }
    if (old != NULL) {
        replace(r, old, own);
    } else {
        registry_begin(r, own);
    }
    return saved(r);
}

const char *registry_deregister(struct registry *r, const char *id)
{
    struct own *own = registry_find(r, id);
    if (own == NULL) {
        return unknown(id);
    }
    if (own->is_configured) {
        return say("the service '%s' is defined in the configuration: take it out there", id);
    }
    registry_withdraw(r, id);
    unlink_own(r, own);
    registry_free(own);
    return saved(r);
}

const char *registry_maintain(struct registry *r, const char *id, const char *reason)
{
    struct own *own = registry_find(r, id);
    if (own == NULL) {
        return unknown(id);
    }
    if (reason != NULL && strlen(reason) > REASON_BYTES_MAX) {
        return "the reason has more than 255 bytes";
    }
    free(own->maintenance);
    own->maintenance = reason == NULL ? NULL : must(strdup(reason));
    registry_publish(r, own);
    return saved(r);
}

const char *registry_report(struct registry *r, const char *id, const char *check, enum hearsay_service_state state,
                            struct hearsay_bytes output)
{
    struct own *own = registry_find(r, id);
    struct check *found = NULL;
    uint32_t count = 0;
    if (own == NULL) {
        return unknown(id);
    }
    for (size_t i = 0; i < own->d.check_count; i++) {
        bool is_it = own->d.checks[i].kind == CHECK_TTL && (check[0] == '\0' || strcmp(own->d.checks[i].name, check) == 0);
        found = is_it ? own->checks[i] : found;
        count += is_it;
    }
    if (count != 1) {
        return count == 0 ? say("the service '%s' has no such heartbeat: only a check with a ttl can be reported", id)
                          : say("the service '%s' has several heartbeats: name the check", id);
    }
    check_report(found, state, output);
    return "";
}

/* ---- looking ---------------------------------------------------------------------------------------------------------------------------
 */

static void put_check(const struct registry *r, const struct check *check, struct text *out)
{
    const struct check_definition *d = check->definition;
    text_puts(out, "{\"name\":");
    text_json_c(out, d->name);
    text_printf(out, ",\"kind\":\"%s\",\"state\":\"%s\",\"since_s\":%.1f,\"output\":", definition_kind_word(d->kind),
                hearsay_service_state_text(check->state), (double)(uv_now(r->checks.loop) - check->since_ms) / 1000);
    text_json(out, (struct hearsay_bytes){(const uint8_t *)check->output, check->output_size});
    text_puts(out, "}");
}

void registry_json(const struct registry *r, struct text *out)
{
    struct hearsay_bytes output;
    text_puts(out, "{\"services\":[");
    for (const struct own *own = r->first; own != NULL; own = own->next) {
        text_puts(out, own == r->first ? "{\"id\":" : ",{\"id\":");
        text_json_c(out, own->d.id);
        text_puts(out, ",\"name\":");
        text_json_c(out, own->d.name);
        text_printf(out, ",\"state\":\"%s\",\"from\":\"%s\"", hearsay_service_state_text(state_of(own, &output)),
                    own->is_configured ? "configuration" : "request");
        if (own->maintenance != NULL) {
            text_puts(out, ",\"maintenance\":");
            text_json_c(out, own->maintenance);
        }
        text_puts(out, ",\"checks\":[");
        for (size_t i = 0; i < own->d.check_count; i++) {
            text_puts(out, i == 0 ? "" : ",");
            put_check(r, own->checks[i], out);
        }
        text_puts(out, "]}");
    }
    text_puts(out, "]}");
}
