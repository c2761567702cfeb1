/* SPDX-License-Identifier: MIT
 *
 * See merkle.h.
 */
#include "sync/merkle.h"

#include "base/check.h"

#define RECORDS_PER_CHANGE 2
#define RECORDS_KEPT 4096
#define LEAF_KEYS 16

enum record_state {
    RECORD_WAITS,  /* its epoch is not sealed */
    RECORD_IN_TREE /* the end of a chain: what the tree holds of the key */
};

struct merkle_record {
    struct entry *entry; /* of a key's newest record: the entry in the index, or NULL */
    uint64_t place;
    uint64_t hlc, origin; /* version */
    struct digest digest;
    uint32_t epoch;       /* in which it counts */
    uint8_t state;
    bool is_tombstone;
    uint32_t older;  /* number + 1 in the chain, or in the list of free ones */
    uint32_t next;   /* number + 1 in the list of the epoch */
};

bool merkle_init(struct merkle *m, struct index *index, const struct hearsay_allocator *memory)
{
    *m = (struct merkle){.index = index, .memory = memory};
    m->epochs = memory_zeros(memory, MERKLE_EPOCHS_AHEAD * sizeof *m->epochs);
    return m->epochs != NULL;
}

void merkle_deinit(struct merkle *m)
{
    memory_free(m->memory, m->records);
    memory_free(m->memory, m->epochs);
    *m = (struct merkle){0};
}

/* ---- records ------------------------------------------------------------------------------------------------------------- */

static struct merkle_record *at(const struct merkle *m, uint32_t link)
{
    return &m->records[link - 1];
}

bool merkle_reserve(struct merkle *m)
{
    if (m->record_capacity - m->record_used + m->free_count >= RECORDS_PER_CHANGE) {
        return true;
    }
    uint32_t capacity = m->record_capacity == 0 ? 16 : m->record_capacity + m->record_capacity / 2;
    struct merkle_record *records = memory_resize(m->memory, m->records, capacity * sizeof *records);
    if (records == NULL) {
        return false;
    }
    m->records = records;
    m->record_capacity = capacity;
    return true;
}

/* Answers number + 1. */
static uint32_t take_record(struct merkle *m, const struct merkle_record *content)
{
    uint32_t link = m->first_free;
    if (link != 0) {
        m->first_free = at(m, link)->older;
        m->free_count--;
    } else {
        CHECK(m->record_used < m->record_capacity);
        link = ++m->record_used;
    }
    *at(m, link) = *content;
    return link;
}

static void free_record(struct merkle *m, uint32_t link)
{
    at(m, link)->older = m->first_free;
    m->first_free = link;
    if (++m->free_count == m->record_used) {
        m->record_peak = m->record_used > m->record_peak ? m->record_used : m->record_peak;
        m->first_free = m->free_count = m->record_used = 0;
    }
}

/* Gives memory back after a storm. */
static void trim_records(struct merkle *m)
{
    if (m->record_used > 0 || m->record_capacity <= RECORDS_KEPT) {
        return;
    }
    if (m->record_peak < m->record_capacity / 4) {
        memory_free(m->memory, m->records);
        m->records = NULL;
        m->record_capacity = 0;
    }
    m->record_peak = 0;
}

static uint32_t *list_of(struct merkle *m, uint32_t epoch)
{
    uint64_t last = (uint64_t)m->horizon + MERKLE_EPOCHS_AHEAD;
    return &m->epochs[(epoch > last ? last : epoch) % MERKLE_EPOCHS_AHEAD]; /* beyond that they wait together */
}

static void enlist(struct merkle *m, uint32_t link)
{
    uint32_t *list = list_of(m, at(m, link)->epoch);
    at(m, link)->next = *list;
    *list = link;
    m->unsettled++;
}

/* Takes a waiting record out of its epoch's list. Rare: when an entry that had expired turns out to have been overwritten before. */
static void delist(struct merkle *m, uint32_t link)
{
    for (unsigned i = 0; i < MERKLE_EPOCHS_AHEAD; i++) {
        for (uint32_t *from = &m->epochs[i]; *from != 0; from = &at(m, *from)->next) {
            if (*from == link) {
                *from = at(m, link)->next;
                m->unsettled--;
                return;
            }
        }
    }
}

/* ---- the sums ------------------------------------------------------------------------------------------------------------ */

static void swap_in_tree(struct merkle *m, uint64_t place, const struct digest *old, const struct digest *next)
{
    static const struct digest nothing = {0, 0};
    index_add(m->index, place, digest_subtract(next == NULL ? nothing : *next, old == NULL ? nothing : *old));
    m->count += (next != NULL) - (uint64_t)(old != NULL);
}

bool merkle_digest_of(void *context, const struct index_item *item, struct digest *digest)
{
    const struct merkle *m = context;
    if (item->entry->journal == 0) {
        *digest = item->entry->digest;
        return (item->entry->flags & ENTRY_PURGED) == 0;
    }
    const struct merkle_record *r = at(m, item->entry->journal);
    while (r->older != 0) {
        r = at(m, r->older);
    }
    *digest = r->digest;
    return r->state == RECORD_IN_TREE;
}

static void on_late(struct merkle *m, uint32_t epoch)
{
    m->late++;
    m->late_epoch = epoch < m->late_epoch || m->late_epoch == 0 ? epoch : m->late_epoch;
    merkle_forget_roots(m);
}

/* ---- changes --------------------------------------------------------------------------------------------------------------- */

static struct merkle_record record_of(uint64_t place, const struct entry *e, enum record_state state)
{
    return (struct merkle_record){.place = place,
                                  .hlc = e->hlc,
                                  .origin = e->origin,
                                  .digest = e->digest,
                                  .epoch = merkle_epoch_of(entry_moment(e)),
                                  .state = (uint8_t)state,
                                  .is_tombstone = !entry_is_live(e)};
}

/* Answers the chain of old, which is no longer the newest of its key, without what cannot have been since next is older. */
static uint32_t chain_before(struct merkle *m, uint64_t place, struct entry *old, uint32_t epoch)
{
    if (old == NULL) {
        return 0;
    }
    if (old->journal == 0) {
        struct merkle_record base = record_of(place, old, RECORD_IN_TREE);
        return take_record(m, &base);
    }
    at(m, old->journal)->entry = NULL;
    uint32_t chain = old->journal;
    while (chain != 0 && at(m, chain)->state == RECORD_WAITS && at(m, chain)->epoch > epoch) {
        uint32_t older = at(m, chain)->older;
        delist(m, chain);
        free_record(m, chain);
        chain = older;
    }
    return chain;
}

void merkle_on_change(struct merkle *m, uint64_t place, struct entry *old, struct entry *next)
{
    struct merkle_record record = record_of(place, next, RECORD_WAITS);
    uint32_t chain;
    old = old != NULL && (old->flags & ENTRY_PURGED) != 0 ? NULL : old;
    if (record.epoch <= m->horizon && (old == NULL || old->journal == 0)) { /* late, the common way */
        swap_in_tree(m, place, old == NULL ? NULL : &old->digest, &next->digest);
        next->journal = 0;
        on_late(m, record.epoch);
        return;
    }
    if (old != NULL && old->journal != 0 && at(m, old->journal)->epoch == record.epoch) { /* the epoch has a record: it now stands for next */
        struct merkle_record *r = at(m, old->journal);
        record.entry = next;
        record.older = r->older;
        record.next = r->next;
        *r = record;
        next->journal = old->journal;
        old->journal = 0;
        return;
    }
    chain = chain_before(m, place, old, record.epoch);
    if (record.epoch <= m->horizon) { /* what is left of the chain is what the tree holds, if anything */
        swap_in_tree(m, place, chain == 0 ? NULL : &at(m, chain)->digest, &next->digest);
        if (chain != 0) {
            free_record(m, chain);
        }
        next->journal = 0;
        on_late(m, record.epoch);
    } else if (chain != 0 && at(m, chain)->state == RECORD_WAITS && at(m, chain)->epoch == record.epoch) {
        struct merkle_record *r = at(m, chain); /* the epoch has a record: it stands for next from now on */
        record.entry = next;
        record.older = r->older;
        record.next = r->next;
        *r = record;
        next->journal = chain;
    } else {
        record.entry = next;
        record.older = chain;
        next->journal = take_record(m, &record);
        enlist(m, next->journal);
    }
    if (old != NULL) {
        old->journal = 0;
    }
}

void merkle_on_move(struct merkle *m, struct entry *entry)
{
    if (entry->journal != 0) {
        at(m, entry->journal)->entry = entry;
    }
}

/* As entry_compare. */
static int compare_records(const struct merkle_record *a, const struct merkle_record *b)
{
    int order = entry_compare_versions(a->hlc, a->origin, b->hlc, b->origin);
    if (order == 0) {
        order = (int)a->is_tombstone - (int)b->is_tombstone;
    }
    return order != 0 ? order : digest_compare(a->digest, b->digest);
}

/* Takes out of the chain below newer what cannot have been, since record is newer and counts earlier. */
static void drop_later(struct merkle *m, uint32_t newer, uint32_t epoch)
{
    for (uint32_t link; (link = at(m, newer)->older) != 0 && at(m, link)->state == RECORD_WAITS && at(m, link)->epoch > epoch;) {
        at(m, newer)->older = at(m, link)->older;
        delist(m, link);
        free_record(m, link);
    }
}

void merkle_on_loser(struct merkle *m, uint64_t place, struct entry *present, const struct entry *loser)
{
    struct merkle_record record = record_of(place, loser, RECORD_WAITS);
    if (present->journal == 0) {
        return;
    }
    uint32_t newer = present->journal; /* the last in the chain that is newer than loser */
    while (at(m, newer)->older != 0 && compare_records(at(m, at(m, newer)->older), &record) > 0) {
        newer = at(m, newer)->older;
    }
    uint32_t older = at(m, newer)->older;
    if (at(m, newer)->state == RECORD_IN_TREE || at(m, newer)->epoch <= record.epoch ||
        (older != 0 && compare_records(at(m, older), &record) == 0)) {
        return; /* overwritten within its own epoch, or before what the tree holds; or known */
    }
    drop_later(m, newer, record.epoch);
    older = at(m, newer)->older;
    if (record.epoch <= m->horizon) {
        swap_in_tree(m, place, older == 0 ? NULL : &at(m, older)->digest, &record.digest);
        on_late(m, record.epoch);
        record.state = RECORD_IN_TREE;
    }
    if (older != 0 && at(m, older)->state == record.state && (record.state == RECORD_IN_TREE || at(m, older)->epoch == record.epoch)) {
        record.next = at(m, older)->next;
        record.older = at(m, older)->older;
        *at(m, older) = record;
        return;
    }
    record.older = older;
    uint32_t link = take_record(m, &record);
    at(m, newer)->older = link;
    if (record.state == RECORD_WAITS) {
        enlist(m, link);
    }
}

void merkle_on_remove(struct merkle *m, uint64_t place, struct entry *entry)
{
    struct digest digest;
    struct index_item item = {place, entry};
    if (merkle_digest_of(m, &item, &digest)) {
        swap_in_tree(m, place, &digest, NULL);
    }
    for (uint32_t link = entry->journal, older; link != 0; link = older) {
        older = at(m, link)->older;
        if (at(m, link)->state == RECORD_WAITS) {
            delist(m, link);
        }
        free_record(m, link);
    }
    entry->journal = 0;
}

/* ---- sealing --------------------------------------------------------------------------------------------------------------- */

static void seal_record(struct merkle *m, uint32_t link)
{
    struct merkle_record *r = at(m, link), *base = r->older == 0 ? NULL : at(m, r->older);
    struct entry *entry = r->entry;
    CHECK(base == NULL || base->state == RECORD_IN_TREE);
    swap_in_tree(m, r->place, base == NULL ? NULL : &base->digest, &r->digest);
    uint32_t older = r->older;
    r->state = RECORD_IN_TREE;
    r->older = 0;
    if (entry != NULL) { /* nothing newer: the key is settled */
        entry->journal = 0;
        free_record(m, link);
    }
    if (older != 0) {
        free_record(m, older);
    }
}

static void seal_one(struct merkle *m, uint32_t epoch)
{
    uint32_t *list = &m->epochs[epoch % MERKLE_EPOCHS_AHEAD];
    uint32_t waiting = *list, link;
    *list = 0;
    m->horizon = epoch;
    while ((link = waiting) != 0) {
        struct merkle_record *r = at(m, link);
        waiting = r->next;
        m->unsettled--;
        if (r->epoch <= epoch) {
            seal_record(m, link);
        } else {
            enlist(m, link);
        }
    }
}

/* After a long pause, or when a clock was set: leaves out the epochs before the first of which anything waits. */
static void leap(struct merkle *m, uint32_t epoch)
{
    uint32_t waiting = 0, first = epoch + 1;
    for (unsigned i = 0; i < MERKLE_EPOCHS_AHEAD; i++) {
        for (uint32_t link; (link = m->epochs[i]) != 0;) {
            struct merkle_record *r = at(m, link);
            first = r->epoch < first ? r->epoch : first;
            m->epochs[i] = r->next;
            r->next = waiting;
            waiting = link;
        }
    }
    m->horizon = first - 1;
    m->unsettled = 0;
    for (uint32_t link = waiting, next; link != 0; link = next) {
        next = at(m, link)->next;
        enlist(m, link);
    }
}

void merkle_seal(struct merkle *m, uint32_t epoch)
{
    if (epoch <= m->horizon) {
        return;
    }
    while (m->horizon < epoch && m->unsettled > 0) {
        if (epoch - m->horizon > MERKLE_EPOCHS_AHEAD) {
            leap(m, epoch);
        }
        if (m->horizon < epoch) {
            seal_one(m, m->horizon + 1);
        }
    }
    m->horizon = epoch;
    m->roots[m->root_next] = merkle_root(m);
    m->has_roots = true;
    m->root_next = (m->root_next + 1) % MERKLE_ROOTS;
    trim_records(m);
}

void merkle_start_at(struct merkle *m, uint32_t epoch)
{
    CHECK(m->unsettled == 0);
    m->horizon = epoch;
}

void merkle_step_back(struct merkle *m, uint32_t epoch)
{
    m->horizon = m->horizon > epoch ? epoch : m->horizon;
}

struct merkle_root merkle_root(const struct merkle *m)
{
    return (struct merkle_root){m->horizon, m->count, index_sum(m->index, 0, 0)};
}

void merkle_forget_roots(struct merkle *m)
{
    if (m->has_roots) {
        memset(m->roots, 0, sizeof m->roots);
        m->has_roots = false;
    }
}

bool merkle_root_of(const struct merkle *m, uint32_t epoch, struct merkle_root *root)
{
    if (epoch == m->horizon) {
        *root = merkle_root(m);
        return true;
    }
    for (unsigned i = 0; i < MERKLE_ROOTS; i++) {
        if (m->roots[i].epoch == epoch && epoch != 0) {
            *root = m->roots[i];
            return true;
        }
    }
    return false;
}

uint64_t merkle_memory(const struct merkle *m)
{
    return m->record_capacity * (uint64_t)sizeof *m->records + MERKLE_EPOCHS_AHEAD * sizeof *m->epochs;
}

/* ---- walking ---------------------------------------------------------------------------------------------------------------- */

bool merkle_next(const struct merkle *m, uint64_t *place, unsigned *rank, uint64_t last, struct index_item *item, struct digest *digest)
{
    while (index_next(m->index, place, rank, item) && item->place <= last) {
        if (m->index->digest_of(m->index->context, item, digest)) {
            return true;
        }
    }
    return false;
}

struct side {
    const struct merkle *m;
    uint64_t place;
    unsigned rank;
    bool has_item;
    struct index_item item;
    struct digest digest;
};

static void step(struct side *s, uint64_t last)
{
    s->has_item = merkle_next(s->m, &s->place, &s->rank, last, &s->item, &s->digest);
}

static void diff_leaf(const struct merkle *a, const struct merkle *b, uint64_t first, uint64_t last, merkle_found found, void *context)
{
    struct side x = {.m = a, .place = first}, y = {.m = b, .place = first};
    step(&x, last);
    step(&y, last);
    while (x.has_item || y.has_item) {
        bool has_x = x.has_item && (!y.has_item || x.item.place <= y.item.place);
        bool has_y = y.has_item && (!x.has_item || y.item.place <= x.item.place);
        if (has_x != has_y || !digest_equal(x.digest, y.digest)) {
            found(context, has_x ? &x.item : NULL, has_y ? &y.item : NULL);
        }
        if (has_x) {
            step(&x, last);
        }
        if (has_y) {
            step(&y, last);
        }
    }
}

/* Depth first without recursion: at most 16 children of at most 16 levels, the next node follows from the present one. */
uint64_t merkle_diff(const struct merkle *a, const struct merkle *b, merkle_found found, void *context)
{
    uint64_t compared = 0, place = 0, count = a->count > b->count ? a->count : b->count;
    unsigned depth = 0;
    for (;;) {
        uint64_t last = depth == 0 ? UINT64_MAX : place | UINT64_MAX >> depth;
        compared++;
        if (!digest_equal(merkle_node(a, place, depth), merkle_node(b, place, depth))) {
            if (depth < 60 && count >> depth > LEAF_KEYS) {
                depth += 4;
                continue;
            }
            diff_leaf(a, b, place, last, found, context);
        }
        if (last == UINT64_MAX) {
            return compared;
        }
        place = last + 1;
        while (depth > 4 && place << (depth - 4) == 0) { /* it was the last child: go on beside the parent */
            depth -= 4;
        }
    }
}
