/* SPDX-License-Identifier: MIT
 *
 * See push_pull.h.
 */
#include "swim/push_pull.h"

#define PUSH_PULL_SCALE_FROM 32
#define ENTRY_BYTES_MAX (HEARSAY_NAME_MAX + HEARSAY_META_MAX + 160)

uint64_t push_pull_delay_us(const struct turn *turn)
{
    uint64_t factor = 1;
    for (uint64_t n = PUSH_PULL_SCALE_FROM; n < turn->population; n *= 2) {
        factor++;
    }
    return turn_ms(turn->options->push_pull_interval_ms) * factor;
}

static bool append(struct buffer *out, const struct writer *w)
{
    return !w->is_full && buffer_append(out, w->data, w->size);
}

bool push_pull_write(const struct beliefs *b, bool is_join, bool is_look, struct hearsay_bytes user_state, struct buffer *out)
{
    const struct members *m = &b->members;
    uint8_t bytes[ENTRY_BYTES_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct message_push_pull_header header = {.is_join = is_join, .nodes = is_look ? 0 : m->listed,
                                              .user_state_size = (uint32_t)user_state.size};
    message_encode_push_pull_header(&w, &header);
    bool ok = append(out, &w);
    for (uint32_t i = 0; ok && i < header.nodes; i++) {
        struct message_alive entry = claims_alive_of(b, m->list[i]);
        w = writer_of(bytes, sizeof bytes);
        message_encode_push_pull_entry(&w, &entry, members_at(m, m->list[i])->state);
        ok = append(out, &w);
    }
    return ok && buffer_append(out, user_state.data, user_state.size);
}

bool push_pull_read(struct hearsay_bytes body, struct push_pull *out)
{
    struct reader r = reader_of(body);
    if (reader_u8(&r) != MESSAGE_PUSH_PULL || !message_decode_push_pull_header(&r, &out->header)) {
        return false;
    }
    out->entries = r;
    for (uint32_t i = 0; i < out->header.nodes; i++) {
        struct message_alive entry;
        enum message_state state;
        if (!message_decode_push_pull_entry(&r, &entry, &state)) {
            return false;
        }
    }
    out->user_state = reader_take(&r, out->header.user_state_size);
    return !r.is_bad;
}

struct range {
    uint8_t least, most; /* versions everybody speaks */
};

static void narrow(struct range *range, uint8_t least, uint8_t most)
{
    range->least = least > range->least ? least : range->least;
    range->most = most < range->most ? most : range->most;
}

static bool contains(const struct range *range, uint8_t version)
{
    return version >= range->least && version <= range->most;
}

bool push_pull_versions_fit(const struct beliefs *b, const struct push_pull *theirs)
{
    const struct members *m = &b->members;
    struct range protocol = {0, 255}, delegate = {0, 255};
    for (int pass = 0; pass < 2; pass++) { /* first find the ranges of the living, then hold everybody against them */
        for (uint32_t i = 0; i < m->listed; i++) {
            const struct member *member = members_at(m, m->list[i]);
            const uint8_t *v = member->identity->versions;
            if (pass == 0 && member->state == MESSAGE_STATE_ALIVE) {
                narrow(&protocol, v[0], v[1]);
                narrow(&delegate, v[3], v[4]);
            } else if (pass == 1 && (!contains(&protocol, v[2]) || !contains(&delegate, v[5]))) {
                return false;
            }
        }
        struct reader r = theirs->entries;
        for (uint32_t i = 0; i < theirs->header.nodes; i++) {
            struct message_alive e;
            enum message_state state;
            if (!message_decode_push_pull_entry(&r, &e, &state)) {
                return false;
            }
            uint8_t v[6] = {0};
            memcpy(v, e.versions.size == 0 ? v : e.versions.data, e.versions.size > 6 ? 6 : e.versions.size);
            if (pass == 0 && state == MESSAGE_STATE_ALIVE && e.versions.size >= 5) {
                narrow(&protocol, v[0], v[1]);
                narrow(&delegate, v[3], v[4]);
            } else if (pass == 1 && (!contains(&protocol, v[2]) || !contains(&delegate, v[5]))) {
                return false;
            }
        }
    }
    return true;
}

void push_pull_merge(struct beliefs *b, struct turn *turn, const struct push_pull *theirs, const struct claim_source *source)
{
    struct reader r = theirs->entries;
    if (source->is_silent) {
        members_expect(&b->members, turn, theirs->header.nodes);
    }
    for (uint32_t i = 0; i < theirs->header.nodes; i++) {
        struct message_alive entry;
        enum message_state state;
        if (!message_decode_push_pull_entry(&r, &entry, &state)) {
            return;
        }
        claims_merge(b, turn, &entry, state, source);
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
