/* SPDX-License-Identifier: MIT
 *
 * The shared store of one node: clock, store, writes on their way to the disk, epochs. It takes writes, ours and others', and lets them
 * count when they are durable; it seals epochs and lets entries expire on time. It does not talk to peers: the exchange does, and hears
 * here, through a listener, what is worth telling.
 */
#ifndef HEARSAY_SYNC_SYNC_H
#define HEARSAY_SYNC_SYNC_H

#include "spread/turn.h"
#include "sync/batches.h"
#include "sync/hlc.h"
#include "sync/meetings.h"
#include "sync/store.h"
#include "sync/tombstones.h"

#define SYNC_PASSED_MAX 8
#define SYNC_HOLD_MAX_MS 2000

/* What the exchange hears. Entries are borrowed until the call returns. */
struct sync_listener {
    void *context;
    /* An entry counts from now on; verdict says whether it won. ticket and copies are of our own writes (ticket 0: somebody else's, which
     * came with source). True: the listener will report the ticket with sync_report, when there are enough copies. */
    bool (*on_durable)(void *context, struct turn *turn, const struct pending *write, enum store_verdict verdict);
};

struct sync {
    struct store store;
    struct hlc hlc;
    struct batches batches;
    struct sync_listener listener;
    struct timer timer;
    struct {
        uint32_t epoch; /* our clock passed its end … */
        uint64_t at;    /* … at this attended time */
    } passed[SYNC_PASSED_MAX];
    unsigned passed_count;
    uint32_t passed_epoch; /* the newest of them ever */
    uint32_t delay_for;    /* the population for which seal_delay_us was computed */
    uint64_t seal_delay_us;
    uint64_t hold_until;   /* attended time until which no epoch is sealed */
    uint64_t origin;       /* of our own writes */
    uint64_t refute_at;    /* attended time of the next claim that is refuted (owned.c) */
    struct tombstones tombstones;
    struct meetings meetings;
    uint32_t next_ticket;
    bool is_new;            /* we came with nothing, and were equal with nobody yet */
    bool has_told; /* a HEARSAY_ENTRY_CHANGED waits in the outbox */
};

/* NULL when memory is out. */
struct sync *sync_create(struct turn *turn, const struct hearsay_options *options);
void sync_destroy(struct sync *s, const struct hearsay_allocator *memory);

void sync_set_wall_clock(struct sync *s, struct turn *turn, uint64_t unix_ms);
hearsay_err sync_load(struct sync *s, struct turn *turn, const struct hearsay_entry *entry);
/* Our own write: version and expiry are filled in. */
hearsay_err sync_put(struct sync *s, struct turn *turn, struct hearsay_entry *entry, uint64_t ttl_ms, uint32_t copies, uint32_t *ticket);

enum sync_verdict {
    SYNC_TAKEN,    /* it wins; when it is durable, on_durable follows with source */
    SYNC_KNOWN,    /* we have it, or it is on its way to our disk */
    SYNC_OUTDATED, /* what we have is newer: the sender may want it */
    SYNC_REFUSED   /* malformed, too large, from the future, no room: counted */
};
/* Somebody else's write. */
enum sync_verdict sync_receive(struct sync *s, struct turn *turn, const struct hearsay_entry *entry, uint64_t source);
/* Would sync_receive take this version? For those who know a version but not yet the value. */
bool sync_wants(const struct sync *s, struct hearsay_bytes key, const struct hearsay_entry_version *version);
/* An entry that was deleted elsewhere becomes a tombstone of its own version. False when that must wait. */
bool sync_bury(struct sync *s, struct turn *turn, uint64_t place, const struct entry *entry);
/* The answer of the host. Answers true when the batch was the one that was out. */
bool sync_on_persisted(struct sync *s, struct turn *turn, uint64_t batch, bool is_ok);
/* A batch for the host, when none is out and something waits: entries, or what a next life must know. */
bool sync_next_batch(struct sync *s, struct turn *turn, struct hearsay_persist *persist);
/* For an event to come: of a write, or of a repair. */
uint32_t sync_next_ticket(struct sync *s);
void sync_report(struct turn *turn, uint32_t ticket, const struct hearsay_entry_version *version, uint32_t copies, bool is_ok,
                 const char *text);

void sync_on_timer(struct sync *s, struct turn *turn);
/* How long after our clock passed its end an epoch is sealed: as long as a write may take to reach everybody. */
uint64_t sync_seal_delay_us(const struct turn *turn);
/* No epoch is sealed for so long (at most SYNC_HOLD_MAX_MS): a session wants a tree that stands still. 0 ends it. */
void sync_hold(struct sync *s, struct turn *turn, uint32_t ms);
/* A peer's clocks, from a packet: its moment, and what its wall clock shows (0: it has none). False: the moment is too far ahead, and
 * counted. */
bool sync_hear_clock(struct sync *s, struct turn *turn, uint64_t peer, uint64_t hlc, uint64_t wall_ms);

#endif
