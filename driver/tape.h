/* SPDX-License-Identifier: MIT
 *
 * The tape: every input of a node in a file, and what came out of it, so that replay.c can live the same life again. It keeps no
 * keys: packets stand on it as they were received, and the key of a wish is sealed with the first key of the options, as its query is on the
 * wire (in clear where all of that is).
 *
 * Format: "hearsay-tape", a version byte, then records: one byte of kind and its fields. Numbers are LEB128; bytes and texts are a
 * number, 0 for NULL and else one more than their size, and the bytes; an address is its size (one byte), its bytes, its port. `when` is
 * microseconds since the last `when`.
 */
#ifndef HEARSAY_DRIVER_TAPE_H
#define HEARSAY_DRIVER_TAPE_H

#include <hearsay/hearsay_uv.h>

#define TAPE_MAGIC "hearsay-tape"
#define TAPE_VERSION 2

enum tape_kind {
    TAPE_OPTIONS = 1,      /* when, seed, name, advertise, meta, label, personality, 3 versions, 3 clocks, 2 moments of the store, number
                            * of keys, tags (how many, then key and value each), numbers (how many, then name and value each) */
    TAPE_PACKET = 2,       /* when, from, bytes */
    TAPE_ACCEPTED = 3,     /* when, from */
    TAPE_CONNECTED = 4,    /* when, stream */
    TAPE_STREAM = 5,       /* when, stream, bytes */
    TAPE_CLOSED = 6,       /* when, stream, how */
    TAPE_TICK = 7,         /* when */
    TAPE_JOIN = 8,         /* when, replay, targets (how many, then address and name each) */
    TAPE_LEAVE = 9,        /* when */
    TAPE_FORCE_LEAVE = 10, /* when, name, prune */
    TAPE_EVENT = 11,       /* when, name, payload, coalesce */
    TAPE_BROADCAST = 12,   /* when, bytes */
    TAPE_TAGS = 13,        /* when, tags */
    TAPE_META = 14,        /* when, bytes */
    TAPE_REMEMBER = 15,    /* when, name, address */
    TAPE_TAKEN = 16,       /* outputs taken since the last record, 1 if then there were none left, digest of all so far (8 bytes) */
    TAPE_NONCE = 17,       /* 12 bytes that the cipher drew */
    TAPE_QUERY = 18,       /* when, name, payload, acks, relay factor, timeout, tags, names (how many, then each) */
    TAPE_RESPOND = 19,     /* when, query, payload */
    TAPE_MATCH = 20,       /* 1 if the matcher found a match, else 0 */
    TAPE_CLOCK = 21,       /* when, what the wall clock showed in ms */
    TAPE_LOAD = 22,        /* when, key, value, moment, origin, expiry, 1 if it is a tombstone */
    TAPE_PERSISTED = 23,   /* when, batch, 1 if it is on disk */
    TAPE_PUT = 24,         /* when, key, value, time to live, copies */
    TAPE_DELETE = 25,      /* when, key, copies */
    TAPE_REPAIR = 26,      /* when, member */
    TAPE_TUNE = 27,        /* when, mode, fan-out, interval */
    TAPE_LARGE_EVENT = 28, /* when, name, payload */
    TAPE_KEYS = 29,        /* when, wish, relay factor, key: bytes, which are 12 of nonce and the sealed key; NULL for a list */
    TAPE_KEPT = 30,        /* when, query, problem */
    TAPE_MEETING = 31,     /* when, member, epoch, when it was seen */
    TAPE_JUDGE = 32        /* when, event, 1 if it is to be told on */
};

/* Folds an output into a digest of all outputs before it. Starts with TAPE_DIGEST_START. */
#define TAPE_DIGEST_START 0xcbf29ce484222325u
uint64_t tape_digest(uint64_t digest, const struct hearsay_output *output);

struct tape;

/* Truncates the file. NULL on failure, with errno set. */
struct tape *tape_open(const char *path);
void tape_close(struct tape *tape);
/* Puts a cipher in front of *cipher that records the nonces. *cipher must outlive the node. */
void tape_listen(struct tape *tape, struct hearsay_cipher *cipher);
/* The same for a matcher: what it answers is recorded. */
void tape_watch(struct tape *tape, struct hearsay_matcher *matcher);
/* Records what the node is created with. First of all records. */
void tape_options(struct tape *tape, uint64_t now, const struct hearsay_options *options);

/* A record piece by piece: tape_record, then its fields. */
void tape_record(struct tape *tape, enum tape_kind kind, uint64_t now);
void tape_number(struct tape *tape, uint64_t number);
void tape_bytes(struct tape *tape, const void *data, size_t size);
void tape_text(struct tape *tape, const char *text);
void tape_address(struct tape *tape, const struct hearsay_address *address);
void tape_tags(struct tape *tape, const struct hearsay_tag *tags, size_t count);
/* A key, sealed; NULL = none. */
void tape_key(struct tape *tape, const struct hearsay_key *key);
/* The node gave this output; NULL = it had none. */
void tape_output(struct tape *tape, const struct hearsay_output *output);
/* Hands what is buffered to the system, at most once a second. */
void tape_save(struct tape *tape, uint64_t now);

#endif
