/* SPDX-License-Identifier: MIT
 *
 * Serf's snapshot: a text file of lines that says who was alive and how far the clocks were, so that a restarted agent
 * finds its cluster and does not deliver old events again. Lines are appended; now and then the file is rewritten.
 */
#ifndef HEARSAY_AGENT_SNAPSHOT_H
#define HEARSAY_AGENT_SNAPSHOT_H

#include "agent/places.h"

struct snapshot_clocks {
    uint64_t member, event, query; /* last seen Lamport times, 0 = none */
};

struct snapshot {
    char *path;
    int fd;         /* locked while open; -1 = no snapshot is kept */
    size_t written; /* bytes in the file */
    struct text pending;
    struct snapshot_clocks clocks; /* as last written */
    bool has_left, rejoins;
    const struct places *places;   /* whose alive ones are written on compaction */
    size_t skipped;                /* damaged lines found at opening */
};

/* Replays size bytes of lines into places (alive ones) and clocks. A last line without newline is incomplete and not read; *complete
 * gets the number of bytes before it. Answers the number of lines that could not be understood. */
size_t snapshot_replay(const char *data, size_t size, bool rejoins, struct places *places, struct snapshot_clocks *clocks,
                       size_t *complete);

/* Reads path if it exists and keeps it open. places is borrowed until snapshot_close. */
bool snapshot_open(struct snapshot *s, const char *path, bool rejoins, struct places *places, char *error, size_t size);
void snapshot_alive(struct snapshot *s, const char *name, const struct hearsay_address *address);
void snapshot_gone(struct snapshot *s, const char *name);
/* Notes clocks that grew. */
void snapshot_clocks(struct snapshot *s, const struct snapshot_clocks *clocks);
/* We left: later members are of no interest. */
void snapshot_leave(struct snapshot *s);
/* Writes what is pending; compacts when the file has grown large. False with a line in error if that failed. */
bool snapshot_flush(struct snapshot *s, char *error, size_t size);
void snapshot_close(struct snapshot *s);

#endif
