/* SPDX-License-Identifier: MIT
 *
 * Saying something to a peer: one message after the other is filled with sections and sent when full, as datagrams of at most
 * EXCHANGE_PACKET_MAX bytes or as frames of a stream. An answer in parts is numbered here. What does not fit into a message by itself is offered
 * instead of told.
 */
#ifndef HEARSAY_SYNC_TALK_H
#define HEARSAY_SYNC_TALK_H

#include "sync/exchange.h"

#define TALK_STREAM_SOFT (32u << 10) /* frames are sent when this full */
#define TALK_VALUE_MAX (64u << 10)   /* larger values are offered even on streams */

struct talk {
    struct exchange *x;
    struct turn *turn;
    uint32_t peer, stream;   /* stream 0: datagrams */
    enum parley_kind kind;
    const struct parley_session *session; /* of an answer: its parts are numbered */
    struct session *asks;    /* of questions: where they wait for their turn */
    bool is_whole;           /* values of any size are told, on a stream */
    uint16_t part;
    uint16_t lists;          /* groups and numbers in this message */
    uint32_t most;           /* messages; what comes after them is left out */
    uint32_t sent;
    uint64_t bytes;          /* sent */
    struct writer w;
    size_t empty;            /* size of the message when nothing is in it yet */
    size_t soft;             /* sent when fuller */
    enum parley_section_type open; /* the list section that is open, 0 = none */
    size_t begun;
    uint32_t next;           /* of groups */
    uint8_t level;
    uint8_t bytes_of_packet[EXCHANGE_PACKET_MAX];
};

/* session NULL: no parts. False when memory is out: say nothing. */
bool talk_begin(struct talk *t, struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, enum parley_kind kind,
                const struct parley_session *session);
/* Directly after talk_begin, on a stream: there is room for the largest value. False when memory is out. */
bool talk_make_whole(struct talk *t);
void talk_beacon(struct talk *t);
/* Some rows of the tombstones' table, the one about the peer first, others by turns. */
void talk_rows(struct talk *t);
void talk_status(struct talk *t, enum parley_status status, uint32_t retry_ms);
void talk_range(struct talk *t, const struct parley_range *range);
void talk_number(struct talk *t, enum parley_section_type type, uint64_t number);
void talk_offer(struct talk *t, uint64_t place, uint64_t hlc);
void talk_nodes(struct talk *t, uint8_t level, const struct parley_nodes *group);
void talk_prints(struct talk *t, enum parley_section_type type, uint8_t level, uint32_t index, const uint32_t *prints, size_t count);
/* flags: PARLEY_ENTRY_RECEIPT or 0. Answers the bytes of key and value that are told. */
size_t talk_entry(struct talk *t, const struct entry *entry, uint8_t flags);
/* Is nothing in the message so far? */
bool talk_is_empty(const struct talk *t);
/* Sends what is there, even if it is only the head when is_needed; of an answer this is the last part. */
void talk_end(struct talk *t, bool is_needed);

#endif
