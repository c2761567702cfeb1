/* SPDX-License-Identifier: MIT
 *
 * See exchange.h: rounds, eager copies, and what is answered to them. Every packet stands for itself; nobody waits for an answer.
 */
#include "sync/exchange.h"

#include "spread/rumors.h"
#include "sync/copies.h"
#include "sync/items.h"
#include "sync/owned.h"
#include "sync/purge.h"
#include "sync/reconcile.h"
#include "sync/talk.h"

#define ROWS_EVERY_ROUNDS 16 /* who has what up to when is told */
#define PACKETS_MAX 16        /* of entries, to one peer at once */
#define ASK_EVERY_ROUNDS 64   /* who did not answer is asked again */
#define ASKED_PER_ROUND 3
#define WANTED_US 2000000u    /* a wanted id is not asked for again so soon */
#define HOT_ROUNDS 15
#define HOT_ROUNDS_ONE 21     /* with a fan-out of one */
#define ODD_ROOTS 2           /* old roots that must differ in a row before it counts */
#define EAGER_PEERS_MAX 64

static uint64_t interval_us(const struct turn *turn)
{
    return turn_ms(turn->options->store_interval_ms);
}

bool exchange_init(struct exchange *x, struct turn *turn, struct sync *sync, struct beliefs *beliefs, struct abilities *abilities)
{
    *x = (struct exchange){.sync = sync, .beliefs = beliefs, .abilities = abilities};
    peers_init(&x->peers, turn, &sync->store.keys.value);
    buffer_init(&x->big, turn->memory);
    x->round.kind = TIMER_EXCHANGE;
    x->eager.kind = TIMER_EXCHANGE_EAGER;
    x->copy_timer.kind = TIMER_COPIES;
    timers_set(turn->timers, &x->round, turn->now + rng_below(turn->rng, interval_us(turn)) + 1);
    return items_init(x, turn);
}

void exchange_deinit(struct exchange *x, const struct hearsay_allocator *memory)
{
    peers_deinit(&x->peers, memory);
    hot_deinit(&x->hot, memory);
    reconcile_deinit(x, memory);
    copies_deinit(x, memory);
    items_deinit(x, memory);
    if (x->big.memory != NULL) {
        buffer_deinit(&x->big);
    }
}

void exchange_tune(struct exchange *x, struct turn *turn)
{
    x->met = x->to_meet = 0;
    timers_set(turn->timers, &x->round, turn->now + rng_below(turn->rng, interval_us(turn)) + 1);
}

struct parley_head exchange_head(const struct exchange *x, const struct turn *turn, enum parley_kind kind)
{
    const struct hlc *h = &x->sync->hlc;
    return (struct parley_head){.kind = kind, .hlc = hlc_now(h, turn->host_now), .wall_ms = hlc_wall_ms(h, turn->host_now),
                                .purge_minute = (uint32_t)(hlc_ms(purge_told(x->sync)) / TOMBSTONES_MINUTE_MS)};
}

/* ---- whom to talk to ------------------------------------------------------------------------------------------------------ */

static bool is_unknown(const struct members *m, uint32_t slot, const void *context)
{
    (void)context;
    const struct member *member = members_at(m, slot);
    return slot != m->self && member->state == MESSAGE_STATE_ALIVE && !member->is_asked && !member->can_store;
}

static void ask_some(struct exchange *x, struct turn *turn)
{
    struct members *m = &x->beliefs->members;
    uint32_t slots[ASKED_PER_ROUND];
    if (x->rounds % ASK_EVERY_ROUNDS == 0) {
        for (uint32_t i = 0; i < m->listed; i++) {
            members_at(m, m->list[i])->is_asked = false;
        }
    }
    uint32_t count = members_choose(m, turn->rng, ASKED_PER_ROUND, is_unknown, NULL, slots);
    for (uint32_t i = 0; i < count; i++) {
        abilities_ask(x->abilities, x->beliefs, turn, slots[i]);
    }
}

void exchange_on_joined(struct exchange *x, struct turn *turn, uint32_t slot)
{
    struct member *member = members_at(&x->beliefs->members, slot);
    bool is_back = peers_find_slot(&x->peers, slot) != PEERS_NONE;
    member->can_store = false;
    member->is_asked = false;
    if (is_back || turn->population <= ASKED_PER_ROUND + 1) { /* in a crowd of newcomers the rounds ask, a few at a time */
        abilities_ask(x->abilities, x->beliefs, turn, slot);
    }
}

uint32_t exchange_on_able(struct exchange *x, struct turn *turn, uint32_t slot)
{
    uint32_t peer = peers_enter(&x->peers, turn, &x->beliefs->members, slot);
    struct talk t;
    if (peer != PEERS_NONE) {
        struct peer *p = &x->peers.list[peer];
        purge_see(x->sync, turn, p->digest);
        const struct tombstones_row *row = tombstones_row(&x->sync->tombstones, p->digest); /* perhaps from a former life */
        p->equal_epoch = p->equal_epoch == 0 && row != NULL ? row->met : p->equal_epoch;
    }
    if (peer != PEERS_NONE && hlc_wall_ms(&x->sync->hlc, turn->host_now) != 0 &&
        talk_begin(&t, x, turn, peer, 0, PARLEY_PUSH, NULL)) {
        talk_beacon(&t);
        talk_end(&t, true);
    }
    return peer;
}

void exchange_note_seed(struct exchange *x, const struct hearsay_address *address)
{
    x->seeds[x->seed_count++ % EXCHANGE_SEEDS] = *address;
}

/* ---- rounds ----------------------------------------------------------------------------------------------------------------- */

static bool is_cold(const struct exchange *x, const struct turn *turn, const struct hot_entry *h)
{
    const struct hearsay_options *o = turn->options;
    if (o->store_mode == HEARSAY_PUSH) {
        return h->tells >= rumors_limit(turn);
    }
    uint32_t least = o->store_fanout == 1 ? HOT_ROUNDS_ONE : o->store_fanout == 2 ? (HOT_ROUNDS + HOT_ROUNDS_ONE) / 2 : HOT_ROUNDS;
    return x->sync->store.merkle.horizon >= h->epoch && x->rounds - h->round >= least;
}

static void cool(struct exchange *x, struct turn *turn)
{
    for (uint32_t i = 0; i < x->hot.count; i++) {
        if (is_cold(x, turn, &x->hot.list[i])) {
            x->hot.list[i].id = 0;
        }
    }
    hot_sweep(&x->hot);
}

/* Hot entries, freshest first; those that are no longer the newest of their key are forgotten. */
static void tell_hot(struct exchange *x, struct talk *t)
{
    for (uint32_t i = x->hot.count; i-- > 0 && t->sent < PACKETS_MAX;) {
        struct hot_entry *h = &x->hot.list[i];
        const struct entry *entry = store_find_id(&x->sync->store, h->id);
        if (entry == NULL) {
            h->id = 0;
        } else if (h->from != t->peer || h->tells > 0) { /* it told us itself: not in the first round */
            (void)talk_entry(t, entry, 0);
        }
    }
}

static void put_ids(const struct exchange *x, struct talk *t)
{
    uint32_t first = x->hot.count > EXCHANGE_IDS_MAX ? x->hot.count - EXCHANGE_IDS_MAX : 0;
    for (uint32_t i = x->hot.count; i-- > first;) {
        talk_number(t, PARLEY_IDS, x->hot.list[i].id);
    }
}

static void open_round(struct exchange *x, struct turn *turn, uint32_t peer)
{
    static const enum parley_kind kinds[] = {[HEARSAY_PUSH] = PARLEY_PUSH, [HEARSAY_PULL] = PARLEY_PULL,
                                             [HEARSAY_PUSH_PULL] = PARLEY_PUSH_PULL};
    uint32_t mode = turn->options->store_mode;
    struct talk t;
    if ((mode == HEARSAY_PUSH && x->hot.count == 0 && !items_any_recent(x, turn)) || !talk_begin(&t, x, turn, peer, 0, kinds[mode], NULL)) {
        return; /* with nothing to push the beacon rides on pings */
    }
    talk_beacon(&t);
    if (x->rounds % ROWS_EVERY_ROUNDS == 0) {
        talk_rows(&t);
    }
    items_tell(x, &t);
    if (mode == HEARSAY_PUSH) {
        tell_hot(x, &t);
    } else {
        put_ids(x, &t);
    }
    talk_end(&t, true);
}

static uint32_t find_seed(const struct exchange *x, struct turn *turn)
{
    uint32_t count = x->seed_count < EXCHANGE_SEEDS ? x->seed_count : EXCHANGE_SEEDS;
    uint32_t peer = count == 0 ? PEERS_NONE : peers_find(&x->peers, &x->seeds[rng_below(turn->rng, count)]);
    return peer != PEERS_NONE && peers_is_up(&x->peers, &x->beliefs->members, peer) ? peer : PEERS_NONE;
}

static bool is_seed(const struct exchange *x, uint32_t peer)
{
    for (uint32_t i = 0; i < x->seed_count && i < EXCHANGE_SEEDS; i++) {
        if (peers_find(&x->peers, &x->seeds[i]) == peer) {
            return true;
        }
    }
    return false;
}

/* Cassandra's Gossiper, besides the live peers of the fan-out: one that is unreachable, with chance down / (up + 1), and a seed, if none
 * was met and with chance seeds / all unless hardly anybody is up. */
static void meet_others(struct exchange *x, struct turn *turn, const uint32_t *met, uint32_t count)
{
    uint32_t up = 0, down = 0, lost = PEERS_NONE, seeds = x->seed_count < EXCHANGE_SEEDS ? x->seed_count : EXCHANGE_SEEDS;
    bool met_seed = false;
    for (uint32_t i = 0; i < x->peers.count; i++) {
        bool is_up = peers_is_up(&x->peers, &x->beliefs->members, i);
        up += is_up;
        if (!is_up && x->peers.list[i].address.size > 0 && rng_below(turn->rng, ++down) == 0) {
            lost = i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        met_seed = met_seed || is_seed(x, met[i]);
    }
    if (lost != PEERS_NONE && rng_below(turn->rng, up + 1) < down) {
        open_round(x, turn, lost);
    }
    uint32_t seed = met_seed ? PEERS_NONE : find_seed(x, turn);
    if (seed != PEERS_NONE && (up < seeds || rng_below(turn->rng, up + down) < seeds)) {
        open_round(x, turn, seed);
    }
}

/* What is done once a round; then whom to meet in it is chosen. */
static void begin_round(struct exchange *x, struct turn *turn)
{
    x->began_at = x->round.at;
    x->met = x->to_meet = 0;
    x->rounds++;
    if (hlc_wall_ms(&x->sync->hlc, turn->host_now) == 0 || x->beliefs->members.is_leaving) {
        return;
    }
    ask_some(x, turn);
    cool(x, turn);
    x->to_meet = peers_choose(&x->peers, &x->beliefs->members, turn->rng, turn->options->store_fanout, PEERS_NONE, x->chosen);
    if (turn->options->store_cassandra) {
        meet_others(x, turn, x->chosen, x->to_meet);
    }
}

/* One after the other, spread over the round: what one told us, the next hears already. */
void exchange_on_round(struct exchange *x, struct turn *turn)
{
    if (x->met >= x->to_meet) {
        begin_round(x, turn);
    }
    if (x->met < x->to_meet) {
        open_round(x, turn, x->chosen[x->met++]);
        for (uint32_t i = 0; i < x->hot.count; i++) {
            x->hot.list[i].tells++;
        }
        hot_sweep(&x->hot);
    }
    uint64_t next = x->began_at + (x->met < x->to_meet ? interval_us(turn) * x->met / x->to_meet : interval_us(turn));
    timers_set(turn->timers, &x->round, next > turn->now ? next : turn->now + interval_us(turn));
}

size_t exchange_write_beacon(const struct exchange *x, const struct turn *turn, uint8_t *bytes, size_t capacity)
{
    struct writer w = writer_of(bytes, capacity);
    struct parley_head head = exchange_head(x, turn, PARLEY_PUSH);
    struct merkle_root root = merkle_root(&x->sync->store.merkle);
    if (head.wall_ms == 0) {
        return 0;
    }
    parley_put_head(&w, &head);
    parley_put_beacon(&w, &(struct parley_beacon){.epoch = root.epoch, .count = root.count, .digest = root.sum.lo});
    return w.is_full ? 0 : w.size;
}

/* ---- eager copies ------------------------------------------------------------------------------------------------------------- */

static bool take_token(struct exchange *x, const struct turn *turn)
{
    uint64_t rate = turn->options->store_eager_per_second, cost = 1000000 / rate, burst = 50000;
    uint64_t full = x->tokens_at > turn->now ? x->tokens_at : turn->now;
    if (full + cost > turn->now + burst + cost) {
        return false;
    }
    x->tokens_at = full + cost;
    return true;
}

static void make_hot(struct exchange *x, struct turn *turn, const struct pending *write, enum store_verdict verdict, unsigned how,
                     uint32_t from)
{
    if (verdict != STORE_NEWER || (how & EXCHANGE_FROM_REPAIR) != 0) {
        return;
    }
    const struct entry *entry = write->entry;
    struct hot_entry h = {.id = entry_id(write->place, entry->digest),
                          .from = write->ticket != 0 || write->source == 0 ? PEERS_NONE : from, .round = x->rounds,
                          .eager = (uint16_t)(turn->options->eager ? (rumors_limit(turn) + 1) / 2 : 0),
                          .epoch = merkle_epoch_of(entry_moment(entry))};
    uint64_t delay = turn->options->eager_delay_us;
    if (!hot_add(&x->hot, turn->memory, &h)) {
        turn->counters->drop_no_memory++;
    } else if (h.eager > 0 && !x->eager.is_armed) {
        timers_set(turn->timers, &x->eager, turn->now + delay / 3 + rng_below(turn->rng, delay - delay / 3 + 1));
    }
}

bool exchange_on_durable(struct exchange *x, struct turn *turn, const struct pending *write, enum store_verdict verdict)
{
    unsigned how = (unsigned)(write->source >> 32);
    uint32_t from = (uint32_t)write->source - 1;
    if ((how & EXCHANGE_WANTS_RECEIPT) != 0) {
        copies_confirm(x, turn, from, write->place, &write->version);
    }
    make_hot(x, turn, write, verdict, how, from);
    return copies_on_durable(x, turn, write, verdict);
}

static void clear_eager(struct exchange *x)
{
    for (uint32_t i = 0; i < x->hot.count; i++) {
        x->hot.list[i].eager = 0;
    }
    x->hot.eager_count = 0;
}

/* What is owed to everybody but to whom it came from, in as many packets as the rate allows. False: no more may go out. */
static bool tell_eager(struct exchange *x, struct turn *turn, uint32_t peer)
{
    struct talk t;
    uint32_t paid = 0;
    if (!talk_begin(&t, x, turn, peer, 0, PARLEY_PUSH, NULL)) {
        return false;
    }
    for (uint32_t i = x->hot.count; i-- > 0;) {
        struct hot_entry *h = &x->hot.list[i];
        if (h->eager == 0 || h->from == peer) {
            continue;
        }
        while (paid <= t.sent) { /* each packet costs a token before it is filled */
            if (!take_token(x, turn)) {
                talk_end(&t, false);
                return false;
            }
            paid++;
        }
        const struct entry *entry = store_find_id(&x->sync->store, h->id);
        h->eager--;
        if (entry != NULL) {
            (void)talk_entry(&t, entry, 0);
        }
    }
    talk_end(&t, false);
    return true;
}

void exchange_on_eager(struct exchange *x, struct turn *turn)
{
    uint32_t chosen[EAGER_PEERS_MAX], most = 0;
    for (uint32_t i = 0; i < x->hot.count; i++) {
        most = x->hot.list[i].eager > most ? x->hot.list[i].eager : most;
    }
    most = most + 1 > EAGER_PEERS_MAX ? EAGER_PEERS_MAX : most + 1; /* one may be whom it came from */
    uint32_t count = peers_choose(&x->peers, &x->beliefs->members, turn->rng, most, PEERS_NONE, chosen);
    for (uint32_t i = 0; i < count; i++) {
        if (!tell_eager(x, turn, chosen[i])) {
            break;
        }
    }
    clear_eager(x);
}

/* ---- what others say ------------------------------------------------------------------------------------------------------------ */

static void receive_entry(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_entry *e, unsigned how)
{
    struct hearsay_entry entry = {.key = e->key, .value = e->value, .version = {e->hlc, e->origin}, .expires_hlc = e->expires_hlc,
                                  .is_tombstone = (e->flags & PARLEY_ENTRY_TOMBSTONE) != 0};
    how |= (e->flags & PARLEY_ENTRY_RECEIPT) != 0 ? EXCHANGE_WANTS_RECEIPT : 0;
    if ((e->flags & PARLEY_ENTRY_OFFER) != 0) {
        if (e->value_size <= turn->options->store_value_max && sync_wants(x->sync, e->key, &entry.version)) {
            items_on_offer(x, turn, peer, entry_place(&x->sync->store.keys, e->key), how);
        }
        return;
    }
    if (!owned_may_take(x->sync, &x->beliefs->members, turn, &entry)) {
        return;
    }
    if (!purge_may_take(x->sync, turn, x->peers.list[peer].digest, x->peers.list[peer].purge_hlc, &entry)) {
        return;
    }
    enum sync_verdict verdict = sync_receive(x->sync, turn, &entry, exchange_source(peer, how));
    if (verdict == SYNC_TAKEN && (how & EXCHANGE_FROM_REPAIR) != 0) {
        x->repaired = batches_newest(&x->sync->batches);
    }
    if ((how & EXCHANGE_WANTS_RECEIPT) != 0 && (verdict == SYNC_KNOWN || verdict == SYNC_OUTDATED)) {
        copies_confirm(x, turn, peer, entry_place(&x->sync->store.keys, entry.key), &entry.version);
    }
}

uint32_t exchange_receive(struct exchange *x, struct turn *turn, uint32_t peer, struct reader body, unsigned how)
{
    struct parley_entry e;
    uint32_t count = 0;
    while (parley_next_entry(&body, &e)) {
        receive_entry(x, turn, peer, &e, how);
        count++;
    }
    return count;
}

/* Ids in a small table on the stack, to look them up while walking the hot list. */
struct id_set {
    uint64_t ids[512];
};

static bool id_set_has(struct id_set *s, uint64_t id, bool adds)
{
    for (size_t i = (size_t)(id ^ id >> 32) % 512;; i = (i + 1) % 512) {
        if (s->ids[i] == id) {
            return true;
        }
        if (s->ids[i] == 0) {
            s->ids[i] = adds ? id : 0;
            return false;
        }
    }
}

static void want(struct exchange *x, struct turn *turn, uint32_t peer, struct talk *t, uint64_t id)
{
    if (store_find_id(&x->sync->store, id) == NULL && hot_want(&x->hot, turn->memory, id, peer, turn->now, turn->now + WANTED_US)) {
        talk_number(t, PARLEY_WANTED, id);
    }
}

/* Answers a round of pull or push-pull: what they lack of what is hot here, and what we want of theirs. */
static void answer_round(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m)
{
    struct id_set theirs = {{0}};
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    struct talk t;
    uint32_t count = 0;
    if (!talk_begin(&t, x, turn, peer, 0, PARLEY_ACK, NULL)) {
        return;
    }
    while (parley_next_section(&sections, &type, &body)) {
        uint64_t id;
        while (type == PARLEY_IDS && count < EXCHANGE_IDS_MAX && parley_next_number(&body, &id)) {
            count++;
            if (id != 0 && !id_set_has(&theirs, id, true) && m->head.kind == PARLEY_PUSH_PULL) {
                want(x, turn, peer, &t, id);
            }
        }
    }
    for (uint32_t i = x->hot.count; i-- > 0 && t.sent < PACKETS_MAX;) {
        struct hot_entry *h = &x->hot.list[i];
        const struct entry *entry = h->from == peer || id_set_has(&theirs, h->id, false) ? NULL : store_find_id(&x->sync->store, h->id);
        if (entry != NULL) {
            (void)talk_entry(&t, entry, 0);
        }
    }
    talk_end(&t, false); /* with nothing to say nothing is said */
}

static void send_wanted(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    struct talk t;
    if (!talk_begin(&t, x, turn, peer, 0, PARLEY_ACK2, NULL)) {
        return;
    }
    while (parley_next_section(&sections, &type, &body)) {
        uint64_t id;
        while (type == PARLEY_WANTED && t.sent < PACKETS_MAX && parley_next_number(&body, &id)) {
            const struct entry *entry = store_find_id(&x->sync->store, id);
            if (entry != NULL) {
                (void)talk_entry(&t, entry, 0);
            }
        }
    }
    talk_end(&t, false);
}

/* Up to which epoch others have what the peer has: true of us, too, if it is equal with us just now, at epoch `equal`; 0: it is not. */
static void hear_rows(struct exchange *x, uint32_t peer, const struct parley_message *m, uint32_t equal)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    while (parley_next_section(&sections, &type, &body)) {
        while (type == PARLEY_EQUAL && reader_left(&body) >= 12) {
            uint64_t member = reader_u64(&body);
            purge_on_row(x->sync, x->peers.list[peer].digest, equal, member, reader_u32(&body));
        }
    }
}

/* Equal, different, or too early or late to say; true when equal. An old root of ours lacks what came late since; so only several in a row
 * count. */
static bool hear_beacon(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_beacon *beacon)
{
    const struct merkle *tree = &x->sync->store.merkle;
    struct peer *p = &x->peers.list[peer];
    struct merkle_root root = merkle_root(tree);
    if (reconcile_must_fill(x, beacon)) {
        reconcile_on_difference(x, turn, peer, beacon);
        return false;
    }
    bool is_present = root.epoch == beacon->epoch;
    if (!is_present && (beacon->epoch > root.epoch || !merkle_root_of(tree, beacon->epoch, &root))) {
        return false;
    }
    if (root.count == beacon->count && root.sum.lo == beacon->digest) {
        p->odd = 0;
        p->equal_epoch = beacon->epoch > p->equal_epoch ? beacon->epoch : p->equal_epoch;
        purge_on_equal(x->sync, p->digest, beacon->epoch);
        return true;
    }
    if (!is_present) {
        p->odd += beacon->epoch != p->odd_epoch;
        p->odd_epoch = beacon->epoch;
    }
    if (is_present || p->odd >= ODD_ROOTS) {
        p->odd = 0;
        reconcile_on_difference(x, turn, peer, beacon);
    }
    return false;
}

void exchange_on_message(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    while (parley_next_section(&sections, &type, &body)) {
        if (type == PARLEY_ENTRIES) {
            (void)exchange_receive(x, turn, peer, body, 0);
        } else if (type == PARLEY_ITEMS) {
            items_on_ids(x, turn, peer, body);
        }
    }
    if (m->head.kind == PARLEY_PULL || m->head.kind == PARLEY_PUSH_PULL) {
        answer_round(x, turn, peer, m);
    } else if (m->head.kind == PARLEY_ACK) {
        send_wanted(x, turn, peer, m);
    }
    bool is_equal = m->has_beacon && hear_beacon(x, turn, peer, &m->beacon);
    hear_rows(x, peer, m, is_equal ? m->beacon.epoch : 0);
}
