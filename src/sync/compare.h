/* SPDX-License-Identifier: MIT
 *
 * One step of repair: what follows from a section that somebody sent, written as the sections to send next. It keeps nothing, so the
 * side that answers need not remember who asked, and both sides run the same steps:
 *
 *     NODES           children that differ: NODES one level deeper, or PRINTS where a node holds few keys
 *     PRINTS          keys they lack: ENTRIES (OFFERS, if large); keys they have otherwise: OFFERS; prints we lack: WANTED_PRINTS
 *     OFFERS          newer than ours: WANTED_KEYS
 *     WANTED_PRINTS,  ENTRIES, unless an offer in the same message is newer than ours
 *     WANTED_KEYS
 *     RANGE           ENTRIES from there on, and a RANGE with what is left
 *
 * A key whose newest version here is younger than the tree is on its way by gossip: it is offered, but never moved, and counted apart.
 */
#ifndef HEARSAY_SYNC_COMPARE_H
#define HEARSAY_SYNC_COMPARE_H

#include "sync/talk.h"

struct compare_tally {
    uint64_t found;     /* entries that differ and were moved or asked for */
    uint64_t moved_out; /* entries told */
    uint64_t newer;     /* keys that are newer on one side already */
    uint64_t value_bytes_out;
    uint64_t work;      /* nodes and entries looked at */
};

/* Continues at this node: what we have of it. */
void compare_descend(struct talk *out, uint32_t salt, uint8_t level, uint32_t index, struct compare_tally *tally);
/* All of a message but its ENTRIES and RANGE. */
void compare_answer(struct talk *out, const struct parley_message *m, struct compare_tally *tally);
/* The answer to an asked RANGE. */
void compare_tell_range(struct talk *out, const struct parley_range *range, struct compare_tally *tally);

#endif
