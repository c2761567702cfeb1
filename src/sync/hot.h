/* SPDX-License-Identifier: MIT
 *
 * What is fresh enough to be told: the hot entries, newest last, and how often or since when each was told; and for a short while which ids
 * somebody was already asked for, so that no value comes twice. It knows entries by their eight-byte ids only. When an entry cools is the rule of
 * the table in exchange.h.
 */
#ifndef HEARSAY_SYNC_HOT_H
#define HEARSAY_SYNC_HOT_H

#include "base/memory.h"

#define HOT_MAX 8192
#define HOT_WANTED_LEAST 1024 /* powers of two */
#define HOT_WANTED_MOST 32768

struct hot_entry {
    uint64_t id;
    uint32_t from;    /* the peer it came from, PEERS_NONE = ours */
    uint32_t round;   /* in which it became hot */
    uint16_t tells;   /* rounds in which it was told: push */
    uint16_t eager;   /* copies still owed at once */
    uint32_t epoch;
};

struct hot_wanted {
    uint64_t id;
    uint64_t until; /* attended time */
    uint32_t from;  /* who was asked */
};

struct hot {
    struct hot_entry *list; /* oldest first */
    uint32_t count, capacity;
    uint32_t eager_count;   /* entries that are owed eager copies */
    struct hot_wanted *wanted;
    uint32_t wanted_capacity;
};

void hot_deinit(struct hot *h, const struct hearsay_allocator *memory);
/* Forgets the oldest when full. False when memory is out: it is not told, and will be found by repair. */
bool hot_add(struct hot *h, const struct hearsay_allocator *memory, const struct hot_entry *entry);
/* Removes those marked by id 0. */
void hot_sweep(struct hot *h);
/* May this peer be asked for it now? Then it counts as asked for until `until`, and nobody else is. */
bool hot_want(struct hot *h, const struct hearsay_allocator *memory, uint64_t id, uint32_t from, uint64_t now, uint64_t until);

#endif
