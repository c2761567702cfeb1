/* SPDX-License-Identifier: MIT
 *
 * See purge.h.
 */
#include "sync/purge.h"

#define CROWDED_PERCENT 25 /* of store_entries_max may be tombstones while somebody is away */

static uint64_t end_of(uint32_t epoch)
{
    return hlc_of_ms(((uint64_t)epoch + 1) * MERKLE_EPOCH_MS) - 1;
}

uint64_t purge_told(const struct sync *s)
{
    return s->is_new ? 0 : s->tombstones.purge_hlc;
}

void purge_see(struct sync *s, const struct turn *turn, uint64_t peer)
{
    tombstones_see(&s->tombstones, peer, turn->host_now);
}

/* Up to this moment both of us had the same; 0 = nobody knows. */
static uint64_t both_had(const struct sync *s, uint64_t peer)
{
    const struct tombstones_row *row = tombstones_row(&s->tombstones, peer);
    return row == NULL || row->met == 0 ? 0 : end_of(row->met);
}

/* Was that before the purge line? Then tombstones that would tell what was deleted since may be gone. */
static bool was_away(const struct sync *s, uint64_t peer)
{
    uint64_t moment = both_had(s, peer);
    return moment != 0 && moment < s->tombstones.purge_hlc;
}

/* Tombstones up to here go: from the tree now, so that it is the others' again; from memory by and by. */
static void purge_up_to(struct sync *s, uint64_t hlc)
{
    uint64_t before = s->store.purged;
    store_purge_tree(&s->store, hlc);
    s->tombstones.has_purged = s->tombstones.has_purged || s->store.purged > before;
    (void)store_sweep(&s->store, PURGE_AT_ONCE);
    merkle_forget_roots(&s->store.merkle); /* those were with tombstones */
}

void purge_hear(struct sync *s, struct turn *turn, uint64_t peer, uint64_t line)
{
    if (line > hlc_now(&s->hlc, turn->host_now) || !tombstones_adopt(&s->tombstones, line)) {
        return;
    }
    const struct tombstones_row *row = tombstones_row(&s->tombstones, peer);
    uint64_t known = row == NULL || row->epoch == 0 ? 0 : end_of(row->epoch); /* what came later, here alone, is still to be told */
    purge_up_to(s, s->is_new || line < known ? line : known);
}

void purge_on_equal(struct sync *s, uint64_t peer, uint32_t epoch)
{
    tombstones_on_equal(&s->tombstones, peer, epoch);
    s->is_new = false;
}

void purge_on_row(struct sync *s, uint64_t peer, uint32_t equal, uint64_t member, uint32_t epoch)
{
    if (member == s->origin) { /* only if we have forgotten it; else we know better what came late here */
        tombstones_remind(&s->tombstones, peer, s->is_new ? 0 : epoch);
    } else if (equal > 0) {
        tombstones_on_row(&s->tombstones, equal, member, epoch);
    }
}

/* The moment from which a received entry counts. */
static uint64_t moment_of(const struct hearsay_entry *entry)
{
    return entry->is_tombstone && entry->expires_hlc != 0 ? entry->expires_hlc : entry->version.hlc;
}

bool purge_may_take(struct sync *s, struct turn *turn, uint64_t peer, uint64_t line, const struct hearsay_entry *entry)
{
    uint64_t moment = moment_of(entry);
    if (moment > s->tombstones.purge_hlc || s->is_new || store_find(&s->store, entry_place(&s->store.keys, entry->key), entry->key) != NULL) {
        return true; /* the newer version wins, as ever */
    }
    bool is_behind = entry->is_tombstone ? line < s->tombstones.purge_hlc : was_away(s, peer);
    bool is_gone = is_behind && moment <= both_had(s, peer);
    turn->counters->drop_entry_purged += is_gone;
    return !is_gone;
}

bool purge_may_send(struct sync *s, struct turn *turn, uint64_t peer, uint64_t line, uint64_t place, const struct entry *entry)
{
    uint64_t moment = entry_moment(entry);
    if ((entry->flags & ENTRY_PURGED) != 0) {
        return false;
    }
    if (!entry_is_live(entry) || moment > line || !was_away(s, peer) || moment > both_had(s, peer)) {
        return true;
    }
    if (sync_bury(s, turn, place, entry)) {
        turn->counters->drop_entry_purged++;
    }
    return false;
}

void purge_advance(struct sync *s, struct turn *turn)
{
    const struct hearsay_options *o = turn->options;
    struct tombstones_terms terms = {.now = turn->host_now, .grace_us = turn_ms(o->tombstone_grace_ms),
                                     .forget_us = turn_ms(o->forget_after_ms), .horizon = s->store.merkle.horizon,
                                     .is_crowded = s->store.tombstones > (uint64_t)o->store_entries_max * CROWDED_PERCENT / 100};
    if (tombstones_advance(&s->tombstones, &terms)) {
        purge_up_to(s, s->tombstones.purge_hlc);
    }
}
