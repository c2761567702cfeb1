/* SPDX-License-Identifier: MIT
 *
 * Options of a node: start from a profile, then amend fields. Ranges and units of every number stand in one table
 * (HEARSAY_NUMBERS), from which the struct, the checks, the configuration keys of the agent and its manual are made.
 * Defaults are memberlist's and Serf's; see hearsay_options_lan/wan/local for where the profiles differ.
 */
#ifndef HEARSAY_OPTIONS_H
#define HEARSAY_OPTIONS_H

#include <hearsay/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(field, lan default, least, most, unit, sentence). Switches have the range 0..1 and the unit "switch". */
#define HEARSAY_NUMBERS(X) \
    X(probe_interval_ms, 1000, 0, 3600000, "ms", "time between probes of this node; 0 = do not probe") \
    X(probe_timeout_ms, 500, 1, 3600000, "ms", "wait for a direct answer before relays are asked") \
    X(indirect_checks, 3, 0, 255, "members", "relays asked after a silent direct probe") \
    X(stream_ping, 1, 0, 1, "switch", "also try a stream when a direct probe is silent") \
    X(nacks, 1, 0, 1, "switch", "ask relays to say so when the target is silent (Lifeguard)") \
    X(suspicion, 1, 0, 1, "switch", "suspect before declaring dead; 0 = the plain SWIM of section 3") \
    X(suspicion_mult, 4, 1, 1000, "factor", "least suspicion time in probe intervals, times log10(n)") \
    X(suspicion_max_mult, 6, 1, 1000, "factor", "longest suspicion time as a multiple of the least") \
    X(lha_probe, 1, 0, 1, "switch", "Lifeguard: probe slower while our own health is bad") \
    X(lha_suspicion, 1, 0, 1, "switch", "Lifeguard: start with the longest suspicion, shorten it by confirmations") \
    X(buddy, 1, 0, 1, "switch", "Lifeguard: tell a suspected member of the suspicion with the next ping") \
    X(awareness_max, 8, 1, 255, "score", "health scores run from 0 to one less than this") \
    X(gossip_interval_ms, 200, 0, 3600000, "ms", "time between gossip ticks; 0 = none") \
    X(gossip_nodes, 3, 0, 255, "members", "members told per gossip tick (fan-out)") \
    X(gossip_to_the_dead_ms, 30000, 0, 86400000, "ms", "how long the dead are kept in the list and still told") \
    X(retransmit_mult, 4, 1, 1000, "factor", "each rumour is sent this often times log10(n+1), rounded up") \
    X(push_pull_interval_ms, 30000, 0, 86400000, "ms", "time between full exchanges for up to 32 members; 0 = none") \
    X(stream_timeout_ms, 10000, 10, 3600000, "ms", "whole time one stream may take per phase") \
    X(dead_reclaim_ms, 0, 0, 86400000, "ms", "after this, a dead member's name may come from another address; 0 = never") \
    X(packet_bytes_max, 1400, 256, 65000, "bytes", "largest datagram that gossip fills") \
    X(queue_max, 4096, 16, 1000000, "rumours", "rumours kept per queue; the most told are dropped first") \
    X(members_max, 100000, 2, 1000000, "members", "members kept in memory") \
    X(streams_max, 160, 4, 100000, "streams", "streams open at once, both directions") \
    X(push_pulls_max, 128, 1, 100000, "streams", "inbound streams at once; an eighth of the places are kept for known members") \
    X(recorder_records, 256, 0, 1000000, "records", "length of the flight recorder") \
    X(compression, 1, 0, 1, "switch", "compress what we send (LZW)") \
    X(encryption_version, 1, 0, 1, "version", "envelope of what we encrypt: 1, or 0 with padding for very old peers") \
    X(verify_incoming, 1, 0, 1, "switch", "with a key set, refuse plaintext") \
    X(verify_outgoing, 1, 0, 1, "switch", "with a key set, encrypt what we send") \
    X(skip_label_check, 0, 0, 1, "switch", "somebody in front of us strips the label") \
    X(eager, 1, 0, 1, "switch", "new rumours leave at once as extra copies, in addition to ticks") \
    X(eager_delay_us, 3000, 0, 1000000, "us", "eager copies wait between a third of this and this, to travel together") \
    X(eager_packets_per_second, 200, 1, 1000000, "packets", "above this rate, ticks only") \
    X(attended_time, 1, 0, 1, "switch", "do not count time in which this node was not running") \
    X(healing, 1, 0, 1, "switch", "look for failed members again, and mend partitions") \
    X(healing_interval_ms, 1000, 10, 86400000, "ms", "shortest time between two attempts of the whole cluster") \
    X(reconnect_interval_ms, 0, 0, 86400000, "ms", "Serf: how often each member may try one that failed; 0 = see healing_interval_ms") \
    X(healing_window_ms, 86400000, 0, 2000000000, "ms", "how long a failed member is looked for") \
    X(announce_abilities, 1, 0, 1, "switch", "say in pings and acks that this is hearsay") \
    X(reap_interval_ms, 15000, 10, 86400000, "ms", "Serf: time between looks for members to forget") \
    X(reconnect_timeout_ms, 86400000, 0, 2000000000, "ms", "Serf: failed members are forgotten after this") \
    X(tombstone_timeout_ms, 86400000, 0, 2000000000, "ms", "Serf: members that left are forgotten after this") \
    X(intent_timeout_ms, 300000, 0, 2000000000, "ms", "Serf: intents about unknown members are kept this long") \
    X(broadcast_timeout_ms, 5000, 1, 3600000, "ms", "longest wait for a broadcast on leaving") \
    X(leave_propagate_ms, 1000, 0, 3600000, "ms", "wait after the goodbye, so that others hear it") \
    X(event_buffer, 512, 1, 65536, "slots", "Serf: Lamport times remembered to recognise events") \
    X(event_bytes_max, 512, 1, 9216, "bytes", "Serf: largest user event") \
    X(query_bytes_max, 1024, 1, 9216, "bytes", "Serf: largest query") \
    X(response_bytes_max, 1024, 1, 9216, "bytes", "Serf: largest answer to a query, of ours or relayed") \
    X(query_timeout_mult, 16, 1, 100000, "factor", "Serf: a query lasts this many gossip intervals, times log10(n+1), rounded up") \
    X(key_messages_max, 1073741824, 1, 4294967295, "messages", "under one key by the cluster, after which it should be replaced") \
    X(coordinates, 1, 0, 1, "switch", "Serf: learn network coordinates from probes and tell ours in acks") \
    X(coordinates_max, 100000, 0, 1000000, "members", "members whose coordinates are kept; those of others are learned from and forgotten") \
    X(name_conflicts, 1, 0, 1, "switch", "Serf: when our name is disputed, ask the cluster whose it is") \
    X(plain_names, 0, 0, 1, "switch", "Serf: take nobody whose name has more than letters, digits, dashes and dots, or 128 of them") \
    X(keyring_durable, 0, 0, 1, "switch", "Serf: who changed our keyring is answered when the host has kept it") \
    X(replay_on_join, 0, 0, 1, "switch", "Serf: also deliver the events from before our joining") \
    X(store, 0, 0, 1, "switch", "take part in the shared store") \
    X(store_mode, 3, 1, 3, "mode", "store gossip: 1 push, 2 pull, 3 push-pull") \
    X(store_fanout, 3, 1, 255, "members", "members met per round of store gossip") \
    X(store_interval_ms, 1000, 10, 3600000, "ms", "time between rounds of store gossip") \
    X(store_cassandra, 0, 0, 1, "switch", "rounds also meet, with some chance, one unreachable peer and one we joined through, as Cassandra's do") \
    X(store_eager_per_second, 2000, 1, 1000000, "packets", "eager copies of fresh entries; above this rate, rounds only") \
    X(judge_events, 0, 0, 1, "switch", "a large event is told on only when hearsay_judge_event says so") \
    X(copies_timeout_ms, 10000, 100, 3600000, "ms", "how long a write waits for the copies it asked for") \
    X(repair_bytes_per_second, 268435456, 1024, 4000000000, "bytes", "what repair may send and hear") \
    X(repair_cpu_permille, 500, 1, 1000, "per mille", "share of a processor that repair may take, by what looking at an entry costs") \
    X(store_durable, 0, 0, 1, "switch", "an entry counts only when the host has it on disk") \
    X(store_value_max, 1048576, 0, 1048576, "bytes", "largest value in the store") \
    X(store_entries_max, 10000000, 1, 1000000000, "entries", "entries in the store, tombstones included") \
    X(store_bytes_max_mib, 4096, 1, 1048576, "MiB", "keys and values in the store") \
    X(store_changes, 65536, 64, 16777216, "changes", "changes of the store remembered for watchers") \
    X(store_drift_max_ms, 10000, 100, 60000, "ms", "how far ahead of our clock a moment may be") \
    X(tombstone_grace_ms, 60000, 0, 2000000000, "ms", "tombstones are kept this long after all members have them") \
    X(forget_after_ms, 259200000, 1000, 2000000000, "ms", "a member away for longer no longer holds back the purge of tombstones")

struct hearsay_pool;

struct hearsay_options {
    size_t size; /* sizeof(struct hearsay_options), set by the profiles; lets the struct grow */

    const char *name;                /* required; 1..255 bytes; copied */
    struct hearsay_address advertise;/* required; what others are told */
    struct hearsay_bytes meta;       /* plain personality; at most 512 bytes; copied */
    const struct hearsay_tag *tags;  /* Serf personality; encoded at most 512 bytes; copied */
    size_t tag_count;
    const char *label;               /* NULL or "" = none; copied */
    struct hearsay_key keys[HEARSAY_KEYS_MAX]; /* keys[0] encrypts, all decrypt */
    size_t key_count;
    enum hearsay_personality personality;
    uint8_t delegate_versions[3];    /* min, max, current: 2,5,5 for Serf, 0,0,0 plain */
    uint64_t seed;                   /* of every random choice */
    struct hearsay_cipher cipher;    /* needed when keys are set */
    struct hearsay_matcher matcher;  /* needed for queries filtered by tags */
    struct hearsay_allocator allocator; /* resize NULL = realloc and free */
    struct hearsay_pool *pool;       /* identities shared with other nodes of one thread, or NULL */
    uint8_t store_secret[16];        /* of the cluster: keys the hashes of the store; must be the same everywhere */
    uint64_t store_hlc_mark, store_purge_hlc; /* of a former life, from HEARSAY_PERSIST; 0 = none */
    uint64_t clock, event_clock, query_clock; /* Serf: last seen Lamport times of a former life, 0 = none */

#define HEARSAY_NUMBER_FIELD(field, lan, least, most, unit, sentence) uint32_t field;
    HEARSAY_NUMBERS(HEARSAY_NUMBER_FIELD)
#undef HEARSAY_NUMBER_FIELD
};

/* Profiles. LAN is the default of the field; WAN tolerates long distances; local is for tests and one machine. */
HEARSAY_API void hearsay_options_lan(struct hearsay_options *options);
HEARSAY_API void hearsay_options_wan(struct hearsay_options *options);
HEARSAY_API void hearsay_options_local(struct hearsay_options *options);
/* Amends a profile to plain memberlist behaviour: everything of our own (eager copies, attended time, healing, abilities) is
 * switched off and the personality is HEARSAY_MEMBERLIST. */
HEARSAY_API void hearsay_options_memberlist(struct hearsay_options *options);
/* Amends a profile so that the store gossips as Cassandra does: push-pull, each second with one live peer, with some chance also with an
 * unreachable one and with a seed. */
HEARSAY_API void hearsay_options_cassandra(struct hearsay_options *options);

/* One number of the table, for programs that set options by name. */
struct hearsay_number {
    const char *name, *unit, *sentence;
    uint32_t lan_default, least, most;
};
HEARSAY_API size_t hearsay_number_count(void);
HEARSAY_API const struct hearsay_number *hearsay_number_at(size_t index);
/* Sets a number by name. HEARSAY_ERR_OPTION if there is none of that name or the value is out of range. */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_options_set(struct hearsay_options *options, const char *name, uint64_t value);
HEARSAY_API uint32_t hearsay_options_get(const struct hearsay_options *options, const char *name);
/* Checks everything. On failure *what names the offending field (static memory). */
HEARSAY_MUST_CHECK HEARSAY_API hearsay_err hearsay_options_check(const struct hearsay_options *options, const char **what);

#ifdef __cplusplus
}
#endif
#endif
