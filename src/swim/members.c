/* SPDX-License-Identifier: MIT
 *
 * See members.h. Reference: memberlist state.go and util.go (kRandomNodes, shuffleNodes).
 */
#include "swim/members.h"

#include "base/check.h"

#define CHOOSE_SHUFFLE_MAX 768 /* below 3k members memberlist shuffles; k is at most 255 */

static struct hearsay_bytes name_key(const void *owner, uint32_t slot)
{
    const struct members *m = owner;
    return pool_name(m->slots[slot].identity);
}

void members_init(struct members *m, struct turn *turn, struct hearsay_pool *pool)
{
    *m = (struct members){.pool = pool, .self = MEMBERS_NONE};
    table_init(&m->names, turn->memory, rng_next(turn->rng), name_key, m);
}

void members_deinit(struct members *m, struct turn *turn)
{
    for (uint32_t i = 0; i < m->used; i++) {
        pool_release(m->pool, m->slots[i].identity);
    }
    table_deinit(&m->names);
    memory_free(turn->memory, m->slots);
    memory_free(turn->memory, m->list);
}

uint32_t members_find(const struct members *m, struct hearsay_bytes name)
{
    uint32_t slot = table_find(&m->names, name);
    return slot == TABLE_NONE ? MEMBERS_NONE : slot;
}

static bool resize_slots(struct members *m, struct turn *turn, uint32_t capacity)
{
    struct member *slots = memory_resize(turn->memory, m->slots, capacity * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    m->slots = slots;
    m->capacity = capacity;
    return true;
}

static bool resize_list(struct members *m, struct turn *turn, uint32_t capacity)
{
    uint32_t *list = memory_resize(turn->memory, m->list, capacity * sizeof *list);
    if (list == NULL) {
        return false;
    }
    m->list = list;
    m->list_capacity = capacity;
    return true;
}

void members_fetch(const struct members *m, const struct hearsay_bytes *names, uint32_t count)
{
    uint32_t slots[FETCH_AHEAD];
    for (uint32_t i = 0; i < count; i++) {
        table_fetch(&m->names, names[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        slots[i] = table_guess(&m->names, names[i]);
        if (slots[i] != TABLE_NONE) {
            fetch(&m->slots[slots[i]]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i] != TABLE_NONE) {
            pool_fetch(m->slots[slots[i]].identity);
        }
    }
}

/* Grows by a quarter: little of the memory stands empty. */
static bool reserve_slot(struct members *m, struct turn *turn)
{
    return m->free_first != 0 || m->used < m->capacity || resize_slots(m, turn, m->capacity == 0 ? 8 : m->capacity + m->capacity / 4);
}

void members_expect(struct members *m, struct turn *turn, uint32_t more)
{
    uint32_t most = turn->options->members_max > m->names.count ? turn->options->members_max - m->names.count : 0;
    more = more < most ? more : most;
    (void)table_reserve_many(&m->names, more);
    if (m->used + more > m->capacity) {
        (void)resize_slots(m, turn, m->used + more);
    }
    if (m->listed + more > m->list_capacity) {
        (void)resize_list(m, turn, m->listed + more);
    }
}

uint32_t members_add(struct members *m, struct turn *turn, struct hearsay_bytes name, const struct hearsay_address *address,
                     struct hearsay_bytes meta, const uint8_t versions[6])
{
    if (m->names.count >= turn->options->members_max) {
        turn->counters->drop_members_full++;
        return MEMBERS_NONE;
    }
    const struct identity *identity = NULL;
    if (reserve_slot(m, turn) && table_reserve(&m->names)) {
        identity = pool_intern(m->pool, name, address, meta, versions);
    }
    if (identity == NULL) {
        turn->counters->drop_no_memory++;
        return MEMBERS_NONE;
    }
    uint32_t slot = m->used;
    if (m->free_first != 0) {
        slot = m->free_first - 1;
        m->free_first = m->slots[slot].place;
    } else {
        m->used++;
    }
    m->slots[slot] = (struct member){.identity = identity, .place = MEMBERS_NONE, .state = MESSAGE_STATE_DEAD};
    members_touch(&m->slots[slot], turn);
    table_insert(&m->names, slot);
    return slot;
}

bool members_change_identity(struct members *m, struct turn *turn, uint32_t slot, const struct hearsay_address *address,
                             struct hearsay_bytes meta, const uint8_t versions[6])
{
    const struct identity *old = m->slots[slot].identity;
    if (pool_is(old, pool_name(old), address, meta, versions)) {
        return true;
    }
    const struct identity *identity = pool_intern(m->pool, pool_name(old), address, meta, versions);
    if (identity == NULL) {
        turn->counters->drop_no_memory++;
        return false;
    }
    m->slots[slot].identity = identity; /* same name: the table need not change */
    pool_release(m->pool, old);
    return true;
}

static void place_at(struct members *m, uint32_t place, uint32_t slot)
{
    m->list[place] = slot;
    m->slots[slot].place = place;
}

static void swap_places(struct members *m, uint32_t a, uint32_t b)
{
    uint32_t slot = m->list[a];
    place_at(m, a, m->list[b]);
    place_at(m, b, slot);
}

bool members_enlist(struct members *m, struct turn *turn, uint32_t slot)
{
    CHECK(m->slots[slot].place == MEMBERS_NONE);
    if (m->listed == m->list_capacity) {
        if (!resize_list(m, turn, m->list_capacity == 0 ? 8 : m->list_capacity + m->list_capacity / 4)) {
            turn->counters->drop_no_memory++;
            return false;
        }
    }
    place_at(m, m->listed++, slot);
    swap_places(m, m->listed - 1, (uint32_t)rng_below(turn->rng, m->listed));
    turn->population = m->listed;
    return true;
}

void members_delist(struct members *m, struct turn *turn, uint32_t slot)
{
    uint32_t place = m->slots[slot].place;
    CHECK(place != MEMBERS_NONE);
    m->listed--;
    if (place != m->listed) {
        place_at(m, place, m->list[m->listed]);
    }
    m->slots[slot].place = MEMBERS_NONE;
    turn->population = m->listed;
}

void members_drop(struct members *m, uint32_t slot)
{
    CHECK(m->slots[slot].place == MEMBERS_NONE && slot != m->self);
    m->drops++;
    table_remove(&m->names, slot);
    pool_release(m->pool, m->slots[slot].identity);
    m->slots[slot] = (struct member){.place = m->free_first};
    m->free_first = slot + 1;
}

void members_shuffle(struct members *m, struct rng *rng)
{
    for (uint32_t i = m->listed; i > 1; i--) {
        uint32_t other = (uint32_t)rng_below(rng, i), slot = m->list[i - 1];
        m->list[i - 1] = m->list[other];
        m->list[other] = slot;
    }
    for (uint32_t i = 0; i < m->listed; i++) { /* afterwards, for each jump to a slot may cost a cache miss */
        m->slots[m->list[i]].place = i;
    }
}

void members_report(struct members *m, struct turn *turn, uint32_t slot, enum member_change change, const struct hearsay_cause *cause)
{
    m->on_change(m->context, turn, slot, change, cause, NULL);
}

static uint32_t choose_by_shuffle(const struct members *m, struct rng *rng, uint32_t k, members_filter passes, const void *context,
                                  uint32_t *slots)
{
    uint32_t copy[CHOOSE_SHUFFLE_MAX], count = 0;
    memcpy(copy, m->list, m->listed * sizeof *copy);
    for (uint32_t left = m->listed; left > 0 && count < k; left--) {
        uint32_t i = (uint32_t)rng_below(rng, left);
        if (passes(m, copy[i], context)) {
            slots[count++] = copy[i];
        }
        copy[i] = copy[left - 1];
    }
    return count;
}

static bool is_chosen(const uint32_t *slots, uint32_t count, uint32_t slot)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i] == slot) {
            return true;
        }
    }
    return false;
}

uint32_t members_choose(const struct members *m, struct rng *rng, uint32_t k, members_filter passes, const void *context, uint32_t *slots)
{
    CHECK(k <= CHOOSE_SHUFFLE_MAX / 3);
    if (m->listed < 3 * k) {
        return choose_by_shuffle(m, rng, k, passes, context, slots);
    }
    uint32_t count = 0;
    uint64_t draws = 3 * (uint64_t)m->listed; /* as memberlist: enough to find them, bounded when nearly nobody passes */
    for (uint64_t i = 0; i < draws && count < k; i++) {
        uint32_t slot = m->list[rng_below(rng, m->listed)];
        if (!is_chosen(slots, count, slot) && passes(m, slot, context)) {
            slots[count++] = slot;
        }
    }
    return count;
}

uint32_t members_count_others(const struct members *m, bool with_suspects)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->listed; i++) {
        const struct member *member = &m->slots[m->list[i]];
        count += m->list[i] != m->self &&
                 (member->state == MESSAGE_STATE_ALIVE || (with_suspects && member->state == MESSAGE_STATE_SUSPECT));
    }
    return count;
}
