/* SPDX-License-Identifier: MIT
 *
 * See question.h.
 */
#include "cli/question.h"

#include "wire/msgpack.h"

#include <string.h>

#define ROOM 65536
#define DEFAULT_WAIT_MS 120000 /* no default timeout of an agent is as long */

static bool put_filters(struct writer *w, const struct question *q)
{
    static const struct flag_list none;
    const struct flag_list *nodes = q->nodes == NULL ? &none : q->nodes, *tags = q->tags == NULL ? &none : q->tags;
    msgpack_put_text(w, "FilterNodes");
    msgpack_put_array(w, (uint32_t)nodes->count);
    for (size_t i = 0; i < nodes->count; i++) {
        msgpack_put_str(w, bytes_of_string(nodes->at[i]));
    }
    msgpack_put_text(w, "FilterTags");
    msgpack_put_map(w, (uint32_t)tags->count);
    for (size_t i = 0; i < tags->count; i++) {
        const char *equals = strchr(tags->at[i], '=');
        if (equals == NULL) {
            return command_misused("--tag %s: give it as key=regexp", tags->at[i]);
        }
        msgpack_put_str(w, bytes_of(tags->at[i], (size_t)(equals - tags->at[i])));
        msgpack_put_str(w, bytes_of_string(equals + 1));
    }
    return true;
}

bool question_send(struct client *client, const struct question *q)
{
    static uint8_t room[ROOM];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 7);
    if (!put_filters(&w, q)) {
        return false;
    }
    msgpack_put_text(&w, "Name");
    msgpack_put_str(&w, bytes_of_string(q->name));
    msgpack_put_text(&w, "Payload");
    msgpack_put_bin(&w, q->payload);
    msgpack_put_text(&w, "RelayFactor");
    msgpack_put_uint(&w, q->relays);
    msgpack_put_text(&w, "RequestAck");
    msgpack_put_bool(&w, q->wants_acks);
    msgpack_put_text(&w, "Timeout");
    msgpack_put_int(&w, q->timeout_ms * 1000000);
    if (w.is_full) {
        command_fail("the query is too long; queries are limited to 1024 bytes by default");
        return false;
    }
    client->closed_hint = "; is one of the regular expressions wrong?";
    return client_ask(client, "query", writer_bytes(&w));
}

/* One record of the answers. Type is "ack", "response" or "done". */
static bool read_record(struct hearsay_bytes object, struct hearsay_bytes *type, struct hearsay_bytes *from, struct hearsay_bytes *payload)
{
    struct reader r = reader_of(object);
    *type = *from = *payload = bytes_of(NULL, 0);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        struct hearsay_bytes *place = msgpack_is(key, "Type") ? type : msgpack_is(key, "From") ? from : msgpack_is(key, "Payload") ? payload : NULL;
        if (place == NULL) {
            msgpack_skip(&r);
        } else {
            *place = msgpack_get_raw(&r);
        }
    }
    return !r.is_bad;
}

bool question_wait(struct client *client, const struct question *q)
{
    char error[1024];
    uint64_t seq;
    client->wait_ms = q->timeout_ms > 0 && q->timeout_ms < INT32_MAX - 10000 ? (int)q->timeout_ms + 10000 : DEFAULT_WAIT_MS;
    while (client_header(client, &seq, error, sizeof error, false)) {
        struct hearsay_bytes object, type, from, payload;
        if (error[0] != 0) {
            command_fail("%s", error);
            return false;
        }
        if (!client_next(client, &object, false)) {
            return false;
        }
        if (!read_record(object, &type, &from, &payload)) {
            command_fail("the agent's answer makes no sense");
            return false;
        }
        if (msgpack_is(type, "done")) {
            return true;
        }
        if (from.size == 0) { /* Serf's agents may send empty ones at the end */
            continue;
        }
        if (msgpack_is(type, "ack")) {
            q->on_ack(q->context, from);
        } else if (msgpack_is(type, "response") && q->on_answer != NULL) {
            q->on_answer(q->context, from, payload);
        }
    }
    return false;
}
