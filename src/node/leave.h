/* SPDX-License-Identifier: MIT
 *
 * Parting politely: Serf's leave intent, then memberlist's goodbye, each given time to be told, then a moment for others to hear. Reference:
 * serf.go (Leave), memberlist.go (Leave).
 */
#ifndef HEARSAY_NODE_LEAVE_H
#define HEARSAY_NODE_LEAVE_H

#include "spread/turn.h"

enum leave_stage { LEAVE_NOT, LEAVE_TELLING_INTENT, LEAVE_SPREADING_INTENT, LEAVE_TELLING_GOODBYE, LEAVE_LINGERING, LEAVE_DONE };

struct leave {
    struct timer timer;
    enum leave_stage stage;
};

struct hearsay_node;

void leave_start(struct hearsay_node *node, struct turn *turn);
/* Goes on when what it waits for has been told. */
void leave_advance(struct hearsay_node *node, struct turn *turn);
void leave_on_timer(struct hearsay_node *node, struct turn *turn);

#endif
