/* SPDX-License-Identifier: MIT
 *
 * The libuv host of a hearsay node: one UDP and one TCP socket on the same port, one timer, name resolution off the loop.
 * Start a node in one call (hearsay_uv_run), or on a loop of your own (hearsay_uv_start). Everything happens on the loop's thread.
 */
#ifndef HEARSAY_HEARSAY_UV_H
#define HEARSAY_HEARSAY_UV_H

#include <hearsay/hearsay.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hearsay_uv;

struct hearsay_uv_options {
    struct hearsay_options node;  /* advertise may be all zero: then derived from what was bound, as memberlist does; its port may
                                   * be 0 = the bound port. cipher may be empty: nettle's is used. seed 0 = from the system. */
    const char *bind;             /* "host", "host:port", "[v6]:port"; NULL = "0.0.0.0:7946"; port 0 = let the system choose */
    const char *interface;        /* NULL, or bind to this interface's first address */
    const char *tape;             /* NULL, or a file that records every input for hearsay_tape_replay; wishes are on it only when
                                   * they are made through the hearsay_uv_ functions below */
    uint32_t retry_join_ms;       /* 0 = do not retry; else a join that met nobody is tried again after this, for ever */
    void *user;
    /* Every event, on the loop. Borrowed until it returns. It may call any hearsay_uv_ function but _destroy. */
    void (*on_event)(struct hearsay_uv *uv, const struct hearsay_event *event, void *user);
    /* With node.store_durable: writes the batch and answers with hearsay_uv_persisted, now or later. Borrowed until it returns. NULL = there is
     * no storage, and every write fails. */
    void (*on_persist)(struct hearsay_uv *uv, const struct hearsay_persist *persist, void *user);
};

/* Fills in the LAN profile and no callbacks. */
HEARSAY_API void hearsay_uv_options(struct hearsay_uv_options *options);

/* Opens the sockets on loop and starts the node. NULL on failure; then error (size bytes) has one line naming the thing that is
 * wrong and what to do. */
HEARSAY_API struct hearsay_uv *hearsay_uv_start(uv_loop_t *loop, const struct hearsay_uv_options *options, char *error, size_t size);
/* Closes everything; on_stopped (may be NULL) runs on the loop when the last handle is closed and the memory is freed. */
HEARSAY_API void hearsay_uv_stop(struct hearsay_uv *uv, void (*on_stopped)(void *user), void *user);
/* The one-call form: a loop of its own, start, join peers ("host:port", "name/host:port"; NULL-terminated array or NULL), run until
 * SIGINT or SIGTERM, leave politely, stop. Answers 0, or 1 after printing one line on stderr. */
HEARSAY_API int hearsay_uv_run(const struct hearsay_uv_options *options, const char *const *peers);

/* Resolves addresses ("host", "host:port", "[v6]:port", "name/host:port"; default port 7946) off the loop, then joins. done (may be NULL)
 * gets the number contacted and, when it is 0, one line saying why: once, from the loop (or from hearsay_uv_stop). */
typedef void (*hearsay_uv_joined)(struct hearsay_uv *uv, size_t contacted, const char *error, void *user);
HEARSAY_API void hearsay_uv_join(struct hearsay_uv *uv, const char *const *peers, size_t count, bool replay, hearsay_uv_joined done,
                                 void *user);

/* A join that met nobody is told to done once and, with retry_join_ms, tried again in silence. This changes that time for joins
 * that end their round from now on; 0 = do not retry. */
HEARSAY_API void hearsay_uv_retry_join(struct hearsay_uv *uv, uint32_t retry_join_ms);

/* Wishes as in hearsay.h, at once and flushed. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_leave(struct hearsay_uv *uv);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_force_leave(struct hearsay_uv *uv, const char *name, bool prune);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_send_event(struct hearsay_uv *uv, const char *name, const void *payload,
                                                                 size_t size, bool coalesce);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_broadcast(struct hearsay_uv *uv, const void *data, size_t size);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_set_tags(struct hearsay_uv *uv, const struct hearsay_tag *tags, size_t count);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_set_meta(struct hearsay_uv *uv, struct hearsay_bytes meta);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_remember(struct hearsay_uv *uv, const char *name,
                                                               const struct hearsay_address *address);
/* *ticket is written before the first event about it. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_query(struct hearsay_uv *uv, const struct hearsay_question *question,
                                                            uint32_t *ticket);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_respond(struct hearsay_uv *uv, uint64_t query, const void *payload, size_t size);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_query_keys(struct hearsay_uv *uv, enum hearsay_key_wish wish,
                                                                 const struct hearsay_key *key, uint8_t relay_factor, uint32_t *ticket);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_keyring_kept(struct hearsay_uv *uv, uint64_t query, const char *problem);

/* The shared store, as in store.h; the wall clock is told by the driver. A put, delete or repair is not flushed, so that its ticket is known before
 * it is reported: call hearsay_uv_flush. Entries are loaded before the loop runs. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_put(struct hearsay_uv *uv, struct hearsay_bytes key, struct hearsay_bytes value,
                                                          uint64_t ttl_ms, uint32_t copies, uint32_t *ticket);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_delete(struct hearsay_uv *uv, struct hearsay_bytes key, uint32_t copies,
                                                             uint32_t *ticket);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_repair(struct hearsay_uv *uv, const char *member, uint32_t *ticket);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_send_large_event(struct hearsay_uv *uv, const char *name, const void *payload,
                                                                       size_t size);
HEARSAY_API bool hearsay_uv_judge_event(struct hearsay_uv *uv, uint64_t id, bool relay);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_store_tune(struct hearsay_uv *uv, enum hearsay_store_mode mode, uint32_t fanout,
                                                                 uint32_t interval_ms);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_store_load(struct hearsay_uv *uv, const struct hearsay_entry *entry);
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_uv_store_load_meeting(struct hearsay_uv *uv, const struct hearsay_meeting *meeting);
HEARSAY_API void hearsay_uv_persisted(struct hearsay_uv *uv, uint64_t batch, bool ok);

/* The node, for wishes and views. After a wish made on it directly, call hearsay_uv_flush. */
HEARSAY_API struct hearsay_node *hearsay_uv_node(struct hearsay_uv *uv);
/* The loop's time as the node's `now`. */
HEARSAY_API uint64_t hearsay_uv_now(struct hearsay_uv *uv);
/* Carries out the node's outputs and sets the timer. Cheap when there is nothing to do. */
HEARSAY_API void hearsay_uv_flush(struct hearsay_uv *uv);
HEARSAY_API void *hearsay_uv_user(struct hearsay_uv *uv);
/* What was really bound and what is advertised. */
HEARSAY_API void hearsay_uv_bound(const struct hearsay_uv *uv, struct hearsay_address *bound, struct hearsay_address *advertised);

/* What the system did not take. */
struct hearsay_uv_counters {
    uint64_t packets_unsent;      /* datagrams: no route, no buffer */
    uint64_t streams_unaccepted;  /* connections: no descriptor, no place */
};
HEARSAY_API void hearsay_uv_counters(const struct hearsay_uv *uv, struct hearsay_uv_counters *counters);

/* Lives the life on a tape again, in a new node and without sockets. Keys are not on the tape: options (may be NULL) gives them, and
 * an allocator; everything else in it is ignored. on_output (may be NULL) sees every output. False when the tape cannot be read; then
 * error has one line. */
struct hearsay_tape_result {
    uint64_t inputs, outputs;
    uint64_t digest;              /* of all outputs */
    uint64_t diverged_at;         /* 0 = all outputs are those that were recorded; else the input after which they were not */
    uint64_t diverged_at_us;      /* the node's clock then */
    uint64_t diverged_at_byte;    /* of the tape: the record of those outputs */
    uint64_t cut_at_byte;         /* 0 = the tape is whole; else where its last record begins, which ends too early */
};
HEARSAY_API bool hearsay_tape_replay(const char *path, const struct hearsay_options *options,
                                     void (*on_output)(uint64_t now, const struct hearsay_output *output, void *user), void *user,
                                     struct hearsay_tape_result *result, char *error, size_t size);

/* AES-GCM by nettle with random nonces from the system. One cipher per thread; free with hearsay_cipher_nettle_free. */
HEARSAY_API bool hearsay_cipher_nettle(struct hearsay_cipher *cipher);
HEARSAY_API void hearsay_cipher_nettle_free(struct hearsay_cipher *cipher);

/* "1.2.3.4:7946", "[::1]:7946"; v4-mapped addresses are written as IPv4. Writes at most size bytes, NUL included (56 suffice). */
HEARSAY_API void hearsay_address_text(const struct hearsay_address *address, char *text, size_t size);
/* Numeric addresses only: "1.2.3.4", "1.2.3.4:7946", "::1", "[::1]:7946". False if it is none. */
HEARSAY_API bool hearsay_address_parse(const char *text, uint16_t default_port, struct hearsay_address *address);

#ifdef __cplusplus
}
#endif
#endif
