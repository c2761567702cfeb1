/* SPDX-License-Identifier: MIT
 *
 * See inquiries.h. Reference: serf internal_query.go, keymanager.go, serf.go (resolveNodeConflict).
 */
#include "node/inquiries.h"

#include "node/node.h"
#include "spread/outbox.h"
#include "wire/msgpack.h"
#include "wire/serf_inner.h"

#define ANSWER_BYTES 4096
#define PROBLEM_BYTES 400

static bool is_inner(struct hearsay_bytes name)
{
    static const size_t size = sizeof SERF_INNER_PREFIX - 1;
    return name.size >= size && memcmp(name.data, SERF_INNER_PREFIX, size) == 0;
}

/* ---- heard --------------------------------------------------------------------------------------------------------------------- */

/* Who is it that has this name? Nobody judges its own case. */
static bool answer_conflict(const struct hearsay_node *node, struct hearsay_bytes name, struct writer *w)
{
    const struct members *m = &node->beliefs.members;
    struct hearsay_member member;
    if (bytes_equal(name, pool_name(members_at(m, m->self)->identity))) {
        return false;
    }
    uint32_t slot = members_find(m, name);
    serf_inner_put_conflict(w, slot != MEMBERS_NONE && presence_view(&node->beliefs, slot, &member) ? &member : NULL);
    return true;
}

static void on_inner(struct hearsay_node *node, struct turn *turn, const struct serf_query *query)
{
    uint8_t bytes[ANSWER_BYTES];
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t head = 64 + query->source_node.size + HEARSAY_NAME_MAX; /* of the answer around it */
    size_t limit = turn->options->response_bytes_max > head ? turn->options->response_bytes_max - head : 0;
    bool is_changed = false;
    if (msgpack_is(query->name, SERF_INNER_PREFIX "conflict")) {
        if (!answer_conflict(node, query->payload, &w)) {
            return;
        }
    } else if (!keyring_answer(&node->keyring, query->name, query->payload, limit, &w, &is_changed)) {
        return; /* a ping, which its ack has answered, or something newer than we are */
    }
    struct hearsay_event event = {.type = HEARSAY_KEYRING_CHANGED};
    if (is_changed && turn->options->keyring_durable) {
        event.query = replies_keep(&node->serf.queries.replies, turn, query);
    }
    if (!w.is_full && event.query == 0) {
        (void)replies_send(&node->serf.queries.asks, &node->beliefs, turn, query, 0, writer_bytes(&w));
    }
    memory_wipe(bytes, w.size);
    if (is_changed) {
        outbox_notify(turn->outbox, &event);
    }
}

hearsay_err hearsay_keyring_kept(struct hearsay_node *node, uint64_t now, uint64_t query, const char *problem)
{
    struct queries *q = &node->serf.queries;
    struct turn *turn = node_begin(node, now);
    hearsay_err err = HEARSAY_ERR_TOO_LARGE;
    size_t size = problem == NULL ? 0 : strlen(problem);
    for (size = size < PROBLEM_BYTES ? size : PROBLEM_BYTES; err == HEARSAY_ERR_TOO_LARGE; size /= 2) { /* half of it says more than nothing */
        uint8_t bytes[PROBLEM_BYTES + 128];
        char text[PROBLEM_BYTES + 1];
        struct writer w = writer_of(bytes, sizeof bytes);
        bytes_copy(text, (const uint8_t *)problem, size);
        text[size] = 0;
        serf_inner_put_keys(&w, problem == NULL, text, NULL, 0);
        err = replies_respond(&q->replies, &q->asks, &node->beliefs, turn, query, writer_bytes(&w));
        if (size == 0) {
            break;
        }
    }
    node_end(node);
    return err;
}

bool inquiries_on_query(struct hearsay_node *node, struct turn *turn, const struct serf_query *query)
{
    bool is_for_us;
    if (!queries_receive(&node->serf.queries, turn, &node->beliefs, query, &is_for_us)) {
        return false;
    }
    if (is_for_us && is_inner(query->name)) {
        on_inner(node, turn, query);
    } else if (is_for_us) {
        queries_deliver(&node->serf.queries, turn, query);
    }
    return (query->flags & SERF_QUERY_NO_BROADCAST) == 0;
}

/* ---- asked ----------------------------------------------------------------------------------------------------------------------- */

static hearsay_err ask(struct hearsay_node *node, struct turn *turn, enum ask_kind kind, const struct hearsay_question *question,
                       uint32_t *ticket)
{
    struct buffer room;
    struct serf_query query;
    buffer_init(&room, turn->memory);
    hearsay_err err = queries_ask(&node->serf.queries, turn, &node->beliefs, kind, question, &room, &query, ticket);
    if (err == HEARSAY_OK) {
        (void)inquiries_on_query(node, turn, &query); /* we are asked too */
    }
    buffer_deinit(&room);
    return err;
}

hearsay_err hearsay_query(struct hearsay_node *node, uint64_t now, const struct hearsay_question *question, uint32_t *ticket)
{
    struct hearsay_bytes name = bytes_of_string(question->name);
    if (node->options.personality != HEARSAY_SERF) {
        return HEARSAY_ERR_PERSONALITY;
    }
    if (question->name == NULL) {
        return HEARSAY_ERR_NAME;
    }
    if (is_inner(name) && (!msgpack_is(name, SERF_INNER_PREFIX "ping") || question->payload.size > 0)) {
        return HEARSAY_ERR_RESERVED;
    }
    hearsay_err err = ask(node, node_begin(node, now), ASK_USER, question, ticket);
    node_end(node);
    return err;
}

hearsay_err hearsay_respond(struct hearsay_node *node, uint64_t now, uint64_t query, const void *payload, size_t size)
{
    struct queries *q = &node->serf.queries;
    struct hearsay_bytes bytes = size == 0 ? bytes_of(NULL, 0) : bytes_of(payload, size);
    hearsay_err err = replies_respond(&q->replies, &q->asks, &node->beliefs, node_begin(node, now), query, bytes);
    node_end(node);
    return err;
}

hearsay_err hearsay_query_keys(struct hearsay_node *node, uint64_t now, enum hearsay_key_wish wish, const struct hearsay_key *key,
                               uint8_t relay_factor, uint32_t *ticket)
{
    static const char *const names[] = {
        [HEARSAY_KEYS_LIST] = SERF_INNER_PREFIX "list-keys",
        [HEARSAY_KEYS_INSTALL] = SERF_INNER_PREFIX "install-key",
        [HEARSAY_KEYS_USE] = SERF_INNER_PREFIX "use-key",
        [HEARSAY_KEYS_REMOVE] = SERF_INNER_PREFIX "remove-key",
    };
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (node->options.personality != HEARSAY_SERF) {
        return HEARSAY_ERR_PERSONALITY;
    }
    if (wish != HEARSAY_KEYS_LIST && (key->size != 16 && key->size != 24 && key->size != 32)) {
        return HEARSAY_ERR_KEY;
    }
    serf_inner_put_key_request(&w, wish == HEARSAY_KEYS_LIST ? bytes_of("", 0) : bytes_of(key->bytes, key->size));
    struct hearsay_question question = {.name = names[wish], .payload = writer_bytes(&w), .relay_factor = relay_factor};
    hearsay_err err = ask(node, node_begin(node, now), ASK_KEYS, &question, ticket);
    memory_wipe(bytes, sizeof bytes);
    node_end(node);
    return err;
}

bool hearsay_next_key(const struct hearsay_event *event, size_t *position, struct hearsay_key *key, bool *is_primary)
{
    struct serf_inner_keys keys;
    if (event->type != HEARSAY_KEY_RESULT || !serf_inner_read_keys(event->payload, &keys)) {
        return false;
    }
    uint32_t count = msgpack_get_array(&keys.keys);
    for (uint32_t i = 0; i < count && !keys.keys.is_bad; i++) {
        struct hearsay_bytes base64 = msgpack_get_raw(&keys.keys);
        if (i == *position) {
            ++*position;
            *is_primary = bytes_equal(base64, keys.primary);
            return serf_inner_parse_key(base64, key);
        }
    }
    return false;
}

void inquiries_on_conflict(struct hearsay_node *node, struct turn *turn)
{
    const struct members *m = &node->beliefs.members;
    uint32_t ticket;
    if (turn->options->personality != HEARSAY_SERF || !turn->options->name_conflicts || asks_any(&node->serf.queries.asks, ASK_CONFLICT)) {
        return;
    }
    struct hearsay_question question = {.name = SERF_INNER_PREFIX "conflict", .payload = pool_name(members_at(m, m->self)->identity)};
    (void)ask(node, turn, ASK_CONFLICT, &question, &ticket);
}
