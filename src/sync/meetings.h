/* SPDX-License-Identifier: MIT
 *
 * What a next life must know besides entries: up to which epoch others had what we had, and the purge line. Without it, two that were both
 * started anew while they were apart for longer than anybody waits could not tell what was deleted meanwhile from what is news. It goes to the
 * disk with the next batch, or in one without entries: at once when tombstones went, and some seconds after somebody was found to have the
 * newest entry. An idle cluster writes nothing. Which entries a batch has is batches.h's business.
 */
#ifndef HEARSAY_SYNC_MEETINGS_H
#define HEARSAY_SYNC_MEETINGS_H

#include "spread/turn.h"
#include "sync/hlc.h"
#include "sync/tombstones.h"

#include <hearsay/store.h>

struct meetings {
    struct hearsay_meeting *list; /* of the batch that is out */
    uint32_t count, capacity;
    bool has_purged;              /* that tells that tombstones went */
    uint64_t rest_until;          /* host time: meetings are written some seconds apart … */
    uint64_t failed_until;        /* … and a disk that fails is not asked again at once */
};

void meetings_deinit(struct meetings *m, const struct hearsay_allocator *memory);
/* Is there something that must not wait for an entry to be written? */
bool meetings_are_due(const struct meetings *m, const struct tombstones *t, uint64_t host_now);
/* A batch starts: adds what is new. Without memory some wait for the next. */
void meetings_start(struct meetings *m, struct tombstones *t, const struct hlc *h, struct turn *turn, struct hearsay_persist *persist);
/* The batch is on disk, or is not. */
void meetings_end(struct meetings *m, struct tombstones *t, uint64_t host_now, bool is_ok);
hearsay_err meetings_load(struct tombstones *t, const struct hlc *h, const struct turn *turn, const struct hearsay_meeting *meeting);

#endif
