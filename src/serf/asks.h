/* SPDX-License-Identifier: MIT
 *
 * Questions of our own that are under way: who has acknowledged and who has answered, each once, until the time is over. Three kinds: the user's,
 * those about keys (over as soon as everybody has answered), and the one that decides to whom a disputed name belongs.
 * It does not send anything; queries.c does. Reference: serf query.go (QueryResponse), keymanager.go, serf.go (resolveNodeConflict).
 */
#ifndef HEARSAY_SERF_ASKS_H
#define HEARSAY_SERF_ASKS_H

#include "swim/claims.h"
#include "wire/serf_message.h"

enum ask_kind { ASK_USER, ASK_KEYS, ASK_CONFLICT };

struct ask;

struct asks {
    struct ask *first;
    uint32_t count, last_ticket;
};

void asks_deinit(struct asks *asks, const struct hearsay_allocator *memory);
/* Opens one that so many members are asked; its number is a new ticket. HEARSAY_ERR_BUSY when too many are under way. */
hearsay_err asks_open(struct asks *asks, struct turn *turn, enum ask_kind kind, const struct serf_query *query, uint32_t members,
                      uint32_t *ticket);
/* It was never told: forgotten without a word. */
void asks_cancel(struct asks *asks, struct turn *turn, uint32_t ticket);
/* An ack or an answer came. own: our place among the members. */
void asks_on_response(struct asks *asks, struct turn *turn, const struct hearsay_address *own, const struct serf_response *response);
/* The time of one is over. */
void asks_on_timer(struct asks *asks, struct turn *turn, uint32_t ticket);
bool asks_any(const struct asks *asks, enum ask_kind kind);

#endif
