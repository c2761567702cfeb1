/* SPDX-License-Identifier: MIT
 *
 * Whom to tell: memberlist's gossip ticks, and the eager first copies of a new rumour. What is told lies in spread/rumors.
 * No tick runs when there is nothing to tell.
 */
#ifndef HEARSAY_SWIM_GOSSIP_H
#define HEARSAY_SWIM_GOSSIP_H

#include "swim/claims.h"

void gossip_on_tick(struct beliefs *b, struct turn *turn);
void gossip_on_eager(struct beliefs *b, struct turn *turn);

#endif
