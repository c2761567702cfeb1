/* SPDX-License-Identifier: MIT
 *
 * The shared store at the door: the user's writes and views, and what the host says about clock and disk. What they do is in src/sync.
 */
#include "node/node.h"

#include "sync/owned.h"

/* ---- inputs ------------------------------------------------------------------------------------------------------------ */

void hearsay_set_wall_clock(struct hearsay_node *node, uint64_t now, uint64_t unix_ms)
{
    struct turn *turn = node_begin(node, now);
    node->wall_ms = unix_ms;
    node->wall_at = turn->host_now;
    if (node->sync != NULL && unix_ms > 0) {
        sync_set_wall_clock(node->sync, turn, unix_ms);
    }
    node_end(node);
}

hearsay_err hearsay_store_load(struct hearsay_node *node, const struct hearsay_entry *entry)
{
    return node->sync == NULL ? HEARSAY_ERR_STORE_OFF : sync_load(node->sync, &node->turn, entry);
}

hearsay_err hearsay_store_load_meeting(struct hearsay_node *node, uint64_t now, const struct hearsay_meeting *meeting)
{
    if (node->sync == NULL) {
        return HEARSAY_ERR_STORE_OFF;
    }
    hearsay_err err = meetings_load(&node->sync->tombstones, &node->sync->hlc, node_begin(node, now), meeting);
    node_end(node);
    return err;
}

void hearsay_persisted(struct hearsay_node *node, uint64_t now, uint64_t batch, bool ok)
{
    struct turn *turn = node_begin(node, now);
    if (node->sync != NULL) {
        sync_on_persisted(node->sync, turn, batch, ok);
    }
    node_end(node);
}

/* ---- wishes ------------------------------------------------------------------------------------------------------------ */

static hearsay_err write(struct hearsay_node *node, uint64_t now, struct hearsay_entry *entry, uint64_t ttl_ms, uint32_t copies,
                         uint32_t *ticket)
{
    if (node->sync == NULL) {
        return HEARSAY_ERR_STORE_OFF;
    }
    if (node->leave.stage != LEAVE_NOT) {
        return HEARSAY_ERR_LEFT; /* there may be nobody left to tell */
    }
    if (!owned_may_write(node->sync, &node->beliefs.members, entry)) {
        return HEARSAY_ERR_RESERVED;
    }
    hearsay_err err = sync_put(node->sync, node_begin(node, now), entry, ttl_ms, copies, ticket);
    node_end(node);
    return err;
}

hearsay_err hearsay_put(struct hearsay_node *node, uint64_t now, struct hearsay_bytes key, struct hearsay_bytes value, uint64_t ttl_ms,
                        uint32_t copies, uint32_t *ticket)
{
    struct hearsay_entry entry = {.key = key, .value = value};
    return write(node, now, &entry, ttl_ms, copies, ticket);
}

hearsay_err hearsay_delete(struct hearsay_node *node, uint64_t now, struct hearsay_bytes key, uint32_t copies, uint32_t *ticket)
{
    struct hearsay_entry entry = {.key = key, .is_tombstone = true};
    return write(node, now, &entry, 0, copies, ticket);
}

/* ---- views ----------------------------------------------------------------------------------------------------------------- */

bool hearsay_get(const struct hearsay_node *node, struct hearsay_bytes key, struct hearsay_entry *entry)
{
    if (node->sync == NULL) {
        return false;
    }
    const struct store *s = &node->sync->store;
    const struct entry *found = store_find(s, entry_place(&s->keys, key), key);
    if (found == NULL || !entry_is_live(found)) {
        return false;
    }
    *entry = entry_view(found);
    return true;
}

static bool begins_with(struct hearsay_bytes key, struct hearsay_bytes prefix)
{
    return key.size >= prefix.size && bytes_equal(bytes_of(key.data, prefix.size), prefix);
}

bool hearsay_next_entry(const struct hearsay_node *node, struct hearsay_bytes prefix, struct hearsay_bytes *after,
                        struct hearsay_entry *entry)
{
    if (node->sync == NULL) {
        return false;
    }
    bool is_start = after->size == 0;
    for (struct hearsay_bytes at = is_start ? prefix : *after;; is_start = false) {
        const struct entry *next = order_find(&node->sync->store.order, at, !is_start);
        if (next == NULL) {
            return false;
        }
        at = entry_key(next);
        if (!begins_with(at, prefix)) {
            return false;
        }
        if (entry_is_live(next)) {
            *after = at;
            *entry = entry_view(next);
            return true;
        }
    }
}

enum hearsay_change hearsay_next_change(const struct hearsay_node *node, struct hearsay_bytes prefix, uint64_t *number,
                                        struct hearsay_entry *entry)
{
    if (node->sync == NULL) {
        return HEARSAY_CHANGE_NONE;
    }
    const struct store *s = &node->sync->store;
    if (*number == UINT64_MAX) {
        *number = s->changes.newest;
    }
    if (changes_is_too_old(&s->changes, *number)) {
        *number = s->changes.newest;
        return HEARSAY_CHANGE_TOO_OLD;
    }
    for (uint64_t place; changes_next(&s->changes, number, &place);) {
        struct index_item item;
        uint64_t at = place;
        unsigned rank = 0;
        if (index_next(&s->index, &at, &rank, &item) && item.place == place && begins_with(entry_key(item.entry), prefix)) {
            *entry = entry_view(item.entry);
            return HEARSAY_CHANGE_FOUND;
        }
    }
    return HEARSAY_CHANGE_NONE;
}

static void put_little(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

void hearsay_get_store_stats(const struct hearsay_node *node, struct hearsay_store_stats *stats)
{
    *stats = (struct hearsay_store_stats){.is_on = node->sync != NULL};
    if (node->sync == NULL) {
        return;
    }
    const struct sync *s = node->sync;
    struct merkle_root root = merkle_root(&s->store.merkle);
    stats->entries = s->store.live;
    stats->tombstones = s->store.tombstones;
    stats->bytes = s->store.bytes;
    stats->memory = sizeof *s + store_memory(&s->store) + batches_memory(&s->batches);
    stats->pending = s->batches.count;
    stats->unsettled = s->store.merkle.unsettled;
    stats->root_epoch = root.epoch;
    stats->root_count = root.count;
    put_little(stats->root, root.sum.lo);
    put_little(stats->root + 8, root.sum.hi);
    stats->hlc = s->hlc.last;
    stats->purge_hlc = s->tombstones.purge_hlc;
    stats->change = s->store.changes.newest;
    stats->clock_ahead_ms = s->hlc.median_ms;
    stats->is_clock_astray = hlc_is_astray(&s->hlc);
}
