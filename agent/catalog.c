/* SPDX-License-Identifier: MIT
 *
 * See catalog.h. A watcher is told the whole answer anew, when its connection takes it: of several changes in between it sees the last
 * state only, so a slow one costs nothing.
 */
#include "agent/catalog.h"

#include "agent/fields.h"
#include "agent/registry.h"

#include <hearsay/hearsay_uv.h>

#define WATCHES 32 /* of one session */

struct catalog_watch {
    struct catalog_watch *next;
    uint64_t seq, told; /* the index */
    struct text name, tag;
    bool is_healthy_only, is_fresh;
};

/* ---- wishes ---------------------------------------------------------------------------------------------------------------------- */

struct wish {
    struct hearsay_bytes definition, id, reason, check, output;
    uint64_t state;
    bool is_off;
};

static bool read_wish(struct hearsay_bytes body, struct wish *wish)
{
    *wish = (struct wish){.is_off = false};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        struct hearsay_bytes *bytes = msgpack_is(f.key, "Definition") ? &wish->definition
                                      : msgpack_is(f.key, "ID")       ? &wish->id
                                      : msgpack_is(f.key, "Reason")   ? &wish->reason
                                      : msgpack_is(f.key, "Check")    ? &wish->check
                                      : msgpack_is(f.key, "Output")   ? &wish->output
                                                                      : NULL;
        if (bytes != NULL) {
            *bytes = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "State")) {
            wish->state = msgpack_get_uint(&f.r, HEARSAY_SERVICE_CRITICAL);
        } else if (msgpack_is(f.key, "Off")) {
            wish->is_off = msgpack_get_bool(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    return !f.r.is_bad;
}

/* Of those who are only part of an agent. */
static bool has_none(struct session *session, uint64_t seq)
{
    bool is_none = session->service->registry == NULL;
    if (is_none) {
        session_reply(session, seq, "services are not kept here");
    }
    return is_none;
}

/* Answers with an empty map, or the sentence that says why not. */
static bool answer(struct session *session, uint64_t seq, const char *error)
{
    session_reply(session, seq, error);
    if (error[0] == '\0') {
        text_put(&session->output, "\x80", 1);
    }
    return true;
}

bool catalog_register(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct wish wish;
    if (!read_wish(body, &wish)) {
        return false;
    }
    return has_none(session, seq) || answer(session, seq, registry_register(session->service->registry, wish.definition));
}

bool catalog_deregister(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct wish wish;
    if (!read_wish(body, &wish)) {
        return false;
    }
    if (has_none(session, seq)) {
        return true;
    }
    char *id = fields_string(wish.id);
    (void)answer(session, seq, registry_deregister(session->service->registry, id));
    free(id);
    return true;
}

bool catalog_maint(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct wish wish;
    if (!read_wish(body, &wish)) {
        return false;
    }
    if (has_none(session, seq)) {
        return true;
    }
    char *id = fields_string(wish.id), *reason = fields_string(wish.reason);
    (void)answer(session, seq, registry_maintain(session->service->registry, id, wish.is_off ? NULL : reason));
    free(id);
    free(reason);
    return true;
}

bool catalog_report(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct wish wish;
    if (!read_wish(body, &wish)) {
        return false;
    }
    if (has_none(session, seq)) {
        return true;
    }
    char *id = fields_string(wish.id), *check = fields_string(wish.check);
    (void)answer(session, seq, registry_report(session->service->registry, id, check, (enum hearsay_service_state)wish.state, wish.output));
    free(id);
    free(check);
    return true;
}

/* ---- looking ----------------------------------------------------------------------------------------------------------------------- */

static bool read_query(struct hearsay_bytes body, struct catalog_query *query)
{
    *query = (struct catalog_query){.is_healthy_only = false};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Name")) {
            query->name = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Tag")) {
            query->tag = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Healthy")) {
            query->is_healthy_only = msgpack_get_bool(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    return !f.r.is_bad;
}

static void put_services(struct session *session, const struct text *json)
{
    uint8_t head[32];
    struct writer w = writer_of(head, sizeof head);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Services");
    writer_u8(&w, 0xdb); /* str 32: the text goes around the small room */
    writer_u32(&w, (uint32_t)json->size);
    text_put(&session->output, w.data, w.size);
    text_put(&session->output, json->data, json->size);
}

static void show(struct session *session, uint64_t seq, const struct catalog_query *query)
{
    struct text json = {0};
    catalog_json(session->service, query, &json);
    session_reply(session, seq, "");
    put_services(session, &json);
    text_deinit(&json);
}

static const char *store_off(const struct service *service)
{
    struct hearsay_store_stats stats;
    hearsay_get_store_stats(service->node, &stats);
    return stats.is_on && service->catalog != NULL ? "" : "the store of this agent is off, and services are kept there: start it with --store";
}

bool catalog_list(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct catalog_query query;
    const char *error = store_off(session->service);
    if (!read_query(body, &query)) {
        return false;
    }
    if (error[0] != '\0') {
        session_reply(session, seq, error);
    } else {
        show(session, seq, &query);
    }
    return true;
}

bool catalog_checks(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct text json = {0};
    (void)body;
    if (has_none(session, seq)) {
        return true;
    }
    registry_json(session->service->registry, &json);
    session_reply(session, seq, "");
    put_services(session, &json);
    text_deinit(&json);
    return true;
}

/* ---- watching ------------------------------------------------------------------------------------------------------------------------ */

static bool has_watch(const struct session *session, uint64_t seq, uint32_t *count)
{
    *count = 0;
    for (const struct catalog_watch *w = session->catalog_watches; w != NULL; w = w->next) {
        ++*count;
        if (w->seq == seq) {
            return true;
        }
    }
    return false;
}

bool catalog_watch(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct catalog_query query;
    uint32_t count;
    if (!read_query(body, &query)) {
        return false;
    }
    const char *error = store_off(session->service);
    error = error[0] != '\0'                  ? error
            : has_watch(session, seq, &count) ? "Stream with given sequence exists"
            : count >= WATCHES                ? "Too many streams on this connection"
                                              : "";
    session_reply(session, seq, error);
    if (error[0] == '\0') {
        struct catalog_watch *watch = must(calloc(1, sizeof *watch));
        watch->seq = seq;
        watch->is_fresh = true;
        watch->is_healthy_only = query.is_healthy_only;
        text_put(&watch->name, query.name.data, query.name.size);
        text_put(&watch->tag, query.tag.data, query.tag.size);
        watch->next = session->catalog_watches;
        session->catalog_watches = watch;
        session->service->want_watchers(session->service->context);
    }
    return true;
}

static void tell(struct service *service, struct session *session, struct catalog_watch *watch)
{
    struct catalog_query query = {.name = {(const uint8_t *)watch->name.data, watch->name.size},
                                  .tag = {(const uint8_t *)watch->tag.data, watch->tag.size},
                                  .is_healthy_only = watch->is_healthy_only};
    uint64_t index = catalog_index(service, query.name);
    if (watch->is_fresh || index != watch->told) {
        watch->is_fresh = false;
        watch->told = index;
        show(session, watch->seq, &query);
    }
}

void catalog_tell_watchers(struct service *service)
{
    for (struct session *s = service->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (s->catalog_watches == NULL || s->is_paused || s->is_closing) {
            continue;
        }
        for (struct catalog_watch *watch = s->catalog_watches; watch != NULL; watch = watch->next) {
            tell(service, s, watch);
        }
        session_wake(s); /* which may find that nobody is there any more */
    }
}

bool catalog_is_watched(const struct service *service)
{
    for (const struct session *s = service->sessions; s != NULL; s = s->next) {
        if (s->catalog_watches != NULL) {
            return true;
        }
    }
    return false;
}

void catalog_event(struct service *service, const struct hearsay_event *event)
{
    if (service->catalog == NULL) { /* the agent is just being put together */
        return;
    }
    hearsay_services_on_event(service->catalog, event);
    if (event->type <= HEARSAY_MEMBER_REAP && catalog_is_watched(service)) {
        service->want_watchers(service->context);
    }
}

void catalog_unwatch(struct session *session, uint64_t seq)
{
    struct catalog_watch **at = &session->catalog_watches;
    while (*at != NULL && (*at)->seq != seq) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct catalog_watch *gone = *at;
        *at = gone->next;
        text_deinit(&gone->name);
        text_deinit(&gone->tag);
        free(gone);
    }
}

void catalog_forget(struct session *session)
{
    while (session->catalog_watches != NULL) {
        catalog_unwatch(session, session->catalog_watches->seq);
    }
}
