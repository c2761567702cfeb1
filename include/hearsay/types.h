/* SPDX-License-Identifier: MIT
 *
 * The vocabulary: plain types that every floor of hearsay and every program using it share.
 * It knows no behaviour; hearsay.h has the verbs.
 *
 * Units: an instant or a span named `_us` is in microseconds, `_ms` in milliseconds. `now` is always
 * microseconds of one monotonic clock of the host; its zero is arbitrary.
 */
#ifndef HEARSAY_TYPES_H
#define HEARSAY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that somebody else owns. Valid as long as the call or output that handed them out says. */
struct hearsay_bytes {
    const uint8_t *data;
    size_t size;
};

/* An address as the wire carries it. `size` is 4 (IPv4), 16 (IPv6, or IPv4 mapped into IPv6) or 0 (none).
 * Peers compare addresses byte by byte, so a v4-mapped address is kept and told as it was received. */
struct hearsay_address {
    uint8_t bytes[16];
    uint16_t port; /* host byte order */
    uint8_t size;
};

/* Longest name of a member in bytes, without the closing NUL. Longer names in packets are dropped. */
#define HEARSAY_NAME_MAX 255
/* Longest meta (all tags encoded) of a member; the limit is memberlist's. */
#define HEARSAY_META_MAX 512
/* Longest label; the limit is the wire's. */
#define HEARSAY_LABEL_MAX 255
/* Most keys in a keyring. */
#define HEARSAY_KEYS_MAX 16
/* Longest name and payload of a user event together that is ever accepted; the limit is Serf's. */
#define HEARSAY_EVENT_HARD_MAX 9216

/* What a call made by the user can answer. Every value but HEARSAY_OK means that nothing was changed. */
typedef enum hearsay_err {
    HEARSAY_OK = 0,
    HEARSAY_ERR_NO_MEMORY,
    HEARSAY_ERR_OPTION,     /* an option is out of its range: see hearsay_options_check */
    HEARSAY_ERR_NAME,       /* empty, longer than HEARSAY_NAME_MAX, or containing NUL */
    HEARSAY_ERR_ADDRESS,    /* neither IPv4 nor IPv6, or without a port */
    HEARSAY_ERR_TOO_LARGE,  /* longer than its limit: tags, event, message */
    HEARSAY_ERR_KEY,        /* a key is not 16, 24 or 32 bytes */
    HEARSAY_ERR_UNKNOWN_KEY,/* no such key in the keyring */
    HEARSAY_ERR_PRIMARY_KEY,/* the primary key cannot be removed */
    HEARSAY_ERR_NO_CIPHER,  /* keys were given but no cipher */
    HEARSAY_ERR_LEFT,       /* this node is leaving or has left */
    HEARSAY_ERR_BUSY,       /* too many exchanges under way: try again */
    HEARSAY_ERR_PERSONALITY,/* the cluster's personality has no such thing */
    HEARSAY_ERR_UNKNOWN_MEMBER,
    HEARSAY_ERR_RESERVED,   /* names of queries that begin with "_serf_" are Serf's own; keys under "_service/" are their nodes' */
    HEARSAY_ERR_UNKNOWN_QUERY, /* no such query waits for an answer: it never came, or its time is over */
    HEARSAY_ERR_ANSWERED,   /* a query is answered once */
    HEARSAY_ERR_STORE_OFF,   /* the option `store` is not set */
    HEARSAY_ERR_ENTRY_KEY,   /* a key of the store is empty or longer than HEARSAY_KEY_MAX, or an entry from the disk makes no sense */
    HEARSAY_ERR_STORE_FULL,  /* store_entries_max or store_bytes_max_mib is reached */
    HEARSAY_ERR_NO_CLOCK,    /* hearsay_set_wall_clock was never called */
    HEARSAY_ERR_CLOCK_ASTRAY,/* our wall clock is further from the peers' than store_drift_max_ms */
    HEARSAY_ERR_COUNT
} hearsay_err;

#if defined(__GNUC__)
#define HEARSAY_MUST_CHECK __attribute__((warn_unused_result))
#define HEARSAY_API __attribute__((visibility("default")))
#else
#define HEARSAY_MUST_CHECK
#define HEARSAY_API
#endif

/* Whose conventions the cluster follows on top of memberlist. */
enum hearsay_personality {
    HEARSAY_SERF,      /* tags, intents, user events: delegate versions 2..5 */
    HEARSAY_MEMBERLIST /* plain memberlist, as in Alertmanager: delegate versions 0,0,0, empty user state */
};

/* Status of a member as this node sees it. SUSPECT is shown as "alive" by Serf. */
enum hearsay_status {
    HEARSAY_NONE,    /* heard of, never seen */
    HEARSAY_ALIVE,
    HEARSAY_SUSPECT, /* did not answer; has until the suspicion timer ends to refute */
    HEARSAY_LEAVING, /* said that it will leave, still answers */
    HEARSAY_LEFT,
    HEARSAY_FAILED
};

/* One member as this node sees it. All pointers are borrowed until the next call into the node that handed it out. */
struct hearsay_member {
    const char *name; /* NUL-terminated */
    struct hearsay_address address;
    struct hearsay_bytes meta; /* raw; with Serf's personality see hearsay_next_tag */
    uint8_t versions[6];       /* protocol min, max, current; delegate min, max, current */
    enum hearsay_status status;
    uint32_t incarnation;
    uint64_t status_ltime;     /* Serf's Lamport time of the last intent, 0 = none */
    uint64_t status_since_us;  /* when status last changed, on the host's clock */
    uint32_t abilities;        /* learned from its packets: HEARSAY_CAN_…; 0 = none or unknown */
    bool is_self;
};

/* Abilities: bits 8..31; bits 0..7 are hearsay's wire version (1), so a non-zero value means "speaks hearsay". */
#define HEARSAY_WIRE_VERSION 1u
#define HEARSAY_CAN_STORE 0x100u /* holds the shared store and takes its messages */
#define HEARSAY_ASKS_CLOCK 0x200u /* in a ping: tell me in the ack what your wall clock shows */

/* Why this node changed its mind about a member. */
enum hearsay_reason {
    HEARSAY_BECAUSE_UNKNOWN,
    HEARSAY_BECAUSE_SELF,           /* it is this node, and the user asked */
    HEARSAY_BECAUSE_ALIVE_HEARD,    /* an alive message with a newer incarnation came by gossip */
    HEARSAY_BECAUSE_PUSH_PULL,      /* it stood in the member list of `accuser` (or of a peer) */
    HEARSAY_BECAUSE_PROBE_FAILED,   /* our own probe went unanswered on every path: see probe */
    HEARSAY_BECAUSE_ACCUSED,        /* `accuser` suspects it */
    HEARSAY_BECAUSE_CONFIRMED,      /* `accuser` suspects it too (a confirmation) */
    HEARSAY_BECAUSE_TIMER,          /* the suspicion timer ran out without refutation */
    HEARSAY_BECAUSE_DECLARED_DEAD,  /* `accuser` declared it dead */
    HEARSAY_BECAUSE_SAID_GOODBYE,   /* it announced its own leaving */
    HEARSAY_BECAUSE_LEAVE_INTENT,   /* a leave intent about it arrived (leave or force-leave) */
    HEARSAY_BECAUSE_JOIN_INTENT,
    HEARSAY_BECAUSE_REFUTED,        /* it denied an accusation with a newer incarnation */
    HEARSAY_BECAUSE_NAME_RECLAIMED, /* the name came back from a new address */
    HEARSAY_BECAUSE_REAPED,         /* gone for so long that it is forgotten */
    HEARSAY_BECAUSE_ADDRESS_BOOK,   /* healing found it again */
    HEARSAY_BECAUSE_PAUSED,         /* this node itself was not running: see `own_pause_ms` */
    HEARSAY_BECAUSE_COUNT
};

/* How one path of a probe ended. */
enum hearsay_path {
    HEARSAY_PATH_NOT_TRIED,
    HEARSAY_PATH_SILENT,  /* no answer in time */
    HEARSAY_PATH_REFUSED, /* the connection was refused or reset */
    HEARSAY_PATH_ANSWERED
};

/* The evidence behind an event. Fields that do not apply are zero. */
struct hearsay_cause {
    enum hearsay_reason reason;
    const char *accuser;        /* name of the member whose word it was, or NULL */
    uint32_t incarnation;       /* the incarnation the claim was about */
    struct {
        enum hearsay_path direct, indirect, stream;
        uint8_t relays_asked, nacks, acks; /* relays that were asked, that said "no answer", that said "answers" */
        uint32_t waited_ms;
    } probe;
    uint8_t confirmations, confirmations_wanted;
    uint32_t timer_min_ms, timer_max_ms, timer_ran_ms;
    uint8_t own_health;         /* our own health score at the time; 0 is healthy */
    uint32_t own_pause_ms;      /* how long this node was not running just before */
};

/* What a node tells its host. */
enum hearsay_event_type {
    HEARSAY_MEMBER_JOIN,
    HEARSAY_MEMBER_SUSPECT,
    HEARSAY_MEMBER_ALIVE,  /* a suspected member refuted: nothing happened after all */
    HEARSAY_MEMBER_FAILED,
    HEARSAY_MEMBER_LEAVE,
    HEARSAY_MEMBER_UPDATE, /* address, tags or meta changed */
    HEARSAY_MEMBER_REAP,
    HEARSAY_USER_EVENT,    /* Serf's user event: name, payload, ltime, coalesce */
    HEARSAY_MESSAGE,       /* memberlist's raw user message (plain personality): payload */
    HEARSAY_CONFLICT,      /* two nodes claim one name: member is the known one, other_address the claimant */
    HEARSAY_FOREIGN_CLUSTER, /* healing met a node of this name in another cluster at other_address, and left it alone */
    HEARSAY_JOIN_RESULT,   /* one address of a join was tried: ticket, other_address, contacted, text, is_last */
    HEARSAY_ENTRY_CHANGED, /* entries of the store changed; change is the newest number: see hearsay_next_change */
    HEARSAY_LARGE_EVENT,   /* an event of up to 1 MiB, among holders of the store: name, payload; change names it for hearsay_judge_event */
    HEARSAY_REPAIR_DONE,   /* a hearsay_repair is over: ticket, is_ok, text, found, moved, bytes */
    HEARSAY_PUT_DONE,      /* a hearsay_put or _delete is over: ticket, is_ok, copies, text */
    HEARSAY_LEAVE_DONE,    /* our leaving is told (or its time ran out): the host may stop */
    HEARSAY_QUERY,         /* somebody asks: query (for hearsay_respond), from, name, payload, ltime, until_us */
    HEARSAY_QUERY_ACK,     /* from has got our question: ticket, from */
    HEARSAY_QUERY_RESPONSE,/* from answers our question: ticket, from, payload */
    HEARSAY_QUERY_DONE,    /* a question of ours is over: ticket, members, acks, answers, errors (of keys) */
    HEARSAY_KEY_RESULT,    /* from did, or did not do, what hearsay_query_keys asked: ticket, from, is_ok, text; see hearsay_next_key */
    HEARSAY_KEYRING_CHANGED, /* by a query: see hearsay_key_at; who keeps the keyring in a file writes it now. With option keyring_durable:
                              * query, for hearsay_keyring_kept */
    HEARSAY_KEY_WORN,      /* the key has sealed so many messages that it should be replaced: messages, members */
    HEARSAY_CONFLICT_RESOLVED, /* our name was disputed: is_ok = it stays ours; else the host should stop. answers, acks (who agree) */
    HEARSAY_EVENT_COUNT
};

struct hearsay_event {
    enum hearsay_event_type type;
    struct hearsay_member member; /* member events, CONFLICT, FOREIGN_CLUSTER (name only) */
    struct hearsay_cause cause;
    struct hearsay_address other_address;
    const char *name;             /* USER_EVENT: NUL-terminated; may have been shortened at an embedded NUL */
    struct hearsay_bytes payload; /* USER_EVENT, MESSAGE */
    uint64_t ltime;
    bool coalesce;
    uint32_t ticket;              /* JOIN_RESULT, PUT_DONE, REPAIR_DONE: what hearsay_join, _put or _repair answered */
    bool contacted;               /* JOIN_RESULT: the exchange with this address succeeded */
    bool is_last;                 /* JOIN_RESULT: no address of this ticket is left */
    const char *text;             /* JOIN_RESULT, KEY_RESULT, PUT_DONE: what went wrong, in words; NULL if nothing did */
    const char *from;             /* QUERY: who asks; QUERY_ACK, QUERY_RESPONSE, KEY_RESULT: who answers */
    uint64_t query;               /* QUERY: what hearsay_respond takes */
    uint64_t until_us;            /* QUERY: when an answer comes too late, on the host's clock */
    uint64_t messages;            /* KEY_WORN: sealed by the cluster, as far as this node can tell */
    uint32_t members, acks, answers, errors; /* QUERY_DONE: how many were there at its start, and what came from them */
    bool is_ok;                   /* KEY_RESULT, CONFLICT_RESOLVED; PUT_DONE: as many have it as were asked for; REPAIR_DONE: compared to the end */
    uint64_t found, moved, bytes; /* REPAIR_DONE: entries that differed, that were moved either way, and what it took */
    uint64_t change;              /* ENTRY_CHANGED */
    uint32_t copies;              /* PUT_DONE: nodes that have it durably, as far as is known here */
    uint64_t hlc, origin;         /* PUT_DONE: the version that was written, see struct hearsay_entry_version */
};

/* Allocator hooks. All memory of a node comes from these. resize(ctx, NULL, n) allocates, resize(ctx, p, 0) frees and
 * answers NULL; otherwise as realloc. */
struct hearsay_allocator {
    void *context;
    void *(*resize)(void *context, void *old, size_t size);
};

/* AES-GCM, handed in so that the core links without a crypto library. Key sizes are 16, 24 or 32 bytes, the nonce 12, the
 * tag 16 bytes at the end of the sealed text. hearsay_cipher_nettle() in hearsay_uv.h is a ready one. */
struct hearsay_cipher {
    void *context;
    /* out has room for size + 16 bytes; in and out do not overlap. */
    void (*seal)(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                 struct hearsay_bytes plain, uint8_t *out);
    /* sealed includes the tag (size >= 16); out has room for size - 16. False when the tag does not fit. */
    bool (*open)(void *context, struct hearsay_bytes key, const uint8_t nonce[12], struct hearsay_bytes aad,
                 struct hearsay_bytes sealed, uint8_t *out);
    /* Twelve bytes that were never used with this key. */
    void (*nonce)(void *context, uint8_t out[12]);
};

/* Regular expressions, handed in so that the core links without a library of them: queries are filtered by tags with it. */
struct hearsay_matcher {
    void *context;
    /* Is there a match of expression (RE2's syntax) anywhere in text? False for what is no expression. */
    bool (*match)(void *context, struct hearsay_bytes expression, struct hearsay_bytes text);
};

/* Where a node is in the network: the round trip between two is about the distance of their coordinates. Seconds. */
#define HEARSAY_DIMENSIONS 8
struct hearsay_coordinate {
    double vec[HEARSAY_DIMENSIONS];
    double error;      /* 1.5 = knows nothing yet, near 0 = sure */
    double adjustment;
    double height;     /* the way from the core of the network to it */
};

struct hearsay_key {
    uint8_t size; /* 16, 24 or 32 */
    uint8_t bytes[32];
};

struct hearsay_tag {
    const char *key;
    const char *value;
};

/* Counters: each is a thing that happened, mostly a thing refused. One X-line per counter: field, sentence. */
#define HEARSAY_COUNTERS(X) \
    X(packets_in, "datagrams received") \
    X(packets_out, "datagrams sent") \
    X(bytes_in, "bytes received in datagrams") \
    X(bytes_out, "bytes sent in datagrams") \
    X(streams_in, "streams accepted") \
    X(streams_out, "streams opened") \
    X(probes, "probes started") \
    X(probes_failed, "probes that failed on every path") \
    X(suspicions, "members that became suspect here") \
    X(refutations, "accusations against this node that it denied") \
    X(pauses, "times this node was not running for longer than a probe timeout") \
    X(paused_ms, "milliseconds of such pauses that were not counted against others") \
    X(events_in, "user events delivered") \
    X(queries_in, "queries delivered") \
    X(looks, "failed members that healing has looked for") \
    X(drop_answer, "answers to no query of ours, or heard before, or too late") \
    X(drop_coordinate, "coordinates that could not be used") \
    X(drop_label, "packets or streams with another label") \
    X(drop_plaintext, "packets or streams without encryption though a key is set") \
    X(drop_cipher, "packets or streams that no key opens") \
    X(drop_crc, "packets with a wrong checksum") \
    X(drop_lzw, "packets or streams with broken or oversized compression") \
    X(drop_nested, "packets with envelopes inside envelopes") \
    X(drop_truncated, "packets or parts that end too early") \
    X(drop_unknown_type, "messages of unknown type") \
    X(drop_malformed, "messages that could not be decoded") \
    X(drop_not_for_us, "pings for another name") \
    X(drop_name, "claims about names that plain_names does not allow") \
    X(drop_versions, "claims or exchanges with incompatible protocol versions") \
    X(drop_address, "claims with an address outside the allowed ones or of odd length") \
    X(drop_ack_limit, "pings beyond eight in one datagram") \
    X(drop_queue_full, "rumours dropped because the queue was full") \
    X(drop_members_full, "members not taken because members_max was reached") \
    X(drop_stream_limit, "streams refused because too many were open") \
    X(drop_stream_timeout, "streams closed because they took too long") \
    X(drop_stream_bad, "streams closed because of undecodable content") \
    X(drop_event_old, "user events too old to be told from duplicates") \
    X(drop_event_duplicate, "user events seen before") \
    X(drop_event_large, "user events above the size limit") \
    X(drop_no_memory, "inputs dropped because an allocation failed") \
    X(drop_foreign, "exchanges refused because the other side is a foreign cluster") \
    X(entries_received, "entries of the store taken from others") \
    X(entries_expired, "entries of the store that expired") \
    X(entries_conflicting, "entries with the version of another value: corruption somewhere") \
    X(repairs, "repairs begun here") \
    X(repairs_broken, "repairs that got no answer; the next beacon begins another") \
    X(repair_bytes_in, "bytes of questions' answers") \
    X(repair_bytes_out, "bytes of questions, and of answers to others'") \
    X(repair_entries_out, "entries told by repair") \
    X(repair_newer, "keys met by repair that were newer on one side already: no damage") \
    X(large_events_in, "large events delivered") \
    X(drop_item_bad, "large events whose bytes were not what was announced") \
    X(drop_items_full, "offers of large values and events that found no place in the queue") \
    X(drop_store_stranger, "messages of the store from nobody we know, or while we hold none") \
    X(drop_entry_bad, "entries refused because they make no sense") \
    X(drop_entry_large, "entries refused because the value is too large") \
    X(drop_entry_foreign, "entries refused because they claim another node's service") \
    X(drop_entry_clock, "entries and clocks refused because they are too far ahead of ours") \
    X(drop_store_full, "entries refused because the store or its queue is full") \
    X(drop_entry_purged, "entries refused or forgotten because they were deleted long ago") \
    X(drop_not_durable, "entries dropped because the storage could not write them") \
    X(conflicts, "claims of a known name from another address")

struct hearsay_counters {
#define HEARSAY_COUNTER_FIELD(field, sentence) uint64_t field;
    HEARSAY_COUNTERS(HEARSAY_COUNTER_FIELD)
#undef HEARSAY_COUNTER_FIELD
};

#ifdef __cplusplus
}
#endif
#endif
