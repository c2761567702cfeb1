/* SPDX-License-Identifier: MIT
 *
 * A host's disk for the shared store: what survives the process. Writes take their time, one batch at a time, whole or not at all (as a
 * transaction is); a crash in the middle of one leaves it written or not, by chance. A wiped disk is a new one.
 */
#ifndef HEARSAY_SIM_DISK_H
#define HEARSAY_SIM_DISK_H

#include "sim/world.h"

struct disk {
    struct disk_row *rows; /* sorted by key */
    uint32_t count, capacity;
    uint64_t hlc_mark, purge_hlc;
    struct hearsay_meeting *meetings;
    uint32_t meeting_count;
    /* The batch under way: a copy. */
    struct disk_row *under_way;
    uint32_t under_way_count;
    bool is_writing;
    uint64_t under_way_mark, under_way_purge;
    struct hearsay_meeting *under_way_meetings;
    uint32_t under_way_meeting_count;
};

struct disk_row {
    struct hearsay_entry entry; /* key and value are the row's own */
};

void disk_deinit(struct disk *d);
/* Begins a batch. */
void disk_begin(struct disk *d, const struct hearsay_persist *persist);
/* It is on the disk. */
void disk_commit(struct disk *d);
/* The process died: what was under way is there or not. */
void disk_crash(struct disk *d, bool is_written);
void disk_wipe(struct disk *d);
/* The row of a key, or NULL. */
const struct hearsay_entry *disk_find(const struct disk *d, struct hearsay_bytes key);

#endif
