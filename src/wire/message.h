/* SPDX-License-Identifier: MIT
 *
 * memberlist's messages: one struct per type, decoded from and encoded to the bytes that start with the type byte.
 * Decoded structs borrow from the bytes they were read from. It knows no envelope (packet.h, stream.h have those) and judges
 * no content beyond the shape of fields. Numbers are emitted in their shortest unsigned form, strings as old-style raw.
 */
#ifndef HEARSAY_WIRE_MESSAGE_H
#define HEARSAY_WIRE_MESSAGE_H

#include "base/cursor.h"

enum message_type {
    MESSAGE_PING = 0,
    MESSAGE_INDIRECT_PING = 1,
    MESSAGE_ACK = 2,
    MESSAGE_SUSPECT = 3,
    MESSAGE_ALIVE = 4,
    MESSAGE_DEAD = 5,
    MESSAGE_PUSH_PULL = 6,
    MESSAGE_COMPOUND = 7,
    MESSAGE_USER = 8,
    MESSAGE_COMPRESS = 9,
    MESSAGE_ENCRYPT = 10,
    MESSAGE_NACK = 11,
    MESSAGE_CRC = 12,
    MESSAGE_ERROR = 13,
    MESSAGE_PARLEY = 72, /* hearsay's own, to members with the ability only: parley.h */
    MESSAGE_LABEL = 244
};

/* abilities: hearsay's one extra field "Hearsay" (u32), omitted when 0; Go decoders skip it. Decoded as 0 when absent. */
struct message_ping {
    struct hearsay_bytes node;           /* "" = whoever gets it */
    uint32_t sequence;
    struct hearsay_address source;       /* size 0 = absent; its port is 0 when absent */
    struct hearsay_bytes source_node;
    uint32_t abilities;
};

struct message_indirect_ping {
    uint32_t sequence;
    struct hearsay_address target;
    struct hearsay_bytes node;
    bool nack;                           /* say so when the target is silent */
    struct hearsay_address source;
    struct hearsay_bytes source_node;
};

struct message_ack {
    uint32_t sequence;
    struct hearsay_bytes payload;        /* data NULL = nil on the wire */
    uint32_t abilities;
    uint64_t clock_ms;                   /* Unix time at the sender, told to who asks; 0 = not told */
};

/* suspect and dead share their shape. */
struct message_accusation {
    uint32_t incarnation;
    struct hearsay_bytes node, from;
};

/* alive, and one entry of a push/pull (which has a state and calls the node "Name"). */
struct message_alive {
    uint32_t incarnation;
    struct hearsay_bytes node;
    struct hearsay_address address;      /* port 0 = receiver's own */
    struct hearsay_bytes meta;           /* data NULL = nil */
    struct hearsay_bytes versions;       /* 6 bytes by rule; any length is decoded */
};

enum message_state { MESSAGE_STATE_ALIVE = 0, MESSAGE_STATE_SUSPECT = 1, MESSAGE_STATE_DEAD = 2, MESSAGE_STATE_LEFT = 3 };

struct message_push_pull_header {
    bool is_join;
    uint32_t nodes;
    uint32_t user_state_size;
};

struct message {
    enum message_type type;
    union {
        struct message_ping ping;
        struct message_indirect_ping indirect_ping;
        struct message_ack ack;
        uint32_t nack_sequence;
        struct message_accusation accusation; /* MESSAGE_SUSPECT, MESSAGE_DEAD */
        struct message_alive alive;
        struct hearsay_bytes user;            /* all bytes after the type (datagram form) */
        struct hearsay_bytes error;           /* MESSAGE_ERROR: text */
    };
};

/* Decodes one message of a datagram (ping, indirect ping, ack, nack, suspect, alive, dead, user) or an error reply. in starts with
 * the type byte. False: unknown type or malformed; *out is then unspecified but for out->type, which holds the raw byte. Bytes after
 * the object are ignored, as Go does. Addresses of other lengths than 0, 4, 16 are malformed. */
bool message_decode(struct hearsay_bytes in, struct message *out);
/* Encodes with the type byte. Overruns set w->is_full. */
void message_encode(struct writer *w, const struct message *message);

/* Stream form of push/pull: type byte + header, then entries, then user_state_size raw bytes. */
void message_encode_push_pull_header(struct writer *w, const struct message_push_pull_header *header); /* with type byte */
void message_encode_push_pull_entry(struct writer *w, const struct message_alive *entry, enum message_state state);
/* Reads after the type byte. Negative or too large numbers (nodes > 1,048,576, user state > 20 MiB) are malformed. */
bool message_decode_push_pull_header(struct reader *r, struct message_push_pull_header *header);
/* state: unknown numbers are malformed. */
bool message_decode_push_pull_entry(struct reader *r, struct message_alive *entry, enum message_state *state);
/* Moves over a whole entry that is written as everybody writes it; false, and nothing moved, for any other and what has not arrived yet. */
bool message_skip_usual_entry(struct reader *r);
/* Stream form of a user message: type byte + {UserMsgLen} + bytes. Reads after the type byte. */
void message_encode_user_stream(struct writer *w, struct hearsay_bytes payload);
bool message_decode_user_stream(struct reader *r, struct hearsay_bytes *payload);
/* Its {UserMsgLen} alone; above 20 MiB is malformed. */
bool message_decode_user_length(struct reader *r, uint32_t *size);

#endif
