/* SPDX-License-Identifier: MIT
 *
 * See presence.h.
 */
#include "serf/presence.h"

#include "spread/outbox.h"
#include "spread/packing.h"
#include "spread/recorder.h"
#include "spread/rumors.h"

#define PENDING_MAX 1024

struct pending_intent {
    struct pending_intent *next;
    uint64_t ltime, at; /* at: host time */
    bool is_leave;
    uint8_t name_size;
    uint8_t name[];
};

void presence_init(struct presence *p, struct turn *turn)
{
    *p = (struct presence){.clock.time = 1, .reap.kind = TIMER_REAP};
    if (turn->options->clock > 0) {
        lamport_witness(&p->clock, turn->options->clock);
    }
    timers_set(turn->timers, &p->reap, turn->now + turn_ms(turn->options->reap_interval_ms));
}

void presence_deinit(struct presence *p, const struct hearsay_allocator *memory)
{
    while (p->pending != NULL) {
        struct pending_intent *next = p->pending->next;
        memory_free(memory, p->pending);
        p->pending = next;
    }
}

/* ---- views and events -------------------------------------------------------------------------------------------------- */

enum hearsay_status presence_status(const struct beliefs *b, uint32_t slot)
{
    static const uint8_t shown[] = {HEARSAY_NONE, HEARSAY_ALIVE, HEARSAY_LEAVING, HEARSAY_LEFT, HEARSAY_FAILED};
    const struct member *member = members_at(&b->members, slot);
    if (member->identity == NULL || member->is_remembered) {
        return HEARSAY_NONE;
    }
    bool is_suspect = member->status == MEMBERS_STATUS_ALIVE && member->state == MESSAGE_STATE_SUSPECT;
    return is_suspect ? HEARSAY_SUSPECT : (enum hearsay_status)shown[member->status];
}

static void fill_view(const struct beliefs *b, uint32_t slot, struct hearsay_member *out)
{
    const struct member *member = members_at(&b->members, slot);
    const struct identity *i = member->identity;
    *out = (struct hearsay_member){.name = i->name, .address = i->address, .meta = pool_meta(i), .incarnation = member->incarnation,
                                   .status = presence_status(b, slot), .status_ltime = member->status_ltime,
                                   .status_since_us = turn_ms(member->changed_ms), .is_self = slot == b->members.self};
    memcpy(out->versions, i->versions, 6);
}

bool presence_view(const struct beliefs *b, uint32_t slot, struct hearsay_member *out)
{
    if (presence_status(b, slot) == HEARSAY_NONE) {
        return false;
    }
    fill_view(b, slot, out);
    return true;
}

void presence_notify(struct beliefs *b, struct turn *turn, uint32_t slot, enum hearsay_event_type type, const struct hearsay_cause *cause,
                     const struct hearsay_address *other_address)
{
    struct hearsay_event event = {.type = type, .cause = *cause};
    if (other_address != NULL) {
        event.other_address = *other_address;
    }
    fill_view(b, slot, &event.member);
    recorder_note(turn->recorder, turn->host_now, type, event.member.name, cause);
    outbox_notify(turn->outbox, &event);
}

/* ---- intents about members that are not known yet ------------------------------------------------------------------------ */

static struct pending_intent **find_pending(struct presence *p, struct hearsay_bytes name)
{
    struct pending_intent **at = &p->pending;
    while (*at != NULL && !bytes_equal(bytes_of((*at)->name, (*at)->name_size), name)) {
        at = &(*at)->next;
    }
    return at;
}

static void drop_pending(struct presence *p, struct turn *turn, struct pending_intent **at)
{
    struct pending_intent *gone = *at;
    *at = gone->next;
    p->pending_count--;
    memory_free(turn->memory, gone);
}

static bool keep_pending(struct presence *p, struct turn *turn, bool is_leave, const struct serf_intent *intent)
{
    if (intent->node.size == 0 || intent->node.size > HEARSAY_NAME_MAX) {
        turn->counters->drop_malformed++;
        return false;
    }
    struct pending_intent **at = find_pending(p, intent->node);
    if (*at != NULL) {
        if (intent->ltime <= (*at)->ltime) {
            return false;
        }
        drop_pending(p, turn, at);
    }
    struct pending_intent *n = NULL;
    if (p->pending_count < PENDING_MAX) {
        n = memory_zeros(turn->memory, sizeof *n + intent->node.size);
    }
    if (n == NULL) {
        turn->counters->drop_queue_full++;
        return false;
    }
    *n = (struct pending_intent){.next = p->pending, .ltime = intent->ltime, .at = turn->host_now, .is_leave = is_leave,
                                 .name_size = (uint8_t)intent->node.size};
    bytes_copy(n->name, intent->node.data, intent->node.size);
    p->pending = n;
    p->pending_count++;
    return true;
}

static void forget_old_pending(struct presence *p, struct turn *turn)
{
    uint64_t keep = turn_ms(turn->options->intent_timeout_ms);
    for (struct pending_intent **at = &p->pending; *at != NULL;) {
        if (turn->host_now - (*at)->at > keep) {
            drop_pending(p, turn, at);
        } else {
            at = &(*at)->next;
        }
    }
}

/* ---- memberlist's changes ------------------------------------------------------------------------------------------------ */

static void on_joined(struct presence *p, struct beliefs *b, struct turn *turn, uint32_t slot, const struct hearsay_cause *cause)
{
    struct member *member = members_at(&b->members, slot);
    bool is_new = member->status == MEMBERS_STATUS_NONE;
    member->status = MEMBERS_STATUS_ALIVE;
    member->is_pruned = false;
    struct pending_intent **at = find_pending(p, pool_name(member->identity));
    if (is_new && *at != NULL) {
        member->status_ltime = (*at)->ltime;
        member->status = (*at)->is_leave ? MEMBERS_STATUS_LEAVING : MEMBERS_STATUS_ALIVE;
    }
    if (*at != NULL) {
        drop_pending(p, turn, at);
    }
    presence_notify(b, turn, slot, HEARSAY_MEMBER_JOIN, cause, NULL);
}

/* Forgets a member that is gone; while memberlist still lists it, it only becomes invisible. */
static void erase(struct beliefs *b, struct turn *turn, uint32_t slot)
{
    struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_REAPED};
    struct member *member = members_at(&b->members, slot);
    if (member->status != MEMBERS_STATUS_NONE && !member->is_remembered) {
        presence_notify(b, turn, slot, HEARSAY_MEMBER_REAP, &cause, NULL);
    }
    member->status = MEMBERS_STATUS_NONE;
    member->status_ltime = 0;
    if (member->place == MEMBERS_NONE) {
        members_drop(&b->members, slot);
    }
}

static void on_died(struct beliefs *b, struct turn *turn, uint32_t slot, const struct hearsay_cause *cause)
{
    struct member *member = members_at(&b->members, slot);
    /* Differs: Serf knows a leave by its intent only; to us a goodbye is one too, should it overtake the intent. */
    bool has_left = member->status == MEMBERS_STATUS_LEAVING || member->state == MESSAGE_STATE_LEFT;
    if (turn->options->personality == HEARSAY_MEMBERLIST) {
        has_left = member->state == MESSAGE_STATE_LEFT;
    } else if (member->status != MEMBERS_STATUS_LEAVING && member->status != MEMBERS_STATUS_ALIVE) {
        return;
    }
    member->status = has_left ? MEMBERS_STATUS_LEFT : MEMBERS_STATUS_FAILED;
    presence_notify(b, turn, slot, has_left ? HEARSAY_MEMBER_LEAVE : HEARSAY_MEMBER_FAILED, cause, NULL);
    if (has_left && member->is_pruned) {
        erase(b, turn, slot);
    }
}

void presence_on_change(struct presence *p, struct beliefs *b, struct turn *turn, uint32_t slot, enum member_change change,
                        const struct hearsay_cause *cause, const struct hearsay_address *other_address)
{
    switch (change) {
    case MEMBERS_JOINED:
        on_joined(p, b, turn, slot, cause);
        break;
    case MEMBERS_UPDATED:
        presence_notify(b, turn, slot, HEARSAY_MEMBER_UPDATE, cause, NULL);
        break;
    case MEMBERS_SUSPECTED:
        presence_notify(b, turn, slot, HEARSAY_MEMBER_SUSPECT, cause, NULL);
        break;
    case MEMBERS_CLEARED:
        presence_notify(b, turn, slot, HEARSAY_MEMBER_ALIVE, cause, NULL);
        break;
    case MEMBERS_DIED:
        on_died(b, turn, slot, cause);
        break;
    case MEMBERS_CONFLICT:
        presence_notify(b, turn, slot, HEARSAY_CONFLICT, cause, other_address);
        break;
    case MEMBERS_PURGED:
        if (members_at(&b->members, slot)->status == MEMBERS_STATUS_NONE) {
            members_drop(&b->members, slot);
        }
        break;
    }
}

/* ---- intents ----------------------------------------------------------------------------------------------------------- */

void presence_tell_intent(struct presence *p, struct turn *turn, bool is_leave, struct hearsay_bytes name, bool prune, uint8_t notice)
{
    uint8_t bytes[HEARSAY_NAME_MAX + 64];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct serf_message m = {.type = is_leave ? SERF_LEAVE : SERF_JOIN,
                             .intent = {.ltime = p->clock.time, .node = name, .prune = prune}};
    p->announced = is_leave ? p->announced : p->clock.time;
    p->clock.time++;
    writer_u8(&w, MESSAGE_USER);
    serf_message_encode(&w, &m);
    struct rumor_source source = {.notice = notice};
    rumors_add(turn, RUMOR_INTENT, writer_bytes(&w), source);
}

void presence_tell_leaving(const struct beliefs *b, struct turn *turn, uint32_t slot)
{
    uint8_t bytes[HEARSAY_NAME_MAX + 64];
    struct writer w = writer_of(bytes, sizeof bytes);
    const struct member *member = members_at(&b->members, slot);
    struct serf_message m = {.type = SERF_LEAVE, .intent = {.ltime = member->status_ltime, .node = pool_name(member->identity)}};
    writer_u8(&w, MESSAGE_USER);
    serf_message_encode(&w, &m);
    packing_send(turn, &member->identity->address, writer_bytes(&w), false);
}

static void apply_leave(struct beliefs *b, struct turn *turn, uint32_t slot, bool prune)
{
    struct member *member = members_at(&b->members, slot);
    struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_LEAVE_INTENT, .incarnation = member->incarnation};
    member->is_pruned = prune;
    if (member->status == MEMBERS_STATUS_ALIVE) {
        member->status = MEMBERS_STATUS_LEAVING;
        recorder_note(turn->recorder, turn->host_now, HEARSAY_EVENT_COUNT, members_name(&b->members, slot), &cause);
    } else if (member->status == MEMBERS_STATUS_FAILED) {
        member->status = MEMBERS_STATUS_LEFT;
        presence_notify(b, turn, slot, HEARSAY_MEMBER_LEAVE, &cause, NULL);
    }
    if (prune && member->status == MEMBERS_STATUS_LEFT) {
        erase(b, turn, slot);
    }
}

bool presence_on_intent(struct presence *p, struct beliefs *b, struct turn *turn, bool is_leave, const struct serf_intent *intent)
{
    lamport_witness(&p->clock, intent->ltime);
    uint32_t slot = members_find(&b->members, intent->node);
    if (slot == MEMBERS_NONE || members_at(&b->members, slot)->status == MEMBERS_STATUS_NONE) {
        return keep_pending(p, turn, is_leave, intent);
    }
    struct member *member = members_at(&b->members, slot);
    /* Differs: of two of the same time the greeting wins. A merge tells a goodbye one later than it was, which may just be the time of the
     * greeting that followed it. */
    bool ends_tie = intent->ltime == member->status_ltime && !is_leave && member->status == MEMBERS_STATUS_LEAVING;
    if (intent->ltime <= member->status_ltime && !ends_tie) {
        return false;
    }
    if (is_leave && slot == b->members.self && !b->members.is_leaving) {
        presence_tell_intent(p, turn, false, intent->node, false, 0); /* the news of our leaving is exaggerated */
        return false;
    }
    member->status_ltime = intent->ltime;
    if (slot == b->members.self && intent->ltime > p->announced && !b->members.is_leaving) {
        /* Differs: somebody knows of a later time of ours, from a life whose goodbye came after our greeting; it would show us as leaving
         * for good. In Serf it does. */
        presence_tell_intent(p, turn, false, intent->node, false, 0);
        return false;
    }
    if (is_leave) {
        apply_leave(b, turn, slot, intent->prune);
    } else if (member->status == MEMBERS_STATUS_LEAVING) {
        member->status = MEMBERS_STATUS_ALIVE;
    }
    return true;
}

void presence_on_reap(struct presence *p, struct beliefs *b, struct turn *turn)
{
    timers_set(turn->timers, &p->reap, turn->now + turn_ms(turn->options->reap_interval_ms));
    forget_old_pending(p, turn);
    if (b->members.names.count == b->members.listed) {
        return; /* nobody is kept besides the list */
    }
    for (uint32_t slot = 0; slot < b->members.used; slot++) {
        const struct member *member = members_at(&b->members, slot);
        if (member->identity == NULL || slot == b->members.self || member->place != MEMBERS_NONE) {
            continue;
        }
        uint32_t keep = member->status == MEMBERS_STATUS_LEFT ? turn->options->tombstone_timeout_ms : turn->options->reconnect_timeout_ms;
        if (members_state_age_ms(member, turn) > keep) {
            erase(b, turn, slot);
        }
    }
}
