/* SPDX-License-Identifier: MIT
 *
 * What the responder asks of whoever knows the cluster: the instances of a service, and where a node is. The agent fills it from its node
 * and the catalog of services; tests fill it by hand. The responder knows neither members nor stores.
 */
#ifndef HEARSAY_DNS_ZONE_H
#define HEARSAY_DNS_ZONE_H

#include <hearsay/types.h>

struct dns_instance {
    const char *node;               /* borrowed until the zone is asked again */
    struct hearsay_address address; /* 4 or 16 bytes; port 0 = it has none */
    double rtt;                     /* to there, in seconds; negative = unknown */
    bool is_healthy;
    bool is_elsewhere; /* not where its node is: n1.node.hearsay. would lead to another address */
};

/* False: enough. */
typedef bool (*dns_visit)(void *user, const struct dns_instance *instance);

enum dns_presence {
    DNS_UNKNOWN,
    DNS_GONE, /* the name is known, but nobody is there now */
    DNS_THERE
};

struct dns_zone {
    void *context;
    const char *self; /* this node */
    /* Shows instances of a service, nearest first, the unhealthy too. name is in lower case; tag has any case, size 0 = any tag. */
    void (*service)(void *context, struct hearsay_bytes name, struct hearsay_bytes tag, dns_visit visit, void *user);
    /* Where the node of that name is; case does not count, unless two names differ by nothing else. */
    enum dns_presence (*node)(void *context, struct hearsay_bytes name, struct hearsay_address *address);
};

#endif
