/* SPDX-License-Identifier: MIT
 *
 * The members this node knows: one slot each, a table by name, and memberlist's ordered list from which probes walk and random
 * choices are drawn. A slot outlives its place in the list: after memberlist's purge the name, address, incarnation and Serf
 * status are kept until they are reaped, so that nothing comes back by accident and healing knows whom to look for.
 * It stores beliefs; claims.c decides which belief wins.
 */
#ifndef HEARSAY_SWIM_MEMBERS_H
#define HEARSAY_SWIM_MEMBERS_H

#include "spread/turn.h"
#include "swim/pool.h"
#include "wire/message.h"

#define MEMBERS_NONE UINT32_MAX

/* What Serf makes of a member (serf/presence.c writes it, plain personality too). */
enum { MEMBERS_STATUS_NONE, MEMBERS_STATUS_ALIVE, MEMBERS_STATUS_LEAVING, MEMBERS_STATUS_LEFT, MEMBERS_STATUS_FAILED };

struct member {
    const struct identity *identity; /* NULL = free slot */
    uint64_t status_ltime; /* Serf's Lamport time of the last intent */
    uint32_t incarnation;
    uint32_t place;        /* in the list; MEMBERS_NONE = not listed. Free slots: the next free one */
    /* The rest shares one word, so that a cluster of 10,000 nodes that all know each other fits into memory. */
    uint64_t changed_ms : 44;   /* host time of the last change of state */
    uint64_t abilities : 8;     /* wire version of hearsay, 0 = none or unknown */
    uint64_t status : 3;        /* MEMBERS_STATUS_ */
    uint64_t state : 2;         /* enum message_state: memberlist's belief */
    uint64_t is_remembered : 1; /* from a former life's address book: looked for, never seen */
    uint64_t is_pruned : 1;     /* to be forgotten as soon as it is gone */
    uint64_t is_strange : 1;    /* a look at its list found no kin; found so again, it is foreign */
    uint64_t is_foreign : 1;    /* its address now belongs to another cluster: not looked for any more */
    uint64_t can_store : 1;     /* HEARSAY_CAN_STORE, learned as its version is */
    uint64_t is_asked : 1;      /* its ability is known, or was asked for */
    uint64_t is_marked : 1;     /* scratch of a merge; false between turns */
};

enum member_change {
    MEMBERS_JOINED,    /* alive, was dead, left or unknown */
    MEMBERS_UPDATED,   /* meta or address changed */
    MEMBERS_SUSPECTED,
    MEMBERS_CLEARED,   /* suspicion refuted */
    MEMBERS_DIED,      /* dead or left, memberlist makes no difference to its listeners */
    MEMBERS_CONFLICT,  /* other_address claims the name */
    MEMBERS_PURGED     /* left the list; the listener may drop the slot */
};

struct members {
    struct hearsay_pool *pool;
    struct member *slots;
    uint32_t used, capacity, free_first; /* 1 + slot, 0 = none */
    uint32_t *list;      /* slots in probe order */
    uint32_t listed, list_capacity;
    struct table names;
    uint32_t self;
    uint32_t next_incarnation, next_sequence; /* counters: incremented before use */
    uint64_t drops;      /* members forgotten so far */
    bool is_leaving;
    /* Told of every change as it happens. */
    void (*on_change)(void *context, struct turn *turn, uint32_t slot, enum member_change change, const struct hearsay_cause *cause,
                      const struct hearsay_address *other_address);
    void *context;
};

void members_init(struct members *m, struct turn *turn, struct hearsay_pool *pool);
void members_deinit(struct members *m, struct turn *turn);

uint32_t members_find(const struct members *m, struct hearsay_bytes name);
/* Brings near what finding these names (at most FETCH_AHEAD) and looking at them will touch. */
void members_fetch(const struct members *m, const struct hearsay_bytes *names, uint32_t count);
static inline struct member *members_at(const struct members *m, uint32_t slot)
{
    return &m->slots[slot];
}
static inline const char *members_name(const struct members *m, uint32_t slot)
{
    return m->slots[slot].identity->name;
}
static inline const struct hearsay_address *members_address(const struct members *m, uint32_t slot)
{
    return &m->slots[slot].identity->address;
}

/* Room for so many more, exactly: they stand in a list before us. Without memory for it each makes its own way later. */
void members_expect(struct members *m, struct turn *turn, uint32_t more);
/* The same for those that are next in a walk: along the list, or along the slots. */
static inline void members_fetch_listed(const struct members *m, uint32_t place)
{
    if (place + 2 * FETCH_AHEAD < m->listed) {
        fetch(&m->slots[m->list[place + 2 * FETCH_AHEAD]]);
        pool_fetch(m->slots[m->list[place + FETCH_AHEAD]].identity);
    }
}
static inline void members_fetch_next(const struct members *m, uint32_t slot)
{
    if (slot + FETCH_AHEAD < m->used) {
        pool_fetch(m->slots[slot + FETCH_AHEAD].identity);
    }
}

/* A new slot for a name that is not known, unlisted, state dead, incarnation 0. MEMBERS_NONE when full or out of memory (counted). */
uint32_t members_add(struct members *m, struct turn *turn, struct hearsay_bytes name, const struct hearsay_address *address,
                     struct hearsay_bytes meta, const uint8_t versions[6]);
/* Gives the slot another identity under the same name. False when memory is out. */
bool members_change_identity(struct members *m, struct turn *turn, uint32_t slot, const struct hearsay_address *address,
                             struct hearsay_bytes meta, const uint8_t versions[6]);
/* Puts the slot at a random place of the list. False when memory is out. */
bool members_enlist(struct members *m, struct turn *turn, uint32_t slot);
void members_delist(struct members *m, struct turn *turn, uint32_t slot);
/* Forgets the slot wholly; it must not be listed. */
void members_drop(struct members *m, uint32_t slot);
void members_shuffle(struct members *m, struct rng *rng);

/* Its state changed just now. */
static inline void members_touch(struct member *member, const struct turn *turn)
{
    member->changed_ms = (turn->host_now / 1000) & ((UINT64_C(1) << 44) - 1); /* 557 years */
}

/* For how long the member has been in its state, by the host's clock. */
static inline uint64_t members_state_age_ms(const struct member *member, const struct turn *turn)
{
    return turn->host_now / 1000 - member->changed_ms;
}

/* Reports a change to the listener. */
void members_report(struct members *m, struct turn *turn, uint32_t slot, enum member_change change, const struct hearsay_cause *cause);

/* Up to k distinct random listed members that pass; draws as memberlist does (kRandomNodes). Answers how many. */
typedef bool (*members_filter)(const struct members *m, uint32_t slot, const void *context);
uint32_t members_choose(const struct members *m, struct rng *rng, uint32_t k, members_filter passes, const void *context, uint32_t *slots);

/* Listed members other than ourselves that are alive (suspects count when with_suspects). */
uint32_t members_count_others(const struct members *m, bool with_suspects);

#endif
