/* SPDX-License-Identifier: MIT
 *
 * When may a tombstone be forgotten? When every member has it, so that nobody can bring the deleted value back.
 *
 * The table has a row per member that holds the store: the last epoch up to which it is known to have all that we have. It grows when our roots
 * are found equal, directly, or through somebody equal with us who says so of a third; an entry that comes late lowers all rows. The least of
 * them is the stable epoch. When it has held for the grace time, the purge line moves to a minute before it, and with the line, which
 * everybody tells and nobody takes back, all tombstones up to it go from tree, memory and disk.
 *
 * A member away for longer than `forget_after` no longer holds the line back. When such a pair meets again, having last been equal before the
 * line, what only one of them has decides itself by that epoch: up to it both had it, so it was deleted since; later, it is news.
 */
#ifndef HEARSAY_SYNC_TOMBSTONES_H
#define HEARSAY_SYNC_TOMBSTONES_H

#include "base/memory.h"

#define TOMBSTONES_ROWS_MAX 16384
#define TOMBSTONES_MINUTE_MS 60000

struct tombstones_row {
    uint64_t member;   /* keyed digest of its name */
    uint64_t alive_at; /* host time */
    uint32_t epoch;    /* it has all that we have up to the end of this one; 0 = nobody knows */
    uint32_t met;      /* up to the end of this one both had the same when we last met; values that came late since, it never had */
    uint32_t kept;     /* of that, what is on disk: meetings.c */
};

struct tombstones {
    const struct hearsay_allocator *memory;
    struct tombstones_row *rows;
    uint32_t count, capacity;
    uint64_t purge_hlc;   /* the line */
    uint64_t started_at;  /* host time */
    uint64_t window_at;   /* host time since when window_low is the least stable epoch */
    uint32_t window_low;
    uint32_t met_most;    /* no row has met later */
    uint32_t newest;      /* epoch of the newest entry */
    bool has_purged;      /* tombstones went, and the disk does not know the line yet */
    bool has_news;        /* somebody was found to have the newest entry, which no disk knows yet */
};

/* What bounds patience; host time. */
struct tombstones_terms {
    uint64_t now, grace_us, forget_us;
    uint32_t horizon; /* our own sealed epoch */
    bool is_crowded;  /* more tombstones than fit: who is away holds nothing back */
};

void tombstones_init(struct tombstones *t, const struct hearsay_allocator *memory, uint64_t purge_hlc, uint64_t host_now);
void tombstones_deinit(struct tombstones *t);

/* The member is alive and holds the store. Without memory it is forgotten, as if it had been away. */
void tombstones_see(struct tombstones *t, uint64_t member, uint64_t host_now);
/* Known from a former life: when it was alive may lie before the host's first instant, so instants are compared by their distance. False
 * when memory is out. */
bool tombstones_recall(struct tombstones *t, uint64_t member, uint32_t met, uint64_t alive_at);
/* There is an entry of this epoch. */
static inline void tombstones_note(struct tombstones *t, uint32_t epoch)
{
    t->newest = epoch > t->newest ? epoch : t->newest;
}
/* The row, or NULL. */
const struct tombstones_row *tombstones_row(const struct tombstones *t, uint64_t member);
/* Our roots of this epoch are equal. */
void tombstones_on_equal(struct tombstones *t, uint64_t member, uint32_t epoch);
/* It says that we were equal at this epoch, and we do not know of any. */
void tombstones_remind(struct tombstones *t, uint64_t member, uint32_t epoch);
/* Somebody equal with us just now, at `equal`, says: that member has all that I have up to epoch. */
void tombstones_on_row(struct tombstones *t, uint32_t equal, uint64_t member, uint32_t epoch);
/* We have now something of this epoch that others may lack. */
void tombstones_on_late(struct tombstones *t, uint32_t epoch);

/* And that is no tombstone: others never had it, or they will say so. */
void tombstones_on_late_value(struct tombstones *t, uint32_t epoch);

/* The stable epoch. 0: somebody's is unknown, or nobody is known and may come yet. */
uint32_t tombstones_stable(const struct tombstones *t, const struct tombstones_terms *terms);
/* To be called every few seconds. True when the line has moved. */
bool tombstones_advance(struct tombstones *t, const struct tombstones_terms *terms);
/* A member tells its line. True when it is ahead of ours and now ours too. */
bool tombstones_adopt(struct tombstones *t, uint64_t line);

#endif
