/* SPDX-License-Identifier: MIT
 *
 * What RPC requests mean: one function per command.
 */
#ifndef HEARSAY_AGENT_REQUESTS_H
#define HEARSAY_AGENT_REQUESTS_H

#include "agent/session.h"

struct request_kind {
    const char *name;
    bool has_body;
    /* Appends the answer, or makes the session busy. False: the body makes no sense, close the connection. */
    bool (*run)(struct session *session, uint64_t seq, struct hearsay_bytes body);
};

const struct request_kind *requests_find(const char *name);
/* The session ends: what it waits for will find nobody. */
void requests_forget(struct session *session);

/* Those that only look, in views.c. */
bool views_members(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool views_members_filtered(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool views_stats(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool views_coordinate(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool views_why(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool views_health(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* overview.c: everything that `hearsay top` shows. */
bool overview_answer(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* Appends one member as RPC has it. */
void views_put_member(struct text *out, const struct hearsay_member *member);

#endif
