/* SPDX-License-Identifier: MIT
 *
 * See claims.h. The numbered comments are the steps of memberlist's aliveNode.
 *
 * Differs: a member that was purged from the list keeps its slot (for Serf and for healing); claims treat it as unknown.
 */
#include "swim/claims.h"

#include "spread/packing.h"
#include "spread/recorder.h"
#include "spread/rumors.h"

#include "base/check.h"

#define CLAIM_PMAX_CRC 5 /* protocol version from which a peer knows checksums */
#define CLAIM_BYTES_MAX (HEARSAY_NAME_MAX * 2 + HEARSAY_META_MAX + 256)

struct name_text {
    char text[HEARSAY_NAME_MAX + 1];
};

static const char *name_text(struct name_text *t, struct hearsay_bytes name)
{
    size_t size = name.size > HEARSAY_NAME_MAX ? HEARSAY_NAME_MAX : name.size;
    bytes_copy(t->text, name.data, size);
    t->text[size] = 0;
    return t->text;
}

static bool is_name(struct hearsay_bytes name)
{
    return name.size > 0 && name.size <= HEARSAY_NAME_MAX && memchr(name.data, 0, name.size) == NULL;
}

static void tell(struct turn *turn, const struct message *message, struct hearsay_bytes subject, const struct claim_source *source,
                 uint8_t notice)
{
    uint8_t bytes[CLAIM_BYTES_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (source->is_silent) {
        return;
    }
    message_encode(&w, message);
    if (w.is_full) {
        turn->counters->drop_malformed++;
        return;
    }
    struct rumor_source rumor = {.subject = subject, .from = source->from, .notice = notice, .is_quiet = source->is_quiet};
    rumors_add(turn, RUMOR_MEMBER, writer_bytes(&w), rumor);
}

static void note(struct beliefs *b, struct turn *turn, uint32_t slot, const struct hearsay_cause *cause)
{
    recorder_note(turn->recorder, turn->host_now, HEARSAY_EVENT_COUNT, members_name(&b->members, slot), cause);
}

static bool is_listed(const struct beliefs *b, uint32_t slot)
{
    return slot != MEMBERS_NONE && members_at(&b->members, slot)->place != MEMBERS_NONE;
}

static void set_state(struct turn *turn, struct member *member, enum message_state state)
{
    if (member->state != state) {
        member->state = state;
        members_touch(member, turn);
    }
}

bool claims_versions_acceptable(struct hearsay_bytes v)
{
    return v.size < 3 || (v.data[0] != 0 && v.data[1] != 0 && v.data[0] <= v.data[1]);
}

struct message_alive claims_alive_of(const struct beliefs *b, uint32_t slot)
{
    const struct member *member = members_at(&b->members, slot);
    const struct identity *i = member->identity;
    return (struct message_alive){.incarnation = member->incarnation, .node = pool_name(i), .address = i->address,
                                  .meta = i->meta_size == 0 ? bytes_of(NULL, 0) : pool_meta(i), .versions = bytes_of(i->versions, 6)};
}

static void tell_self(struct beliefs *b, struct turn *turn)
{
    struct claim_source own = {.reason = HEARSAY_BECAUSE_SELF};
    struct message m = {.type = MESSAGE_ALIVE, .alive = claims_alive_of(b, b->members.self)};
    tell(turn, &m, m.alive.node, &own, 0);
}

static void refute(struct beliefs *b, struct turn *turn, uint32_t accused, struct hearsay_bytes accuser)
{
    struct members *m = &b->members;
    uint32_t incarnation = ++m->next_incarnation;
    if (accused >= incarnation) {
        incarnation = m->next_incarnation = accused + 1;
    }
    members_at(m, m->self)->incarnation = incarnation;
    health_change(&b->health, turn, 1);
    turn->counters->refutations++;
    struct name_text text;
    struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_REFUTED, .incarnation = incarnation, .own_health = b->health.score,
                                  .accuser = accuser.size == 0 ? NULL : name_text(&text, accuser), .own_pause_ms = turn->pause_ms};
    note(b, turn, m->self, &cause);
    tell_self(b, turn);
}

/* ---- alive ----------------------------------------------------------------------------------------------------------- */

static bool alive_is_sound(struct turn *turn, const struct message_alive *claim, bool is_known)
{
    if ((!is_known && !is_name(claim->node)) || claim->meta.size > HEARSAY_META_MAX) {
        turn->counters->drop_malformed++;
        return false;
    }
    if (!claims_versions_acceptable(claim->versions)) {
        turn->counters->drop_versions++;
        return false;
    }
    if (claim->address.size == 0) {
        turn->counters->drop_address++;
        return false;
    }
    return true;
}

static void copy_versions(uint8_t to[6], struct hearsay_bytes versions, const uint8_t fallback[6])
{
    memcpy(to, versions.size == 6 ? versions.data : fallback, 6);
}

/* As Serf's validate_node_names. */
static bool is_plain(struct hearsay_bytes name)
{
    bool is_plain = name.size > 0 && name.size <= 128;
    for (size_t i = 0; is_plain && i < name.size; i++) {
        uint8_t c = name.data[i], lower = c | 0x20;
        is_plain = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '-' || c == '.';
    }
    return is_plain;
}

/* 2. An unknown node enters as dead with incarnation 0, so that incarnation 0 brings nobody to life. */
static uint32_t alive_admit(struct beliefs *b, struct turn *turn, const struct message_alive *claim)
{
    static const uint8_t none[6];
    struct members *m = &b->members;
    if (claim->incarnation == 0) {
        return MEMBERS_NONE; /* it would stay dead: no slot for hearsay about nobody */
    }
    if (turn->options->plain_names && !is_plain(claim->node)) {
        turn->counters->drop_name++;
        return MEMBERS_NONE;
    }
    uint32_t slot = members_find(m, claim->node);
    if (slot == MEMBERS_NONE) {
        uint8_t versions[6];
        copy_versions(versions, claim->versions, none);
        slot = members_add(m, turn, claim->node, &claim->address, claim->meta, versions);
        if (slot == MEMBERS_NONE) {
            return slot;
        }
        if (!members_enlist(m, turn, slot)) {
            members_drop(m, slot);
            return MEMBERS_NONE;
        }
        return slot;
    }
    struct member *member = members_at(m, slot);
    if (!members_enlist(m, turn, slot)) {
        return MEMBERS_NONE;
    }
    /* As memberlist, which has forgotten it. To hold the incarnation that the slot still knows against the claim would lock out whoever
     * restarts, or is found again behind a partition, and is known to others only by a claim that is no newer (a search found such runs). */
    member->incarnation = 0;
    member->state = MESSAGE_STATE_DEAD;
    return slot;
}

/* 3. The name is known elsewhere. True when the newcomer may have it. */
static bool alive_may_reclaim(struct beliefs *b, struct turn *turn, uint32_t slot, const struct message_alive *claim)
{
    const struct member *member = members_at(&b->members, slot);
    uint32_t reclaim = turn->options->dead_reclaim_ms;
    bool is_free = member->state == MESSAGE_STATE_LEFT ||
                   (member->state == MESSAGE_STATE_DEAD && reclaim > 0 && members_state_age_ms(member, turn) > reclaim);
    if (!is_free) {
        turn->counters->conflicts++;
        struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_ALIVE_HEARD, .incarnation = claim->incarnation};
        b->members.on_change(b->members.context, turn, slot, MEMBERS_CONFLICT, &cause, &claim->address);
    }
    return is_free;
}

static struct hearsay_cause alive_cause(const struct beliefs *b, const struct turn *turn, const struct message_alive *claim,
                                        const struct claim_source *source, bool was_suspect, bool is_reclaim)
{
    struct hearsay_cause cause = {.reason = source->reason, .accuser = source->peer, .incarnation = claim->incarnation,
                                  .own_health = b->health.score, .own_pause_ms = turn->pause_ms};
    if (is_reclaim) {
        cause.reason = HEARSAY_BECAUSE_NAME_RECLAIMED;
    } else if (was_suspect) {
        cause.reason = HEARSAY_BECAUSE_REFUTED;
    } else if (cause.reason == HEARSAY_BECAUSE_UNKNOWN) {
        cause.reason = HEARSAY_BECAUSE_ALIVE_HEARD;
    }
    return cause;
}

/* 7. and 8. Takes the claim over, tells it on and reports what changed. */
static void alive_apply(struct beliefs *b, struct turn *turn, uint32_t slot, const struct message_alive *claim,
                        const struct claim_source *source, bool is_reclaim)
{
    struct members *m = &b->members;
    struct member *member = members_at(m, slot);
    const struct identity *old = member->identity;
    enum message_state was = member->state;
    uint8_t versions[6];
    copy_versions(versions, claim->versions, old->versions);
    bool is_updated = !bytes_equal(pool_meta(old), claim->meta) || !address_equal(&old->address, &claim->address);
    if (!members_change_identity(m, turn, slot, &claim->address, claim->meta, versions)) {
        return;
    }
    struct hearsay_cause cause = alive_cause(b, turn, claim, source, was == MESSAGE_STATE_SUSPECT, is_reclaim);
    if (was == MESSAGE_STATE_SUSPECT) {
        suspicion_stop(&b->suspicions, turn, slot);
    }
    member->incarnation = claim->incarnation;
    member->is_remembered = member->is_strange = member->is_foreign = false;
    set_state(turn, member, MESSAGE_STATE_ALIVE);
    struct message again = {.type = MESSAGE_ALIVE, .alive = *claim};
    tell(turn, &again, claim->node, source, 0);
    if (was == MESSAGE_STATE_DEAD || was == MESSAGE_STATE_LEFT) {
        members_report(m, turn, slot, MEMBERS_JOINED, &cause);
        return;
    }
    if (was == MESSAGE_STATE_SUSPECT) {
        members_report(m, turn, slot, MEMBERS_CLEARED, &cause);
    }
    if (is_updated) {
        members_report(m, turn, slot, MEMBERS_UPDATED, &cause);
    }
}

/* 4. and 6. Somebody speaks about us. */
static void alive_about_self(struct beliefs *b, struct turn *turn, const struct message_alive *claim)
{
    const struct member *self = members_at(&b->members, b->members.self);
    if (claim->incarnation < self->incarnation) {
        return;
    }
    bool is_same = bytes_equal(pool_meta(self->identity), claim->meta) &&
                   bytes_equal(bytes_of(self->identity->versions, 6), claim->versions);
    if (claim->incarnation == self->incarnation && is_same) {
        return;
    }
    refute(b, turn, claim->incarnation, bytes_of(NULL, 0));
}

void claims_alive(struct beliefs *b, struct turn *turn, const struct message_alive *given, const struct claim_source *source)
{
    struct members *m = &b->members;
    struct message_alive claim = *given;
    uint32_t slot = members_find(m, claim.node);
    if (!alive_is_sound(turn, &claim, slot != MEMBERS_NONE)) {
        return;
    }
    if (claim.address.port == 0) {
        claim.address.port = turn->options->advertise.port;
    }
    bool is_self = slot != MEMBERS_NONE && slot == m->self;
    if (is_self && m->is_leaving) {
        return; /* 1. */
    }
    bool is_reclaim = false;
    if (!is_listed(b, slot)) {
        slot = alive_admit(b, turn, &claim);
        if (slot == MEMBERS_NONE) {
            return;
        }
    } else if (!address_equal(members_address(m, slot), &claim.address)) {
        is_reclaim = alive_may_reclaim(b, turn, slot, &claim);
        if (!is_reclaim) {
            return;
        }
    }
    if (is_self) {
        alive_about_self(b, turn, &claim);
        return;
    }
    if (claim.incarnation <= members_at(m, slot)->incarnation && !is_reclaim) {
        return; /* 4. */
    }
    alive_apply(b, turn, slot, &claim, source, is_reclaim);
}

void claims_announce_self(struct beliefs *b, struct turn *turn)
{
    struct members *m = &b->members;
    members_at(m, m->self)->incarnation = ++m->next_incarnation;
    tell_self(b, turn);
}

/* ---- suspect and dead ------------------------------------------------------------------------------------------------- */

static struct hearsay_cause accusation_cause(const struct beliefs *b, const struct turn *turn, const struct message_accusation *claim,
                                             const struct claim_source *source, struct name_text *text)
{
    struct hearsay_cause cause = {0};
    if (source->evidence != NULL) {
        cause = *source->evidence;
    }
    cause.reason = source->reason;
    cause.accuser = source->peer != NULL ? source->peer : name_text(text, claim->from);
    cause.incarnation = claim->incarnation;
    cause.own_health = b->health.score;
    cause.own_pause_ms = turn->pause_ms;
    return cause;
}

static void fill_timers(struct hearsay_cause *cause, const struct suspicion *s, const struct turn *turn)
{
    cause->timer_min_ms = s->min_ms;
    cause->timer_max_ms = s->max_ms;
    cause->timer_ran_ms = suspicion_ran_ms(s, turn);
    cause->confirmations = (uint8_t)s->confirmed;
    cause->confirmations_wanted = (uint8_t)s->wanted;
}

static void confirm(struct beliefs *b, struct turn *turn, struct suspicion *s, const struct message_accusation *claim,
                    const struct claim_source *source)
{
    if (!suspicion_confirm(s, turn, claim->from)) {
        return;
    }
    struct name_text text;
    struct hearsay_cause cause = accusation_cause(b, turn, claim, source, &text);
    cause.reason = HEARSAY_BECAUSE_CONFIRMED;
    fill_timers(&cause, s, turn);
    note(b, turn, s->timer.number, &cause);
    struct message again = {.type = MESSAGE_SUSPECT, .accusation = *claim};
    tell(turn, &again, claim->node, source, 0);
}

void claims_suspect(struct beliefs *b, struct turn *turn, const struct message_accusation *claim, const struct claim_source *source)
{
    struct members *m = &b->members;
    uint32_t slot = members_find(m, claim->node);
    if (!is_name(claim->from)) {
        turn->counters->drop_malformed++;
        return;
    }
    if (!is_listed(b, slot) || claim->incarnation < members_at(m, slot)->incarnation) {
        return;
    }
    struct member *member = members_at(m, slot);
    struct suspicion *running = member->state == MESSAGE_STATE_SUSPECT ? suspicion_find(&b->suspicions, slot) : NULL;
    if (running != NULL) {
        confirm(b, turn, running, claim, source);
        return;
    }
    if (member->state != MESSAGE_STATE_ALIVE) {
        return;
    }
    if (slot == m->self) {
        refute(b, turn, claim->incarnation, claim->from);
        return;
    }
    if (!turn->options->suspicion) {
        claims_dead(b, turn, claim, source); /* SWIM section 3: the first accusation is the verdict */
        return;
    }
    struct name_text text;
    struct hearsay_cause cause = accusation_cause(b, turn, claim, source, &text);
    if (cause.reason == HEARSAY_BECAUSE_UNKNOWN) {
        cause.reason = HEARSAY_BECAUSE_ACCUSED;
    }
    if (!suspicion_start(&b->suspicions, turn, slot, claim->from, &cause)) {
        return;
    }
    fill_timers(&cause, b->suspicions.first, turn);
    turn->counters->suspicions++;
    member->incarnation = claim->incarnation;
    set_state(turn, member, MESSAGE_STATE_SUSPECT);
    struct message again = {.type = MESSAGE_SUSPECT, .accusation = *claim};
    tell(turn, &again, claim->node, source, 0);
    members_report(m, turn, slot, MEMBERS_SUSPECTED, &cause);
}

static void dead_about_self(struct beliefs *b, struct turn *turn, const struct message_accusation *claim, const struct claim_source *source)
{
    struct member *self = members_at(&b->members, b->members.self);
    if (!b->members.is_leaving) {
        refute(b, turn, claim->incarnation, claim->from);
        return;
    }
    self->incarnation = claim->incarnation;
    set_state(turn, self, MESSAGE_STATE_LEFT);
    struct message again = {.type = MESSAGE_DEAD, .accusation = *claim};
    tell(turn, &again, claim->node, source, RUMOR_NOTICE_DEAD);
}

void claims_dead(struct beliefs *b, struct turn *turn, const struct message_accusation *claim, const struct claim_source *source)
{
    struct members *m = &b->members;
    uint32_t slot = members_find(m, claim->node);
    if (!is_name(claim->from)) {
        turn->counters->drop_malformed++;
        return;
    }
    if (!is_listed(b, slot) || claim->incarnation < members_at(m, slot)->incarnation) {
        return;
    }
    struct member *member = members_at(m, slot);
    if (member->state == MESSAGE_STATE_DEAD || member->state == MESSAGE_STATE_LEFT) {
        return;
    }
    if (slot == m->self) {
        dead_about_self(b, turn, claim, source);
        return;
    }
    bool is_goodbye = bytes_equal(claim->node, claim->from);
    struct name_text text;
    struct hearsay_cause cause = accusation_cause(b, turn, claim, source, &text);
    if (is_goodbye) {
        cause.reason = HEARSAY_BECAUSE_SAID_GOODBYE;
    } else if (cause.reason == HEARSAY_BECAUSE_UNKNOWN) {
        cause.reason = HEARSAY_BECAUSE_DECLARED_DEAD;
    }
    const struct suspicion *running = member->state == MESSAGE_STATE_SUSPECT ? suspicion_find(&b->suspicions, slot) : NULL;
    if (running != NULL) {
        fill_timers(&cause, running, turn);
        suspicion_stop(&b->suspicions, turn, slot);
    }
    member->incarnation = claim->incarnation;
    set_state(turn, member, is_goodbye ? MESSAGE_STATE_LEFT : MESSAGE_STATE_DEAD);
    struct message again = {.type = MESSAGE_DEAD, .accusation = *claim};
    tell(turn, &again, claim->node, source, 0);
    members_report(m, turn, slot, MEMBERS_DIED, &cause);
}

void claims_tell_own_death(const struct beliefs *b, struct turn *turn, uint32_t slot)
{
    uint8_t bytes[CLAIM_BYTES_MAX];
    const struct member *member = members_at(&b->members, slot);
    struct writer w = writer_of(bytes, sizeof bytes);
    struct message m = {.type = MESSAGE_DEAD,
                        .accusation = {.incarnation = member->incarnation, .node = pool_name(member->identity),
                                       .from = pool_name(members_at(&b->members, b->members.self)->identity)}};
    message_encode(&w, &m);
    struct hearsay_bytes part = writer_bytes(&w);
    packing_send_parts(turn, &member->identity->address, &part, 1, member->identity->versions[1] >= CLAIM_PMAX_CRC);
}

void claims_on_timer(struct beliefs *b, struct turn *turn, uint32_t slot)
{
    struct suspicion *s = suspicion_find(&b->suspicions, slot);
    CHECK(s != NULL);
    struct members *m = &b->members;
    struct hearsay_cause evidence = s->cause;
    struct name_text accuser; /* whose word began it; the suspicion itself ends below */
    struct claim_source source = {.reason = HEARSAY_BECAUSE_TIMER, .evidence = &evidence,
                                  .peer = name_text(&accuser, bytes_of_string(s->accuser))};
    struct name_text text; /* a copy: the rumour outlives what the identity may do */
    name_text(&text, pool_name(members_at(m, slot)->identity));
    struct message_accusation claim = {.incarnation = members_at(m, slot)->incarnation, .node = bytes_of_string(text.text),
                                       .from = pool_name(members_at(m, m->self)->identity)};
    claims_dead(b, turn, &claim, &source);
}

void claims_leave(struct beliefs *b, struct turn *turn)
{
    struct members *m = &b->members;
    struct hearsay_bytes self = pool_name(members_at(m, m->self)->identity);
    struct message_accusation claim = {.incarnation = members_at(m, m->self)->incarnation, .node = self, .from = self};
    struct claim_source source = {.reason = HEARSAY_BECAUSE_SELF};
    m->is_leaving = true;
    claims_dead(b, turn, &claim, &source);
}

void claims_merge(struct beliefs *b, struct turn *turn, const struct message_alive *entry, enum message_state state,
                  const struct claim_source *source)
{
    struct message_accusation claim = {.incarnation = entry->incarnation, .node = entry->node, .from = entry->node};
    switch (state) {
    case MESSAGE_STATE_ALIVE:
        claims_alive(b, turn, entry, source);
        break;
    case MESSAGE_STATE_LEFT:
        claims_dead(b, turn, &claim, source);
        break;
    case MESSAGE_STATE_DEAD: /* a death we did not hear of ourselves is only a suspicion */
    case MESSAGE_STATE_SUSPECT:
        claim.from = pool_name(members_at(&b->members, b->members.self)->identity);
        claims_suspect(b, turn, &claim, source);
        break;
    }
}
