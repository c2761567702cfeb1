/* SPDX-License-Identifier: MIT
 *
 * See push_pull.h.
 */
#include "swim/push_pull.h"

#define PUSH_PULL_SCALE_FROM 32
#define ENTRY_BYTES_MAX (HEARSAY_NAME_MAX + HEARSAY_META_MAX + 160)
#define ENTRY_BYTES_USUAL 128

uint64_t push_pull_delay_us(const struct turn *turn)
{
    uint64_t factor = 1;
    for (uint64_t n = PUSH_PULL_SCALE_FROM; n < turn->population; n *= 2) {
        factor++;
    }
    return turn_ms(turn->options->push_pull_interval_ms) * factor;
}

bool push_pull_write(const struct beliefs *b, bool is_join, bool is_look, struct hearsay_bytes user_state, struct buffer *out)
{
    const struct members *m = &b->members;
    struct message_push_pull_header header = {.is_join = is_join, .nodes = is_look ? 0 : m->listed,
                                              .user_state_size = (uint32_t)user_state.size};
    if (!buffer_reserve(out, ENTRY_BYTES_MAX + (size_t)header.nodes * ENTRY_BYTES_USUAL + user_state.size)) {
        return false;
    }
    struct writer w = writer_of(out->data + out->size, out->capacity - out->size);
    message_encode_push_pull_header(&w, &header);
    out->size += w.size;
    for (uint32_t i = 0; i < header.nodes; i++) {
        if (!buffer_reserve(out, ENTRY_BYTES_MAX)) {
            return false;
        }
        members_fetch_listed(m, i);
        struct message_alive entry = claims_alive_of(b, m->list[i]);
        w = writer_of(out->data + out->size, out->capacity - out->size);
        message_encode_push_pull_entry(&w, &entry, members_at(m, m->list[i])->state);
        out->size += w.size;
    }
    return buffer_append(out, user_state.data, user_state.size);
}

/* ---- versions: everybody must speak what all the living speak ----------------------------------------------------------------- */

static const struct push_pull_versions no_versions = {.protocol = {0, 255, 255, 0}, .delegate = {0, 255, 255, 0}};

static void narrow(struct push_pull_range *range, uint8_t least, uint8_t most)
{
    range->least = least > range->least ? least : range->least;
    range->most = most < range->most ? most : range->most;
}

static void speak(struct push_pull_range *range, uint8_t least, uint8_t most)
{
    range->spoken_least = least < range->spoken_least ? least : range->spoken_least;
    range->spoken_most = most > range->spoken_most ? most : range->spoken_most;
}

static void note_versions(struct push_pull_versions *all, const uint8_t v[6], bool counts)
{
    if (counts) {
        narrow(&all->protocol, v[0], v[1]);
        narrow(&all->delegate, v[3], v[4]);
    }
    speak(&all->protocol, v[2], v[2]);
    speak(&all->delegate, v[5], v[5]);
}

static bool is_spoken_by_all(const struct push_pull_range *range)
{
    return range->spoken_least >= range->least && range->spoken_most <= range->most;
}

bool push_pull_versions_fit(const struct beliefs *b, const struct push_pull *theirs)
{
    const struct members *m = &b->members;
    struct push_pull_versions all = theirs->versions;
    for (uint32_t slot = 0; slot < m->used; slot++) { /* in this order, not the list's: memory is read ahead, and at hand for what follows */
        const struct member *member = members_at(m, slot);
        members_fetch_next(m, slot);
        if (member->identity != NULL && member->place != MEMBERS_NONE) {
            note_versions(&all, member->identity->versions, member->state == MESSAGE_STATE_ALIVE);
        }
    }
    return is_spoken_by_all(&all.protocol) && is_spoken_by_all(&all.delegate);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------- */

bool push_pull_read(struct hearsay_bytes body, struct push_pull *out)
{
    struct reader r = reader_of(body);
    if (reader_u8(&r) != MESSAGE_PUSH_PULL || !message_decode_push_pull_header(&r, &out->header)) {
        return false;
    }
    out->entries = r;
    out->versions = no_versions;
    for (uint32_t i = 0; i < out->header.nodes; i++) {
        struct message_alive entry;
        enum message_state state;
        uint8_t v[6] = {0};
        if (!message_decode_push_pull_entry(&r, &entry, &state)) {
            return false;
        }
        bytes_copy(v, entry.versions.data, entry.versions.size > 6 ? 6 : entry.versions.size);
        note_versions(&out->versions, v, state == MESSAGE_STATE_ALIVE && entry.versions.size >= 5);
    }
    out->user_state = reader_take(&r, out->header.user_state_size);
    return !r.is_bad;
}

void push_pull_merge(struct beliefs *b, struct turn *turn, const struct push_pull *theirs, const struct claim_source *source)
{
    struct reader r = theirs->entries;
    if (source->is_silent) {
        members_expect(&b->members, turn, theirs->header.nodes);
    }
    for (uint32_t i = 0; i < theirs->header.nodes; i += FETCH_AHEAD) {
        struct message_alive entries[FETCH_AHEAD];
        enum message_state states[FETCH_AHEAD];
        struct hearsay_bytes names[FETCH_AHEAD];
        uint32_t left = theirs->header.nodes - i, count = 0;
        for (; count < left && count < FETCH_AHEAD && message_decode_push_pull_entry(&r, &entries[count], &states[count]); count++) {
            names[count] = entries[count].node;
        }
        members_fetch(&b->members, names, count);
        for (uint32_t k = 0; k < count; k++) {
            claims_merge(b, turn, &entries[k], states[k], source);
        }
    }
}

bool push_pull_is_kin(const struct beliefs *b, const struct push_pull *theirs, struct hearsay_bytes name)
{
    if (theirs->header.nodes <= 1) {
        return true;
    }
    struct reader r = theirs->entries;
    for (uint32_t i = 0; i < theirs->header.nodes; i++) {
        struct message_alive e;
        enum message_state state;
        if (!message_decode_push_pull_entry(&r, &e, &state)) {
            return false;
        }
        uint32_t slot = members_find(&b->members, e.node);
        if (slot != MEMBERS_NONE && !bytes_equal(e.node, name) && address_same_place(members_address(&b->members, slot), &e.address)) {
            return true;
        }
    }
    return false;
}

static bool may_exchange(const struct members *m, uint32_t slot, const void *context)
{
    (void)context;
    return slot != m->self && members_at(m, slot)->state == MESSAGE_STATE_ALIVE;
}

uint32_t push_pull_choose(const struct beliefs *b, struct turn *turn)
{
    uint32_t slot;
    return members_choose(&b->members, turn->rng, 1, may_exchange, NULL, &slot) == 1 ? slot : MEMBERS_NONE;
}
