/* SPDX-License-Identifier: MIT
 *
 * Answers other nodes that ask what this one remembers about a member (rpc/recall.h has the form).
 */
#ifndef HEARSAY_AGENT_RECALL_H
#define HEARSAY_AGENT_RECALL_H

#include "agent/service.h"

/* The answer to a question about the member of this name, newest records first, as many as fit into size. Answers its size. */
size_t recall_answer(const struct service *service, struct hearsay_bytes name, uint8_t *out, size_t size);

#endif
