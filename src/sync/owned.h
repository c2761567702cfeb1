/* SPDX-License-Identifier: MIT
 *
 * Keys that belong to a node: "_service/NODE/ID" is written by NODE alone. Whoever claims such a key for another is refused where entries
 * are taken in, and the owner, when it hears of it, says it again with a newer version, as SWIM refutes a suspicion. Who is gone can say
 * nothing more: then anybody may delete. It trusts the version's origin, as all of the store does; who has the cluster's secret can forge
 * that too.
 */
#ifndef HEARSAY_SYNC_OWNED_H
#define HEARSAY_SYNC_OWNED_H

#include "swim/members.h"
#include "sync/sync.h"

/* May this node write it? */
bool owned_may_write(const struct sync *s, const struct members *m, const struct hearsay_entry *entry);
/* May it be taken from others? Counts and refutes what is refused. */
bool owned_may_take(struct sync *s, const struct members *m, struct turn *turn, const struct hearsay_entry *entry);

#endif
