/* SPDX-License-Identifier: MIT
 *
 * Words for numbers: every enum that people may meet, in one place.
 */
#include <hearsay/hearsay.h>

#define WORD(table, index) ((size_t)(index) < sizeof(table) / sizeof((table)[0]) ? (table)[index] : "unknown")

const char *hearsay_err_text(hearsay_err err)
{
    static const char *const words[HEARSAY_ERR_COUNT] = {
        [HEARSAY_OK] = "done",
        [HEARSAY_ERR_NO_MEMORY] = "out of memory",
        [HEARSAY_ERR_OPTION] = "an option is unknown or out of its range",
        [HEARSAY_ERR_NAME] = "a name must have 1 to 255 bytes",
        [HEARSAY_ERR_ADDRESS] = "not an IPv4 or IPv6 address with a port",
        [HEARSAY_ERR_TOO_LARGE] = "larger than its limit",
        [HEARSAY_ERR_KEY] = "a key must have 16, 24 or 32 bytes",
        [HEARSAY_ERR_UNKNOWN_KEY] = "no such key in the keyring",
        [HEARSAY_ERR_PRIMARY_KEY] = "the primary key cannot be removed: use another one first",
        [HEARSAY_ERR_NO_CIPHER] = "keys were given but no cipher",
        [HEARSAY_ERR_LEFT] = "this node is leaving or has left",
        [HEARSAY_ERR_BUSY] = "too many exchanges are under way: try again",
        [HEARSAY_ERR_PERSONALITY] = "this cluster's personality has no such thing",
        [HEARSAY_ERR_UNKNOWN_MEMBER] = "no member of that name is known",
        [HEARSAY_ERR_RESERVED] = "this name is reserved: queries _serf_ are Serf's, keys _service/NODE/ are the node's own",
        [HEARSAY_ERR_UNKNOWN_QUERY] = "no such query waits for an answer: it never came, or its time is over",
        [HEARSAY_ERR_ANSWERED] = "this query has been answered already",
        [HEARSAY_ERR_STORE_OFF] = "this node has no store: set the option store",
        [HEARSAY_ERR_ENTRY_KEY] = "a key of the store must have 1 to 512 bytes",
        [HEARSAY_ERR_STORE_FULL] = "the store is full: delete something, or raise store_entries_max or store_bytes_max_mib",
        [HEARSAY_ERR_NO_CLOCK] = "the store needs the wall clock: call hearsay_set_wall_clock first",
        [HEARSAY_ERR_CLOCK_ASTRAY] = "this node's clock is too far from the others': set it right",
    };
    return WORD(words, err);
}

const char *hearsay_event_text(enum hearsay_event_type type)
{
    static const char *const words[HEARSAY_EVENT_COUNT] = {
        [HEARSAY_MEMBER_JOIN] = "member-join",
        [HEARSAY_MEMBER_SUSPECT] = "member-suspect",
        [HEARSAY_MEMBER_ALIVE] = "member-alive",
        [HEARSAY_MEMBER_FAILED] = "member-failed",
        [HEARSAY_MEMBER_LEAVE] = "member-leave",
        [HEARSAY_MEMBER_UPDATE] = "member-update",
        [HEARSAY_MEMBER_REAP] = "member-reap",
        [HEARSAY_USER_EVENT] = "user",
        [HEARSAY_MESSAGE] = "message",
        [HEARSAY_CONFLICT] = "conflict",
        [HEARSAY_FOREIGN_CLUSTER] = "foreign-cluster",
        [HEARSAY_JOIN_RESULT] = "join-result",
        [HEARSAY_ENTRY_CHANGED] = "entry-changed",
        [HEARSAY_PUT_DONE] = "put-done",
        [HEARSAY_LARGE_EVENT] = "large-event",
        [HEARSAY_REPAIR_DONE] = "repair-done",
        [HEARSAY_LEAVE_DONE] = "leave-done",
        [HEARSAY_QUERY] = "query",
        [HEARSAY_QUERY_ACK] = "query-ack",
        [HEARSAY_QUERY_RESPONSE] = "query-response",
        [HEARSAY_QUERY_DONE] = "query-done",
        [HEARSAY_KEY_RESULT] = "key-result",
        [HEARSAY_KEYRING_CHANGED] = "keyring-changed",
        [HEARSAY_KEY_WORN] = "key-worn",
        [HEARSAY_CONFLICT_RESOLVED] = "conflict-resolved",
    };
    return type == HEARSAY_EVENT_COUNT ? "note" : WORD(words, type);
}

const char *hearsay_status_text(enum hearsay_status status)
{
    static const char *const words[] = {[HEARSAY_NONE] = "none",       [HEARSAY_ALIVE] = "alive", [HEARSAY_SUSPECT] = "suspect",
                                        [HEARSAY_LEAVING] = "leaving", [HEARSAY_LEFT] = "left",   [HEARSAY_FAILED] = "failed"};
    return WORD(words, status);
}

const char *hearsay_reason_text(enum hearsay_reason reason)
{
    static const char *const words[HEARSAY_BECAUSE_COUNT] = {
        [HEARSAY_BECAUSE_UNKNOWN] = "unknown",
        [HEARSAY_BECAUSE_SELF] = "self",
        [HEARSAY_BECAUSE_ALIVE_HEARD] = "alive-heard",
        [HEARSAY_BECAUSE_PUSH_PULL] = "push-pull",
        [HEARSAY_BECAUSE_PROBE_FAILED] = "probe-failed",
        [HEARSAY_BECAUSE_ACCUSED] = "accused",
        [HEARSAY_BECAUSE_CONFIRMED] = "confirmed",
        [HEARSAY_BECAUSE_TIMER] = "suspicion-timeout",
        [HEARSAY_BECAUSE_DECLARED_DEAD] = "declared-dead",
        [HEARSAY_BECAUSE_SAID_GOODBYE] = "goodbye",
        [HEARSAY_BECAUSE_LEAVE_INTENT] = "leave-intent",
        [HEARSAY_BECAUSE_JOIN_INTENT] = "join-intent",
        [HEARSAY_BECAUSE_REFUTED] = "refuted",
        [HEARSAY_BECAUSE_NAME_RECLAIMED] = "name-reclaimed",
        [HEARSAY_BECAUSE_REAPED] = "reaped",
        [HEARSAY_BECAUSE_ADDRESS_BOOK] = "address-book",
        [HEARSAY_BECAUSE_PAUSED] = "paused",
    };
    return WORD(words, reason);
}

const char *hearsay_path_text(enum hearsay_path path)
{
    static const char *const words[] = {[HEARSAY_PATH_NOT_TRIED] = "not-tried", [HEARSAY_PATH_SILENT] = "silent",
                                        [HEARSAY_PATH_REFUSED] = "refused", [HEARSAY_PATH_ANSWERED] = "answered"};
    return WORD(words, path);
}

const char *hearsay_version(void)
{
    return "0.1.0";
}
