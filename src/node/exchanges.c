/* SPDX-License-Identifier: MIT
 *
 * See exchanges.h; also the user's wishes and views that are about others' stores.
 */
#include "node/exchanges.h"

#include "node/node.h"

#include "sync/copies.h"
#include "sync/items.h"
#include "sync/purge.h"
#include "sync/reconcile.h"

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static bool on_durable(void *context, struct turn *turn, const struct pending *write, enum store_verdict verdict)
{
    return exchange_on_durable(context, turn, write, verdict);
}

static uint32_t open_stream(void *context, struct turn *turn, const struct identity *target)
{
    return streams_open_store(context, turn, target);
}

static void send_frame(void *context, struct turn *turn, uint32_t stream, struct hearsay_bytes message)
{
    streams_send_frame(context, turn, stream, message);
}

static void close_stream(void *context, struct turn *turn, uint32_t stream)
{
    streams_close_store(context, turn, stream);
}

static size_t write_rider(void *context, const struct turn *turn, uint8_t *bytes, size_t capacity)
{
    struct hearsay_node *node = context;
    return node->exchange->hot.count > 0 ? 0 : exchange_write_beacon(node->exchange, turn, bytes, capacity);
}

bool exchanges_init(struct hearsay_node *node, struct turn *turn)
{
    node->exchange = memory_zeros(&node->memory, sizeof *node->exchange);
    if (node->exchange == NULL) {
        return false;
    }
    if (!exchange_init(node->exchange, turn, node->sync, &node->beliefs, &node->abilities)) {
        return false;
    }
    node->exchange->links = (struct exchange_links){node, open_stream, send_frame, close_stream};
    node->sync->listener.context = node->exchange;
    node->sync->listener.on_durable = on_durable;
    turn->write_rider = write_rider;
    turn->rider = node;
    return true;
}

void exchanges_deinit(struct hearsay_node *node)
{
    if (node->exchange != NULL) {
        exchange_deinit(node->exchange, &node->memory);
        memory_free(&node->memory, node->exchange);
        node->exchange = NULL;
    }
}

/* ---- who speaks ------------------------------------------------------------------------------------------------------------- */

/* The living member at this address, though we did not know that it holds the store: this message is its word for it. */
static uint32_t learn_by_address(struct hearsay_node *node, struct turn *turn, const struct hearsay_address *from)
{
    struct members *m = &node->beliefs.members;
    for (uint32_t i = 0; i < m->listed; i++) {
        uint32_t slot = m->list[i];
        if (slot != m->self && members_at(m, slot)->state == MESSAGE_STATE_ALIVE && address_same_place(members_address(m, slot), from)) {
            (void)abilities_learn(m, slot, HEARSAY_WIRE_VERSION | HEARSAY_CAN_STORE);
            return exchange_on_able(node->exchange, turn, slot);
        }
    }
    return PEERS_NONE;
}

static uint32_t who_is_at(struct hearsay_node *node, struct turn *turn, const struct hearsay_address *from)
{
    uint32_t peer = peers_find(&node->exchange->peers, from);
    return peer != PEERS_NONE && peers_is_up(&node->exchange->peers, &node->beliefs.members, peer) ? peer : learn_by_address(node, turn, from);
}

/* Of a stream: who says this name, from the machine where that member is. */
static uint32_t who_is_named(struct hearsay_node *node, struct turn *turn, const struct parley_message *hello,
                             const struct hearsay_address *from)
{
    struct members *m = &node->beliefs.members;
    struct reader sections = hello->sections, body;
    enum parley_section_type type;
    while (parley_next_section(&sections, &type, &body)) {
        uint32_t slot = type == PARLEY_NAME ? members_find(m, bytes_of(body.at, reader_left(&body))) : MEMBERS_NONE;
        if (slot == MEMBERS_NONE || slot == m->self || members_at(m, slot)->state != MESSAGE_STATE_ALIVE) {
            continue;
        }
        struct hearsay_address host = *members_address(m, slot);
        host.port = from->port;
        if (address_same_place(&host, from)) {
            return who_is_at(node, turn, members_address(m, slot));
        }
    }
    return PEERS_NONE;
}

/* ---- messages --------------------------------------------------------------------------------------------------------------- */

static void dispatch(struct hearsay_node *node, struct turn *turn, uint32_t peer, uint32_t stream, const struct parley_message *m, size_t size)
{
    struct exchange *x = node->exchange;
    if (!sync_hear_clock(x->sync, turn, x->peers.list[peer].digest, m->head.hlc, m->head.wall_ms)) {
        return;
    }
    struct peer *p = &x->peers.list[peer];
    p->purge_hlc = hlc_of_ms((uint64_t)m->head.purge_minute * TOMBSTONES_MINUTE_MS);
    purge_see(x->sync, turn, p->digest);
    purge_hear(x->sync, turn, p->digest, p->purge_hlc);
    switch (m->head.kind) {
    case PARLEY_PUSH:
    case PARLEY_PULL:
    case PARLEY_PUSH_PULL:
    case PARLEY_ACK:
    case PARLEY_ACK2:
        exchange_on_message(x, turn, peer, m);
        break;
    case PARLEY_ASK:
        reconcile_on_ask(x, turn, peer, stream, m);
        break;
    case PARLEY_TELL:
        reconcile_on_tell(x, turn, peer, m, size);
        break;
    case PARLEY_RECEIPT:
        copies_on_receipt(x, turn, peer, m);
        break;
    case PARLEY_FETCH:
        items_on_fetch(x, turn, peer, stream, m);
        break;
    case PARLEY_ITEM:
        items_on_item(x, turn, stream, m);
        break;
    default:
        break;
    }
}

static bool decode(struct turn *turn, struct hearsay_bytes message, struct parley_message *m)
{
    uint8_t version = 0;
    if (parley_decode(message, m, &version)) {
        return true;
    }
    *(version != PARLEY_VERSION ? &turn->counters->drop_versions : &turn->counters->drop_malformed) += 1;
    return false;
}

void exchanges_on_packet(struct hearsay_node *node, struct turn *turn, struct hearsay_bytes message, const struct hearsay_address *from)
{
    struct parley_message m;
    uint32_t peer = node->exchange == NULL ? PEERS_NONE : who_is_at(node, turn, from);
    if (peer == PEERS_NONE) {
        turn->counters->drop_store_stranger++;
    } else if (decode(turn, message, &m)) {
        dispatch(node, turn, peer, 0, &m, message.size);
    }
}

bool exchanges_on_frame(struct hearsay_node *node, struct turn *turn, uint32_t stream, uint32_t *peer, const struct hearsay_address *from,
                        struct hearsay_bytes message)
{
    struct parley_message m;
    if (node->exchange == NULL || !decode(turn, message, &m)) {
        return false;
    }
    if (m.head.kind == PARLEY_HELLO) {
        *peer = who_is_named(node, turn, &m, from);
        turn->counters->drop_store_stranger += *peer == PEERS_NONE;
        return *peer != PEERS_NONE;
    }
    uint32_t speaker = *peer != PEERS_NONE ? *peer : peers_find(&node->exchange->peers, from); /* on a stream that we dialled, from is exact */
    if (speaker == PEERS_NONE) {
        turn->counters->drop_store_stranger++;
        return false;
    }
    dispatch(node, turn, speaker, stream, &m, message.size);
    return true;
}

/* ---- streams and members ------------------------------------------------------------------------------------------------------ */

void exchanges_on_connected(struct hearsay_node *node, struct turn *turn, uint32_t stream)
{
    uint8_t bytes[64 + HEARSAY_NAME_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct parley_head head = exchange_head(node->exchange, turn, PARLEY_HELLO);
    struct hearsay_bytes name = pool_name(members_at(&node->beliefs.members, node->beliefs.members.self)->identity);
    parley_put_head(&w, &head);
    size_t begun = parley_begin(&w, PARLEY_NAME);
    writer_put(&w, name.data, name.size);
    parley_end(&w, begun);
    streams_send_frame(node, turn, stream, writer_bytes(&w));
    if (!reconcile_on_connected(node->exchange, turn, stream) && !items_on_connected(node->exchange, turn, stream)) {
        streams_close_store(node, turn, stream);
    }
}

void exchanges_on_closed(struct hearsay_node *node, struct turn *turn, uint32_t stream)
{
    if (node->exchange != NULL) {
        (void)(reconcile_on_closed(node->exchange, turn, stream) || items_on_closed(node->exchange, turn, stream));
    }
}

void exchanges_on_able(struct hearsay_node *node, struct turn *turn, uint32_t slot)
{
    if (node->exchange != NULL && slot != node->beliefs.members.self) {
        (void)exchange_on_able(node->exchange, turn, slot);
    }
}

void exchanges_on_change(struct hearsay_node *node, struct turn *turn, uint32_t slot, enum member_change change)
{
    struct exchange *x = node->exchange;
    if (x == NULL || slot == node->beliefs.members.self) {
        return;
    }
    if (change == MEMBERS_JOINED) {
        exchange_on_joined(x, turn, slot);
    } else if (change == MEMBERS_UPDATED && members_at(&node->beliefs.members, slot)->can_store) {
        (void)peers_enter(&x->peers, turn, &node->beliefs.members, slot);
    } else if (change == MEMBERS_PURGED) {
        peers_forget_slot(&x->peers, slot);
    }
}

/* ---- wishes and views ----------------------------------------------------------------------------------------------------------- */

hearsay_err hearsay_store_tune(struct hearsay_node *node, uint64_t now, enum hearsay_store_mode mode, uint32_t fanout, uint32_t interval_ms)
{
    struct hearsay_options wanted = node->options;
    if (node->exchange == NULL) {
        return HEARSAY_ERR_STORE_OFF;
    }
    if (hearsay_options_set(&wanted, "store_mode", (uint64_t)mode) != HEARSAY_OK ||
        hearsay_options_set(&wanted, "store_fanout", fanout) != HEARSAY_OK ||
        hearsay_options_set(&wanted, "store_interval_ms", interval_ms) != HEARSAY_OK) {
        return HEARSAY_ERR_OPTION;
    }
    struct turn *turn = node_begin(node, now);
    node->options = wanted;
    node->sync->delay_for = 0; /* how soon epochs are sealed depends on it */
    exchange_tune(node->exchange, turn);
    node_end(node);
    return HEARSAY_OK;
}

hearsay_err hearsay_send_large_event(struct hearsay_node *node, uint64_t now, const char *name, const void *payload, size_t size)
{
    if (node->exchange == NULL) {
        return HEARSAY_ERR_STORE_OFF;
    }
    struct hearsay_bytes bytes = size == 0 ? bytes_of(NULL, 0) : bytes_of(payload, size);
    hearsay_err err = items_send(node->exchange, node_begin(node, now), bytes_of_string(name), bytes);
    node_end(node);
    return err;
}

bool hearsay_judge_event(struct hearsay_node *node, uint64_t now, uint64_t id, bool relay)
{
    bool is_known = node->exchange != NULL && items_judge(node->exchange, node_begin(node, now), id, relay);
    node_end(node);
    return is_known;
}

hearsay_err hearsay_repair(struct hearsay_node *node, uint64_t now, const char *member, uint32_t *ticket)
{
    struct exchange *x = node->exchange;
    if (x == NULL) {
        return HEARSAY_ERR_STORE_OFF;
    }
    struct turn *turn = node_begin(node, now);
    uint32_t peer = PEERS_NONE;
    if (member == NULL) {
        (void)peers_choose(&x->peers, &node->beliefs.members, turn->rng, 1, PEERS_NONE, &peer);
    } else {
        uint32_t slot = members_find(&node->beliefs.members, bytes_of_string(member));
        peer = slot == MEMBERS_NONE ? PEERS_NONE : peers_find_slot(&x->peers, slot);
    }
    hearsay_err err = HEARSAY_ERR_UNKNOWN_MEMBER;
    if (peer != PEERS_NONE && peers_is_up(&x->peers, &node->beliefs.members, peer)) {
        uint32_t number = sync_next_ticket(node->sync);
        err = reconcile_start(x, turn, peer, number);
        if (ticket != NULL) {
            *ticket = number;
        }
    }
    node_end(node);
    return err;
}

bool hearsay_next_store_peer(const struct hearsay_node *node, size_t *position, struct hearsay_store_peer *peer)
{
    const struct exchange *x = node->exchange;
    if (x == NULL || *position >= x->peers.count) {
        return false;
    }
    uint32_t number = (uint32_t)(*position)++;
    const struct peer *p = &x->peers.list[number];
    *peer = (struct hearsay_store_peer){.name = p->slot == MEMBERS_NONE ? NULL : members_name(&node->beliefs.members, p->slot),
                                        .is_up = peers_is_up(&x->peers, &node->beliefs.members, number),
                                        .equal_epoch = p->equal_epoch, .sessions = p->sessions, .bytes_in = p->bytes_in,
                                        .bytes_out = p->bytes_out, .entries_in = p->entries_in, .entries_out = p->entries_out};
    return true;
}
