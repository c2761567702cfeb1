/* SPDX-License-Identifier: MIT
 *
 * The shared store: every node with the option `store` holds the same key-value data and keeps it equal. Included by hearsay.h, which tells
 * how a node is driven.
 *
 * The newest version of a key wins; a delete is a version too (a tombstone). Versions are moments of a hybrid logical clock: milliseconds
 * since 1970 in the upper 48 bits, a counter in the lower 16. The core has no clock: the host hands in the wall clock when the node starts,
 * and again from time to time (once a minute is plenty).
 *
 * With `store_durable` an entry counts (is shown, told on, compared, reported as put) only when the host has it on disk: the output
 * HEARSAY_PERSIST hands out a batch, the input hearsay_persisted answers it, one batch at a time; meanwhile the next one collects.
 *
 * Keys are 1..512 bytes of any kind: no encoding is asked for, order is byte by byte, and a prefix need not end between two characters.
 */
#ifndef HEARSAY_STORE_H
#define HEARSAY_STORE_H

#include <hearsay/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hearsay_node;

#define HEARSAY_KEY_MAX 512
#define HEARSAY_VALUE_MAX (1u << 20)

struct hearsay_entry_version {
    uint64_t hlc;    /* moment of the write */
    uint64_t origin; /* keyed digest of the writer's name; decides between equal moments */
};

struct hearsay_entry {
    struct hearsay_bytes key;
    struct hearsay_bytes value; /* empty in a tombstone */
    struct hearsay_entry_version version;
    uint64_t expires_hlc; /* 0 = never; at this moment it becomes a tombstone of its own version, everywhere */
    bool is_tombstone;
};

enum hearsay_store_mode { HEARSAY_PUSH = 1, HEARSAY_PULL = 2, HEARSAY_PUSH_PULL = 3 };

/* What this node remembers of another holder of the store: by it, whoever was away for too long is told what was deleted meanwhile from what
 * is news. */
struct hearsay_meeting {
    uint64_t member;  /* keyed digest of its name */
    uint32_t epoch;   /* up to its end both had the same; seconds since 1970 */
    uint64_t seen_ms; /* when it was last seen alive, by our wall clock */
};

/* What the host must have on disk before it answers hearsay_persisted: the entries in this order (each replaces what the disk has of its
 * key), the meetings (each replaces that with the same member), hlc_mark and purge_hlc, in one transaction. There may be no entries, when
 * only the rest is new. In the same or a later one it may delete all rows that are tombstones and not newer
 * than purge_hlc (is_tombstone and expires_hlc = 0: by version.hlc; expires_hlc != 0, tombstone or not: by expires_hlc). All of it is
 * borrowed until the next call that takes the node. */
struct hearsay_persist {
    uint64_t batch;
    const struct hearsay_entry *entries;
    size_t count;
    const struct hearsay_meeting *meetings;
    size_t meeting_count;
    uint64_t hlc_mark;  /* options.store_hlc_mark of the next life */
    uint64_t purge_hlc; /* options.store_purge_hlc of the next life */
};

/* ---- inputs ------------------------------------------------------------------------------------------------------------ */

/* What the wall clock shows now: milliseconds since 1970. Without it the store neither writes nor accepts, and nobody who asks is told. */
HEARSAY_API void hearsay_set_wall_clock(struct hearsay_node *node, uint64_t now, uint64_t unix_ms);
/* An entry from the disk; before the first input. HEARSAY_ERR_TOO_LARGE, _ENTRY_KEY, _STORE_OFF, _NO_MEMORY. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_store_load(struct hearsay_node *node, const struct hearsay_entry *entry);
/* A meeting from the disk; after the first hearsay_set_wall_clock, so that it is known how long ago it was. HEARSAY_ERR_STORE_OFF, _NO_MEMORY. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_store_load_meeting(struct hearsay_node *node, uint64_t now,
                                                                      const struct hearsay_meeting *meeting);
/* The answer to HEARSAY_PERSIST. Not ok: nothing of the batch is on disk; our own writes in it are reported as failed, those of others are
 * dropped and counted, and come again. */
HEARSAY_API void hearsay_persisted(struct hearsay_node *node, uint64_t now, uint64_t batch, bool ok);

/* ---- wishes ------------------------------------------------------------------------------------------------------------ */

/* Writes a value. ttl_ms 0 = for ever. HEARSAY_PUT_DONE with *ticket (may be NULL) follows when `copies` nodes have it durably; 0 and 1 are
 * this node alone. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_put(struct hearsay_node *node, uint64_t now, struct hearsay_bytes key,
                                                       struct hearsay_bytes value, uint64_t ttl_ms, uint32_t copies, uint32_t *ticket);
/* Deletes a key, known or not. HEARSAY_PUT_DONE follows as above. No older version comes back, whoever was away, was killed or started anew
 * meanwhile; but after a partition longer than `forget_after_ms`, what was written on its other side, or in the last seconds before it, is news. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_delete(struct hearsay_node *node, uint64_t now, struct hearsay_bytes key,
                                                          uint32_t copies, uint32_t *ticket);

/* An event of up to 1 MiB for every member that holds the store, ourselves included (Serf nodes, and hearsay nodes without a store, do not
 * hear of it). name: 1..255 bytes. It is announced by a number and fetched by each node once, from whoever has it. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_send_large_event(struct hearsay_node *node, uint64_t now, const char *name,
                                                                    const void *payload, size_t size);
/* With the option `judge_events`: shall the HEARSAY_LARGE_EVENT with this number (its change) be told on? False: it waits for no judgement. */
HEARSAY_API bool hearsay_judge_event(struct hearsay_node *node, uint64_t now, uint64_t id, bool relay);
/* Compares with this member (NULL: any) now, instead of at the next sign of a difference. HEARSAY_REPAIR_DONE with *ticket (may be NULL)
 * follows. HEARSAY_ERR_UNKNOWN_MEMBER: it does not hold the store, or is not there. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_repair(struct hearsay_node *node, uint64_t now, const char *member, uint32_t *ticket);
/* Changes how fresh entries are told, while running. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_store_tune(struct hearsay_node *node, uint64_t now, enum hearsay_store_mode mode,
                                                              uint32_t fanout, uint32_t interval_ms);

/* ---- views: they change nothing -------------------------------------------------------------------------------------------- */

/* The entry of this key; false when there is none, or a tombstone. */
HEARSAY_API bool hearsay_get(const struct hearsay_node *node, struct hearsay_bytes key, struct hearsay_entry *entry);
/* Walks the entries whose keys begin with prefix, in the order of their keys: the first one after *after (size 0: from the start). *after
 * is then its key, borrowed until the next input; whoever goes on later, copies it. */
HEARSAY_API bool hearsay_next_entry(const struct hearsay_node *node, struct hearsay_bytes prefix, struct hearsay_bytes *after,
                                    struct hearsay_entry *entry);

/* Changes have numbers of this node alone, growing also from one life to the next. The last `store_changes` of them are remembered. After
 * HEARSAY_ENTRY_CHANGED, each watcher takes what is new to it: */
enum hearsay_change {
    HEARSAY_CHANGE_NONE,   /* nothing newer: wait for the next HEARSAY_ENTRY_CHANGED */
    HEARSAY_CHANGE_FOUND,  /* *entry changed (a tombstone: was deleted or expired); *number is this change's */
    HEARSAY_CHANGE_TOO_OLD /* changes after *number are forgotten: list again, then go on from *number, now the newest */
};
/* The first change after *number of a key that begins with prefix. The entry is shown as it is now; so one that changed twice since may be
 * shown twice. *number moves on also when nothing is found. UINT64_MAX: from now on. */
HEARSAY_API enum hearsay_change hearsay_next_change(const struct hearsay_node *node, struct hearsay_bytes prefix, uint64_t *number,
                                                    struct hearsay_entry *entry);

struct hearsay_store_stats {
    bool is_on;
    uint64_t entries, tombstones; /* that count */
    uint64_t bytes;               /* of keys and values */
    uint64_t memory;              /* of everything the store keeps, the allocator's own cost aside */
    uint64_t pending;             /* writes that wait for the disk */
    uint64_t unsettled;           /* changes newer than the root */
    uint32_t root_epoch;          /* seconds since 1970: the root is of everything not newer than the end of this one */
    uint64_t root_count;
    uint8_t root[16];
    uint64_t hlc;           /* newest moment given out or accepted */
    uint64_t purge_hlc;     /* tombstones up to here are gone */
    uint64_t change;        /* number of the newest change */
    int64_t clock_ahead_ms; /* how far the median of the peers' clocks is ahead of ours */
    bool is_clock_astray;   /* further than allowed: our own writes are refused */
};
HEARSAY_API void hearsay_get_store_stats(const struct hearsay_node *node, struct hearsay_store_stats *stats);

/* Another holder of the store, as far as this node knows. */
struct hearsay_store_peer {
    const char *name; /* NULL: a member that was forgotten since */
    bool is_up;
    uint32_t equal_epoch; /* the last at which both were seen to be equal; 0 = never */
    uint64_t sessions;    /* repairs begun here */
    uint64_t bytes_in, bytes_out, entries_in, entries_out; /* of repair */
};
/* Start with *position = 0; borrowed until the next input. */
HEARSAY_API bool hearsay_next_store_peer(const struct hearsay_node *node, size_t *position, struct hearsay_store_peer *peer);

#ifdef __cplusplus
}
#endif
#endif
