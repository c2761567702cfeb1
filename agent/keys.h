/* SPDX-License-Identifier: MIT
 *
 * Keys of the cluster through RPC: every member is asked to install, use, remove or list, and what each said is summed up as Serf does. And our own
 * keyring file, which follows what queries did to our keyring.
 */
#ifndef HEARSAY_AGENT_KEYS_H
#define HEARSAY_AGENT_KEYS_H

#include "agent/session.h"

/* The commands, as requests.h wants them. */
bool keys_install(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool keys_use(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool keys_remove(struct session *session, uint64_t seq, struct hearsay_bytes body);
bool keys_list(struct session *session, uint64_t seq, struct hearsay_bytes body);
/* HEARSAY_KEY_RESULT and _QUERY_DONE; other tickets than ours are ignored. */
void keys_event(struct service *service, const struct hearsay_event *event);
void keys_forget(struct session *session);
void keys_deinit(struct service *service);

/* Writes our keyring into its file (NULL = it is kept nowhere). Says in the log what went wrong; false with the same line in error when there is a
 * file and it cannot be written. */
bool keys_save(const struct hearsay_node *node, const char *path, char *error, size_t size);

#endif
