/* SPDX-License-Identifier: MIT
 *
 * See reconcile.h. Questions wait on a stack, deepest first, so that their number stays small; those that are out are kept until every part of
 * their answer has come.
 */
#include "sync/reconcile.h"

#include "spread/outbox.h"
#include "spread/packing.h"
#include "sync/compare.h"

#define WINDOW_PACKETS 8
#define WINDOW_FRAMES 32
#define STREAM_ASKS 24        /* more questions than this go over a stream */
#define ATTEMPTS_PACKET 6
#define ATTEMPTS_FRAME 4
#define PATIENCE_PACKET_US 250000u
#define PATIENCE_FRAME_US 10000000u
#define PAUSE_US 300000u      /* between two sessions with one peer */
#define PARTS_MAX 64
#define PARTS_UNKNOWN 0xffffu
#define FILL_RATIO 8          /* who has so many times less asks for ranges */
#define FILL_LEAST 64
#define FILL_BYTES (256u << 10)
#define FILL_RANGES 16
#define FILL_WINDOW 4
#define FILL_PEERS 3          /* who are asked for them at once */
#define FILL_PENDING_MAX 49152 /* writes that wait for our disk */
#define LED_US 250000u        /* less than PAUSE_US: a question after that is of another repair */
#define YIELD_MS 100
#define HOLD_US 2000000u
#define DIALS_MAX 3
#define WORK_US 1             /* what one node or entry is taken to cost */
#define RANGE_CHEAPER 4       /* than that, for entries that are only read one after the other */
#define DEBT_MAX_US 1000000u

struct question {
    struct question *next;
    uint32_t sequence, attempts;
    uint64_t due;
    uint64_t parts;  /* heard */
    uint16_t last;   /* the number of the last part, or UNKNOWN */
    uint32_t size;
    uint8_t data[];
};

struct session {
    struct session *next;
    struct exchange *x;
    struct timer timer;
    uint32_t peer, stream, dials, ticket;
    bool is_connected, is_filling, is_over_packets_only;
    bool is_heard; /* there was an answer */
    uint32_t epoch, salt;
    struct question *waiting, *out;
    uint32_t waiting_count, out_count;
    uint64_t began_at, paused_until;
    struct compare_tally tally;
    uint64_t moved_in, bytes;
    uint64_t offered; /* filling: entries that the peer has */
};

/* ---- life of a session -------------------------------------------------------------------------------------------------- */

static void free_asks(struct question *a, const struct hearsay_allocator *memory)
{
    while (a != NULL) {
        struct question *next = a->next;
        memory_free(memory, a);
        a = next;
    }
}

static void destroy(struct session *s, const struct hearsay_allocator *memory)
{
    free_asks(s->waiting, memory);
    free_asks(s->out, memory);
    memory_free(memory, s);
}

void reconcile_deinit(struct exchange *x, const struct hearsay_allocator *memory)
{
    while (x->sessions != NULL) {
        struct session *next = x->sessions->next;
        destroy(x->sessions, memory);
        x->sessions = next;
    }
}

static struct session *find_peer(const struct exchange *x, uint32_t peer)
{
    struct session *s = x->sessions;
    while (s != NULL && s->peer != peer) {
        s = s->next;
    }
    return s;
}

static struct session *find_stream(const struct exchange *x, uint32_t stream)
{
    struct session *s = x->sessions;
    while (s != NULL && (stream == 0 || s->stream != stream)) {
        s = s->next;
    }
    return s;
}

/* Over. text NULL: everything that was asked was answered. */
static void finish(struct session *s, struct turn *turn, const char *text)
{
    struct exchange *x = s->x;
    struct peer *p = &x->peers.list[s->peer];
    struct session **at = &x->sessions;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    x->session_count--;
    timers_cancel(turn->timers, &s->timer);
    if (s->stream != 0) {
        x->links.close(x->links.context, turn, s->stream);
    }
    if (x->session_count == 0) {
        sync_hold(x->sync, turn, 0);
    }
    p->busy_until = turn->now + PAUSE_US;
    turn->counters->repairs_broken += text != NULL;
    turn->counters->repair_newer += s->tally.newer;
    if (s->ticket != 0) {
        struct hearsay_event event = {.type = HEARSAY_REPAIR_DONE, .ticket = s->ticket, .is_ok = text == NULL, .text = text,
                                      .found = s->tally.found, .moved = s->moved_in + s->tally.moved_out, .bytes = s->bytes};
        outbox_notify(turn->outbox, &event);
    }
    destroy(s, turn->memory);
}

/* ---- pacing ------------------------------------------------------------------------------------------------------------- */

/* Books what was sent, heard or done; the debt is over at x->repair_free_at. */
static void charge(struct exchange *x, struct turn *turn, uint64_t bytes, uint64_t work)
{
    uint64_t from = x->repair_free_at > turn->now ? x->repair_free_at : turn->now;
    uint64_t for_bytes = bytes * 1000000 / turn->options->repair_bytes_per_second;
    uint64_t for_work = work * WORK_US * 1000 / turn->options->repair_cpu_permille;
    x->repair_free_at = from + (for_bytes > for_work ? for_bytes : for_work);
}

/* A little debt does not matter, so that timers need not fire for every packet. */
static bool may_go_on(const struct exchange *x, const struct turn *turn)
{
    return x->repair_free_at <= turn->now + 20000;
}

/* Who answers does not know when the last question has come, and holds its tree from one to the next only. */
static void hold_tree(struct exchange *x, struct turn *turn, uint64_t span_us)
{
    if (turn->now - x->hold_began > 2 * HOLD_US || x->hold_began == 0) {
        x->hold_began = turn->now;
    }
    if (turn->now - x->hold_began < HOLD_US) {
        uint64_t left = HOLD_US - (turn->now - x->hold_began);
        sync_hold(x->sync, turn, (uint32_t)((left < span_us ? left : span_us) / 1000));
    }
}

/* ---- asking ------------------------------------------------------------------------------------------------------------- */

void reconcile_queue(struct session *s, struct turn *turn, struct hearsay_bytes message, size_t session_end)
{
    struct question *a = memory_zeros(turn->memory, sizeof *a + message.size);
    if (a == NULL) {
        turn->counters->drop_no_memory++;
        return;
    }
    a->sequence = ++s->x->repair_sequence;
    a->last = PARTS_UNKNOWN;
    a->size = (uint32_t)message.size;
    memcpy(a->data, message.data, message.size);
    bytes_put_u32(a->data + session_end - 15, a->sequence);
    a->next = s->waiting;
    s->waiting = a;
    s->waiting_count++;
}

static bool begin_asks(struct talk *t, struct session *s, struct turn *turn, struct parley_session *session)
{
    *session = (struct parley_session){.epoch = s->epoch, .salt = s->salt};
    if (!talk_begin(t, s->x, turn, s->peer, s->is_connected ? s->stream : 0, PARLEY_ASK, session)) {
        return false;
    }
    t->asks = s;
    return true;
}

static bool fits_packet(const struct turn *turn, const struct question *a)
{
    uint32_t most = turn->options->packet_bytes_max < EXCHANGE_PACKET_MAX ? turn->options->packet_bytes_max : EXCHANGE_PACKET_MAX;
    return a->size + envelope_overhead(turn->envelope) + 5 <= most;
}

static void transmit(struct session *s, struct turn *turn, struct question *a)
{
    struct exchange *x = s->x;
    struct hearsay_bytes message = bytes_of(a->data, a->size);
    a->attempts++;
    if (s->is_connected) {
        x->links.send(x->links.context, turn, s->stream, message);
        a->due = turn->now + PATIENCE_FRAME_US;
    } else {
        packing_send_parts(turn, &x->peers.list[s->peer].address, &message, 1, !envelope_encrypts(turn->envelope));
        a->due = turn->now + ((uint64_t)PATIENCE_PACKET_US << (a->attempts - 1));
    }
    s->bytes += a->size;
    x->peers.list[s->peer].bytes_out += a->size;
    turn->counters->repair_bytes_out += a->size;
    charge(x, turn, a->size, 0);
}

static void dial(struct session *s, struct turn *turn)
{
    struct exchange *x = s->x;
    uint32_t slot = x->peers.list[s->peer].slot;
    if (s->stream != 0 || s->is_over_packets_only || slot == MEMBERS_NONE) {
        return;
    }
    s->stream = s->dials++ < DIALS_MAX ? x->links.open(x->links.context, turn, members_at(&x->beliefs->members, slot)->identity) : 0;
    s->is_over_packets_only = s->stream == 0;
}

/* Questions that were not answered in time. False: it makes no sense any more, and the session is over. */
static bool repeat_late(struct session *s, struct turn *turn)
{
    for (struct question *a = s->out; a != NULL; a = a->next) {
        if (a->due > turn->now) {
            continue;
        }
        if (a->attempts >= (s->is_connected ? ATTEMPTS_FRAME : ATTEMPTS_PACKET)) {
            finish(s, turn, "no answer in time");
            return false;
        }
        transmit(s, turn, a);
    }
    return true;
}

static bool must_wait(const struct session *s, const struct turn *turn)
{
    if (s->is_filling && s->x->sync->batches.count > FILL_PENDING_MAX) {
        return true;
    }
    return s->paused_until > turn->now || !may_go_on(s->x, turn);
}

static void send_waiting(struct session *s, struct turn *turn)
{
    uint32_t window = s->is_filling ? FILL_WINDOW : s->is_connected ? WINDOW_FRAMES : WINDOW_PACKETS;
    while (s->waiting != NULL && s->out_count < window && !must_wait(s, turn)) {
        struct question *a = s->waiting;
        if (!s->is_connected && (s->is_filling || !fits_packet(turn, a))) {
            return; /* for a stream only */
        }
        s->waiting = a->next;
        s->waiting_count--;
        a->next = s->out;
        s->out = a;
        s->out_count++;
        transmit(s, turn, a);
    }
}

static void arm(struct session *s, struct turn *turn)
{
    uint64_t at = turn->now + PATIENCE_FRAME_US;
    for (const struct question *a = s->out; a != NULL; a = a->next) {
        at = a->due < at ? a->due : at;
    }
    if (s->waiting != NULL && must_wait(s, turn)) {
        uint64_t free_at = s->x->repair_free_at > s->paused_until ? s->x->repair_free_at : s->paused_until;
        free_at = free_at > turn->now + 1000 ? free_at : turn->now + 50000; /* the disk is behind: look again */
        at = free_at < at ? free_at : at;
    }
    timers_set(turn->timers, &s->timer, at > turn->now ? at : turn->now + 1000);
}

/* Sends what may be sent; the session may be over afterwards. */
static void advance(struct session *s, struct turn *turn)
{
    if (!repeat_late(s, turn)) {
        return;
    }
    if (s->is_filling || s->waiting_count + s->out_count > STREAM_ASKS) {
        dial(s, turn);
    }
    send_waiting(s, turn);
    if (s->waiting == NULL && s->out == NULL) {
        finish(s, turn, NULL);
    } else if (s->out == NULL && s->is_over_packets_only && !s->is_connected && !must_wait(s, turn)) {
        finish(s, turn, "no stream to the other side");
    } else {
        arm(s, turn);
    }
}

static struct session *create(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t ticket)
{
    struct session *s = memory_zeros(turn->memory, sizeof *s);
    if (s == NULL) {
        turn->counters->drop_no_memory++;
        return NULL;
    }
    s->x = x;
    s->peer = peer;
    s->ticket = ticket;
    s->timer.kind = TIMER_RECONCILE;
    s->timer.number = ++x->session_number;
    s->began_at = turn->now;
    s->epoch = merkle_root(&x->sync->store.merkle).epoch;
    s->salt = s->epoch ^ x->session_number * 0x9e3779b9u ^ (uint32_t)x->sync->origin;
    s->next = x->sessions;
    x->sessions = s;
    x->session_count++;
    x->peers.list[peer].sessions++;
    turn->counters->repairs++;
    hold_tree(x, turn, HOLD_US);
    return s;
}

static void ask_for_ranges(struct session *s, struct turn *turn)
{
    struct parley_session session;
    struct talk t;
    s->is_filling = true;
    for (uint64_t i = FILL_RANGES; i-- > 0;) { /* on a stack: the first goes first */
        struct parley_range range = {i * (UINT64_MAX / FILL_RANGES + 1), i * (UINT64_MAX / FILL_RANGES + 1) + UINT64_MAX / FILL_RANGES,
                                     FILL_BYTES};
        if (begin_asks(&t, s, turn, &session)) {
            talk_range(&t, &range);
            talk_end(&t, true);
        }
    }
}

static void ask_from_top(struct session *s, struct turn *turn)
{
    struct parley_session session;
    struct talk t;
    if (begin_asks(&t, s, turn, &session)) {
        compare_descend(&t, s->salt, 0, 0, &s->tally);
        talk_end(&t, true);
    }
}

bool reconcile_must_fill(const struct exchange *x, const struct parley_beacon *beacon)
{
    return beacon->count >= FILL_LEAST && x->sync->store.merkle.count < beacon->count / FILL_RATIO;
}

/* The fill that has most still to ask for, if this peer has as much as its own. */
static struct session *find_fill(const struct exchange *x, const struct parley_beacon *beacon)
{
    struct session *most = NULL;
    for (struct session *s = x->sessions; s != NULL; s = s->next) {
        bool is_rich = s->is_filling && s->waiting_count > 1 && beacon->count >= s->offered - s->offered / FILL_RATIO;
        most = is_rich && (most == NULL || s->waiting_count > most->waiting_count) ? s : most;
    }
    return most;
}

/* Another peer is asked for half of what waits: no value comes twice, since no range is asked for twice. */
static void share_fill(struct session *from, struct turn *turn, uint32_t peer)
{
    struct session *s = create(from->x, turn, peer, 0);
    if (s == NULL) {
        return;
    }
    s->is_filling = true;
    s->offered = from->offered;
    for (struct question **at = &from->waiting; *at != NULL && (*at)->next != NULL;) {
        at = &(*at)->next;
        struct question *moved = *at;
        *at = moved->next;
        from->waiting_count--;
        moved->next = s->waiting;
        s->waiting = moved;
        s->waiting_count++;
    }
    advance(s, turn);
}

/* What repair brought waits for the disk: until then our tree is behind, and comparing it would find the same again. */
static bool is_digesting(const struct exchange *x)
{
    return x->repaired > x->sync->batches.gone;
}

void reconcile_on_difference(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_beacon *beacon)
{
    const struct peer *p = &x->peers.list[peer];
    uint64_t ours = x->sync->store.merkle.count;
    struct session *fill = find_fill(x, beacon);
    if (fill != NULL && x->session_count < FILL_PEERS && p->busy_until <= turn->now && find_peer(x, peer) == NULL) {
        share_fill(fill, turn, peer);
        return;
    }
    if (x->session_count > 0 || x->led_until > turn->now || is_digesting(x) || p->busy_until > turn->now || !may_go_on(x, turn)) {
        return;
    }
    if (beacon->count >= FILL_LEAST && ours / FILL_RATIO > beacon->count) {
        return; /* it has next to nothing: it will ask us for everything */
    }
    if (ours > FILL_LEAST && beacon->count == 0) {
        return;
    }
    struct session *s = create(x, turn, peer, 0);
    if (s == NULL) {
        return;
    }
    if (reconcile_must_fill(x, beacon)) {
        s->offered = beacon->count;
        ask_for_ranges(s, turn);
    } else {
        ask_from_top(s, turn);
    }
    advance(s, turn);
}

hearsay_err reconcile_start(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t ticket)
{
    struct session *s = find_peer(x, peer);
    if (s != NULL && s->ticket != 0) {
        return HEARSAY_ERR_BUSY;
    }
    if (s != NULL) {
        s->ticket = ticket;
        return HEARSAY_OK;
    }
    s = create(x, turn, peer, ticket);
    if (s == NULL) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    ask_from_top(s, turn);
    advance(s, turn);
    return HEARSAY_OK;
}

void reconcile_on_timer(struct exchange *x, struct turn *turn, uint32_t number)
{
    struct session *s = x->sessions;
    while (s != NULL && s->timer.number != number) {
        s = s->next;
    }
    if (s != NULL) {
        advance(s, turn);
    }
}

/* ---- what is told --------------------------------------------------------------------------------------------------------- */

static struct question *find_ask(const struct session *s, uint32_t sequence)
{
    struct question *a = s->out;
    while (a != NULL && a->sequence != sequence) {
        a = a->next;
    }
    return a;
}

static void settle(struct session *s, struct turn *turn, struct question *a)
{
    struct question **at = &s->out;
    while (*at != a) {
        at = &(*at)->next;
    }
    *at = a->next;
    s->out_count--;
    memory_free(turn->memory, a);
}

/* True when this part is new. */
static bool note_part(struct question *a, const struct parley_session *session)
{
    if (session->part >= PARTS_MAX) {
        a->last = session->is_last ? session->part : a->last; /* frames come in order: no need to count them */
        a->parts = session->is_last ? UINT64_MAX : a->parts;
        return true;
    }
    uint64_t bit = (uint64_t)1 << session->part;
    bool is_new = (a->parts & bit) == 0;
    a->parts |= bit;
    a->last = session->is_last ? session->part : a->last;
    return is_new;
}

static bool is_whole(const struct question *a)
{
    return a->last != PARTS_UNKNOWN && (a->last >= PARTS_MAX - 1 || a->parts == ((uint64_t)2 << a->last) - 1);
}

static bool heard_status(struct session *s, struct turn *turn, struct question *a, const struct parley_message *m)
{
    if (!m->has_status) {
        return false;
    }
    if (m->status == PARLEY_YIELD && s->ticket == 0) {
        finish(s, turn, NULL);
        return true;
    }
    s->paused_until = turn->now + turn_ms(m->retry_ms > 10000 ? 10000 : m->retry_ms);
    a->due = s->paused_until;
    a->attempts -= a->attempts > 1;
    arm(s, turn);
    return true;
}

static void hear_entries(struct session *s, struct turn *turn, const struct parley_message *m)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    while (parley_next_section(&sections, &type, &body)) {
        if (type == PARLEY_ENTRIES) {
            uint32_t count = exchange_receive(s->x, turn, s->peer, body, EXCHANGE_FROM_REPAIR);
            s->moved_in += count;
            s->x->peers.list[s->peer].entries_in += count;
            charge(s->x, turn, 0, s->is_filling ? 0 : count); /* who has nothing has nothing better to do */
        }
    }
}

void reconcile_on_tell(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m, size_t size)
{
    struct session *s = find_peer(x, peer);
    struct question *a = s == NULL || !m->has_session ? NULL : find_ask(s, m->session.sequence);
    struct parley_session session;
    struct talk t;
    turn->counters->repair_bytes_in += size;
    x->peers.list[peer].bytes_in += size;
    if (a == NULL || heard_status(s, turn, a, m) || !note_part(a, &m->session)) {
        return;
    }
    s->bytes += size;
    s->is_heard = true;
    a->due = turn->now + (s->is_connected ? PATIENCE_FRAME_US : PATIENCE_PACKET_US);
    uint64_t work = s->tally.work, moved = s->tally.moved_out;
    hear_entries(s, turn, m);
    if (begin_asks(&t, s, turn, &session)) {
        compare_answer(&t, m, &s->tally);
        if (m->has_range) {
            talk_range(&t, &m->range);
        }
        talk_end(&t, false);
    }
    x->peers.list[peer].entries_out += s->tally.moved_out - moved;
    turn->counters->repair_entries_out += s->tally.moved_out - moved;
    charge(x, turn, size, s->tally.work - work);
    if (is_whole(a)) {
        settle(s, turn, a);
    }
    advance(s, turn);
}

/* ---- answering ---------------------------------------------------------------------------------------------------------------- */

/* Who is in two repairs at once is told the same twice, and compares what the other is about to change: so one at a time, whoever leads it. Of
 * two questions that cross the one of the larger name counts, so that of any number that wait for each other in a circle one gets on. */
static bool must_yield(struct exchange *x, struct turn *turn, uint32_t peer)
{
    bool is_led = x->led_until > turn->now;
    if (is_led ? x->led_by != peer : is_digesting(x)) {
        return true;
    }
    for (struct session *s = x->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (s->ticket != 0) {
            continue; /* wishes wait, and hold up nobody */
        }
        if (s->is_heard || s->is_filling || x->sync->origin > x->peers.list[peer].digest) {
            return true;
        }
        finish(s, turn, NULL);
    }
    x->led_by = peer;
    x->led_until = turn->now + LED_US;
    return false;
}

void reconcile_on_ask(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, const struct parley_message *m)
{
    struct compare_tally tally = {0};
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    struct talk t;
    if (!m->has_session) {
        turn->counters->drop_malformed++;
        return;
    }
    struct parley_session session = {.sequence = m->session.sequence, .epoch = m->session.epoch, .salt = m->session.salt};
    if (!talk_begin(&t, x, turn, peer, stream, PARLEY_TELL, &session)) {
        return;
    }
    if (!m->has_range && must_yield(x, turn, peer)) {
        talk_status(&t, PARLEY_YIELD, YIELD_MS);
    } else if (x->repair_free_at > turn->now + DEBT_MAX_US) {
        talk_status(&t, PARLEY_BUSY, (uint32_t)((x->repair_free_at - turn->now) / 1000));
    } else {
        hold_tree(x, turn, LED_US);
        while (parley_next_section(&sections, &type, &body)) {
            if (type == PARLEY_ENTRIES) {
                uint32_t count = exchange_receive(x, turn, peer, body, EXCHANGE_FROM_REPAIR);
                x->peers.list[peer].entries_in += count;
                tally.work += count;
            }
        }
        compare_answer(&t, m, &tally);
        if (m->has_range && stream != 0) {
            compare_tell_range(&t, &m->range, &tally);
        }
    }
    talk_end(&t, true);
    x->peers.list[peer].entries_out += tally.moved_out;
    x->peers.list[peer].bytes_out += t.bytes;
    turn->counters->repair_entries_out += tally.moved_out;
    turn->counters->repair_bytes_out += t.bytes;
    charge(x, turn, t.bytes, m->has_range ? tally.work / RANGE_CHEAPER : tally.work);
}

/* ---- streams -------------------------------------------------------------------------------------------------------------------- */

bool reconcile_on_connected(struct exchange *x, struct turn *turn, uint32_t stream)
{
    struct session *s = find_stream(x, stream);
    if (s != NULL) {
        s->is_connected = true;
        advance(s, turn);
    }
    return s != NULL;
}

bool reconcile_on_closed(struct exchange *x, struct turn *turn, uint32_t stream)
{
    struct session *s = find_stream(x, stream);
    if (s == NULL) {
        return false;
    }
    s->stream = 0;
    s->is_connected = false;
    while (s->out != NULL) { /* what is still open is asked again */
        struct question *a = s->out;
        s->out = a->next;
        a->next = s->waiting;
        a->parts = 0;
        a->last = PARTS_UNKNOWN;
        s->waiting = a;
        s->waiting_count++;
    }
    s->out_count = 0;
    s->paused_until = turn->now + PAUSE_US;
    if (s->is_filling || s->waiting_count > STREAM_ASKS) {
        dial(s, turn);
    }
    advance(s, turn);
    return true;
}
