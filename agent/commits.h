/* SPDX-License-Identifier: MIT
 *
 * Batches of entries on their way to the disk: while one transaction is written on a worker thread, whatever comes meanwhile is collected
 * for the next, so the loop never waits for the disk and a slow disk makes transactions larger, not more. It knows no node; all calls come
 * from the loop's thread.
 */
#ifndef HEARSAY_AGENT_COMMITS_H
#define HEARSAY_AGENT_COMMITS_H

#include "agent/storage.h"

#include <uv.h>

struct commits;

/* The batch is on disk, or is not and error is the line that says why. */
typedef void (*commits_done)(void *context, uint64_t batch, const char *error);

/* The storage is used by commits alone from now on, until commits_stop. */
struct commits *commits_start(uv_loop_t *loop, struct storage *storage, commits_done done, void *context);
/* Adds to the batch that is being collected; everything is copied. */
void commits_put(struct commits *commits, const struct hearsay_entry *entry);
void commits_put_meeting(struct commits *commits, const struct hearsay_meeting *meeting);
/* The batch is complete: done will be called for it from the loop. mark and purge as in storage_commit. */
void commits_end(struct commits *commits, uint64_t batch, uint64_t mark, uint64_t purge);
/* Bytes that wait for the disk. */
size_t commits_waiting(const struct commits *commits);
/* From now on nobody is told; what was handed in is still written. */
void commits_mute(struct commits *commits);
/* After the loop has ended: writes the rest and frees. NULL is fine. */
void commits_stop(struct commits *commits);

#endif
