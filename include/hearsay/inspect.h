/* SPDX-License-Identifier: MIT
 *
 * Looking at any memberlist or Serf node from outside: one push/pull that carries no members (so our name never enters the
 * cluster) and pings. Sans I/O like the node: the host connects, sends what `request` made and feeds what comes back.
 */
#ifndef HEARSAY_INSPECT_H
#define HEARSAY_INSPECT_H

#include <hearsay/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hearsay_inspection;

struct hearsay_inspect_options {
    const char *label;             /* NULL = none */
    struct hearsay_key keys[HEARSAY_KEYS_MAX];
    size_t key_count;
    struct hearsay_cipher cipher;  /* needed with keys */
    struct hearsay_allocator allocator;
};

enum hearsay_inspect_status {
    HEARSAY_INSPECT_MORE,      /* keep feeding */
    HEARSAY_INSPECT_DONE,      /* the view is complete */
    HEARSAY_INSPECT_REFUSED,   /* the other side answered with an error: hearsay_inspect_text */
    HEARSAY_INSPECT_CIPHER,    /* the answer is encrypted and no key of ours opens it */
    HEARSAY_INSPECT_PLAINTEXT, /* the answer is plain although we have a key */
    HEARSAY_INSPECT_BAD        /* not memberlist, or cut short */
};

/* NULL when memory or a cipher is missing or a key is malformed. */
HEARSAY_API struct hearsay_inspection *hearsay_inspect_create(const struct hearsay_inspect_options *options);
HEARSAY_API void hearsay_inspect_destroy(struct hearsay_inspection *inspection);
/* The bytes to send right after connecting; they live until the next call on this inspection. */
HEARSAY_API struct hearsay_bytes hearsay_inspect_request(struct hearsay_inspection *inspection);
/* Bytes from the stream. size 0 = the other side closed. */
HEARSAY_API enum hearsay_inspect_status hearsay_inspect_feed(struct hearsay_inspection *inspection, const void *data, size_t size);
/* The text of a refusal, or "". Lives as long as the inspection. */
HEARSAY_API const char *hearsay_inspect_text(const struct hearsay_inspection *inspection);

struct hearsay_inspect_facts {
    bool is_encrypted, is_compressed, has_user_state, is_serf;
    uint64_t member_time, event_time, query_time; /* Serf's Lamport clocks */
    uint32_t members;
};
HEARSAY_API void hearsay_inspect_get_facts(const struct hearsay_inspection *inspection, struct hearsay_inspect_facts *facts);
/* The members it told, in its order; borrowed from the inspection. The status is memberlist's (alive, suspect, failed, left);
 * leaving is Serf's own and comes from its user state. */
HEARSAY_API bool hearsay_inspect_next_member(const struct hearsay_inspection *inspection, size_t *position,
                                             struct hearsay_member *member);
/* What the application added to its answer: Serf's own state, Alertmanager's silences, … Borrowed from the inspection; empty = nothing. */
HEARSAY_API struct hearsay_bytes hearsay_inspect_user_state(const struct hearsay_inspection *inspection);
/* A ping datagram for the node called name (NULL or "" = whoever is there). Bytes live until the next call. */
HEARSAY_API struct hearsay_bytes hearsay_inspect_ping(struct hearsay_inspection *inspection, const char *name, uint32_t sequence);
/* Is this datagram the ack to that ping? *abilities gets the answerer's abilities (0 = not hearsay); may be NULL. */
HEARSAY_API bool hearsay_inspect_is_ack(struct hearsay_inspection *inspection, const void *data, size_t size, uint32_t sequence,
                                        uint32_t *abilities);

/* What the wall clock of who sent the last ack showed then: Unix time in ms. 0 = it did not say; only hearsay nodes do. */
HEARSAY_API uint64_t hearsay_inspect_clock_ms(const struct hearsay_inspection *inspection);

/* ---- datagrams taken apart, for people ---------------------------------------------------------------------------------------- */

enum hearsay_field_kind { HEARSAY_FIELD_NUMBER, HEARSAY_FIELD_TEXT, HEARSAY_FIELD_BYTES, HEARSAY_FIELD_ADDRESS };
struct hearsay_field {
    const char *name; /* static */
    enum hearsay_field_kind kind;
    uint64_t number;
    struct hearsay_bytes bytes; /* of TEXT (a stranger's, not checked) and BYTES; borrowed from the datagram */
    struct hearsay_address address;
};

#define HEARSAY_FIELDS_MAX 12
struct hearsay_dissection {
    const char *type; /* "ping", "suspect", "user-event", …; static */
    struct hearsay_field fields[HEARSAY_FIELDS_MAX];
    size_t count;
};

struct hearsay_datagram_facts {
    struct hearsay_bytes label; /* of size 0 = none */
    bool is_encrypted, is_compressed, has_checksum, is_cut;
    unsigned messages;
    const char *fault;          /* why it could not be opened, static; NULL = it was */
};

/* Takes one datagram apart, whatever its label, with the keys of this inspection, and shows each message in it. facts and what is shown live
 * until the next call on this inspection. */
HEARSAY_API void hearsay_inspect_datagram(struct hearsay_inspection *inspection, const void *data, size_t size,
                                          struct hearsay_datagram_facts *facts,
                                          void (*show)(void *context, const struct hearsay_dissection *message), void *context);

#ifdef __cplusplus
}
#endif
#endif
