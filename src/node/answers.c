/* SPDX-License-Identifier: MIT
 *
 * See answers.h.
 */
#include "node/answers.h"

#include "node/node.h"
#include "wire/stream.h"

#define ANSWERS_TOLD_BY_NEWCOMERS 256 /* entries of a list that whoever was alone tells on */

static void send(struct hearsay_node *node, struct turn *turn, uint32_t stream, bool is_outbound, struct hearsay_bytes message)
{
    struct buffer *out = outbox_begin(turn->outbox, HEARSAY_SEND_STREAM, NULL, stream);
    if (out == NULL) {
        return;
    }
    if (stream_seal(&node->envelope, is_outbound, message, out)) {
        outbox_end(turn->outbox);
    } else {
        outbox_abort(turn->outbox);
    }
}

static void send_list(struct hearsay_node *node, struct turn *turn, uint32_t stream, bool is_outbound, bool is_join, bool is_look,
                      struct hearsay_bytes user_state)
{
    struct buffer body = {.memory = turn->memory};
    if (push_pull_write(&node->beliefs, is_join, is_look, user_state, &body)) {
        send(node, turn, stream, is_outbound, buffer_bytes(&body));
    } else {
        turn->counters->drop_no_memory++;
    }
    buffer_deinit(&body);
}

/* The same without a copy: straight into the outbox. */
static void send_list_plainly(struct hearsay_node *node, struct turn *turn, uint32_t stream, bool is_outbound, bool is_join, bool is_look,
                              struct hearsay_bytes user_state)
{
    struct buffer *out = outbox_begin(turn->outbox, HEARSAY_SEND_STREAM, NULL, stream);
    if (out == NULL) {
        return;
    }
    if (stream_begin(&node->envelope, is_outbound, out) && push_pull_write(&node->beliefs, is_join, is_look, user_state, out)) {
        outbox_end(turn->outbox);
    } else {
        outbox_abort(turn->outbox);
    }
}

void answers_send_push_pull(struct hearsay_node *node, struct turn *turn, uint32_t stream, bool is_outbound, bool is_join, bool is_look)
{
    struct buffer user = {.memory = turn->memory};
    bool ok = true;
    if (turn->options->personality == HEARSAY_SERF && !is_look) {
        ok = user_state_write(&node->serf, &node->beliefs, &user);
    }
    if (!ok) {
        turn->counters->drop_no_memory++;
    } else if (stream_is_plain(&node->envelope)) {
        send_list_plainly(node, turn, stream, is_outbound, is_join, is_look, buffer_bytes(&user));
    } else {
        send_list(node, turn, stream, is_outbound, is_join, is_look, buffer_bytes(&user));
    }
    buffer_deinit(&user);
}

void answers_send_ping(struct hearsay_node *node, struct turn *turn, uint32_t stream, const struct identity *target, uint32_t sequence)
{
    uint8_t bytes[1024];
    const struct identity *self = members_at(&node->beliefs.members, node->beliefs.members.self)->identity;
    struct writer w = writer_of(bytes, sizeof bytes);
    struct message ping = {.type = MESSAGE_PING, .ping = {.node = pool_name(target), .sequence = sequence, .source = self->address,
                                                          .source_node = pool_name(self)}};
    message_encode(&w, &ping);
    send(node, turn, stream, true, writer_bytes(&w));
}

/* Differs: who comes alone into a large cluster does not tell the cluster about itself, nor ask it again before its turn. In memberlist each
 * newcomer among 10,000 tells what all others told it: 200,000 copies of what everybody knows. In a small cluster these copies cost
 * little, and help those who come at the same time. */
static bool is_newcomer(const struct hearsay_node *node, const struct turn *turn, const struct push_pull *theirs)
{
    return turn->options->healing && node->beliefs.members.listed == 1 && theirs->header.nodes > ANSWERS_TOLD_BY_NEWCOMERS;
}

bool answers_merge(struct hearsay_node *node, struct turn *turn, const struct push_pull *theirs,
                   const struct claim_source *given, bool ignore_old)
{
    struct claim_source source = *given;
    if (!push_pull_versions_fit(&node->beliefs, theirs)) {
        turn->counters->drop_versions++;
        return false;
    }
    source.is_silent = is_newcomer(node, turn, theirs);
    push_pull_merge(&node->beliefs, turn, theirs, &source);
    if (source.is_silent && node->push_pull.is_armed) {
        timers_set(turn->timers, &node->push_pull, turn->now + 1 + rng_below(turn->rng, push_pull_delay_us(turn)));
    }
    if (theirs->user_state.size > 0 && turn->options->personality == HEARSAY_SERF) {
        (void)user_state_merge(&node->serf, &node->beliefs, turn, theirs->user_state, ignore_old);
    }
    return true;
}

static void answer_push_pull(struct hearsay_node *node, struct turn *turn, uint32_t stream, struct hearsay_bytes body,
                             const struct hearsay_address *from)
{
    struct push_pull theirs;
    if (!push_pull_read(body, &theirs)) {
        turn->counters->drop_malformed++;
        return;
    }
    answers_send_push_pull(node, turn, stream, false, theirs.header.is_join, false); /* before merging, as memberlist does */
    if (theirs.header.nodes > 0) {
        struct claim_source source = {.reason = HEARSAY_BECAUSE_PUSH_PULL, .from = from};
        (void)answers_merge(node, turn, &theirs, &source, false);
    }
}

static void answer_ping(struct hearsay_node *node, struct turn *turn, uint32_t stream, struct hearsay_bytes body)
{
    struct message m;
    if (!message_decode(body, &m)) {
        turn->counters->drop_malformed++;
        return;
    }
    const struct identity *self = members_at(&node->beliefs.members, node->beliefs.members.self)->identity;
    if (m.ping.node.size > 0 && !bytes_equal(m.ping.node, pool_name(self))) {
        turn->counters->drop_not_for_us++;
        return;
    }
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct message ack = {.type = MESSAGE_ACK, .ack.sequence = m.ping.sequence};
    message_encode(&w, &ack);
    send(node, turn, stream, false, writer_bytes(&w));
}

void answers_to(struct hearsay_node *node, struct turn *turn, uint32_t stream, struct hearsay_bytes body, const struct hearsay_address *from)
{
    struct reader r = reader_of(body);
    struct hearsay_bytes payload;
    switch (reader_u8(&r)) {
    case MESSAGE_PUSH_PULL:
        answer_push_pull(node, turn, stream, body, from);
        break;
    case MESSAGE_PING:
        answer_ping(node, turn, stream, body);
        break;
    case MESSAGE_USER:
        if (message_decode_user_stream(&r, &payload)) {
            receive_user(node, turn, payload, from);
        } else {
            turn->counters->drop_malformed++;
        }
        break;
    default:
        turn->counters->drop_unknown_type++;
    }
}

const char *answers_fault_text(enum envelope_fault fault)
{
    switch (fault) {
    case ENVELOPE_PLAINTEXT:
        return "encryption is configured but remote state is not encrypted";
    case ENVELOPE_CIPHER:
        return "no installed keys could decrypt the message";
    case ENVELOPE_LZW:
        return "remote state could not be decompressed";
    case ENVELOPE_LABEL:
        return "another label";
    case ENVELOPE_NO_MEMORY:
        return "out of memory";
    default:
        return "remote state is malformed";
    }
}

void answers_refuse(struct hearsay_node *node, struct turn *turn, uint32_t stream, enum envelope_fault fault, bool was_encrypted)
{
    uint8_t bytes[160];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (fault != ENVELOPE_PLAINTEXT && fault != ENVELOPE_CIPHER && fault != ENVELOPE_LZW) {
        return;
    }
    bool has_no_key = fault == ENVELOPE_CIPHER && was_encrypted && node->envelope.key_count == 0;
    const char *text = has_no_key ? "remote state is encrypted and encryption is not configured" : answers_fault_text(fault);
    struct message m = {.type = MESSAGE_ERROR, .error = bytes_of_string(text)};
    message_encode(&w, &m);
    send(node, turn, stream, false, writer_bytes(&w));
}

bool answers_is_member_host(const struct members *m, const struct hearsay_address *from)
{
    struct hearsay_address host = address_normal(from);
    for (uint32_t i = 0; i < m->listed; i++) {
        struct hearsay_address known = address_normal(members_address(m, m->list[i]));
        known.port = host.port;
        if (address_equal(&known, &host)) {
            return true;
        }
    }
    return false;
}

void answers_count_fault(struct hearsay_counters *c, enum envelope_fault fault)
{
    switch (fault) {
    case ENVELOPE_OK:
        break;
    case ENVELOPE_LABEL:
        c->drop_label++;
        break;
    case ENVELOPE_PLAINTEXT:
        c->drop_plaintext++;
        break;
    case ENVELOPE_CIPHER:
        c->drop_cipher++;
        break;
    case ENVELOPE_CRC:
        c->drop_crc++;
        break;
    case ENVELOPE_LZW:
        c->drop_lzw++;
        break;
    case ENVELOPE_NESTED:
        c->drop_nested++;
        break;
    case ENVELOPE_TRUNCATED:
        c->drop_truncated++;
        break;
    case ENVELOPE_MALFORMED:
        c->drop_malformed++;
        break;
    case ENVELOPE_UNKNOWN_TYPE:
        c->drop_unknown_type++;
        break;
    case ENVELOPE_NO_MEMORY:
        c->drop_no_memory++;
        break;
    }
}
