/* SPDX-License-Identifier: MIT
 *
 * hearsay: reliable knowledge of a cluster from unreliable rumours.
 *
 * A node is a value that turns inputs into outputs. It has no clock, socket, thread or randomness of its own: every input
 * carries `now` (microseconds, monotonic), and after every input the host polls hearsay_next_output until it answers false.
 * One thread per node; nodes are independent of each other (unless they share a pool).
 *
 *     hearsay_receive_packet(node, now, &from, data, size);       an input …
 *     while (hearsay_next_output(node, &output)) { … }            … its outputs …
 *     wait_until(hearsay_next_deadline(node));                    … and when to come back with hearsay_tick.
 *
 * Contract of every host: drain the sockets before hearsay_tick, so that answers which arrived during a pause are heard before
 * deadlines fire. hearsay_uv.h is such a host, on libuv.
 *
 * Sources: A. Das, I. Gupta, A. Motivala, "SWIM" (DSN 2002); A. Dadgar, J. Phillips, J. Currey, "Lifeguard" (2017);
 * A. Demers et al., "Epidemic algorithms for replicated database maintenance" (PODC 1987); the wire of memberlist and Serf.
 */
#ifndef HEARSAY_HEARSAY_H
#define HEARSAY_HEARSAY_H

#include <hearsay/options.h>
#include <hearsay/store.h>
#include <hearsay/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hearsay_node;

/* ---- life ---------------------------------------------------------------------------------------------------------- */

/* Creates a node; it copies what it needs from options. NULL on failure, with the reason in *err (may be NULL). */
HEARSAY_API struct hearsay_node *hearsay_create(const struct hearsay_options *options, uint64_t now, hearsay_err *err);
/* Forgets everything at once and tells nobody; call hearsay_leave first to part politely. NULL is fine. */
HEARSAY_API void hearsay_destroy(struct hearsay_node *node);

/* Identities (name, address, meta) shared between nodes of one thread, for simulations. allocator may be NULL. Destroy the pool
 * after its nodes. */
HEARSAY_API struct hearsay_pool *hearsay_pool_create(const struct hearsay_allocator *allocator);
HEARSAY_API void hearsay_pool_destroy(struct hearsay_pool *pool);

/* ---- inputs of the world: they cannot fail; what makes no sense is counted and dropped -------------------------------- */

HEARSAY_API void hearsay_receive_packet(struct hearsay_node *node, uint64_t now, const struct hearsay_address *from,
                                        const void *data, size_t size);
/* Somebody connected to us. Answers the stream's id, or 0: refused, close it. */
HEARSAY_API uint32_t hearsay_stream_accepted(struct hearsay_node *node, uint64_t now, const struct hearsay_address *from);
/* A stream that the node asked for (HEARSAY_OPEN_STREAM) is connected. */
HEARSAY_API void hearsay_stream_connected(struct hearsay_node *node, uint64_t now, uint32_t stream);
HEARSAY_API void hearsay_receive_stream(struct hearsay_node *node, uint64_t now, uint32_t stream, const void *data, size_t size);

enum hearsay_close {
    HEARSAY_CLOSE_END,     /* the other side has said all it will say */
    HEARSAY_CLOSE_REFUSED, /* the connection was refused */
    HEARSAY_CLOSE_RESET,   /* reset, or any other error */
    HEARSAY_CLOSE_TIMEOUT  /* the host gave up */
};
/* The stream is over; its id means nothing from now on. Unknown ids are ignored, so a host may always report. */
HEARSAY_API void hearsay_stream_closed(struct hearsay_node *node, uint64_t now, uint32_t stream, enum hearsay_close how);
/* Time has passed. Due at hearsay_next_deadline; earlier or later does no harm. */
HEARSAY_API void hearsay_tick(struct hearsay_node *node, uint64_t now);
/* When to call hearsay_tick: an instant of the host's clock, or UINT64_MAX when there is nothing to wait for. */
HEARSAY_API uint64_t hearsay_next_deadline(const struct hearsay_node *node);

/* ---- outputs --------------------------------------------------------------------------------------------------------- */

enum hearsay_output_type {
    HEARSAY_SEND_PACKET,  /* send bytes to address as one datagram, from the socket that listens */
    HEARSAY_OPEN_STREAM,  /* connect to address; report hearsay_stream_connected or _closed with this id */
    HEARSAY_SEND_STREAM,  /* send bytes on the stream (queued by the host if need be) */
    HEARSAY_CLOSE_STREAM, /* send what is queued, then close; no further report is needed */
    HEARSAY_NOTIFY,       /* event */
    HEARSAY_PERSIST       /* write persist to the disk, then call hearsay_persisted */
};

struct hearsay_output {
    enum hearsay_output_type type;
    struct hearsay_address address;
    struct hearsay_bytes bytes;
    uint32_t stream;
    struct hearsay_event event;
    struct hearsay_persist persist;
};

/* Takes the next output, oldest first. False when there is none. Everything it points to lives until the next call that takes
 * this node, except hearsay_next_deadline. */
HEARSAY_API bool hearsay_next_output(struct hearsay_node *node, struct hearsay_output *output);

/* ---- wishes of the user ---------------------------------------------------------------------------------------------- */

struct hearsay_target {
    struct hearsay_address address;
    const char *name; /* NULL, or the name that must answer (Serf's "name/host:port") */
};
/* Meets a cluster through any of these addresses, one after the other. Each attempt is reported by a HEARSAY_JOIN_RESULT with
 * *ticket; the last has is_last. A busy or resetting peer is tried again a few times before that. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_join(struct hearsay_node *node, uint64_t now, const struct hearsay_target *targets,
                                                        size_t count, bool replay, uint32_t *ticket);
/* Says goodbye: leave intent, then memberlist's leave. HEARSAY_LEAVE_DONE follows; the node keeps answering until destroyed. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_leave(struct hearsay_node *node, uint64_t now);
/* Tells everybody that a failed member has left for good; prune also forgets it. An unknown name is told all the same, as Serf does,
 * and HEARSAY_ERR_UNKNOWN_MEMBER is answered. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_force_leave(struct hearsay_node *node, uint64_t now, const char *name, bool prune);
/* A user event for everybody, ourselves included. name + payload at most event_bytes_max. Serf personality. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_send_event(struct hearsay_node *node, uint64_t now, const char *name,
                                                              const void *payload, size_t size, bool coalesce);
/* A raw user message for everybody else, once per member at best. Plain personality. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_broadcast(struct hearsay_node *node, uint64_t now, const void *data, size_t size);
/* Replaces all tags (Serf) or the meta (plain) and tells everybody. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_set_tags(struct hearsay_node *node, uint64_t now, const struct hearsay_tag *tags,
                                                            size_t count);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_set_meta(struct hearsay_node *node, uint64_t now, struct hearsay_bytes meta);
/* Puts a member of a former life into the address book: healing will look for it. Ignored if it is known already. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_remember(struct hearsay_node *node, uint64_t now, const char *name,
                                                            const struct hearsay_address *address);
/* A question for everybody whom the filters mean, ourselves included. Serf personality. Fields of zero are fine but for the name. */
struct hearsay_question {
    const char *name;
    struct hearsay_bytes payload;
    const char *const *nodes;        /* filter: only these names; node_count 0 = all */
    size_t node_count;
    const struct hearsay_tag *tags;  /* filter: the value of every key here matches the regular expression that is the value here */
    size_t tag_count;
    bool wants_acks;
    uint8_t relay_factor;            /* answers also come through so many other members */
    uint64_t timeout_us;             /* 0 = gossip_interval_ms * query_timeout_mult * log10(n+1) */
};
/* HEARSAY_QUERY_ACK and _RESPONSE with *ticket follow, at most one of each from each member, then HEARSAY_QUERY_DONE. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_query(struct hearsay_node *node, uint64_t now, const struct hearsay_question *question,
                                                         uint32_t *ticket);
/* Answers a HEARSAY_QUERY; query is the number in it. Once, and before its until_us. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_respond(struct hearsay_node *node, uint64_t now, uint64_t query, const void *payload,
                                                           size_t size);
/* What all keyrings of the cluster are asked to do, ours included. A HEARSAY_KEY_RESULT per member, then HEARSAY_QUERY_DONE: at the end of its
 * time, or as soon as all have answered. key is NULL for LIST. */
enum hearsay_key_wish { HEARSAY_KEYS_LIST, HEARSAY_KEYS_INSTALL, HEARSAY_KEYS_USE, HEARSAY_KEYS_REMOVE };
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_query_keys(struct hearsay_node *node, uint64_t now, enum hearsay_key_wish wish,
                                                              const struct hearsay_key *key, uint8_t relay_factor, uint32_t *ticket);
/* Answers who changed our keyring (HEARSAY_KEYRING_CHANGED with a query), now that the host has written it down, or why it has not: problem is
 * NULL, or a line that the asker gets to see. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_keyring_kept(struct hearsay_node *node, uint64_t now, uint64_t query, const char *problem);
/* Iterates over the keys in the HEARSAY_KEY_RESULT of a LIST. */
HEARSAY_API bool hearsay_next_key(const struct hearsay_event *event, size_t *position, struct hearsay_key *key, bool *is_primary);
/* The local keyring. use makes an installed key the one that encrypts. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_key_install(struct hearsay_node *node, const struct hearsay_key *key);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_key_use(struct hearsay_node *node, const struct hearsay_key *key);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_key_remove(struct hearsay_node *node, const struct hearsay_key *key);

/* ---- views: they change nothing --------------------------------------------------------------------------------------- */

/* Iterates over all known members, ourselves first: start with *position = 0. Do not call inputs or wishes in between. */
HEARSAY_API bool hearsay_next_member(const struct hearsay_node *node, size_t *position, struct hearsay_member *member);
HEARSAY_API bool hearsay_find_member(const struct hearsay_node *node, const char *name, struct hearsay_member *member);
/* The network coordinate of a member, ours included, as it last told us. False when it never did. */
HEARSAY_API bool hearsay_get_coordinate(const struct hearsay_node *node, const char *name, struct hearsay_coordinate *coordinate);
/* The round trip that two coordinates make likely, in seconds. */
HEARSAY_API double hearsay_round_trip(const struct hearsay_coordinate *a, const struct hearsay_coordinate *b);
/* The keys of our keyring, the one that encrypts first. False when there are fewer. */
HEARSAY_API bool hearsay_key_at(const struct hearsay_node *node, size_t index, struct hearsay_key *key);
/* Iterates over the tags in a member's meta. Keys and values are not NUL-terminated. */
HEARSAY_API bool hearsay_next_tag(const struct hearsay_member *member, size_t *position, struct hearsay_bytes *key,
                                  struct hearsay_bytes *value);
HEARSAY_API const struct hearsay_counters *hearsay_counters(const struct hearsay_node *node);

struct hearsay_stats {
    uint32_t members, alive, suspect, failed, left;
    uint32_t health_score;
    uint64_t member_time, event_time, query_time; /* Lamport clocks */
    uint32_t intent_queue, event_queue, query_queue, member_queue;
    uint32_t streams;
    uint64_t coordinate_resets;
    uint64_t sealed; /* messages that we sealed with the key that encrypts now */
    bool is_encrypted, is_leaving;
};
HEARSAY_API void hearsay_get_stats(const struct hearsay_node *node, struct hearsay_stats *stats); /* looks at every member */
/* The sum of its queues, at no cost. */
HEARSAY_API uint32_t hearsay_rumors_waiting(const struct hearsay_node *node);

/* The flight recorder: what this node lately heard and decided, oldest first. */
struct hearsay_record {
    uint64_t at_us;                /* host's clock */
    enum hearsay_event_type type;  /* or HEARSAY_EVENT_COUNT for a note that was no event */
    const char *name;              /* whom it is about */
    struct hearsay_cause cause;
};
HEARSAY_API bool hearsay_next_record(const struct hearsay_node *node, size_t *position, struct hearsay_record *record);

/* Words for enums, for people: "member-join", "suspect", "probe-failed", … Static memory. */
HEARSAY_API const char *hearsay_err_text(hearsay_err err);
HEARSAY_API const char *hearsay_event_text(enum hearsay_event_type type);
HEARSAY_API const char *hearsay_status_text(enum hearsay_status status);
HEARSAY_API const char *hearsay_reason_text(enum hearsay_reason reason);
HEARSAY_API const char *hearsay_path_text(enum hearsay_path path);
HEARSAY_API const char *hearsay_version(void);

#ifdef __cplusplus
}
#endif
#endif
