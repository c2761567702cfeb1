/* SPDX-License-Identifier: MIT
 *
 * See requests.h. Texts of errors are Serf's where Serf has them, because clients compare them.
 */
#include "agent/requests.h"

#include "agent/asking.h"
#include "agent/catalog.h"
#include "agent/fields.h"
#include "agent/keys.h"
#include "agent/kv.h"
#include "agent/records.h"
#include "agent/secret.h"

#include <hearsay/hearsay_uv.h>

#define JOIN_PEERS 1024

static bool handshake(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    int64_t version = 0;
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Version")) {
            version = msgpack_get_int(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    bool is_new = version == 1 && !session->is_shaken;
    session_reply(session, seq, version != 1 ? "Unsupported IPC version" : is_new ? "" : "Handshake already performed");
    session->is_shaken |= is_new;
    return true;
}

static bool authenticate(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct hearsay_bytes token = {NULL, 0};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "AuthKey")) {
            token = msgpack_get_raw(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    const char *secret = session->service->rpc_auth;
    bool is_right = secret == NULL || secret_equal(secret, token);
    session->is_trusted |= is_right;
    session_reply(session, seq, is_right ? "" : "Invalid authentication token");
    return true;
}

static const char *event_error(hearsay_err err, uint32_t limit, char room[120])
{
    if (err == HEARSAY_ERR_TOO_LARGE) {
        snprintf(room, 120, "user event exceeds configured limit of %u bytes before encoding", limit);
        return room;
    }
    return err == HEARSAY_OK ? "" : hearsay_err_text(err);
}

static bool event(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct hearsay_bytes name = {NULL, 0}, payload = {NULL, 0};
    bool is_coalescing = false;
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Name")) {
            name = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Payload")) {
            payload = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Coalesce")) {
            is_coalescing = msgpack_get_bool(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    struct service *service = session->service;
    char *text = fields_string(name), room[120];
    log_put(LOG_DEBUG, "agent: requesting user event send: %s. Coalesced: %s", text, is_coalescing ? "true" : "false");
    hearsay_err err = service->uv != NULL ? hearsay_uv_send_event(service->uv, text, payload.data, payload.size, is_coalescing)
                                          : hearsay_send_event(service->node, service->now_us(service->context), text, payload.data,
                                                               payload.size, is_coalescing);
    const char *error = event_error(err, service->event_bytes_max, room);
    if (err != HEARSAY_OK) {
        log_put(LOG_WARN, "agent: failed to send user event: %s", error);
    }
    free(text);
    session_reply(session, seq, error);
    service->flush(service->context);
    return true;
}

static bool force_leave(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct hearsay_bytes name = {NULL, 0};
    bool is_pruning = false;
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Node")) {
            name = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "Prune")) {
            is_pruning = msgpack_get_bool(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    struct service *service = session->service;
    char *text = fields_string(name);
    log_put(LOG_INFO, "agent: Force leaving node: %s%s", text, is_pruning ? " (prune)" : "");
    hearsay_err err = service->uv != NULL ? hearsay_uv_force_leave(service->uv, text, is_pruning)
                                          : hearsay_force_leave(service->node, service->now_us(service->context), text, is_pruning);
    if (err == HEARSAY_ERR_UNKNOWN_MEMBER) {
        log_put(LOG_WARN, "agent: force leave: no member is called %s; told the others all the same", text);
        err = HEARSAY_OK;
    }
    free(text);
    session_reply(session, seq, err == HEARSAY_OK ? "" : hearsay_err_text(err));
    service->flush(service->context);
    return true;
}

/* ---- join: answered when the driver is through with all addresses; the client may be gone by then ---- */

struct pending_join {
    struct session *session; /* NULL = it is gone */
    uint64_t seq;
};

static void put_num(struct session *session, size_t contacted)
{
    uint8_t room[16];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Num");
    msgpack_put_uint(&w, contacted);
    text_put(&session->output, room, w.size);
}

static void on_joined(void *user, size_t contacted, const char *error)
{
    struct pending_join *pending = user;
    struct session *session = pending->session;
    bool is_failure = contacted == 0;
    if (is_failure) {
        log_put(LOG_WARN, "agent: error joining: %s", error == NULL ? "nobody answered" : error);
    }
    log_put(LOG_INFO, "agent: joined: %zu nodes", contacted);
    if (session != NULL) {
        session->pending_join = NULL;
        session_reply(session, pending->seq, is_failure ? error == NULL ? "nobody answered" : error : "");
        put_num(session, contacted);
        session_ready(session);
    }
    free(pending);
}


static bool join(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct words peers = {0};
    bool is_replaying = false;
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Existing")) {
            for (uint32_t n = msgpack_get_array(&f.r); n > 0 && !f.r.is_bad && peers.count < JOIN_PEERS; n--) {
                char *peer = fields_string(msgpack_get_raw(&f.r));
                lists_add_word(&peers, peer);
                free(peer);
            }
            f.r.is_bad |= peers.count == JOIN_PEERS;
        } else if (msgpack_is(f.key, "Replay")) {
            is_replaying = msgpack_get_bool(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (!f.r.is_bad) {
        struct service *service = session->service;
        struct pending_join *pending = must(malloc(sizeof *pending));
        *pending = (struct pending_join){session, seq};
        session->pending_join = pending;
        session->is_busy = true;
        log_put(LOG_INFO, "agent: joining: %zu addresses, the first is %s, replay: %s", peers.count,
                peers.count == 0 ? "missing" : peers.at[0], is_replaying ? "true" : "false");
        service->join(service->context, (const char *const *)peers.at, peers.count, is_replaying, on_joined, pending);
    }
    lists_free_words(&peers);
    return !f.r.is_bad;
}

void requests_forget(struct session *session)
{
    if (session->pending_join != NULL) {
        ((struct pending_join *)session->pending_join)->session = NULL;
        session->pending_join = NULL;
    }
    asking_forget(session);
    kv_forget(session);
    catalog_forget(session);
    keys_forget(session);
}

static bool leave(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    (void)body;
    session->is_busy = true;
    session->is_leaving = true;
    session->busy_seq = seq;
    session->service->leave(session->service->context);
    return true;
}

/* ---- tags ---- */

static void current_tags(const struct service *service, struct taglist *tags)
{
    struct hearsay_member self;
    struct hearsay_bytes key, value;
    size_t first = 0, position = 0;
    if (hearsay_next_member(service->node, &first, &self)) {
        while (hearsay_next_tag(&self, &position, &key, &value)) {
            lists_set_tag_bytes(tags, key, value);
        }
    }
}

static const char *change_tags(struct service *service, const struct taglist *tags, char *room, size_t size)
{
    hearsay_err err = service->uv != NULL ? hearsay_uv_set_tags(service->uv, tags->at, tags->count)
                                          : hearsay_set_tags(service->node, service->now_us(service->context), tags->at, tags->count);
    if (err == HEARSAY_ERR_TOO_LARGE) {
        return "Encoded length of tags exceeds limit of 512 bytes";
    }
    if (err != HEARSAY_OK) {
        return hearsay_err_text(err);
    }
    service->flush(service->context);
    return service->save_tags(service->context, tags, room, size) ? "" : room;
}

static bool tags(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct taglist now = {0}, added = {0};
    char room[300];
    current_tags(session->service, &now);
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "DeleteTags")) {
            for (uint32_t n = msgpack_get_array(&f.r); n > 0 && !f.r.is_bad; n--) {
                lists_delete_tag(&now, msgpack_get_raw(&f.r));
            }
        } else if (msgpack_is(f.key, "Tags")) {
            for (uint32_t n = msgpack_get_map(&f.r); n > 0 && !f.r.is_bad && added.count < 512; n--) {
                struct hearsay_bytes key = msgpack_get_raw(&f.r);
                lists_set_tag_bytes(&added, key, msgpack_get_raw(&f.r));
            }
            f.r.is_bad |= added.count == 512;
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (!f.r.is_bad) {
        lists_copy_tags(&now, &added);
        session_reply(session, seq, change_tags(session->service, &now, room, sizeof room));
    }
    lists_free_tags(&now);
    lists_free_tags(&added);
    return !f.r.is_bad;
}

static const struct request_kind kinds[] = {
    {"handshake", true, handshake},
    {"auth", true, authenticate},
    {"event", true, event},
    {"force-leave", true, force_leave},
    {"join", true, join},
    {"leave", false, leave},
    {"tags", true, tags},
    {"members", false, views_members},
    {"members-filtered", true, views_members_filtered},
    {"stats", false, views_stats},
    {"stream", true, records_stream},
    {"monitor", true, records_monitor},
    {"stop", true, records_stop},
    {"query", true, asking_query},
    {"respond", true, asking_respond},
    {"get-coordinate", true, views_coordinate},
    {"install-key", true, keys_install},
    {"use-key", true, keys_use},
    {"remove-key", true, keys_remove},
    {"list-keys", false, keys_list},
    {"top", false, overview_answer},
    {"why", true, views_why},
    {"health", false, views_health},
    {"event-large", true, kv_event_large},
    {"kv-put", true, kv_put},
    {"kv-delete", true, kv_delete},
    {"kv-get", true, kv_get},
    {"kv-list", true, kv_list},
    {"kv-watch", true, kv_watch},
    {"kv-status", false, kv_status},
    {"kv-repair", true, kv_repair},
    {"kv-tune", true, kv_tune},
    {"service-register", true, catalog_register},
    {"service-deregister", true, catalog_deregister},
    {"service-maint", true, catalog_maint},
    {"service-report", true, catalog_report},
    {"service-list", true, catalog_list},
    {"service-watch", true, catalog_watch},
    {"service-checks", false, catalog_checks},
};

const struct request_kind *requests_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}
