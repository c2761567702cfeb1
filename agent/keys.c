/* SPDX-License-Identifier: MIT
 *
 * See keys.h. Bodies and texts of errors are Serf's (keymanager.go, agent/ipc.go).
 */
#include "agent/keys.h"

#include "agent/fields.h"
#include "agent/secret.h"

#include <hearsay/hearsay_uv.h>

#define KEYS_KNOWN 64 /* different keys counted; a keyring has at most 16 */

struct key_count {
    struct hearsay_key key;
    uint32_t count;
};

/* One request that waits for the cluster. */
struct key_round {
    struct key_round *next;
    struct session *session; /* NULL = it is gone */
    uint64_t seq;
    uint32_t ticket;
    bool is_list, is_started;
    bool is_over; /* before it was started: we are alone */
    struct text messages; /* encoded pairs */
    uint32_t message_count, answers, errors, members, key_count;
    struct key_count keys[KEYS_KNOWN];
};

static void put_str(struct text *out, const char *string)
{
    size_t size = strlen(string);
    uint8_t *room = must(malloc(size + 8));
    struct writer w = writer_of(room, size + 8);
    msgpack_put_str(&w, bytes_of(string, size));
    text_put(out, room, w.size);
    free(room);
}

static void put_map(struct text *out, uint32_t count)
{
    uint8_t head[8];
    struct writer w = writer_of(head, sizeof head);
    msgpack_put_map(&w, count);
    text_put(out, head, w.size);
}

static void put_number(struct text *out, const char *key, uint64_t number)
{
    uint8_t room[32];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_text(&w, key);
    msgpack_put_uint(&w, number);
    text_put(out, room, w.size);
}

static void put_counts(struct text *out, const struct key_round *round)
{
    put_str(out, "Keys");
    if (!round->is_list) {
        text_put(out, "\xc0", 1);
        return;
    }
    put_map(out, round->key_count);
    for (uint32_t i = 0; i < round->key_count; i++) {
        struct text base64 = {0};
        uint8_t room[16];
        struct writer w = writer_of(room, sizeof room);
        text_base64(&base64, bytes_of(round->keys[i].key.bytes, round->keys[i].key.size));
        put_str(out, base64.data);
        msgpack_put_uint(&w, round->keys[i].count);
        text_put(out, room, w.size);
        explicit_bzero(base64.data, base64.size);
        text_deinit(&base64);
    }
}

/* The answer of a round that is over, or was never begun. */
static void reply(struct session *session, uint64_t seq, const char *error, const struct key_round *round)
{
    struct text *out = &session->output;
    session_reply(session, seq, error);
    put_map(out, 5);
    put_counts(out, round);
    put_str(out, "Messages");
    put_map(out, round->message_count);
    text_put(out, round->messages.data, round->messages.size);
    put_number(out, "NumErr", round->errors);
    put_number(out, "NumNodes", round->members);
    put_number(out, "NumResp", round->answers);
}

static void drop(struct service *service, struct key_round *round)
{
    struct key_round **at = &service->key_rounds;
    while (*at != round) {
        at = &(*at)->next;
    }
    *at = round->next;
    text_deinit(&round->messages);
    explicit_bzero(round, sizeof *round);
    free(round);
}

/* ---- what members say ------------------------------------------------------------------------------------------------------------ */

static void count_key(struct key_round *round, const struct hearsay_key *key)
{
    uint32_t i = 0;
    while (i < round->key_count && (round->keys[i].key.size != key->size || memcmp(round->keys[i].key.bytes, key->bytes, key->size) != 0)) {
        i++;
    }
    if (i == round->key_count && i < KEYS_KNOWN) {
        round->keys[round->key_count++] = (struct key_count){.key = *key};
    }
    if (i < round->key_count) {
        round->keys[i].count++;
    }
}

static void on_result(struct key_round *round, const struct hearsay_event *event)
{
    struct hearsay_key key;
    bool is_primary;
    round->answers++;
    round->errors += !event->is_ok;
    if (event->text != NULL || !event->is_ok) {
        put_str(&round->messages, event->from);
        put_str(&round->messages, event->text == NULL ? "" : event->text);
        round->message_count++;
    }
    for (size_t position = 0; round->is_list && hearsay_next_key(event, &position, &key, &is_primary);) {
        count_key(round, &key);
    }
}

static void finish(struct service *service, struct key_round *round)
{
    char error[100] = "";
    struct session *session = round->session;
    if (round->errors > 0) {
        snprintf(error, sizeof error, "%u/%u nodes reported failure", round->errors, round->members);
    } else if (round->answers != round->members) {
        snprintf(error, sizeof error, "%u/%u nodes reported success", round->answers, round->members);
    }
    if (session != NULL) {
        reply(session, round->seq, error, round);
    }
    drop(service, round);
    if (session != NULL) {
        session_ready(session);
    }
}

void keys_event(struct service *service, const struct hearsay_event *event)
{
    struct key_round *round = service->key_rounds;
    while (round != NULL && round->ticket != event->ticket) {
        round = round->next;
    }
    if (round == NULL) {
        return;
    }
    if (event->type == HEARSAY_KEY_RESULT) {
        on_result(round, event);
        return;
    }
    round->members = event->members;
    if (round->is_started) {
        finish(service, round);
    } else {
        round->is_over = true;
    }
}

/* ---- commands ---------------------------------------------------------------------------------------------------------------------- */

static const char *key_error(hearsay_err err)
{
    return err == HEARSAY_OK ? "" : err == HEARSAY_ERR_KEY ? "key size must be 16, 24 or 32 bytes" : hearsay_err_text(err);
}

static void ask(struct session *session, uint64_t seq, enum hearsay_key_wish wish, const struct hearsay_key *key)
{
    struct service *service = session->service;
    struct key_round *round = must(calloc(1, sizeof *round));
    round->session = session;
    round->seq = seq;
    round->is_list = wish == HEARSAY_KEYS_LIST;
    round->next = service->key_rounds;
    service->key_rounds = round;
    session->is_busy = true;
    hearsay_err err = service->uv != NULL
                          ? hearsay_uv_query_keys(service->uv, wish, key, 0, &round->ticket)
                          : hearsay_query_keys(service->node, service->now_us(service->context), wish, key, 0, &round->ticket);
    round->is_started = true;
    if (err != HEARSAY_OK) {
        reply(session, seq, key_error(err), round);
        drop(service, round);
        session->is_busy = false;
        return;
    }
    if (round->is_over) {
        finish(service, round);
        return;
    }
    service->flush(service->context);
}

static bool run(struct session *session, uint64_t seq, struct hearsay_bytes body, enum hearsay_key_wish wish, const char *what)
{
    struct hearsay_bytes base64 = {NULL, 0};
    struct fields f = fields_of(body);
    while (wish != HEARSAY_KEYS_LIST && fields_next(&f)) {
        if (msgpack_is(f.key, "Key")) {
            base64 = msgpack_get_raw(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (wish != HEARSAY_KEYS_LIST && f.r.is_bad) {
        return false;
    }
    struct hearsay_key key = {.size = 0};
    uint8_t bytes[64];
    char *text = fields_string(base64);
    int size = wish == HEARSAY_KEYS_LIST ? 0 : text_base64_decode(text, bytes, sizeof bytes);
    log_put(LOG_INFO, "agent: Initiating %s", what);
    if (size < 0) {
        struct key_round nothing = {.is_list = false};
        reply(session, seq, "illegal base64 data: a key is 16, 24 or 32 bytes in base64; make one with `hearsay keygen`", &nothing);
    } else {
        key.size = (uint8_t)size;
        memcpy(key.bytes, bytes, size > 32 ? 32 : (size_t)size);
        ask(session, seq, wish, &key);
    }
    explicit_bzero(text, strlen(text));
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(&key, sizeof key);
    free(text);
    return true;
}

bool keys_install(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    return run(session, seq, body, HEARSAY_KEYS_INSTALL, "key installation");
}

bool keys_use(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    return run(session, seq, body, HEARSAY_KEYS_USE, "primary key change");
}

bool keys_remove(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    return run(session, seq, body, HEARSAY_KEYS_REMOVE, "key removal");
}

bool keys_list(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    return run(session, seq, body, HEARSAY_KEYS_LIST, "key listing");
}

void keys_forget(struct session *session)
{
    for (struct key_round *round = session->service->key_rounds; round != NULL; round = round->next) {
        round->session = round->session == session ? NULL : round->session;
    }
}

void keys_deinit(struct service *service)
{
    while (service->key_rounds != NULL) {
        drop(service, service->key_rounds);
    }
}

/* ---- our own --------------------------------------------------------------------------------------------------------------------- */

bool keys_save(const struct hearsay_node *node, const char *path, char *error, size_t size)
{
    struct hearsay_key keys[HEARSAY_KEYS_MAX];
    size_t count = 0;
    bool is_kept = true;
    while (count < HEARSAY_KEYS_MAX && hearsay_key_at(node, count, &keys[count])) {
        count++;
    }
    if (path == NULL) {
        log_put(LOG_WARN, "agent: the keyring was changed, but is kept in no file: the change is lost with this process; give --keyring-file");
    } else if (secret_write_keyring(path, keys, count, error, size)) {
        log_put(LOG_INFO, "agent: the keyring was changed; %s has its %zu keys", path, count);
    } else {
        log_put(LOG_ERR, "agent: the keyring was changed, but cannot be kept: %s", error);
        is_kept = false;
    }
    explicit_bzero(keys, sizeof keys);
    return is_kept;
}
