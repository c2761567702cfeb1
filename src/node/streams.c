/* SPDX-License-Identifier: MIT
 *
 * See streams.h. A conversation without a stream yet is waiting for its timer: that is how busy peers are tried again and how the second
 * healing exchange follows the first.
 */
#include "node/streams.h"

#include "node/answers.h"
#include "node/exchanges.h"
#include "node/node.h"
#include "spread/outbox.h"
#include "swim/push_pull.h"
#include "wire/frames.h"

#define HEAL_PAUSE_TICKS 3        /* gossip intervals between the two exchanges: time for accusations to be refuted */
#define JOIN_ATTEMPTS_BUSY 6      /* a peer that resets or closes without a word is busy: patience */
#define JOIN_ATTEMPTS_REFUSED 3   /* nobody listens (yet) */
#define JOIN_BACKOFF_US 200000u
#define STORE_IDLE_LEAST_MS 30000 /* a stream of the store on which nobody said anything for so long is over */
#define JOIN_EXCHANGE_US 1000000u /* the next exchange follows a join after once to twice this */

enum purpose { PURPOSE_ANSWER, PURPOSE_JOIN, PURPOSE_EXCHANGE, PURPOSE_LOOK, PURPOSE_MEET, PURPOSE_PING, PURPOSE_STORE };
enum stage { STAGE_WAITING, STAGE_CONNECTING, STAGE_TALKING };

struct conversation {
    struct conversation *next;
    struct timer timer; /* number: id */
    enum purpose purpose;
    enum stage stage;
    struct hearsay_address address;
    const struct identity *target; /* held; healing, stream ping and exchanges */
    struct stream_reader reader;
    uint32_t ticket;               /* JOIN */
    uint32_t attempts;
    uint32_t sequence;             /* PING */
    uint32_t rounds_left;          /* MEET */
    struct frames frames;          /* STORE, and answers that turned out to be of the store */
    bool is_store, has_spoken;
    uint32_t peer;                 /* of the store, on an accepted stream; PEERS_NONE until it said hello */
    bool is_open;                  /* has a stream, so it is counted and must be closed */
};

struct join {
    struct join *next;
    uint32_t ticket;
    size_t count, current, contacted;
    bool replay;
    struct hearsay_address addresses[];
};

static void begin(struct hearsay_node *node, struct turn *turn, struct conversation *c);
static void join_next(struct hearsay_node *node, struct turn *turn, struct join *join);
static void keep_open(struct turn *turn, struct conversation *c);

/* ---- the list ---------------------------------------------------------------------------------------------------------------- */

void streams_deinit(struct streams *s, struct hearsay_pool *pool, const struct hearsay_allocator *memory)
{
    while (s->first != NULL) {
        struct conversation *c = s->first;
        s->first = c->next;
        stream_reader_deinit(&c->reader);
        if (c->is_store) {
            frames_deinit(&c->frames);
        }
        pool_release(pool, c->target);
        memory_free(memory, c);
    }
    while (s->joins != NULL) {
        struct join *next = s->joins->next;
        memory_free(memory, s->joins);
        s->joins = next;
    }
}

static struct conversation *find(struct streams *s, uint32_t id)
{
    struct conversation *c = s->first;
    while (c != NULL && c->timer.number != id) {
        c = c->next;
    }
    return c;
}

static struct conversation *add(struct hearsay_node *node, struct turn *turn, enum purpose purpose, const struct hearsay_address *address)
{
    struct streams *s = &node->streams;
    struct conversation *c = memory_zeros(turn->memory, sizeof *c);
    if (c == NULL) {
        turn->counters->drop_no_memory++;
        return NULL;
    }
    s->last_id += 1 + (s->last_id == UINT32_MAX);
    c->purpose = purpose;
    c->address = *address;
    c->timer.kind = TIMER_STREAM;
    c->timer.number = s->last_id;
    stream_reader_init(&c->reader, &node->envelope, purpose == PURPOSE_ANSWER);
    c->next = s->first;
    s->first = c;
    return c;
}

/* The stream is done with: by us (has_stream: tell the host to close it) or by the host. */
static void hang_up(struct hearsay_node *node, struct turn *turn, struct conversation *c, bool has_stream)
{
    struct streams *s = &node->streams;
    if (c->is_open) {
        *(c->purpose == PURPOSE_ANSWER ? &s->open_in : &s->open_out) -= 1;
        if (has_stream) {
            outbox_close_stream(turn->outbox, c->timer.number);
        }
    }
    c->is_open = false;
    timers_cancel(turn->timers, &c->timer);
    stream_reader_deinit(&c->reader);
    if (c->is_store) {
        frames_deinit(&c->frames);
    }
}

static void drop(struct hearsay_node *node, struct turn *turn, struct conversation *c, bool has_stream)
{
    hang_up(node, turn, c, has_stream);
    struct conversation **at = &node->streams.first;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    pool_release(node->pool, c->target);
    memory_free(turn->memory, c);
}

/* Lets the conversation wait, then begin anew under a new id (the old stream's reports must not reach it). */
static void wait_and_retry(struct hearsay_node *node, struct turn *turn, struct conversation *c, uint64_t delay, bool has_stream)
{
    hang_up(node, turn, c, has_stream);
    node->streams.last_id += 1 + (node->streams.last_id == UINT32_MAX);
    c->timer.number = node->streams.last_id;
    c->stage = STAGE_WAITING;
    stream_reader_init(&c->reader, &node->envelope, false);
    timers_set(turn->timers, &c->timer, turn->now + delay);
}

/* ---- joins --------------------------------------------------------------------------------------------------------------------- */

static struct join *find_join(struct streams *s, uint32_t ticket)
{
    struct join *j = s->joins;
    while (j != NULL && j->ticket != ticket) {
        j = j->next;
    }
    return j;
}

static void join_result(struct turn *turn, const struct join *j, const char *text)
{
    struct hearsay_event event = {.type = HEARSAY_JOIN_RESULT, .ticket = j->ticket, .other_address = j->addresses[j->current],
                                  .contacted = text == NULL, .text = text, .is_last = j->current + 1 == j->count};
    outbox_notify(turn->outbox, &event);
}

/* Differs: who joins in a crowd may miss others that come at the same time, since nobody knows yet how often to tell it. So the next
 * exchange is brought forward; memberlist leaves it to the usual interval. */
static void exchange_soon(struct hearsay_node *node, struct turn *turn, const struct join *join)
{
    uint64_t soon = turn->now + JOIN_EXCHANGE_US + rng_below(turn->rng, JOIN_EXCHANGE_US);
    if (join->contacted > 0 && turn->options->healing && node->push_pull.is_armed && soon < node->push_pull.at) {
        timers_set(turn->timers, &node->push_pull, soon);
    }
}

static void join_finished(struct hearsay_node *node, struct turn *turn, struct join *join)
{
    if (join->contacted > 0 && turn->options->personality == HEARSAY_SERF) {
        struct hearsay_bytes self = bytes_of_string(members_name(&node->beliefs.members, node->beliefs.members.self));
        presence_tell_intent(&node->serf.presence, turn, false, self, false, 0);
    }
    exchange_soon(node, turn, join);
    struct join **at = &node->streams.joins;
    while (*at != join) {
        at = &(*at)->next;
    }
    *at = join->next;
    memory_free(turn->memory, join);
}

/* One address is decided: text NULL = met. */
static void join_done(struct hearsay_node *node, struct turn *turn, uint32_t ticket, const char *text)
{
    struct join *join = find_join(&node->streams, ticket);
    if (join == NULL) {
        return;
    }
    join->contacted += text == NULL;
    join_result(turn, join, text);
    join->current++;
    join_next(node, turn, join);
}

static void join_next(struct hearsay_node *node, struct turn *turn, struct join *join)
{
    while (join->current < join->count) {
        struct conversation *c = add(node, turn, PURPOSE_JOIN, &join->addresses[join->current]);
        if (c != NULL) {
            c->ticket = join->ticket;
            begin(node, turn, c);
            return;
        }
        join_result(turn, join, "out of memory");
        join->current++;
    }
    join_finished(node, turn, join);
}

hearsay_err streams_join(struct hearsay_node *node, struct turn *turn, const struct hearsay_target *targets, size_t count, bool replay,
                         uint32_t *ticket)
{
    if (count == 0) {
        return HEARSAY_ERR_ADDRESS;
    }
    struct join *join = count > 65536 ? NULL : memory_zeros(turn->memory, sizeof *join + count * sizeof join->addresses[0]);
    if (join == NULL) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    join->ticket = ++node->streams.last_ticket;
    join->count = count;
    join->replay = replay;
    for (size_t i = 0; i < count; i++) {
        join->addresses[i] = targets[i].address;
    }
    join->next = node->streams.joins;
    node->streams.joins = join;
    *ticket = join->ticket;
    join_next(node, turn, join);
    return HEARSAY_OK;
}

/* ---- how outgoing conversations end -------------------------------------------------------------------------------------------- */

static bool retry_join(struct hearsay_node *node, struct turn *turn, struct conversation *c, enum hearsay_close how, bool has_stream)
{
    uint32_t most = how == HEARSAY_CLOSE_REFUSED ? JOIN_ATTEMPTS_REFUSED : JOIN_ATTEMPTS_BUSY;
    if (how == HEARSAY_CLOSE_TIMEOUT || ++c->attempts >= most) {
        return false;
    }
    uint64_t backoff = (uint64_t)JOIN_BACKOFF_US << (c->attempts - 1);
    wait_and_retry(node, turn, c, backoff / 2 + rng_below(turn->rng, backoff), has_stream);
    return true;
}

/* No (usable) answer. text says why, in words. */
static void failed(struct hearsay_node *node, struct turn *turn, struct conversation *c, const char *text, bool has_stream)
{
    uint32_t ticket = c->ticket;
    bool is_join = c->purpose == PURPOSE_JOIN;
    drop(node, turn, c, has_stream);
    if (is_join) {
        join_done(node, turn, ticket, text);
    }
}

static const char *close_text(enum hearsay_close how, const struct conversation *c)
{
    switch (how) {
    case HEARSAY_CLOSE_REFUSED:
        return "connection refused: nobody listens there";
    case HEARSAY_CLOSE_RESET:
        return "connection reset: the other side is too busy, or has another label";
    case HEARSAY_CLOSE_TIMEOUT:
        return c->stage == STAGE_CONNECTING ? "no connection in time" : "no answer in time";
    case HEARSAY_CLOSE_END:
        break;
    }
    return "closed without an answer: too busy, another label, or incompatible versions";
}

void streams_on_closed(struct hearsay_node *node, struct turn *turn, uint32_t id, enum hearsay_close how)
{
    struct conversation *c = find(&node->streams, id);
    if (c == NULL || c->stage == STAGE_WAITING) {
        return;
    }
    if (c->purpose == PURPOSE_PING) {
        bool is_refused = how == HEARSAY_CLOSE_REFUSED || how == HEARSAY_CLOSE_RESET;
        probe_on_stream(&node->probe, c->sequence, is_refused ? HEARSAY_PATH_REFUSED : HEARSAY_PATH_SILENT);
    }
    if (c->purpose == PURPOSE_JOIN && retry_join(node, turn, c, how, false)) {
        return;
    }
    bool is_store = c->is_store;
    failed(node, turn, c, close_text(how, c), false);
    if (is_store) {
        exchanges_on_closed(node, turn, id);
    }
}

/* ---- beginning ----------------------------------------------------------------------------------------------------------------- */

static void begin(struct hearsay_node *node, struct turn *turn, struct conversation *c)
{
    struct streams *s = &node->streams;
    if (s->open_in + s->open_out >= turn->options->streams_max) {
        turn->counters->drop_stream_limit++;
        if (c->purpose == PURPOSE_JOIN) {
            wait_and_retry(node, turn, c, JOIN_BACKOFF_US, false);
        } else {
            drop(node, turn, c, false);
        }
        return;
    }
    struct hearsay_address place = address_normal(&c->address);
    c->stage = STAGE_CONNECTING;
    c->is_open = true;
    s->open_out++;
    turn->counters->streams_out++;
    if (c->purpose != PURPOSE_PING) {
        timers_set(turn->timers, &c->timer, turn->now + turn_ms(turn->options->stream_timeout_ms));
    }
    outbox_open_stream(turn->outbox, &place, c->timer.number);
}

static void begin_with(struct hearsay_node *node, struct turn *turn, enum purpose purpose, const struct identity *target)
{
    struct conversation *c = add(node, turn, purpose, &target->address);
    if (c != NULL) {
        c->target = pool_hold(target);
        begin(node, turn, c);
    }
}

void streams_exchange(struct hearsay_node *node, struct turn *turn)
{
    uint32_t slot = push_pull_choose(&node->beliefs, turn);
    if (slot != MEMBERS_NONE) {
        begin_with(node, turn, PURPOSE_EXCHANGE, members_at(&node->beliefs.members, slot)->identity);
    }
}

void streams_heal(struct hearsay_node *node, struct turn *turn, const struct identity *target)
{
    begin_with(node, turn, PURPOSE_LOOK, target);
}

void streams_ping(struct hearsay_node *node, struct turn *turn, const struct identity *target, uint32_t sequence, uint64_t until)
{
    struct conversation *c = add(node, turn, PURPOSE_PING, &target->address);
    if (c != NULL) {
        c->target = pool_hold(target);
        c->sequence = sequence;
        timers_set(turn->timers, &c->timer, until);
        begin(node, turn, c);
    }
}

uint32_t streams_accept(struct hearsay_node *node, struct turn *turn, const struct hearsay_address *from)
{
    struct streams *s = &node->streams;
    const struct hearsay_options *o = turn->options;
    uint32_t most = o->push_pulls_max;
    if (s->open_in >= most - most / 8 && !answers_is_member_host(&node->beliefs.members, from)) {
        most = 0; /* the last places are kept for members */
    }
    if (s->open_in >= most || s->open_in + s->open_out >= o->streams_max) {
        turn->counters->drop_stream_limit++;
        return 0;
    }
    struct conversation *c = add(node, turn, PURPOSE_ANSWER, from);
    if (c == NULL) {
        return 0;
    }
    c->stage = STAGE_TALKING;
    c->is_open = true;
    s->open_in++;
    turn->counters->streams_in++;
    timers_set(turn->timers, &c->timer, turn->now + turn_ms(o->stream_timeout_ms));
    return c->timer.number;
}

void streams_on_connected(struct hearsay_node *node, struct turn *turn, uint32_t id)
{
    struct conversation *c = find(&node->streams, id);
    if (c == NULL || c->stage != STAGE_CONNECTING) {
        return;
    }
    c->stage = STAGE_TALKING;
    if (c->purpose == PURPOSE_PING) {
        answers_send_ping(node, turn, id, c->target, c->sequence);
        return;
    }
    if (c->is_store) {
        keep_open(turn, c);
        exchanges_on_connected(node, turn, id);
        return;
    }
    timers_set(turn->timers, &c->timer, turn->now + turn_ms(turn->options->stream_timeout_ms));
    answers_send_push_pull(node, turn, id, true, c->purpose == PURPOSE_JOIN, c->purpose == PURPOSE_LOOK);
}

void streams_on_timer(struct hearsay_node *node, struct turn *turn, uint32_t id)
{
    struct conversation *c = find(&node->streams, id);
    if (c == NULL) {
        return;
    }
    if (c->stage == STAGE_WAITING) {
        begin(node, turn, c);
        return;
    }
    bool is_store = c->is_store;
    turn->counters->drop_stream_timeout += c->purpose != PURPOSE_PING && !(is_store && c->stage == STAGE_TALKING);
    failed(node, turn, c, close_text(HEARSAY_CLOSE_TIMEOUT, c), true);
    if (is_store) {
        exchanges_on_closed(node, turn, id);
    }
}

/* ---- the store ----------------------------------------------------------------------------------------------------------------- */

static void keep_open(struct turn *turn, struct conversation *c)
{
    uint64_t idle = turn->options->stream_timeout_ms < STORE_IDLE_LEAST_MS ? STORE_IDLE_LEAST_MS : turn->options->stream_timeout_ms;
    timers_set(turn->timers, &c->timer, turn->now + turn_ms(idle));
}

/* By us; the exchange hears that it is over. */
static void drop_store(struct hearsay_node *node, struct turn *turn, struct conversation *c)
{
    uint32_t id = c->timer.number;
    drop(node, turn, c, true);
    exchanges_on_closed(node, turn, id);
}

static void hear_frames(struct hearsay_node *node, struct turn *turn, struct conversation *c)
{
    uint32_t id = c->timer.number;
    struct hearsay_bytes message;
    enum stream_status status = STREAM_MORE;
    keep_open(turn, c);
    while (c != NULL && (status = frames_next(&c->frames, &message)) == STREAM_WHOLE) {
        bool is_good = exchanges_on_frame(node, turn, id, &c->peer, &c->address, message);
        c = find(&node->streams, id); /* what was heard may have ended it */
        if (c != NULL && !is_good) {
            drop_store(node, turn, c);
            return;
        }
    }
    if (c != NULL && status == STREAM_BAD) {
        turn->counters->drop_stream_bad++;
        answers_count_fault(turn->counters, c->frames.fault);
        drop_store(node, turn, c);
    }
}

/* What somebody sends us are frames. */
static void begin_frames(struct hearsay_node *node, struct turn *turn, struct conversation *c)
{
    if (node->exchange == NULL || c->purpose != PURPOSE_ANSWER) {
        turn->counters->drop_store_stranger++;
        failed(node, turn, c, "the answer makes no sense", true);
        return;
    }
    c->is_store = true;
    c->has_spoken = true; /* only who dials says the label */
    c->peer = PEERS_NONE;
    frames_init(&c->frames, &node->envelope);
    frames_inherit(&c->frames, &c->reader);
    hear_frames(node, turn, c);
}

uint32_t streams_open_store(struct hearsay_node *node, struct turn *turn, const struct identity *target)
{
    struct conversation *c = add(node, turn, PURPOSE_STORE, &target->address);
    if (c == NULL) {
        return 0;
    }
    uint32_t id = c->timer.number;
    c->target = pool_hold(target);
    c->is_store = true;
    c->peer = PEERS_NONE;
    frames_init(&c->frames, &node->envelope);
    begin(node, turn, c);
    return find(&node->streams, id) == NULL ? 0 : id;
}

void streams_send_frame(struct hearsay_node *node, struct turn *turn, uint32_t id, struct hearsay_bytes message)
{
    struct conversation *c = find(&node->streams, id);
    struct buffer *out = c == NULL || c->stage != STAGE_TALKING ? NULL : outbox_begin(turn->outbox, HEARSAY_SEND_STREAM, NULL, id);
    if (out == NULL) {
        return;
    }
    if ((c->has_spoken || frames_open(&node->envelope, out)) && frames_seal(&node->envelope, message, out)) {
        c->has_spoken = true;
        outbox_end(turn->outbox);
    } else {
        outbox_abort(turn->outbox);
    }
}

void streams_close_store(struct hearsay_node *node, struct turn *turn, uint32_t id)
{
    struct conversation *c = find(&node->streams, id);
    if (c != NULL) {
        drop(node, turn, c, true);
    }
}

/* ---- answers to what we asked ---------------------------------------------------------------------------------------------------- */

static void heard_look(struct hearsay_node *node, struct turn *turn, struct conversation *c, const struct push_pull *theirs)
{
    struct beliefs *b = &node->beliefs;
    bool is_kin = node->envelope.label_size > 0 || push_pull_is_kin(b, theirs, pool_name(c->target));
    uint32_t slot = members_find(&b->members, pool_name(c->target));
    if (is_kin) {
        c->purpose = PURPOSE_MEET;
        c->rounds_left = 2;
        wait_and_retry(node, turn, c, 0, true);
        return;
    }
    if (slot != MEMBERS_NONE && !members_at(&b->members, slot)->is_strange) {
        members_at(&b->members, slot)->is_strange = true; /* perhaps it only just started, and has met none of ours yet: look once more */
        drop(node, turn, c, true);
        return;
    }
    turn->counters->drop_foreign++;
    if (slot != MEMBERS_NONE) {
        struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_ADDRESS_BOOK};
        members_at(&b->members, slot)->is_foreign = true;
        presence_notify(b, turn, slot, HEARSAY_FOREIGN_CLUSTER, &cause, &c->address);
    }
    drop(node, turn, c, true);
}

static void heard_push_pull(struct hearsay_node *node, struct turn *turn, struct conversation *c, const struct push_pull *theirs)
{
    if (c->purpose == PURPOSE_LOOK) {
        heard_look(node, turn, c, theirs);
        return;
    }
    struct join *join = find_join(&node->streams, c->ticket);
    bool ignore_old = c->purpose == PURPOSE_JOIN && !turn->options->replay_on_join && !(join != NULL && join->replay);
    bool is_healing = c->purpose == PURPOSE_MEET;
    struct claim_source source = {.reason = is_healing ? HEARSAY_BECAUSE_ADDRESS_BOOK : HEARSAY_BECAUSE_PUSH_PULL, .from = &c->address,
                                  .peer = c->target == NULL ? NULL : c->target->name, .is_quiet = !is_healing};
    if (!answers_merge(node, turn, theirs, &source, ignore_old)) {
        failed(node, turn, c, "incompatible protocol versions: another personality, perhaps", true);
    } else if (c->purpose == PURPOSE_MEET && --c->rounds_left > 0) {
        wait_and_retry(node, turn, c, HEAL_PAUSE_TICKS * turn_ms(turn->options->gossip_interval_ms), true);
    } else {
        failed(node, turn, c, NULL, true); /* text NULL: it did not fail at all */
    }
}

static void heard_error(struct hearsay_node *node, struct turn *turn, struct conversation *c, struct hearsay_bytes body)
{
    char text[256];
    struct message m;
    size_t size = 0;
    if (message_decode(body, &m)) {
        size = m.error.size < sizeof text - 1 ? m.error.size : sizeof text - 1;
        bytes_copy(text, m.error.data, size);
    }
    text[size] = 0;
    failed(node, turn, c, size == 0 ? "the other side reported an error" : text, true);
}

static void heard_answer(struct hearsay_node *node, struct turn *turn, struct conversation *c, struct hearsay_bytes body)
{
    struct push_pull theirs;
    struct message m;
    if (body.data[0] == MESSAGE_ERROR) {
        heard_error(node, turn, c, body);
    } else if (c->purpose == PURPOSE_PING) {
        bool is_ours = message_decode(body, &m) && m.type == MESSAGE_ACK && m.ack.sequence == c->sequence;
        probe_on_stream(&node->probe, c->sequence, is_ours ? HEARSAY_PATH_ANSWERED : HEARSAY_PATH_SILENT);
        drop(node, turn, c, true);
    } else if (body.data[0] == MESSAGE_PUSH_PULL && push_pull_read(body, &theirs)) {
        heard_push_pull(node, turn, c, &theirs);
    } else {
        turn->counters->drop_stream_bad++;
        failed(node, turn, c, "the answer makes no sense", true);
    }
}

void streams_on_bytes(struct hearsay_node *node, struct turn *turn, uint32_t id, struct hearsay_bytes bytes)
{
    struct conversation *c = find(&node->streams, id);
    if (c == NULL || c->stage != STAGE_TALKING) {
        return;
    }
    if (c->is_store) {
        if (frames_feed(&c->frames, bytes)) {
            hear_frames(node, turn, c);
        } else {
            turn->counters->drop_no_memory++;
            drop_store(node, turn, c);
        }
        return;
    }
    switch (stream_reader_feed(&c->reader, bytes)) {
    case STREAM_MORE:
        return;
    case STREAM_FRAMES:
        begin_frames(node, turn, c);
        return;
    case STREAM_BAD:
        turn->counters->drop_stream_bad++;
        answers_count_fault(turn->counters, c->reader.fault);
        if (c->purpose == PURPOSE_ANSWER) {
            answers_refuse(node, turn, id, c->reader.fault, c->reader.was_encrypted);
        }
        failed(node, turn, c, answers_fault_text(c->reader.fault), true);
        return;
    case STREAM_WHOLE:
        break;
    }
    struct buffer body = stream_reader_take_body(&c->reader); /* ours: what follows may end the conversation */
    if (c->purpose == PURPOSE_ANSWER) {
        struct hearsay_address from = c->address;
        answers_to(node, turn, id, buffer_bytes(&body), &from);
        drop(node, turn, c, true);
    } else {
        heard_answer(node, turn, c, buffer_bytes(&body));
    }
    buffer_deinit(&body);
}
