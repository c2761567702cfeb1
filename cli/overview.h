/* SPDX-License-Identifier: MIT
 *
 * What the agent's RPC answers to "top": its figures, all members, the last records; and which of the members are wanted, in which order.
 */
#ifndef HEARSAY_CLI_OVERVIEW_H
#define HEARSAY_CLI_OVERVIEW_H

#include "base/bytes.h"

struct overview_member {
    char *name, *address, *status, *tags; /* safe for a terminal */
    char *event, *reason, *accuser;       /* of the last record about it; NULL = there is none */
    uint64_t since_ms, rtt_us, ago_ms;    /* rtt 0 = not known */
    bool is_self;
};

struct overview {
    char *name, *version;
    uint64_t now_ms, health, packets_in, packets_out, bytes_in, bytes_out, probes, probes_failed, waiting, entries, store_bytes;
    bool has_store;
    struct overview_member *members;
    size_t count;
};

enum overview_order { BY_STATUS, BY_NAME, BY_RTT, BY_SINCE, BY_EVENT, OVERVIEW_ORDERS };
/* "status", "name", … ; NULL behind the last. */
extern const char *const overview_orders[OVERVIEW_ORDERS + 1];

/* False when it makes no sense. */
bool overview_read(struct overview *o, struct hearsay_bytes object);
void overview_free(struct overview *o);
void overview_sort(struct overview *o, enum overview_order order);
/* Does its name, address, status or a tag contain this? "" is everywhere. */
bool overview_matches(const struct overview_member *m, const char *filter);

#endif
