/* SPDX-License-Identifier: MIT
 *
 * See asking.h. Texts of errors are Serf's.
 */
#include "agent/asking.h"

#include "agent/fields.h"
#include "wire/msgpack.h"

#include <hearsay/hearsay_uv.h>

#define OFFERS_MAX 1024 /* queries that one connection may still answer */
#define FILTERS_MAX 256

/* A query of a client that is under way. */
struct asked {
    struct asked *next;
    struct session *session; /* NULL = it is gone */
    uint64_t seq;
    uint32_t ticket;
    bool is_held;            /* it is not answered yet: records wait */
    struct text held;
};

/* A query that was shown to a client. */
struct offer {
    struct offer *next;
    uint64_t number, query, until_us;
};

/* ---- asked --------------------------------------------------------------------------------------------------------------------- */

static void put_record(struct asked *asked, const char *type, const char *from, struct hearsay_bytes payload)
{
    size_t size = payload.size + HEARSAY_NAME_MAX + 128;
    uint8_t *room = must(malloc(size));
    struct writer w = writer_of(room, size);
    msgpack_put_map(&w, 3);
    msgpack_put_text(&w, "From");
    msgpack_put_str(&w, bytes_of_string(from));
    msgpack_put_text(&w, "Payload");
    msgpack_put_bin(&w, payload.size == 0 ? (struct hearsay_bytes){NULL, 0} : payload);
    msgpack_put_text(&w, "Type");
    msgpack_put_text(&w, type);
    if (asked->is_held) {
        session_put_reply(&asked->held, asked->seq, "");
        text_put(&asked->held, room, w.size);
    } else if (asked->session != NULL && !asked->session->is_closing) {
        session_reply(asked->session, asked->seq, "");
        text_put(&asked->session->output, room, w.size);
        session_wake(asked->session);
    }
    free(room);
}

static void free_asked(struct asked *asked)
{
    text_deinit(&asked->held);
    free(asked);
}

void asking_event(struct service *service, const struct hearsay_event *event)
{
    struct asked **at = &service->asked;
    while (*at != NULL && (*at)->ticket != event->ticket) {
        at = &(*at)->next;
    }
    struct asked *asked = *at;
    if (asked == NULL) {
        return;
    }
    if (event->type != HEARSAY_QUERY_DONE) {
        put_record(asked, event->type == HEARSAY_QUERY_ACK ? "ack" : "response", event->from, event->payload);
        return;
    }
    *at = asked->next;
    put_record(asked, "done", "", (struct hearsay_bytes){NULL, 0});
    free_asked(asked);
}

/* What a client asks, read from its request. */
struct wish {
    struct hearsay_question question;
    struct words nodes;
    struct taglist tags;
    char *name;
};

static void read_filters(struct wish *wish, struct fields *f)
{
    if (msgpack_is(f->key, "FilterNodes")) {
        for (uint32_t n = msgpack_get_array(&f->r); n > 0 && !f->r.is_bad && wish->nodes.count < FILTERS_MAX; n--) {
            char *node = fields_string(msgpack_get_raw(&f->r));
            lists_add_word(&wish->nodes, node);
            free(node);
        }
        f->r.is_bad |= wish->nodes.count == FILTERS_MAX;
        return;
    }
    for (uint32_t n = msgpack_get_map(&f->r); n > 0 && !f->r.is_bad && wish->tags.count < FILTERS_MAX; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&f->r);
        lists_set_tag_bytes(&wish->tags, key, msgpack_get_raw(&f->r));
    }
    f->r.is_bad |= wish->tags.count == FILTERS_MAX;
}

static bool read_wish(struct wish *wish, struct hearsay_bytes body)
{
    struct hearsay_question *q = &wish->question;
    struct hearsay_bytes name = {NULL, 0};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Name")) {
            name = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Payload")) {
            q->payload = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "FilterNodes") || msgpack_is(f.key, "FilterTags")) {
            read_filters(wish, &f);
        } else if (msgpack_is(f.key, "RequestAck")) {
            q->wants_acks = msgpack_get_bool(&f.r);
        } else if (msgpack_is(f.key, "RelayFactor")) {
            q->relay_factor = (uint8_t)msgpack_get_uint(&f.r, UINT8_MAX);
        } else if (msgpack_is(f.key, "Timeout")) {
            int64_t ns = msgpack_get_int(&f.r);
            q->timeout_us = ns <= 0 ? 0 : ((uint64_t)ns + 999) / 1000;
        } else {
            msgpack_skip(&f.r);
        }
    }
    wish->name = fields_string(name);
    q->name = wish->name;
    q->nodes = (const char *const *)wish->nodes.at;
    q->node_count = wish->nodes.count;
    q->tags = wish->tags.at;
    q->tag_count = wish->tags.count;
    return !f.r.is_bad;
}

static const char *query_error(hearsay_err err, uint32_t limit, char room[100])
{
    if (err == HEARSAY_ERR_RESERVED) {
        return "Queries cannot contain the '_serf_' prefix";
    }
    if (err == HEARSAY_ERR_TOO_LARGE) {
        snprintf(room, 100, "query exceeds limit of %u bytes", limit);
        return room;
    }
    return err == HEARSAY_OK ? "" : hearsay_err_text(err);
}

static void drop_asked(struct service *service, struct asked *asked)
{
    struct asked **at = &service->asked;
    while (*at != asked) {
        at = &(*at)->next;
    }
    *at = asked->next;
    free_asked(asked);
}

static void ask(struct session *session, uint64_t seq, const struct hearsay_question *question)
{
    struct service *service = session->service;
    struct asked *asked = must(calloc(1, sizeof *asked));
    char room[100];
    *asked = (struct asked){.next = service->asked, .session = session, .seq = seq, .is_held = true};
    service->asked = asked;
    log_put(LOG_DEBUG, "agent: Requesting query send: %s", question->name);
    hearsay_err err = service->uv != NULL
                          ? hearsay_uv_query(service->uv, question, &asked->ticket)
                          : hearsay_query(service->node, service->now_us(service->context), question, &asked->ticket);
    const char *error = query_error(err, service->query_bytes_max, room);
    session_reply(session, seq, error);
    if (err != HEARSAY_OK) {
        log_put(LOG_WARN, "agent: failed to start user query: %s", error);
        drop_asked(service, asked);
        return;
    }
    text_put(&session->output, asked->held.data, asked->held.size);
    text_deinit(&asked->held);
    asked->held = (struct text){0};
    asked->is_held = false;
    service->flush(service->context);
}

bool asking_query(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct wish wish = {.name = NULL};
    bool is_read = read_wish(&wish, body);
    if (is_read) {
        ask(session, seq, &wish.question);
    }
    lists_free_words(&wish.nodes);
    lists_free_tags(&wish.tags);
    free(wish.name);
    return is_read;
}

bool asking_is_under_way(const struct session *session)
{
    for (const struct asked *asked = session->service->asked; asked != NULL; asked = asked->next) {
        if (asked->session == session) {
            return true;
        }
    }
    return false;
}

/* ---- answered ------------------------------------------------------------------------------------------------------------------- */

/* Drops what is over; when there are too many, the oldest too. */
static void forget_old(struct session *session, uint64_t now)
{
    uint32_t kept = 0;
    for (struct offer **at = &session->offers; *at != NULL;) {
        struct offer *offer = *at;
        if (offer->until_us <= now || kept == OFFERS_MAX - 1) {
            *at = offer->next;
            free(offer);
        } else {
            at = &offer->next;
            kept++;
        }
    }
}

uint64_t asking_offer(struct session *session, const struct hearsay_event *event)
{
    struct service *service = session->service;
    forget_old(session, service->now_us(service->context));
    struct offer *offer = must(malloc(sizeof *offer));
    *offer = (struct offer){session->offers, ++session->last_offer, event->query, event->until_us};
    session->offers = offer;
    return offer->number;
}

static const char *respond(struct session *session, uint64_t number, struct hearsay_bytes payload, char room[100])
{
    struct service *service = session->service;
    forget_old(session, service->now_us(service->context));
    const struct offer *offer = session->offers;
    while (offer != NULL && offer->number != number) {
        offer = offer->next;
    }
    hearsay_err err = HEARSAY_ERR_UNKNOWN_QUERY;
    if (offer != NULL) {
        err = service->uv != NULL ? hearsay_uv_respond(service->uv, offer->query, payload.data, payload.size)
                                  : hearsay_respond(service->node, service->now_us(service->context), offer->query, payload.data, payload.size);
    }
    switch (err) {
    case HEARSAY_OK: return "";
    case HEARSAY_ERR_UNKNOWN_QUERY: return "No pending queries matching ID";
    case HEARSAY_ERR_ANSWERED: return "failed to respond to key query: response already sent";
    case HEARSAY_ERR_TOO_LARGE:
        snprintf(room, 100, "failed to respond to key query: response exceeds limit of %u bytes", service->response_bytes_max);
        return room;
    default: return hearsay_err_text(err);
    }
}

bool asking_respond(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    uint64_t number = 0;
    struct hearsay_bytes payload = {NULL, 0};
    char room[100];
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "ID")) {
            number = msgpack_get_uint(&f.r, UINT64_MAX);
        } else if (msgpack_is(f.key, "Payload")) {
            payload = msgpack_get_raw(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    session_reply(session, seq, respond(session, number, payload, room));
    session->service->flush(session->service->context);
    return true;
}

void asking_forget(struct session *session)
{
    for (struct asked *asked = session->service->asked; asked != NULL; asked = asked->next) {
        asked->session = asked->session == session ? NULL : asked->session;
    }
    while (session->offers != NULL) {
        struct offer *gone = session->offers;
        session->offers = gone->next;
        free(gone);
    }
}

void asking_deinit(struct service *service)
{
    while (service->asked != NULL) {
        drop_asked(service, service->asked);
    }
}
