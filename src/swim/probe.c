/* SPDX-License-Identifier: MIT
 *
 * See probe.h.
 */
#include "swim/probe.h"

#include "spread/packing.h"
#include "spread/recorder.h"
#include "swim/abilities.h"

#define PROBE_PMAX_STREAM 3 /* protocol versions from which a peer knows stream pings and nacks */
#define PROBE_PMAX_NACK 4
#define PROBE_PMAX_CRC 5

static uint64_t interval_us(const struct turn *turn)
{
    return turn_ms(turn->options->probe_interval_ms);
}

void probe_init(struct probe *p, struct turn *turn)
{
    *p = (struct probe){.round.kind = TIMER_PROBE, .timeout.kind = TIMER_PROBE_TIMEOUT, .end.kind = TIMER_PROBE_END};
    if (interval_us(turn) > 0) {
        timers_set(turn->timers, &p->round, turn->now + rng_below(turn->rng, interval_us(turn)));
    }
}

void probe_deinit(struct probe *p, struct beliefs *b)
{
    pool_release(b->members.pool, p->target);
    p->target = NULL;
}

static size_t encode(uint8_t *bytes, size_t capacity, const struct message *m)
{
    struct writer w = writer_of(bytes, capacity);
    message_encode(&w, m);
    return w.is_full ? 0 : w.size;
}

static struct message ping_message(struct beliefs *b, struct turn *turn, struct hearsay_bytes name, uint32_t sequence)
{
    const struct identity *self = members_at(&b->members, b->members.self)->identity;
    struct message m = {.type = MESSAGE_PING, .ping = {.node = name, .sequence = sequence, .source = self->address,
                                                       .source_node = pool_name(self)}};
    m.ping.abilities = abilities_own(turn->options);
    return m;
}

void probe_send_ping(struct beliefs *b, struct turn *turn, struct hearsay_bytes name, const struct hearsay_address *to, uint32_t sequence,
                     bool carries_rumors)
{
    uint8_t bytes[1024];
    struct message m = ping_message(b, turn, name, sequence);
    size_t size = encode(bytes, sizeof bytes, &m);
    packing_send(turn, to, bytes_of(bytes, size), carries_rumors);
}

/* A suspect gets the accusation along with the ping, so that it can refute at once (Lifeguard IV.C, "buddy system"). */
static void send_ping_with_suspicion(struct probe *p, struct beliefs *b, struct turn *turn, const struct member *member)
{
    uint8_t ping[1024], suspect[1024];
    const struct identity *self = members_at(&b->members, b->members.self)->identity;
    struct message m = ping_message(b, turn, pool_name(member->identity), p->sequence);
    struct message s = {.type = MESSAGE_SUSPECT, .accusation = {.incarnation = member->incarnation, .node = pool_name(member->identity),
                                                                .from = pool_name(self)}};
    struct hearsay_bytes parts[2] = {bytes_of(ping, encode(ping, sizeof ping, &m)), bytes_of(suspect, encode(suspect, sizeof suspect, &s))};
    packing_send_parts(turn, &member->identity->address, parts, 2, member->identity->versions[1] >= PROBE_PMAX_CRC);
}

/* Who holds the store too gets our beacon along with it, when there is one. */
static void send_ping_with_rider(struct probe *p, struct beliefs *b, struct turn *turn, const struct member *member)
{
    uint8_t ping[1024], rider[64];
    struct message m = ping_message(b, turn, pool_name(member->identity), p->sequence);
    size_t size = member->can_store && turn->write_rider != NULL ? turn->write_rider(turn->rider, turn, rider, sizeof rider) : 0;
    if (size == 0) {
        probe_send_ping(b, turn, pool_name(p->target), &p->target->address, p->sequence, true);
    } else {
        packing_send_with(turn, &p->target->address, bytes_of(ping, encode(ping, sizeof ping, &m)), bytes_of(rider, size));
    }
}

static void finish(struct probe *p, struct beliefs *b, struct turn *turn)
{
    timers_cancel(turn->timers, &p->timeout);
    timers_cancel(turn->timers, &p->end);
    pool_release(b->members.pool, p->target);
    p->target = NULL;
}

static void start(struct probe *p, struct beliefs *b, struct turn *turn, uint32_t slot)
{
    const struct member *member = members_at(&b->members, slot);
    uint32_t patience = turn->options->lha_probe ? b->health.score + 1u : 1;
    p->target = pool_hold(member->identity);
    p->sequence = ++b->members.next_sequence;
    p->started_at = turn->now;
    p->nacks_expected = 0;
    p->evidence = (struct hearsay_cause){.probe.direct = HEARSAY_PATH_SILENT};
    turn->counters->probes++;
    if (member->state == MESSAGE_STATE_SUSPECT && turn->options->buddy) {
        send_ping_with_suspicion(p, b, turn, member);
    } else {
        send_ping_with_rider(p, b, turn, member);
    }
    uint64_t whole = interval_us(turn) * patience, timeout = turn_ms(turn->options->probe_timeout_ms);
    timers_set(turn->timers, &p->timeout, turn->now + (timeout < whole ? timeout : whole));
    timers_set(turn->timers, &p->end, turn->now + whole);
}

/* Members dead or gone for long leave the list; whether their slot stays is the listener's business. */
static void purge(struct beliefs *b, struct turn *turn)
{
    struct members *m = &b->members;
    static const struct hearsay_cause silent;
    for (uint32_t place = m->listed; place-- > 0;) {
        uint32_t slot = m->list[place];
        const struct member *member = members_at(m, slot);
        bool is_gone = member->state == MESSAGE_STATE_DEAD || member->state == MESSAGE_STATE_LEFT;
        if (slot != m->self && is_gone && members_state_age_ms(member, turn) > turn->options->gossip_to_the_dead_ms) {
            members_delist(m, turn, slot);
            members_report(m, turn, slot, MEMBERS_PURGED, &silent);
        }
    }
    members_shuffle(m, turn->rng);
}

static uint32_t next_target(struct probe *p, struct beliefs *b, struct turn *turn)
{
    struct members *m = &b->members;
    for (uint32_t skips = 0; skips <= m->listed; skips++) {
        if (p->next_place >= m->listed) {
            purge(b, turn);
            p->next_place = 0;
        }
        uint32_t slot = m->list[p->next_place++];
        uint8_t state = members_at(m, slot)->state;
        if (slot != m->self && (state == MESSAGE_STATE_ALIVE || state == MESSAGE_STATE_SUSPECT)) {
            return slot;
        }
    }
    return MEMBERS_NONE;
}

void probe_on_round(struct probe *p, struct beliefs *b, struct turn *turn)
{
    uint64_t next = p->round.at + interval_us(turn);
    if (next <= turn->now) {
        next = turn->now + interval_us(turn) - (turn->now - p->round.at) % interval_us(turn);
    }
    timers_set(turn->timers, &p->round, next);
    if (p->target != NULL && p->end.at <= turn->now) {
        probe_on_end(p, b, turn);
    }
    if (p->target != NULL || members_at(&b->members, b->members.self)->state == MESSAGE_STATE_LEFT) {
        return; /* a patient probe is still waiting; or we have left and blame nobody any more */
    }
    uint32_t slot = next_target(p, b, turn);
    if (slot != MEMBERS_NONE) {
        start(p, b, turn, slot);
    }
}

struct relay_choice {
    const struct identity *target;
};

static bool may_relay(const struct members *m, uint32_t slot, const void *context)
{
    const struct relay_choice *choice = context;
    const struct member *member = members_at(m, slot);
    return slot != m->self && member->state == MESSAGE_STATE_ALIVE && !bytes_equal(pool_name(member->identity), pool_name(choice->target));
}

static void ask_relay(struct probe *p, struct beliefs *b, struct turn *turn, const struct identity *relay)
{
    uint8_t bytes[1280];
    const struct identity *self = members_at(&b->members, b->members.self)->identity;
    bool nack = turn->options->nacks && relay->versions[1] >= PROBE_PMAX_NACK;
    struct message m = {.type = MESSAGE_INDIRECT_PING,
                        .indirect_ping = {.sequence = p->sequence, .target = p->target->address, .node = pool_name(p->target), .nack = nack,
                                          .source = self->address, .source_node = pool_name(self)}};
    packing_send(turn, &relay->address, bytes_of(bytes, encode(bytes, sizeof bytes, &m)), true);
    p->nacks_expected += nack;
    p->evidence.probe.relays_asked++;
    p->evidence.probe.indirect = HEARSAY_PATH_SILENT;
}

bool probe_on_timeout(struct probe *p, struct beliefs *b, struct turn *turn)
{
    if (p->target == NULL) {
        return false;
    }
    uint32_t relays[255];
    struct relay_choice choice = {p->target};
    uint32_t count = members_choose(&b->members, turn->rng, turn->options->indirect_checks, may_relay, &choice, relays);
    for (uint32_t i = 0; i < count; i++) {
        ask_relay(p, b, turn, members_at(&b->members, relays[i])->identity);
    }
    bool tries_stream = turn->options->stream_ping && p->target->versions[1] >= PROBE_PMAX_STREAM;
    p->evidence.probe.stream = tries_stream ? HEARSAY_PATH_SILENT : HEARSAY_PATH_NOT_TRIED;
    return tries_stream;
}

bool probe_on_ack(struct probe *p, struct beliefs *b, struct turn *turn, uint32_t sequence, const struct hearsay_address *from)
{
    if (p->target == NULL || sequence != p->sequence) {
        return false;
    }
    (void)from;
    health_change(&b->health, turn, -1);
    finish(p, b, turn);
    return true;
}

bool probe_is_direct(const struct probe *p, uint32_t sequence)
{
    return p->target != NULL && p->sequence == sequence && p->evidence.probe.indirect == HEARSAY_PATH_NOT_TRIED;
}

bool probe_on_nack(struct probe *p, uint32_t sequence)
{
    if (p->target == NULL || sequence != p->sequence) {
        return false;
    }
    if (p->evidence.probe.nacks < p->evidence.probe.relays_asked) {
        p->evidence.probe.nacks++;
    }
    return true;
}

void probe_on_stream(struct probe *p, uint32_t sequence, enum hearsay_path how)
{
    if (p->target != NULL && sequence == p->sequence) {
        p->evidence.probe.stream = how;
    }
}

static void fail(struct probe *p, struct beliefs *b, struct turn *turn, uint32_t slot)
{
    uint32_t nacks = p->evidence.probe.nacks;
    if (p->nacks_expected > 0) {
        health_change(&b->health, turn, nacks < p->nacks_expected ? (int)(p->nacks_expected - nacks) : 0);
    } else {
        health_change(&b->health, turn, 1);
    }
    turn->counters->probes_failed++;
    const struct member *member = members_at(&b->members, slot);
    p->evidence.reason = HEARSAY_BECAUSE_PROBE_FAILED;
    p->evidence.incarnation = member->incarnation;
    p->evidence.own_health = b->health.score;
    p->evidence.own_pause_ms = turn->pause_ms;
    recorder_note(turn->recorder, turn->host_now, HEARSAY_EVENT_COUNT, p->target->name, &p->evidence);
    struct claim_source source = {.reason = HEARSAY_BECAUSE_PROBE_FAILED, .evidence = &p->evidence};
    struct message_accusation claim = {.incarnation = member->incarnation, .node = pool_name(p->target),
                                       .from = pool_name(members_at(&b->members, b->members.self)->identity)};
    claims_suspect(b, turn, &claim, &source);
}

void probe_on_end(struct probe *p, struct beliefs *b, struct turn *turn)
{
    if (p->target == NULL) {
        return;
    }
    p->evidence.probe.waited_ms = (uint32_t)((turn->now - p->started_at) / 1000);
    uint32_t slot = members_find(&b->members, pool_name(p->target));
    if (p->evidence.probe.stream == HEARSAY_PATH_ANSWERED) {
        p->evidence.reason = HEARSAY_BECAUSE_PROBE_FAILED; /* datagrams are lost, but it lives: worth a note */
        recorder_note(turn->recorder, turn->host_now, HEARSAY_EVENT_COUNT, p->target->name, &p->evidence);
        health_change(&b->health, turn, -1);
    } else if (slot != MEMBERS_NONE) {
        fail(p, b, turn, slot);
    }
    finish(p, b, turn);
}
