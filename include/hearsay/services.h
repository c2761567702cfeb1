/* SPDX-License-Identifier: MIT
 *
 * Services and their health, known to everybody: what each node offers stands in the shared store, written by that node alone, and a
 * catalog joins it with the membership, so that a service is unhealthy at once when its node has failed or left, whatever its last check
 * said.
 *
 * An owner writes: hearsay_service_key and _value make an entry, hearsay_put publishes it, hearsay_delete takes it back. The key is
 * "_service/NODE/ID". Nodes refuse such a key from anybody but NODE itself (counted as drop_entry_foreign; a claim about ourselves we
 * answer with a newer entry of our own); only when NODE is neither alive nor suspect may anybody delete it. Two nodes may use one id.
 *
 * A reader keeps a catalog: hand it every event of the node, ask it whenever you like. It holds its own copy, indexed by the services'
 * names; a lookup costs a hash and what it shows. It uses the public calls of the node and belongs to the node's thread.
 */
#ifndef HEARSAY_SERVICES_H
#define HEARSAY_SERVICES_H

#include <hearsay/hearsay.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEARSAY_SERVICE_PREFIX "_service/" /* of the keys */
#define HEARSAY_SERVICE_ID_MAX 127
#define HEARSAY_SERVICE_TAGS_MAX 64
#define HEARSAY_SERVICE_VALUE_MAX 4096 /* all of it, encoded */

enum hearsay_service_state {
    HEARSAY_SERVICE_PASSING,
    HEARSAY_SERVICE_WARNING, /* healthy, but look at it */
    HEARSAY_SERVICE_CRITICAL,
    HEARSAY_SERVICE_MAINTENANCE, /* its owner takes it out of service; output is the reason */
    HEARSAY_SERVICE_STATE_COUNT
};

/* ---- the owner's side ------------------------------------------------------------------------------------------------------ */

struct hearsay_service_definition {
    const char *name;               /* a DNS label in lower case: 1..63 of a-z, 0-9 and '-', which stands neither first nor last */
    const char *id;                 /* NULL = name; 1..127 visible ASCII characters without '/' */
    struct hearsay_address address; /* size 0: where the node is; port 0: none */
    const char *const *tags;        /* 1..63 bytes each, no control characters */
    size_t tag_count;
    const struct hearsay_tag *meta; /* keys as tags, values up to 255 bytes */
    size_t meta_count;
    enum hearsay_service_state state;
    struct hearsay_bytes output; /* what the check said; cut at 512 bytes, so that an entry mostly fits into a packet */
};

/* NULL when it is fine, else a sentence that says what is wrong (static memory). */
HEARSAY_API const char *hearsay_service_problem(const struct hearsay_service_definition *definition);
/* The bytes of the key; 0 when node or id make no key. */
HEARSAY_API size_t hearsay_service_key(const char *node, const char *id, uint8_t key[HEARSAY_KEY_MAX]);
/* The bytes of the value; 0 when there is a problem, or it has more than HEARSAY_SERVICE_VALUE_MAX. */
HEARSAY_API size_t hearsay_service_value(const struct hearsay_service_definition *definition, uint8_t value[HEARSAY_SERVICE_VALUE_MAX]);

/* ---- the reader's side ------------------------------------------------------------------------------------------------------- */

/* One instance of a service. Everything is borrowed until the catalog is called again. */
struct hearsay_service {
    struct hearsay_bytes name, id;
    const char *node;
    struct hearsay_address address; /* the node's when the service has none of its own; the port is always the service's */
    enum hearsay_status node_status;
    enum hearsay_service_state state; /* as its owner last said */
    bool is_healthy;                  /* passing or warning, and the node is alive or suspect */
    double rtt;                       /* estimated round trip to its node in seconds; negative = nothing is known; 0 = it is here */
    uint64_t change;                  /* number of its newest change */
    struct hearsay_bytes output;
    struct hearsay_bytes tags, meta; /* encoded: for the calls below */
};

/* Walk over tags and meta; start with *position = 0. */
HEARSAY_API bool hearsay_service_next_tag(const struct hearsay_service *service, size_t *position, struct hearsay_bytes *tag);
HEARSAY_API bool hearsay_service_next_meta(const struct hearsay_service *service, size_t *position, struct hearsay_bytes *key,
                                           struct hearsay_bytes *value);
/* Has it this tag? Letters are compared without case, as DNS does. */
HEARSAY_API bool hearsay_service_has_tag(const struct hearsay_service *service, struct hearsay_bytes tag);
/* Reads a value of the store: name, address, state, output, tags, meta; the rest is zero. False when it is none. */
HEARSAY_API bool hearsay_service_decode(struct hearsay_bytes value, struct hearsay_service *service);
/* "passing", "warning", "critical", "maintenance". Static memory. */
HEARSAY_API const char *hearsay_service_state_text(enum hearsay_service_state state);

struct hearsay_services;

/* allocator may be NULL. NULL when memory is out. Destroy it before the node. */
HEARSAY_API struct hearsay_services *hearsay_services_create(const struct hearsay_node *node, const struct hearsay_allocator *allocator);
HEARSAY_API void hearsay_services_destroy(struct hearsay_services *services);
/* Hand in every event, HEARSAY_ENTRY_CHANGED too. It only takes note and does not call the node. */
HEARSAY_API void hearsay_services_on_event(struct hearsay_services *services, const struct hearsay_event *event);
/* Catches up with the node; answers the number of the newest change. Numbers grow, also from one life to the next. Looking does this
 * itself: it is for those who watch, after an event. */
HEARSAY_API uint64_t hearsay_services_update(struct hearsay_services *services);
/* Number of the newest change of one service (or, when it is unknown, of the last to vanish). An instance came, went, changed, or its node
 * did. */
HEARSAY_API uint64_t hearsay_services_change(struct hearsay_services *services, struct hearsay_bytes name);

struct hearsay_services_query {
    struct hearsay_bytes name; /* of the service, in lower case */
    struct hearsay_bytes tag;  /* size 0 = any */
    bool is_healthy_only;
    uint32_t turn; /* any number: instances that are about equally near (a factor of two) are shown beginning at a place it chooses */
};
/* Shows the instances, nearest first, until visit answers false. Answers how many were shown. now is the node's. */
typedef bool (*hearsay_services_visit)(void *context, const struct hearsay_service *service);
HEARSAY_API size_t hearsay_services_find(struct hearsay_services *services, uint64_t now, const struct hearsay_services_query *query,
                                         hearsay_services_visit visit, void *context);

struct hearsay_services_name {
    struct hearsay_bytes name;
    uint32_t instances, healthy;
    uint64_t change;
};
/* Walks the names in no order; start with *position = 0; no other call in between. */
HEARSAY_API bool hearsay_services_next_name(struct hearsay_services *services, size_t *position, struct hearsay_services_name *name);

struct hearsay_services_stats {
    uint32_t names, instances, nodes;
    uint64_t memory;  /* bytes of all of it, the allocator's own cost aside */
    uint64_t skipped; /* entries that could not be read */
};
HEARSAY_API void hearsay_services_get_stats(const struct hearsay_services *services, struct hearsay_services_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
