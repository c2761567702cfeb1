/* SPDX-License-Identifier: MIT
 *
 * See definition.h. Unknown keys are refused, with the one that was probably meant: a check that is silently left out is found in the worst
 * of moments.
 */
#include "agent/definition.h"

#include "agent/check_net.h"
#include "agent/config.h"

#include <hearsay/hearsay_uv.h>

#define INTERVAL_MS 10000
#define TIMEOUT_MS 10000
#define SPAN_MIN_MS 100
#define SPAN_MAX_MS (24 * 3600 * 1000)
#define COMMAND_BYTES_MAX 4096

const char *definition_kind_word(enum check_kind kind)
{
    static const char *const words[] = {"script", "tcp", "http", "ttl"};
    return words[kind];
}

static bool __attribute__((format(printf, 3, 4))) complain(struct complaint *c, const char *key, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(c->text, sizeof c->text, format, list);
    va_end(list);
    snprintf(c->key, sizeof c->key, "%s", key);
    return false;
}

static bool unknown_key(struct complaint *c, const char *key, const char *const *known)
{
    const char *nearest = NULL;
    uint32_t best = UINT32_MAX;
    for (; *known != NULL; known++) {
        if (text_is_nearer(key, *known, &best)) {
            nearest = *known;
        }
    }
    return nearest == NULL ? complain(c, key, "unknown key '%s' of a service", key)
                           : complain(c, key, "unknown key '%s' of a service; did you mean '%s'?", key, nearest);
}

static bool is_known(const char *key, const char *const *known)
{
    while (*known != NULL && strcmp(*known, key) != 0) {
        known++;
    }
    return *known != NULL;
}

static bool all_known(const json_t *object, const char *const *known, struct complaint *c)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!is_known(key, known)) {
            return unknown_key(c, key, known);
        }
    }
    return true;
}

/* Absent: *out stays. */
static bool read_text(const json_t *object, const char *key, char **out, struct complaint *c)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return true;
    }
    if (!json_is_string(value)) {
        return complain(c, key, "'%s' must be a string", key);
    }
    free(*out);
    *out = must(strdup(json_string_value(value)));
    return true;
}

static bool read_count(const json_t *object, const char *key, uint64_t least, uint64_t most, uint64_t *out, struct complaint *c)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return true;
    }
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number < least || (uint64_t)number > most) {
        return complain(c, key, "'%s' must be a whole number from %llu to %llu", key, (unsigned long long)least, (unsigned long long)most);
    }
    *out = (uint64_t)number;
    return true;
}

static bool read_span(const json_t *object, const char *key, uint64_t *out, struct complaint *c)
{
    const json_t *value = json_object_get(object, key);
    int64_t ms;
    if (value == NULL) {
        return true;
    }
    if (!json_is_string(value) || !config_parse_span(json_string_value(value), &ms) || ms < SPAN_MIN_MS || ms > SPAN_MAX_MS) {
        return complain(c, key, "'%s' must be a time span from 100ms to 24h, such as \"10s\"", key);
    }
    *out = (uint64_t)ms;
    return true;
}

static bool read_state(const json_t *object, const char *key, enum hearsay_service_state *out, struct complaint *c)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return true;
    }
    const char *word = json_is_string(value) ? json_string_value(value) : "";
    for (int i = HEARSAY_SERVICE_PASSING; i <= HEARSAY_SERVICE_CRITICAL; i++) {
        if (strcmp(word, hearsay_service_state_text((enum hearsay_service_state)i)) == 0) {
            *out = (enum hearsay_service_state)i;
            return true;
        }
    }
    return complain(c, key, "'%s' must be passing, warning or critical", key);
}

/* ---- checks ------------------------------------------------------------------------------------------------------------------- */

static const char *const check_keys[] = {
    "name", "script", "tcp", "http", "ttl", "interval", "timeout", "success_threshold", "failure_threshold", "initial", NULL};

/* What is checked: exactly one of the four. */
static bool read_kind(struct check_definition *check, const json_t *object, struct complaint *c)
{
    int found = 0;
    for (int kind = CHECK_SCRIPT; kind <= CHECK_TTL; kind++) {
        if (json_object_get(object, definition_kind_word((enum check_kind)kind)) != NULL) {
            check->kind = (enum check_kind)kind;
            found++;
        }
    }
    const char *word = definition_kind_word(check->kind);
    if (found != 1) {
        return complain(c, "checks", "a check must have exactly one of script, tcp, http and ttl");
    }
    if (check->kind == CHECK_TTL) {
        return read_span(object, word, &check->interval_ms, c);
    }
    if (!read_text(object, word, &check->target, c)) {
        return false;
    }
    if (check->kind == CHECK_SCRIPT) {
        size_t size = strlen(check->target);
        return size > 0 && size <= COMMAND_BYTES_MAX ? true : complain(c, word, "'script' must have 1 to %d bytes", COMMAND_BYTES_MAX);
    }
    char what[200];
    return check_net_target(check->kind, check->target, NULL, what, sizeof what) ? true : complain(c, word, "%s", what);
}

static bool read_check(struct check_definition *check, const json_t *object, struct complaint *c)
{
    uint64_t successes = 1, failures = 1;
    *check = (struct check_definition){.interval_ms = INTERVAL_MS, .timeout_ms = TIMEOUT_MS, .initial = HEARSAY_SERVICE_CRITICAL};
    if (!json_is_object(object)) {
        return complain(c, "checks", "'checks' must be an array of objects");
    }
    if (!all_known(object, check_keys, c) || !read_kind(check, object, c)) {
        return false;
    }
    if (check->kind == CHECK_TTL && (json_object_get(object, "interval") != NULL || json_object_get(object, "timeout") != NULL)) {
        return complain(c, "ttl", "a heartbeat (ttl) has neither interval nor timeout: ttl says how long one lasts");
    }
    bool is_read = read_text(object, "name", &check->name, c) && read_span(object, "interval", &check->interval_ms, c) &&
                   read_span(object, "timeout", &check->timeout_ms, c) && read_count(object, "success_threshold", 1, 1000, &successes, c) &&
                   read_count(object, "failure_threshold", 1, 1000, &failures, c) && read_state(object, "initial", &check->initial, c);
    check->successes = (uint32_t)successes;
    check->failures = (uint32_t)failures;
    return is_read;
}

static bool is_check_name(const struct definition *d, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(d->checks[i].name, name) == 0) {
            return false;
        }
    }
    return name[0] != '\0' && strlen(name) <= 63;
}

/* Without a name it is called by its kind, and a number when there are more of them. */
static bool name_check(const struct definition *d, size_t at, struct complaint *c)
{
    struct check_definition *check = &d->checks[at];
    for (unsigned number = 1; check->name == NULL; number++) {
        char name[80];
        snprintf(name, sizeof name, number == 1 ? "%s" : "%s-%u", definition_kind_word(check->kind), number);
        check->name = is_check_name(d, at, name) ? must(strdup(name)) : NULL;
    }
    return is_check_name(d, at, check->name) ? true : complain(c, "checks", "each check needs a name of its own, of 1 to 63 bytes");
}

static bool read_checks(struct definition *d, const json_t *object, struct complaint *c)
{
    const json_t *list = json_object_get(object, "checks");
    if (list == NULL) {
        return true;
    }
    if (!json_is_array(list) || json_array_size(list) > DEFINITION_CHECKS_MAX) {
        return complain(c, "checks", "'checks' must be an array of at most %d objects", DEFINITION_CHECKS_MAX);
    }
    d->checks = must(calloc(json_array_size(list) + 1, sizeof *d->checks));
    for (size_t i = 0; i < json_array_size(list); i++) {
        d->check_count++;
        if (!read_check(&d->checks[i], json_array_get(list, i), c) || !name_check(d, i, c)) {
            return false;
        }
    }
    return true;
}

/* ---- the service ---------------------------------------------------------------------------------------------------------------- */

static const char *const service_keys[] = {"name", "id", "address", "port", "tags", "meta", "checks", NULL};

static bool read_lists(struct definition *d, const json_t *object, struct complaint *c)
{
    const json_t *tags = json_object_get(object, "tags"), *meta = json_object_get(object, "meta");
    const char *key;
    json_t *value;
    size_t i;
    if ((tags != NULL && !json_is_array(tags)) || (meta != NULL && !json_is_object(meta))) {
        return complain(c, tags != NULL && !json_is_array(tags) ? "tags" : "meta",
                        "'tags' must be an array of strings, 'meta' an object of strings");
    }
    json_array_foreach((json_t *)tags, i, value)
    {
        if (!json_is_string(value)) {
            return complain(c, "tags", "'tags' must be an array of strings");
        }
        lists_add_word(&d->tags, json_string_value(value));
    }
    json_object_foreach((json_t *)meta, key, value)
    {
        if (!json_is_string(value)) {
            return complain(c, key, "'%s' in 'meta' must be a string", key);
        }
        lists_set_tag(&d->meta, key, json_string_value(value));
    }
    return true;
}

static bool read_address(struct definition *d, const json_t *object, struct complaint *c)
{
    char *text = NULL;
    uint64_t port = 0;
    bool is_read = read_text(object, "address", &text, c) && read_count(object, "port", 0, 65535, &port, c);
    if (is_read && text != NULL && text[0] != '\0' && (!hearsay_address_parse(text, 0, &d->address) || d->address.port != 0)) {
        is_read =
            complain(c, "address", "'address' must be a numeric address without a port, such as 10.0.0.5; without one it is the node's");
    }
    d->address.port = (uint16_t)port;
    free(text);
    return is_read;
}

bool definition_read(struct definition *d, const json_t *object, struct complaint *c)
{
    *d = (struct definition){.name = NULL};
    *c = (struct complaint){.key = ""};
    if (!json_is_object(object)) {
        return complain(c, "services", "a service must be a JSON object");
    }
    if (!all_known(object, service_keys, c) || !read_text(object, "name", &d->name, c) || !read_text(object, "id", &d->id, c)) {
        return false;
    }
    if (d->name == NULL) {
        return complain(c, "services", "a service needs a 'name'");
    }
    d->id = d->id == NULL ? must(strdup(d->name)) : d->id;
    if (!read_address(d, object, c) || !read_lists(d, object, c) || !read_checks(d, object, c)) {
        return false;
    }
    struct hearsay_service_definition service = definition_service(d);
    uint8_t room[HEARSAY_SERVICE_VALUE_MAX];
    const char *problem = hearsay_service_problem(&service);
    if (problem != NULL) {
        return complain(c, "name", "service '%s': %s", d->name, problem);
    }
    memset(room, ' ', 512);
    service.output = (struct hearsay_bytes){room, 512}; /* there must be room for the longest */
    uint8_t value[HEARSAY_SERVICE_VALUE_MAX];
    return hearsay_service_value(&service, value) > 0 ? true : complain(c, "name", "service '%s': tags and meta are too long", d->name);
}

void definition_free(struct definition *d)
{
    for (size_t i = 0; i < d->check_count; i++) {
        free(d->checks[i].name);
        free(d->checks[i].target);
    }
    free(d->checks);
    free(d->name);
    free(d->id);
    lists_free_words(&d->tags);
    lists_free_tags(&d->meta);
    *d = (struct definition){.name = NULL};
}

struct hearsay_service_definition definition_service(const struct definition *d)
{
    return (struct hearsay_service_definition){.name = d->name,
                                               .id = d->id,
                                               .address = d->address,
                                               .tags = (const char *const *)d->tags.at,
                                               .tag_count = d->tags.count,
                                               .meta = d->meta.at,
                                               .meta_count = d->meta.count};
}
