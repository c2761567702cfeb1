/* SPDX-License-Identifier: MIT
 *
 * See user_state.h. Only filled slots of the event ring are sent; Serf accepts any array there.
 */
#include "serf/user_state.h"

#include "wire/msgpack.h"

#define STATE_FIXED_BYTES 160
#define STATE_PER_NAME_BYTES 16
#define STATE_UNKNOWN_LEFT_MAX 64 /* names of strangers that left, looked up one by one */

static uint32_t filled_slots(const struct events *e)
{
    uint32_t count = 0;
    for (uint32_t i = 0; e->slots != NULL && i < e->slot_count; i++) {
        count += e->slots[i].count > 0;
    }
    return count;
}

static bool is_shown(const struct member *member)
{
    return member->identity != NULL && member->status != MEMBERS_STATUS_NONE && !member->is_remembered;
}

/* What is to be written. */
struct extent {
    size_t bytes; /* at most */
    uint32_t shown, left;
};

static struct extent measure(const struct serf *s, const struct beliefs *b)
{
    struct extent e = {.bytes = STATE_FIXED_BYTES};
    for (uint32_t i = 0; s->events.slots != NULL && i < s->events.slot_count; i++) {
        e.bytes += s->events.slots[i].events.size + s->events.slots[i].count * 32u + 32;
    }
    for (uint32_t slot = 0; slot < b->members.used; slot++) {
        const struct member *member = members_at(&b->members, slot);
        members_fetch_next(&b->members, slot);
        if (is_shown(member)) {
            bool has_left = member->status == MEMBERS_STATUS_LEFT;
            e.shown++;
            e.left += has_left;
            e.bytes += (has_left ? 2u : 1u) * (member->identity->name_size + STATE_PER_NAME_BYTES);
        }
    }
    return e;
}

static void write_slots(struct writer *w, const struct events *e)
{
    serf_state_put_begin(w, e->clock.time, filled_slots(e));
    for (uint32_t i = 0; e->slots != NULL && i < e->slot_count; i++) {
        const struct event_slot *slot = &e->slots[i];
        if (slot->count == 0) {
            continue;
        }
        serf_state_put_slot_begin(w, slot->count);
        struct serf_user_event event;
        for (size_t offset = 0; events_next_in_slot(slot, &offset, &event);) {
            serf_state_put_slot_event(w, &event);
        }
        serf_state_put_slot_end(w, slot->ltime);
    }
}

bool user_state_write(const struct serf *s, const struct beliefs *b, struct buffer *out)
{
    const struct members *m = &b->members;
    struct extent e = measure(s, b);
    if (!buffer_reserve(out, e.bytes)) {
        return false;
    }
    struct writer w = writer_of(out->data + out->size, e.bytes);
    write_slots(&w, &s->events);
    serf_state_put_left(&w, s->presence.clock.time, e.left);
    for (uint32_t slot = 0; e.left > 0 && slot < m->used; slot++) {
        const struct member *member = members_at(m, slot);
        if (is_shown(member) && member->status == MEMBERS_STATUS_LEFT) {
            msgpack_put_raw(&w, pool_name(member->identity));
        }
    }
    serf_state_put_status(&w, s->queries.clock.time, e.shown);
    for (uint32_t slot = 0; slot < m->used; slot++) {
        const struct member *member = members_at(m, slot);
        members_fetch_next(m, slot);
        if (is_shown(member)) {
            msgpack_put_raw(&w, pool_name(member->identity));
            msgpack_put_uint(&w, member->status_ltime);
        }
    }
    if (w.is_full) {
        return false;
    }
    out->size += w.size;
    return true;
}

static void witness(struct lamport *clock, uint64_t sent)
{
    if (sent > 0) {
        lamport_witness(clock, sent - 1);
    }
}

struct strangers {
    struct hearsay_bytes names[STATE_UNKNOWN_LEFT_MAX];
    uint32_t count;
};

static bool is_stranger_that_left(const struct strangers *s, struct hearsay_bytes name)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (bytes_equal(s->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Marks who left on the other side, so that one pass over the times finds them without searching. */
static void mark_left(struct members *m, struct serf_state state, struct strangers *strangers)
{
    struct hearsay_bytes name;
    while (serf_state_next_left(&state, &name)) {
        uint32_t slot = members_find(m, name);
        if (slot != MEMBERS_NONE) {
            members_at(m, slot)->is_marked = true;
        } else if (strangers->count < STATE_UNKNOWN_LEFT_MAX) {
            strangers->names[strangers->count++] = name;
        }
    }
}

static void unmark_left(struct members *m, struct serf_state state)
{
    struct hearsay_bytes name;
    while (serf_state_next_left(&state, &name)) {
        uint32_t slot = members_find(m, name);
        if (slot != MEMBERS_NONE) {
            members_at(m, slot)->is_marked = false;
        }
    }
}

/* Of a goodbye and a greeting of the same time, the greeting wins. */
static bool is_news(const struct member *member, const struct serf_intent *intent)
{
    return intent->ltime > member->status_ltime || (intent->ltime == member->status_ltime && member->status == MEMBERS_STATUS_LEAVING);
}

/* One intent that stands in theirs. */
static void merge_intent(struct serf *s, struct beliefs *b, struct turn *turn, const struct strangers *strangers, struct serf_intent intent)
{
    struct members *m = &b->members;
    uint32_t slot = members_find(m, intent.node);
    bool has_left = slot == MEMBERS_NONE ? is_stranger_that_left(strangers, intent.node) : members_at(m, slot)->is_marked;
    intent.ltime += has_left && intent.ltime < UINT64_MAX;
    if (slot == MEMBERS_NONE || is_news(members_at(m, slot), &intent)) {
        (void)presence_on_intent(&s->presence, b, turn, has_left, &intent); /* what a merge brings is not told on */
    }
}

static void merge_intents(struct serf *s, struct beliefs *b, struct turn *turn, struct serf_state state)
{
    struct members *m = &b->members;
    struct strangers strangers = {.count = 0};
    mark_left(m, state, &strangers);
    struct serf_state walk = state;
    for (uint32_t count = FETCH_AHEAD; count == FETCH_AHEAD;) {
        struct hearsay_bytes names[FETCH_AHEAD];
        uint64_t ltimes[FETCH_AHEAD];
        for (count = 0; count < FETCH_AHEAD && serf_state_next_status(&walk, &names[count], &ltimes[count]);) {
            count++;
        }
        members_fetch(m, names, count);
        for (uint32_t i = 0; i < count; i++) {
            merge_intent(s, b, turn, &strangers, (struct serf_intent){.node = names[i], .ltime = ltimes[i]});
        }
    }
    unmark_left(m, state);
}

bool user_state_merge(struct serf *s, struct beliefs *b, struct turn *turn, struct hearsay_bytes bytes, bool ignore_old)
{
    struct serf_state state;
    if (!serf_state_decode(bytes, &state)) {
        turn->counters->drop_malformed++;
        return false;
    }
    witness(&s->presence.clock, state.ltime);
    witness(&s->events.clock, state.event_ltime);
    witness(&s->queries.clock, state.query_ltime);
    merge_intents(s, b, turn, state);
    if (ignore_old && state.event_ltime > s->events.least) {
        s->events.least = state.event_ltime;
    }
    struct serf_state_event_walk walk = {0};
    struct serf_user_event event;
    while (serf_state_next_event(&state, &walk, &event)) {
        (void)events_receive(&s->events, turn, &event);
    }
    return true;
}
