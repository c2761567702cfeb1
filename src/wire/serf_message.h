/* SPDX-License-Identifier: MIT
 *
 * Serf's messages, which travel inside memberlist's user messages, push/pull user state, alive meta and query payloads.
 * Each starts with its own type byte. Decoded structs borrow.
 */
#ifndef HEARSAY_WIRE_SERF_MESSAGE_H
#define HEARSAY_WIRE_SERF_MESSAGE_H

#include "base/cursor.h"

enum serf_type {
    SERF_LEAVE = 0,
    SERF_JOIN = 1,
    SERF_PUSH_PULL = 2,
    SERF_USER_EVENT = 3,
    SERF_QUERY = 4,
    SERF_QUERY_RESPONSE = 5,
    SERF_CONFLICT_RESPONSE = 6,
    SERF_KEY_REQUEST = 7,
    SERF_KEY_RESPONSE = 8,
    SERF_RELAY = 9
};

struct serf_intent { /* SERF_LEAVE, SERF_JOIN */
    uint64_t ltime;
    struct hearsay_bytes node;
    bool prune;
};

struct serf_user_event {
    uint64_t ltime;
    struct hearsay_bytes name, payload;
    bool coalesce;
};

enum { SERF_QUERY_ACK = 1, SERF_QUERY_NO_BROADCAST = 2 };

struct serf_query {
    uint64_t ltime;
    uint32_t id;
    struct hearsay_address address;      /* where answers go */
    struct hearsay_bytes source_node;
    struct hearsay_bytes filters;        /* the raw msgpack array (or nil): read with serf_next_filter */
    uint32_t flags;
    uint8_t relay_factor;
    int64_t timeout_ns;
    struct hearsay_bytes name, payload;
};

struct serf_response {
    uint64_t ltime;
    uint32_t id;
    struct hearsay_bytes from;
    uint32_t flags;
    struct hearsay_bytes payload;
};

struct serf_relay {
    struct hearsay_address destination;
    struct hearsay_bytes destination_name;
    struct hearsay_bytes inner;          /* complete Serf message: type byte + body */
};

struct serf_message {
    enum serf_type type;
    union {
        struct serf_intent intent;
        struct serf_user_event user_event;
        struct serf_query query;
        struct serf_response response;
        struct serf_relay relay;
    };
};

/* LEAVE, JOIN, USER_EVENT, QUERY, QUERY_RESPONSE, RELAY. False: other type or malformed. */
bool serf_message_decode(struct hearsay_bytes in, struct serf_message *out);
void serf_message_encode(struct writer *w, const struct serf_message *message);

/* The push/pull user state, read piece by piece so that nothing is allocated. */
struct serf_state {
    uint64_t ltime, event_ltime, query_ltime;
    struct reader left_members;  /* at the next name */
    struct reader status_ltimes; /* at the next name -> ltime */
    struct reader events;        /* at the next slot: nil or {Events, LTime} */
    uint32_t left_count, status_count, event_count; /* still to come; event_count counts slots */
};
/* in starts with the type byte. Every piece is checked to be well-formed here, so the iterations below cannot fail midway. */
bool serf_state_decode(struct hearsay_bytes in, struct serf_state *out);
bool serf_state_next_left(struct serf_state *s, struct hearsay_bytes *name);
bool serf_state_next_status(struct serf_state *s, struct hearsay_bytes *name, uint64_t *ltime);
/* One event at a time, ring slots flattened; coalesce is not transported (false). Start with a walk of zeros. */
struct serf_state_event_walk {
    uint32_t in_slot;
    uint64_t ltime;
    struct reader slot; /* the rest of the events of this slot */
};
bool serf_state_next_event(struct serf_state *s, struct serf_state_event_walk *walk, struct serf_user_event *event);

/* Writing the same, in wire order: begin, slots (event_slots times a slot or an empty slot), middle, left names, status begin, statuses. */
void serf_state_put_begin(struct writer *w, uint64_t event_ltime, uint32_t event_slots);
void serf_state_put_slot_begin(struct writer *w, uint32_t event_count); /* then event_count times slot_event, then slot_end */
void serf_state_put_slot_event(struct writer *w, const struct serf_user_event *event);
void serf_state_put_slot_end(struct writer *w, uint64_t ltime);
void serf_state_put_empty_slot(struct writer *w);
void serf_state_put_left(struct writer *w, uint64_t ltime, uint32_t left_count); /* then left_count msgpack_put_raw */
void serf_state_put_status(struct writer *w, uint64_t query_ltime, uint32_t status_count); /* then name, ltime pairs */

/* Tags in meta: `ff` + map. Meta that does not start so is the value of the tag "role". A broken map counts as no tags. */
bool serf_tags_begin(struct hearsay_bytes meta, struct reader *r, uint32_t *count); /* false: old-style role */
void serf_tags_encode(struct writer *w, const struct hearsay_tag *tags, size_t count);

/* Filters of a query; all must match. UNKNOWN also stands for what cannot be decoded: it matches nobody. */
enum { SERF_FILTER_NAMES = 0, SERF_FILTER_TAG = 1, SERF_FILTER_UNKNOWN = 255 };
struct serf_filter {
    uint8_t type;
    struct reader names; /* NAMES: at the msgpack array of raw */
    struct hearsay_bytes tag, expression;
};
/* filters as in struct serf_query. */
struct reader serf_filters_begin(struct hearsay_bytes filters);
bool serf_next_filter(struct reader *filters, struct serf_filter *out);

#endif
