/* SPDX-License-Identifier: MIT
 *
 * What a node remembers about a member, small enough for the answer to a query: the agent writes it, `hearsay why` of any node of the cluster
 * reads it. An array: the version, then one map per record, newest first, from the numbers of fields to values.
 */
#ifndef HEARSAY_RPC_RECALL_H
#define HEARSAY_RPC_RECALL_H

#define RECALL_QUERY "hearsay-why" /* its payload is the name of the member */
#define RECALL_VERSION 1

/* Fields 0 to 2 are the age in ms, the word for the event and, if it is another than the one asked for, the member's name. The evidence
 * follows, numbered from here on in this order; new fields are added at the end, and readers skip what they do not know. */
#define RECALL_AGE 0
#define RECALL_EVENT 1
#define RECALL_NAME 2
#define RECALL_EVIDENCE 3
static const char *const recall_evidence[] = {
    "reason",       "accuser",       "incarnation",          "probe_direct", "probe_indirect", "probe_stream",
    "probe_relays_asked", "probe_nacks", "probe_acks",       "probe_waited_ms", "confirmations", "confirmations_wanted",
    "timer_min_ms", "timer_max_ms",  "timer_ran_ms",         "own_health",   "own_pause_ms",
};
#define RECALL_EVIDENCE_COUNT (sizeof recall_evidence / sizeof recall_evidence[0])

#endif
