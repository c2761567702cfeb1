/* SPDX-License-Identifier: MIT
 *
 * The shared store on disk: FOLDER/store.db, an SQLite database. A transaction that storage_commit called done survives kill -9 and the
 * loss of power. Every row has a checksum, and the sum of all checksums is kept too, so that neither a changed nor a lost row goes
 * unnoticed. It knows nothing of loops and threads: any thread may call, one at a time.
 */
#ifndef HEARSAY_AGENT_STORAGE_H
#define HEARSAY_AGENT_STORAGE_H

#include <hearsay/store.h>

struct storage;

struct storage_facts {
    uint64_t entries; /* tombstones included */
    uint64_t mark;    /* of the hybrid logical clock: no stamp of a former life is later */
    uint64_t purge;   /* tombstones up to this moment are deleted */
};

/* Opens the store, or makes an empty one. NULL with one line in error that says what to do. The folder must be there. */
struct storage *storage_open(const char *folder, char *error, size_t size);
/* What is not committed is forgotten. NULL is fine. */
void storage_close(struct storage *storage);
/* Shows every entry, in no order; what it points to lives until visit returns. False with a line in error when a checksum does not
 * fit: then nothing of what was shown can be relied on. */
typedef void (*storage_visit)(void *context, const struct hearsay_entry *entry);
bool storage_load(struct storage *storage, storage_visit visit, void *context, char *error, size_t size);
/* Shows every meeting; as above. */
typedef void (*storage_visit_meeting)(void *context, const struct hearsay_meeting *meeting);
bool storage_load_meetings(struct storage *storage, storage_visit_meeting visit, void *context, char *error, size_t size);
struct storage_facts storage_facts(const struct storage *storage);

/* One transaction: begin, any number of put, commit. What fails on the way is told by commit, and then nothing was changed. */
void storage_begin(struct storage *storage);
void storage_put(struct storage *storage, const struct hearsay_entry *entry);
void storage_put_meeting(struct storage *storage, const struct hearsay_meeting *meeting);
/* When it answers true, all of it is on disk, and tombstones and expired entries up to purge are not any more. Neither number goes back. */
bool storage_commit(struct storage *storage, uint64_t mark, uint64_t purge, char *error, size_t size);

#endif
