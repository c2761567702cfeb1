/* SPDX-License-Identifier: MIT
 *
 * See peers.h.
 */
#include "sync/peers.h"

static struct hearsay_bytes place_of(const struct hearsay_address *normal)
{
    return bytes_of(normal, offsetof(struct hearsay_address, size) + 1);
}

static struct hearsay_bytes key_of(const void *owner, uint32_t number)
{
    const struct peers *p = owner;
    return place_of(&p->list[number].address);
}

void peers_init(struct peers *p, struct turn *turn, const struct siphash_key *key)
{
    *p = (struct peers){.key = key};
    table_init(&p->by_address, turn->memory, rng_next(turn->rng), key_of, p);
}

void peers_deinit(struct peers *p, const struct hearsay_allocator *memory)
{
    table_deinit(&p->by_address);
    memory_free(memory, p->list);
}

/* Normal, and every unused byte zero, so that it can be a key. */
static struct hearsay_address pure(const struct hearsay_address *address)
{
    struct hearsay_address normal = address_normal(address), out;
    memset(&out, 0, sizeof out);
    memcpy(out.bytes, normal.bytes, normal.size);
    out.port = normal.port;
    out.size = normal.size;
    return out;
}

uint32_t peers_find(const struct peers *p, const struct hearsay_address *from)
{
    struct hearsay_address place = pure(from);
    uint32_t found = table_find(&p->by_address, place_of(&place));
    return found == TABLE_NONE ? PEERS_NONE : found;
}

uint32_t peers_find_slot(const struct peers *p, uint32_t slot)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->list[i].slot == slot) {
            return i;
        }
    }
    return PEERS_NONE;
}

static uint32_t add(struct peers *p, struct turn *turn)
{
    if (p->count == p->capacity) {
        uint32_t capacity = p->capacity == 0 ? 8 : p->capacity * 2;
        struct peer *list = memory_resize(turn->memory, p->list, capacity * sizeof *list);
        if (list == NULL) {
            return PEERS_NONE;
        }
        p->list = list;
        p->capacity = capacity;
    }
    return table_reserve(&p->by_address) ? p->count : PEERS_NONE;
}

uint32_t peers_enter(struct peers *p, struct turn *turn, const struct members *m, uint32_t slot)
{
    const struct identity *identity = members_at(m, slot)->identity;
    struct hearsay_address place = pure(&identity->address);
    uint64_t digest = siphash_of(p->key, pool_name(identity));
    uint32_t there = table_find(&p->by_address, place_of(&place)), number = 0;
    while (number < p->count && p->list[number].digest != digest) {
        number++;
    }
    if (there != TABLE_NONE && there != number) { /* somebody else was there before */
        table_remove(&p->by_address, there);
        p->list[there].slot = MEMBERS_NONE;
        memset(&p->list[there].address, 0, sizeof p->list[there].address);
    }
    if (number == p->count) {
        number = add(p, turn);
        if (number == PEERS_NONE) {
            turn->counters->drop_no_memory++;
            return PEERS_NONE;
        }
        p->count++;
        p->list[number] = (struct peer){.digest = digest};
    } else if (p->list[number].address.size > 0) {
        table_remove(&p->by_address, number);
    }
    if (!table_reserve(&p->by_address)) {
        memset(&p->list[number].address, 0, sizeof p->list[number].address);
        return PEERS_NONE;
    }
    p->list[number].address = place;
    p->list[number].slot = slot;
    table_insert(&p->by_address, number);
    return number;
}

void peers_forget_slot(struct peers *p, uint32_t slot)
{
    uint32_t number = peers_find_slot(p, slot);
    if (number != PEERS_NONE) {
        p->list[number].slot = MEMBERS_NONE;
    }
}

bool peers_is_up(const struct peers *p, const struct members *m, uint32_t peer)
{
    uint32_t slot = p->list[peer].slot;
    if (slot == MEMBERS_NONE || slot == m->self) {
        return false;
    }
    const struct member *member = members_at(m, slot);
    return member->identity != NULL && member->can_store && member->state == MESSAGE_STATE_ALIVE;
}

uint32_t peers_choose(const struct peers *p, const struct members *m, struct rng *rng, uint32_t k, uint32_t but, uint32_t *chosen)
{
    uint32_t count = 0;
    uint64_t draws = 4 * (uint64_t)p->count + 16;
    for (uint64_t i = 0; i < draws && count < k && p->count > 0; i++) {
        uint32_t number = (uint32_t)rng_below(rng, p->count), known = 0;
        while (known < count && chosen[known] != number) {
            known++;
        }
        if (known == count && number != but && peers_is_up(p, m, number)) {
            chosen[count++] = number;
        }
    }
    return count;
}
