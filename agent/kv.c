/* SPDX-License-Identifier: MIT
 *
 * See kv.h: the requests that end at once or when the node says so. Watching is in kv_watch.c.
 */
#include "agent/kv.h"

#include "agent/fields.h"
#include "agent/kv_write.h"
#include "base/check.h"

#include <hearsay/hearsay_uv.h>
#include <hearsay/services.h>

#define PAGE_BYTES ((size_t)256 << 10)
#define PAGE_ENTRIES 1000u
#define TIMEOUT_MS 86400000u /* whoever waits longer waits for ever */

/* ---- puts: answered when the node reports; the client may be gone by then ---- */

struct kv_wish {
    struct kv_wish *next;    /* oldest first, which is nearly the order of the answers */
    struct session *session; /* NULL = it is gone */
    uint64_t seq;
    uint64_t deadline_us; /* when the client wants to hear that it takes too long; UINT64_MAX = never */
    uint32_t ticket;
};

/* timeout_ms 0 = the client waits as long as it takes. */
static void expect(struct session *session, uint64_t seq, uint32_t ticket, uint64_t timeout_ms)
{
    struct service *service = session->service;
    struct kv_wish *wish = must(malloc(sizeof *wish));
    *wish = (struct kv_wish){.session = session, .seq = seq, .ticket = ticket, .deadline_us = UINT64_MAX};
    if (timeout_ms > 0 && timeout_ms < TIMEOUT_MS) {
        wish->deadline_us = service->now_us(service->context) + timeout_ms * 1000;
        service->want_expiry(service->context, timeout_ms);
    }
    if (service->wishes == NULL) {
        service->wishes = wish;
    } else {
        service->last_wish->next = wish;
    }
    service->last_wish = wish;
    session->wishes++;
    if (session->wishes >= KV_PUTS) {
        session->is_busy = true;
        session->is_crowded = true;
    }
}

static struct kv_wish *take_wish(struct service *service, uint32_t ticket)
{
    struct kv_wish *before = NULL, *wish = service->wishes;
    while (wish != NULL && wish->ticket != ticket) {
        before = wish;
        wish = wish->next;
    }
    if (wish != NULL) {
        *(before == NULL ? &service->wishes : &before->next) = wish->next;
        service->last_wish = service->last_wish == wish ? before : service->last_wish;
    }
    return wish;
}

static void put_empty(struct session *session)
{
    text_put(&session->output, "\x80", 1); /* a map without fields */
}

/* The answer is appended: what waited for it may go on. */
static void settle(struct session *session)
{
    session->wishes--;
    if (session->is_crowded && session->wishes < KV_PUTS) {
        session->is_crowded = false;
        session_ready(session);
    } else {
        session_wake(session);
    }
}

static void answer(const struct kv_wish *wish, const struct hearsay_event *event)
{
    struct session *session = wish->session;
    if (!event->is_ok) {
        session_reply(session, wish->seq, event->text == NULL ? "it failed" : event->text);
    } else {
        session_reply(session, wish->seq, "");
        (event->type == HEARSAY_REPAIR_DONE ? kv_write_repaired : kv_write_done)(&session->output, event);
    }
    settle(session);
}

void kv_event(struct service *service, const struct hearsay_event *event)
{
    struct kv_wish *wish = take_wish(service, event->ticket);
    if (wish != NULL && wish->session != NULL) {
        answer(wish, event);
    }
    free(wish);
}

void kv_expire(struct service *service)
{
    uint64_t now = service->now_us(service->context), next = UINT64_MAX;
    for (struct kv_wish *wish = service->wishes; wish != NULL; wish = wish->next) {
        struct session *session = wish->session;
        if (session != NULL && wish->deadline_us <= now) {
            wish->session = NULL; /* the node's report, when it comes, is for nobody */
            session_reply(session, wish->seq, "not confirmed in time; what was written stays, and spreads on");
            settle(session);
        } else if (session != NULL) {
            next = wish->deadline_us < next ? wish->deadline_us : next;
        }
    }
    if (next != UINT64_MAX) {
        service->want_expiry(service->context, (next - now) / 1000 + 1);
    }
}

void kv_forget(struct session *session)
{
    for (struct kv_wish *wish = session->service->wishes; wish != NULL; wish = wish->next) {
        if (wish->session == session) {
            wish->session = NULL;
        }
    }
    kv_unwatch_all(session);
}

void kv_forget_all(struct service *service)
{
    while (service->wishes != NULL) {
        struct kv_wish *gone = service->wishes;
        service->wishes = gone->next;
        free(gone);
    }
    service->last_wish = NULL;
}

struct write {
    struct hearsay_bytes key, value;
    uint64_t ttl_ms, copies, timeout_ms;
};

static bool read_write(struct hearsay_bytes body, struct write *write)
{
    *write = (struct write){.copies = 1};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Key")) {
            write->key = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Value")) {
            write->value = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "TTL")) {
            write->ttl_ms = msgpack_get_uint(&f.r, UINT64_MAX);
        } else if (msgpack_is(f.key, "Copies")) {
            write->copies = msgpack_get_uint(&f.r, UINT32_MAX);
        } else if (msgpack_is(f.key, "Timeout")) {
            write->timeout_ms = msgpack_get_uint(&f.r, UINT64_MAX);
        } else {
            msgpack_skip(&f.r);
        }
    }
    return !f.r.is_bad;
}

static const char *store_error(const struct service *service, hearsay_err err)
{
    struct hearsay_store_stats stats;
    hearsay_get_store_stats(service->node, &stats);
    return !stats.is_on                   ? "the store of this agent is off: start it with --store"
           : err == HEARSAY_OK            ? ""
           : err == HEARSAY_ERR_TOO_LARGE ? "the value is larger than this agent's store_value_max"
                                          : hearsay_err_text(err);
}

bool kv_is_reserved(struct hearsay_bytes key)
{
    struct hearsay_bytes prefix = bytes_of_string(HEARSAY_SERVICE_PREFIX);
    return key.size >= prefix.size && memcmp(key.data, prefix.data, prefix.size) == 0;
}

static bool write_one(struct session *session, uint64_t seq, struct hearsay_bytes body, bool is_delete)
{
    struct service *s = session->service;
    struct write w;
    uint32_t ticket = 0, copies;
    hearsay_err err;
    if (!read_write(body, &w)) {
        return false;
    }
    if (kv_is_reserved(w.key)) {
        session_reply(session, seq, "keys that begin with _service/ are written by services: use hearsay service register and deregister");
        return true;
    }
    copies = (uint32_t)w.copies;
    if (is_delete) {
        err = s->uv != NULL ? hearsay_uv_delete(s->uv, w.key, copies, &ticket)
                            : hearsay_delete(s->node, s->now_us(s->context), w.key, copies, &ticket);
    } else {
        err = s->uv != NULL ? hearsay_uv_put(s->uv, w.key, w.value, w.ttl_ms, copies, &ticket)
                            : hearsay_put(s->node, s->now_us(s->context), w.key, w.value, w.ttl_ms, copies, &ticket);
    }
    if (err != HEARSAY_OK) {
        session_reply(session, seq, store_error(s, err));
        return true;
    }
    expect(session, seq, ticket, w.timeout_ms);
    s->flush(s->context); /* only now, so that an answer finds who waits for it */
    return true;
}

bool kv_put(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    return write_one(session, seq, body, false);
}

bool kv_delete(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    return write_one(session, seq, body, true);
}

/* ---- looking ---- */

static bool is_off(struct session *session, uint64_t seq)
{
    const char *error = store_error(session->service, HEARSAY_OK);
    if (error[0] != '\0') {
        session_reply(session, seq, error);
    }
    return error[0] != '\0';
}

bool kv_get(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct write w;
    struct hearsay_entry entry;
    if (!read_write(body, &w)) {
        return false;
    }
    if (is_off(session, seq)) {
        return true;
    }
    session_reply(session, seq, "");
    if (hearsay_get(session->service->node, w.key, &entry)) {
        kv_write_entry(&session->output, &entry, session->service->unix_ms(session->service->context), true);
    } else {
        put_empty(session);
    }
    return true;
}

struct page {
    struct hearsay_bytes prefix, after;
    bool has_values;
};

static bool read_page(struct hearsay_bytes body, struct page *page)
{
    *page = (struct page){.has_values = false};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Prefix")) {
            page->prefix = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "After")) {
            page->after = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Values")) {
            page->has_values = msgpack_get_bool(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    return !f.r.is_bad;
}

bool kv_list(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct service *service = session->service;
    struct page page;
    struct hearsay_entry entry;
    struct text entries = {0};
    uint8_t room[64];
    uint32_t count = 0;
    if (!read_page(body, &page)) {
        return false;
    }
    if (is_off(session, seq)) {
        return true;
    }
    uint64_t unix_ms = service->unix_ms(service->context);
    bool is_more;
    while ((is_more = hearsay_next_entry(service->node, page.prefix, &page.after, &entry)) && count < PAGE_ENTRIES &&
           entries.size < PAGE_BYTES) {
        kv_write_entry(&entries, &entry, unix_ms, page.has_values);
        count++;
    }
    session_reply(session, seq, "");
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "More");
    msgpack_put_bool(&w, is_more);
    msgpack_put_text(&w, "Entries");
    msgpack_put_array(&w, count);
    CHECK(!w.is_full);
    text_put(&session->output, room, w.size);
    text_put(&session->output, entries.data, entries.size);
    text_deinit(&entries);
    return true;
}

bool kv_status(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    (void)body;
    if (!is_off(session, seq)) {
        session_reply(session, seq, "");
        kv_write_status(&session->output, session->service);
    }
    return true;
}

/* ---- repair, tune --------------------------------------------------------------------------------------------------------------- */

bool kv_repair(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct service *s = session->service;
    struct hearsay_bytes member = {NULL, 0};
    uint64_t timeout_ms = 0;
    uint32_t ticket = 0;
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Member")) {
            member = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Timeout")) {
            timeout_ms = msgpack_get_uint(&f.r, UINT64_MAX);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    char *name = member.size == 0 ? NULL : fields_string(member);
    hearsay_err err =
        s->uv != NULL ? hearsay_uv_repair(s->uv, name, &ticket) : hearsay_repair(s->node, s->now_us(s->context), name, &ticket);
    free(name);
    if (err == HEARSAY_ERR_UNKNOWN_MEMBER) {
        session_reply(session, seq,
                      member.size == 0 ? "nobody else holds the store now" : "this member does not hold the store, or is not there");
    } else if (err != HEARSAY_OK) {
        session_reply(session, seq, store_error(s, err));
    } else {
        expect(session, seq, ticket, timeout_ms);
        s->flush(s->context);
    }
    return true;
}

static bool read_tuning(struct hearsay_bytes body, struct service_store *store)
{
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        uint32_t *number = msgpack_is(f.key, "Mode")       ? &store->mode
                           : msgpack_is(f.key, "Fanout")   ? &store->fanout
                           : msgpack_is(f.key, "Interval") ? &store->interval_ms
                                                           : NULL;
        if (number != NULL) {
            *number = (uint32_t)msgpack_get_uint(&f.r, UINT32_MAX);
        } else {
            msgpack_skip(&f.r);
        }
    }
    return !f.r.is_bad;
}

bool kv_tune(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct service *s = session->service;
    struct service_store store = s->store; /* what is not given stays */
    if (!read_tuning(body, &store)) {
        return false;
    }
    enum hearsay_store_mode mode = (enum hearsay_store_mode)store.mode;
    hearsay_err err = s->uv != NULL ? hearsay_uv_store_tune(s->uv, mode, store.fanout, store.interval_ms)
                                    : hearsay_store_tune(s->node, s->now_us(s->context), mode, store.fanout, store.interval_ms);
    if (err == HEARSAY_OK) {
        s->store = store;
    }
    session_reply(session, seq, err == HEARSAY_OK ? "" : store_error(s, err));
    if (err == HEARSAY_OK) {
        put_empty(session);
    }
    return true;
}

/* ---- large events ----------------------------------------------------------------------------------------------------------------- */

bool kv_event_large(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct service *s = session->service;
    struct hearsay_bytes name = {NULL, 0}, payload = {NULL, 0};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Name")) {
            name = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Payload")) {
            payload = msgpack_get_raw(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    char *text = fields_string(name);
    hearsay_err err = s->uv != NULL ? hearsay_uv_send_large_event(s->uv, text, payload.data, payload.size)
                                    : hearsay_send_large_event(s->node, s->now_us(s->context), text, payload.data, payload.size);
    free(text);
    session_reply(session, seq,
                  err == HEARSAY_ERR_TOO_LARGE ? "the event has more than 1 MiB"
                  : err == HEARSAY_OK          ? ""
                                               : store_error(s, err));
    s->flush(s->context);
    return true;
}
