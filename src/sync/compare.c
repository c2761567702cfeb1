/* SPDX-License-Identifier: MIT
 *
 * See compare.h. Digests travel cut short and salted anew for each repair: a difference that they hide this time shows the next. A fingerprint
 * is half of where the key lies below the node and half of what is there, so that it shows whether the other side lacks a key or has
 * another version of it.
 */
#include "sync/compare.h"

#include "sync/purge.h"

#define LEAF_KEYS 24      /* a node with more keys is divided, as far as we know its size */
#define PRINTS_MAX 256    /* nor are more than so many listed */
#define THEIRS_MAX 4096
#define LEVEL_MAX 32
#define WANTED_US 1000000u
#define TOLD_BYTES 1024   /* a larger entry is offered, to whoever may lack it … */
#define TOLD_PACKETS 8    /* … and any, when the answer fills so many datagrams already */

static uint32_t salted(struct digest d, uint32_t salt)
{
    uint64_t x = (d.lo ^ (d.hi << 32 | d.hi >> 32)) + salt * UINT64_C(0xd6e8feb86659fd93);
    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return (uint32_t)(x >> 32);
}

static bool is_empty(struct digest d)
{
    return d.lo == 0 && d.hi == 0;
}

static uint64_t place_of(uint8_t level, uint32_t index)
{
    return level == 0 ? 0 : (uint64_t)index << (64 - level);
}

static uint64_t last_of(uint8_t level, uint32_t index)
{
    return place_of(level, index) | (level == 0 ? UINT64_MAX : UINT64_MAX >> level);
}

/* The 16 bits of a place that follow those of the node. */
static uint32_t print_of(uint32_t salt, uint8_t level, uint64_t place, struct digest d)
{
    return (uint32_t)(place << level >> 48) << 16 | salted(d, salt) >> 16;
}

static const struct merkle *tree_of(const struct talk *out)
{
    return &out->x->sync->store.merkle;
}

/* Our children of a node; false when there are none. */
static bool children(const struct talk *out, uint32_t salt, uint8_t level, uint32_t parent, struct parley_nodes *group)
{
    *group = (struct parley_nodes){.parent = parent};
    for (uint32_t i = 0; i < 16; i++) {
        struct digest d = merkle_node(tree_of(out), place_of(level, parent << 4 | i), level);
        if (!is_empty(d)) {
            group->bitmap |= (uint16_t)(1u << i);
            group->digests[i] = salted(d, salt);
        }
    }
    return group->bitmap != 0;
}

struct prints {
    struct index_item items[PRINTS_MAX];
    uint32_t prints[PRINTS_MAX];
    size_t count;
    bool is_cut; /* there are more */
};

/* What the tree has under a node. */
static void list_prints(const struct talk *out, uint32_t salt, uint8_t level, uint32_t index, struct prints *p)
{
    uint64_t at = place_of(level, index), last = last_of(level, index);
    unsigned rank = 0;
    struct index_item item;
    struct digest digest;
    p->count = 0;
    p->is_cut = false;
    while (merkle_next(tree_of(out), &at, &rank, last, &item, &digest)) {
        if (p->count == PRINTS_MAX) {
            p->is_cut = true;
            return;
        }
        p->items[p->count] = item;
        p->prints[p->count++] = print_of(salt, level, item.place, digest);
        if (at == 0) {
            return; /* past the very last place */
        }
    }
}

void compare_descend(struct talk *out, uint32_t salt, uint8_t level, uint32_t index, struct compare_tally *tally)
{
    struct parley_nodes group;
    struct prints own;
    if (level < LEVEL_MAX && tree_of(out)->count >> level > LEAF_KEYS) {
        if (children(out, salt, (uint8_t)(level + 4), index, &group)) {
            tally->work += 16;
            talk_nodes(out, (uint8_t)(level + 4), &group);
            return;
        }
    }
    list_prints(out, salt, level, index, &own);
    tally->work += own.count;
    if (own.is_cut && level < LEVEL_MAX && children(out, salt, (uint8_t)(level + 4), index, &group)) {
        talk_nodes(out, (uint8_t)(level + 4), &group);
    } else {
        talk_prints(out, PARLEY_PRINTS, level, index, own.prints, own.count);
    }
}

static void answer_nodes(struct talk *out, uint32_t salt, struct reader body, struct compare_tally *tally)
{
    uint8_t level = reader_u8(&body);
    struct parley_nodes theirs = {0}, ours;
    while (parley_next_nodes(&body, level, &theirs)) {
        (void)children(out, salt, level, theirs.parent, &ours);
        tally->work += 16;
        for (uint32_t i = 0; i < 16; i++) {
            bool differs = (theirs.bitmap >> i & 1) != (ours.bitmap >> i & 1) || theirs.digests[i] != ours.digests[i];
            if (differs) {
                compare_descend(out, salt, level, theirs.parent << 4 | i, tally);
            }
        }
    }
}

static bool has_print(struct reader prints, uint32_t print)
{
    while (reader_left(&prints) > 0) {
        if (reader_u32(&prints) == print) {
            return true;
        }
    }
    return false;
}

static bool has_own(const struct prints *own, uint32_t print)
{
    for (size_t i = 0; i < own->count; i++) {
        if (own->prints[i] == print) {
            return true;
        }
    }
    return false;
}

/* Is there a key that may be the one of this print? */
static bool has_key(struct reader prints, uint32_t print)
{
    while (reader_left(&prints) > 0) {
        if (reader_u32(&prints) >> 16 == print >> 16) {
            return true;
        }
    }
    return false;
}

/* Asks nobody for what somebody was asked for just now. */
static bool want(struct talk *out, uint64_t place)
{
    uint64_t now = out->turn->now;
    return hot_want(&out->x->hot, out->turn->memory, place, out->peer, now, now + WANTED_US);
}

/* Tells an entry, unless it is an old tombstone of what was purged. */
static void tell(struct talk *out, uint64_t place, const struct entry *entry, struct compare_tally *tally)
{
    const struct peer *peer = &out->x->peers.list[out->peer];
    if (!purge_may_send(out->x->sync, out->turn, peer->digest, peer->purge_hlc, place, entry)) {
        return;
    }
    tally->value_bytes_out += talk_entry(out, entry, 0);
    tally->moved_out++;
    tally->work++;
}

/* Prints of theirs that we lack, and that we have not asked somebody for just now. */
static void want_prints(struct talk *out, uint8_t level, const struct parley_prints *theirs, const struct prints *own,
                        struct compare_tally *tally)
{
    struct reader prints = theirs->prints;
    uint32_t wanted[64];
    size_t count = 0;
    while (reader_left(&prints) > 0) {
        uint32_t print = reader_u32(&prints);
        uint64_t place = place_of(level, theirs->index) | (uint64_t)(print >> 16) << 48 >> level;
        if (!has_own(own, print) && want(out, place)) {
            wanted[count++] = print;
            tally->found++;
        }
        if (count == 64 || (count > 0 && reader_left(&prints) == 0)) {
            talk_prints(out, PARLEY_WANTED_PRINTS, level, theirs->index, wanted, count);
            count = 0;
        }
    }
}

/* Who has nothing of this key is told it at once; who may have another version decides by its moment. */
static void tell_or_offer(struct talk *out, const struct index_item *item, bool is_disputed, struct compare_tally *tally)
{
    bool is_small = item->entry->key_size + item->entry->value_size <= TOLD_BYTES && (out->stream != 0 || out->sent < TOLD_PACKETS);
    if (is_disputed || !is_small || !merkle_is_settled(item->entry)) {
        talk_offer(out, item->place, item->entry->hlc);
    } else {
        tally->found++;
        tell(out, item->place, item->entry, tally);
    }
}

static void answer_prints(struct talk *out, uint32_t salt, struct reader body, struct compare_tally *tally)
{
    uint8_t level = reader_u8(&body);
    struct parley_prints theirs = {0};
    struct parley_nodes group;
    struct prints own;
    while (parley_next_prints(&body, level, &theirs)) {
        list_prints(out, salt, level, theirs.index, &own);
        tally->work += own.count;
        if (own.is_cut && level < LEVEL_MAX && children(out, salt, (uint8_t)(level + 4), theirs.index, &group)) {
            talk_nodes(out, (uint8_t)(level + 4), &group); /* they have few, we have many */
            continue;
        }
        if (reader_left(&theirs.prints) > 4 * (size_t)THEIRS_MAX) {
            continue;
        }
        for (size_t i = 0; i < own.count; i++) {
            if (!has_print(theirs.prints, own.prints[i])) {
                tell_or_offer(out, &own.items[i], has_key(theirs.prints, own.prints[i]), tally);
            }
        }
        want_prints(out, level, &theirs, &own, tally);
    }
}

/* The newest moment we have at this place; 0 = none. */
static uint64_t own_moment(const struct talk *out, uint64_t place)
{
    uint64_t at = place, newest = 0;
    unsigned rank = 0;
    struct index_item item;
    while (index_next(&out->x->sync->store.index, &at, &rank, &item) && item.place == place) {
        newest = item.entry->hlc > newest ? item.entry->hlc : newest;
    }
    return newest;
}

static void answer_offers(struct talk *out, struct reader body, struct compare_tally *tally)
{
    uint64_t place, hlc;
    while (parley_next_number(&body, &place) && parley_next_number(&body, &hlc)) {
        uint64_t ours = own_moment(out, place);
        tally->work++;
        if (ours > hlc) {
            tally->newer++;
        } else if (want(out, place)) {
            talk_number(out, PARLEY_WANTED_KEYS, place);
            tally->found++;
        }
    }
}

/* Does the message offer a newer version of what stands at this place? */
static bool is_outdone(const struct parley_message *m, uint64_t place, uint64_t hlc)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    while (parley_next_section(&sections, &type, &body)) {
        uint64_t theirs, moment;
        while (type == PARLEY_OFFERS && parley_next_number(&body, &theirs) && parley_next_number(&body, &moment)) {
            if (theirs == place && moment > hlc) {
                return true;
            }
        }
    }
    return false;
}

static void answer_wanted_prints(struct talk *out, const struct parley_message *m, struct reader body, struct compare_tally *tally)
{
    uint8_t level = reader_u8(&body);
    struct parley_prints wanted = {0};
    struct prints own;
    while (parley_next_prints(&body, level, &wanted)) {
        list_prints(out, m->session.salt, level, wanted.index, &own);
        tally->work += own.count;
        for (size_t i = 0; i < own.count; i++) {
            const struct entry *entry = own.items[i].entry;
            if (!has_print(wanted.prints, own.prints[i])) {
                continue;
            }
            if (!merkle_is_settled(entry) || is_outdone(m, own.items[i].place, entry->hlc)) {
                tally->newer++;
            } else {
                tally->found++;
                tell(out, own.items[i].place, entry, tally);
            }
        }
    }
}

static void answer_wanted_keys(struct talk *out, struct reader body, struct compare_tally *tally)
{
    uint64_t place;
    while (parley_next_number(&body, &place)) {
        uint64_t at = place;
        unsigned rank = 0;
        struct index_item item;
        while (index_next(&out->x->sync->store.index, &at, &rank, &item) && item.place == place) {
            tell(out, item.place, item.entry, tally);
        }
    }
}

void compare_answer(struct talk *out, const struct parley_message *m, struct compare_tally *tally)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    while (parley_next_section(&sections, &type, &body)) {
        switch (type) {
        case PARLEY_NODES:
            answer_nodes(out, m->session.salt, body, tally);
            break;
        case PARLEY_PRINTS:
            answer_prints(out, m->session.salt, body, tally);
            break;
        case PARLEY_OFFERS:
            answer_offers(out, body, tally);
            break;
        case PARLEY_WANTED_PRINTS:
            answer_wanted_prints(out, m, body, tally);
            break;
        case PARLEY_WANTED_KEYS:
            answer_wanted_keys(out, body, tally);
            break;
        default:
            break;
        }
    }
}

void compare_tell_range(struct talk *out, const struct parley_range *range, struct compare_tally *tally)
{
    struct parley_range rest = *range;
    struct index_item item;
    unsigned rank = 0;
    uint64_t at = range->first, bytes = 0, fetched = 0;
    while (index_next(&out->x->sync->store.index, &at, &rank, &item) && item.place <= range->last) {
        if (item.place > fetched) {
            index_fetch(&out->x->sync->store.index, item.place, &fetched);
        }
        if (bytes >= range->bytes && item.place != rest.first) { /* entries of one place stay together */
            rest.first = item.place;
            talk_range(out, &rest);
            return;
        }
        rest.first = item.place;
        tell(out, item.place, item.entry, tally);
        bytes += item.entry->key_size + (uint64_t)item.entry->value_size + 24;
    }
}
