/* SPDX-License-Identifier: MIT
 *
 * What nodes ask each other: routes each new query to whom it concerns (the host, the keyring, the list of members), and asks
 * for the host. queries.h has the rest.
 */
#ifndef HEARSAY_NODE_INQUIRIES_H
#define HEARSAY_NODE_INQUIRIES_H

#include "serf/queries.h"

struct hearsay_node;

/* True when the query is new and wants to be told on. */
bool inquiries_on_query(struct hearsay_node *node, struct turn *turn, const struct serf_query *query);
/* Somebody else claims our name: asks everybody whose it is, unless that is being asked already. */
void inquiries_on_conflict(struct hearsay_node *node, struct turn *turn);

#endif
