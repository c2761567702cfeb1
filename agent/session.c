/* SPDX-License-Identifier: MIT
 *
 * See session.h.
 */
#include "agent/session.h"

#include "agent/requests.h"
#include "agent/secret.h"
#include "agent/records.h"
#include "wire/msgpack.h"

void session_init(struct session *session, struct service *service)
{
    *session = (struct session){.service = service, .next = service->sessions};
    session->is_trusted = service->rpc_auth == NULL;
    service->sessions = session;
}

void session_deinit(struct session *session)
{
    struct session **at = &session->service->sessions;
    while (*at != NULL && *at != session) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = session->next;
    }
    requests_forget(session);
    records_forget(session);
    text_deinit(&session->input);
    text_deinit(&session->output);
}

void session_put_reply(struct text *out, uint64_t seq, const char *error)
{
    uint8_t room[1024];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Error");
    size_t size = strlen(error);
    msgpack_put_str(&w, (struct hearsay_bytes){(const uint8_t *)error, size < 900 ? size : 900});
    msgpack_put_text(&w, "Seq");
    msgpack_put_uint(&w, seq);
    text_put(out, room, w.size);
}

void session_reply(struct session *session, uint64_t seq, const char *error)
{
    session_put_reply(&session->output, seq, error);
}

static size_t request_limit(const struct session *session)
{
    return session->is_shaken && session->is_trusted ? SESSION_REQUEST_BYTES : SESSION_STRANGER_BYTES;
}

/* What a header lacks it has from the one before, as in Serf: so a body that is taken for a header repeats the request. */
static bool read_header(struct session *session, struct hearsay_bytes bytes)
{
    struct reader r = reader_of(bytes);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Command")) {
            struct hearsay_bytes command = msgpack_get_raw(&r);
            size_t size = command.size < sizeof session->command ? command.size : sizeof session->command - 1;
            bytes_copy(session->command, command.data, size);
            session->command[size] = '\0';
        } else if (msgpack_is(key, "Seq")) {
            session->seq = msgpack_get_uint(&r, UINT64_MAX);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad;
}

/* What stands between the client and a command, which is NULL when it is not known. */
static const char *objection(struct session *session, const struct request_kind *kind)
{
    bool is_handshake = strcmp(session->command, "handshake") == 0, is_auth = strcmp(session->command, "auth") == 0;
    if (!session->is_shaken && !is_handshake) {
        session->is_closing = true;
        return "Handshake required";
    }
    if (!session->is_trusted && !is_handshake && !is_auth) {
        return "Authentication required"; /* and the body that may follow is read as another header, as Serf does */
    }
    session->is_closing = kind == NULL;
    return kind == NULL ? "Unsupported command" : NULL;
}

static void consume(struct session *session, size_t size)
{
    session->input.size -= size;
    memmove(session->input.data, session->input.data + size, session->input.size);
    session->scan = (struct scan){0};
    session->header_size = 0;
}

/* The next object of the input, complete from *from on. */
static bool has_object(struct session *session)
{
    enum scan_result result = scan_object(&session->scan, (const uint8_t *)session->input.data, session->input.size,
                                          request_limit(session));
    if (result == SCAN_BAD || (result == SCAN_MORE && session->input.size > request_limit(session))) {
        session->is_closing = true;
    }
    return result == SCAN_DONE;
}

/* Handles one request; false when it is not complete. */
static bool handle_one(struct session *session)
{
    if (session->header_size == 0) {
        if (session->input.size == 0 || !has_object(session)) {
            return false;
        }
        session->header_size = session->scan.at;
    }
    const uint8_t *data = (const uint8_t *)session->input.data;
    if (!read_header(session, (struct hearsay_bytes){data, session->header_size})) {
        session->is_closing = true;
        return false;
    }
    const struct request_kind *kind = requests_find(session->command);
    const char *no = objection(session, kind);
    if (no != NULL) {
        session_reply(session, session->seq, no);
        consume(session, session->header_size);
        return true;
    }
    if (kind->has_body && !has_object(session)) {
        return false;
    }
    size_t end = session->scan.at;
    session->service->commands++;
    struct hearsay_bytes body = {data + session->header_size, end - session->header_size};
    if (!kind->run(session, session->seq, body)) {
        session->is_closing = true;
    }
    consume(session, end);
    return true;
}

void session_resume(struct session *session)
{
    if (session->is_running) {
        return; /* the loop below goes on by itself */
    }
    session->is_running = true;
    while (!session->is_closing && !session->is_busy && !session->is_paused && handle_one(session)) {
    }
    session->is_running = false;
    if (session->input.size == 0 || session->is_closing) {
        text_shrink(&session->input);
    }
}

void session_feed(struct session *session, const void *data, size_t size)
{
    if (session->is_closing) {
        return;
    }
    text_put(&session->input, data, size);
    session_resume(session);
}

void session_ready(struct session *session)
{
    session->is_busy = false;
    session_resume(session);
    session_wake(session);
}

void session_wake(struct session *session)
{
    if (!session->is_running && session->wake != NULL) {
        session->wake(session);
    }
}
