/* SPDX-License-Identifier: MIT
 *
 * Messages of the shared store, between hearsay nodes that have the ability only: a head (type, wire version and kind, the sender's clocks,
 * the purge line), then sections that each say their length, so that a later version's are skipped by an earlier one. The same bytes travel
 * in datagrams and, framed (frames.h), in streams. Numbers are in network order, varints as in LEB128 with at most ten bytes.
 *
 *     72 | version * 16 + kind | clock 8 | ms its wall clock is behind 2 | minutes the purge line is behind 2 | section…
 *     section: type | varint length | body
 *
 * It knows no store: ids, digests and fingerprints are numbers here. doc/store-wire.md has the table of sections.
 */
#ifndef HEARSAY_WIRE_PARLEY_H
#define HEARSAY_WIRE_PARLEY_H

#include "base/cursor.h"

#define PARLEY_VERSION 1
#define PARLEY_HEAD_BYTES 14
#define PARLEY_BEACON_BYTES_MAX 32 /* a message of head and beacon alone, up to two million entries */
#define PARLEY_KEY_MAX 512
#define PARLEY_VALUE_MAX (1u << 20)
#define PARLEY_LEVEL_MAX 32 /* bits of the hash that a tree node may lie below */
#define PARLEY_MESSAGE_MAX (PARLEY_VALUE_MAX + 4096)

enum parley_kind {
    PARLEY_PUSH = 1,      /* a round opens: hot entries */
    PARLEY_PULL = 2,      /* … ids of hot entries; asks for those it lacks */
    PARLEY_PUSH_PULL = 3, /* … ids of hot entries, in both directions */
    PARLEY_ACK = 4,       /* entries the other lacks, ids we want */
    PARLEY_ACK2 = 5,      /* the wanted entries */
    PARLEY_ASK = 6,       /* repair: a question that holds all that is needed to answer it */
    PARLEY_TELL = 7,      /* … and its answer, in parts */
    PARLEY_RECEIPT = 8,   /* these ids are durable here */
    PARLEY_FETCH = 9,     /* an item, please */
    PARLEY_ITEM = 10,     /* here it is; or why not */
    PARLEY_HELLO = 11,    /* opens a stream: who dials */
    PARLEY_KINDS
};

enum parley_section_type {
    PARLEY_BEACON = 1,        /* epoch 4, varint count, digest 8 */
    PARLEY_IDS = 2,           /* 8 each: what the sender has (RECEIPT: durable; FETCH: wanted) */
    PARLEY_WANTED = 3,        /* 8 each: ids it asks for */
    PARLEY_ENTRIES = 4,       /* entry… */
    PARLEY_SESSION = 5,       /* sequence 4, epoch 4, salt 4, part 2, 1 if it is the last */
    PARLEY_NODES = 6,         /* level 1, groups of children: varint parent (difference), bitmap 2, digest 4 each */
    PARLEY_PRINTS = 7,        /* level 1, groups: varint index (difference), varint count, fingerprint 4 each: all there is below it */
    PARLEY_WANTED_PRINTS = 8, /* the same shape: those it asks for */
    PARLEY_OFFERS = 9,        /* hash of key 8, clock 8: newer here, perhaps */
    PARLEY_WANTED_KEYS = 10,  /* hash of key 8 */
    PARLEY_RANGE = 11,        /* first 8, last 8 hash, bytes 4: every entry between, in order; in the answer: what is still left of it */
    PARLEY_STATUS = 12,       /* why there is no answer 1, try again after ms 4 */
    PARLEY_ITEMS = 13,        /* 8 each: large items the sender holds */
    PARLEY_BODY = 14,         /* an item's id 8, kind 1, bytes */
    PARLEY_EQUAL = 15,        /* keyed digests of member names 8, last epoch 4 up to which each has all that the sender has */
    PARLEY_NAME = 16      /* of a member */
};

enum parley_status {
    PARLEY_BUSY = 1,
    PARLEY_OTHER_EPOCH = 2, /* the tree stands at another epoch just now */
    PARLEY_NOT_FOUND = 3,
    PARLEY_YIELD = 4 /* we are in another repair, perhaps of you */
};

struct parley_head {
    enum parley_kind kind;
    uint64_t hlc;
    uint64_t wall_ms;      /* what the sender's wall clock shows; 0 = never set. Told as at most 65 s behind the clock, and never ahead */
    uint32_t purge_minute; /* minutes since 1970; 0 = nothing was purged yet */
};

struct parley_beacon {
    uint32_t epoch;
    uint64_t count;
    uint64_t digest; /* the low half of the root */
};

struct parley_session {
    uint32_t sequence, epoch, salt;
    uint16_t part;
    bool is_last;
};

enum { PARLEY_ENTRY_TOMBSTONE = 1, PARLEY_ENTRY_EXPIRES = 2, PARLEY_ENTRY_OFFER = 4, PARLEY_ENTRY_RECEIPT = 8 };

/* An offer says all but the value, which is to be fetched. RECEIPT: the sender wants to hear when it is durable. */
struct parley_entry {
    uint8_t flags;
    struct hearsay_bytes key, value;
    uint32_t value_size; /* of an offer: of the value that is not here */
    uint64_t hlc, origin, expires_hlc;
};

struct parley_range {
    uint64_t first, last;
    uint32_t bytes;
};

/* Children of one node: bit i of the bitmap = child i is not empty, its digest is the next of `digests`. */
struct parley_nodes {
    uint32_t parent;
    uint16_t bitmap;
    uint32_t digests[16]; /* by child; 0 when empty */
};

/* Fingerprints below one node. Read them one by one with reader_u32. */
struct parley_prints {
    uint32_t index;
    struct reader prints;
};

/* A decoded message: everything in it is well-formed, so that walking it cannot fail. It borrows the bytes. */
struct parley_message {
    struct parley_head head;
    bool has_beacon, has_session, has_range, has_status;
    struct parley_beacon beacon;
    struct parley_session session;
    struct parley_range range;
    enum parley_status status;
    uint32_t retry_ms;
    struct reader sections; /* walk a copy of it with parley_next_section */
};

/* in starts with the type byte. False when malformed or of a version or kind that we do not speak; *version (may be NULL) says which. */
bool parley_decode(struct hearsay_bytes in, struct parley_message *out, uint8_t *version);
/* The next section and its body. False at the end. */
bool parley_next_section(struct reader *sections, enum parley_section_type *type, struct reader *body);
/* Walks the bodies of list sections; zero *group before the first. */
bool parley_next_entry(struct reader *body, struct parley_entry *entry);
bool parley_next_nodes(struct reader *body, uint8_t level, struct parley_nodes *group);
bool parley_next_prints(struct reader *body, uint8_t level, struct parley_prints *group);
/* Numbers of 8 bytes. */
bool parley_next_number(struct reader *body, uint64_t *number);

/* Writing: the head, then sections; between begin and end stands the body. Overruns set w->is_full. */
void parley_put_head(struct writer *w, const struct parley_head *head);
size_t parley_begin(struct writer *w, enum parley_section_type type);
void parley_end(struct writer *w, size_t begun);
/* Takes back everything after size, and that it did not fit. */
void parley_take_back(struct writer *w, size_t size);

void parley_put_u64(struct writer *w, uint64_t v);
void parley_put_varint(struct writer *w, uint64_t v);
/* Whole sections. */
void parley_put_beacon(struct writer *w, const struct parley_beacon *beacon);
void parley_put_session(struct writer *w, const struct parley_session *session);
void parley_put_range(struct writer *w, const struct parley_range *range);
void parley_put_status(struct writer *w, enum parley_status status, uint32_t retry_ms);
void parley_put_numbers(struct writer *w, enum parley_section_type type, const uint64_t *numbers, size_t count);
/* Parts of list bodies. Groups are written in rising order; *next is 0 before the first. */
void parley_put_entry(struct writer *w, const struct parley_entry *entry);
void parley_put_nodes(struct writer *w, uint32_t *next, const struct parley_nodes *group);
void parley_put_prints(struct writer *w, uint32_t *next, uint32_t index, const uint32_t *prints, size_t count);
/* What an entry takes in ENTRIES. */
size_t parley_entry_bytes(const struct parley_entry *entry);

#endif
