/* SPDX-License-Identifier: MIT
 *
 * The shared store's talk with others: rounds of gossip about fresh entries (A. Demers et al., "Epidemic algorithms for replicated database
 * maintenance", 1987), eager first copies, and the beacon by which two nodes see that they are equal. Repair of what gossip missed is
 * reconcile.h's, what is too large for a packet items.h's.
 *
 *     mode       opens (A to B)            ack (B to A)                  ack2 (A to B)
 *     push       hot entries, beacon       -                             -
 *     pull       ids of hot entries, b.    hot entries that A lacks      -
 *     push-pull  ids of hot entries, b.    … and the ids that B wants    the wanted entries
 *
 * In push mode an entry is hot until it was told as often as a rumour; in the others until its epoch is sealed, at least 15 rounds with
 * fan-out 3 and 21 with fan-out 1. Peers are chosen among those who hold the store; who is of unknown ability is asked first.
 */
#ifndef HEARSAY_SYNC_EXCHANGE_H
#define HEARSAY_SYNC_EXCHANGE_H

#include "sync/hot.h"
#include "sync/peers.h"
#include "sync/sync.h"
#include "wire/parley.h"

#define EXCHANGE_IDS_MAX 150   /* in a packet */
#define EXCHANGE_PACKET_MAX 1400
#define EXCHANGE_SEEDS 8

/* Streams, which only the node can open. */
struct exchange_links {
    void *context;
    /* The id of a stream to this member, which will be reported open or closed; 0 = none now. */
    uint32_t (*open)(void *context, struct turn *turn, const struct identity *target);
    void (*send)(void *context, struct turn *turn, uint32_t stream, struct hearsay_bytes message);
    void (*close)(void *context, struct turn *turn, uint32_t stream);
};

struct session;
struct copy;
struct items;

struct exchange {
    struct sync *sync;
    struct beliefs *beliefs;
    struct abilities *abilities;
    struct exchange_links links;
    struct peers peers;
    struct hot hot;
    struct timer round, eager;
    uint32_t rounds;      /* so far */
    uint64_t began_at;    /* the round, in which these are met */
    uint32_t chosen[255], met, to_meet;
    uint64_t tokens_at;   /* eager rate: the bucket is full again at this instant */
    uint64_t hold_began;  /* when a repair last began to hold the tree still */
    struct hearsay_address seeds[EXCHANGE_SEEDS]; /* whom we joined through, for Cassandra's rounds */
    uint32_t seed_count;
    struct buffer big;    /* messages for streams are made here */

    struct session *sessions; /* repairs that we began: reconcile.c */
    uint32_t session_count, session_number, repair_sequence;
    struct items *items;      /* what is larger than a packet: items.c */
    struct copy *copies;      /* writes that wait for receipts: copies.c */
    uint32_t copy_count, copy_capacity;
    struct timer copy_timer;
    uint64_t repair_free_at;  /* pace of repair: until then it costs more than it may */
    uint32_t led_by;          /* the peer whose repair we answer … */
    uint64_t led_until;       /* … and how long that counts; meanwhile we take part in no other */
    uint64_t repaired;        /* of the writes that waited for the disk, the newest that repair brought */
};

/* How a write came: pending.source of sync_receive. */
enum { EXCHANGE_FROM_REPAIR = 1, EXCHANGE_WANTS_RECEIPT = 2 };
static inline uint64_t exchange_source(uint32_t peer, unsigned how)
{
    return (uint64_t)how << 32 | (peer + 1u);
}

/* False when memory is out. */
bool exchange_init(struct exchange *x, struct turn *turn, struct sync *sync, struct beliefs *beliefs, struct abilities *abilities);
void exchange_deinit(struct exchange *x, const struct hearsay_allocator *memory);

void exchange_on_round(struct exchange *x, struct turn *turn);
void exchange_on_eager(struct exchange *x, struct turn *turn);
/* A message of gossip, decoded. */
void exchange_on_message(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m);
/* Takes every entry of one ENTRIES section; answers how many there were. */
uint32_t exchange_receive(struct exchange *x, struct turn *turn, uint32_t peer, struct reader body, unsigned how);
/* An entry counts from now on: sync_listener.on_durable calls it. */
bool exchange_on_durable(struct exchange *x, struct turn *turn, const struct pending *write, enum store_verdict verdict);
/* A member turned out to be able to hold the store: PEERS_NONE when memory is out. It hears our beacon at once. */
uint32_t exchange_on_able(struct exchange *x, struct turn *turn, uint32_t slot);
/* It came, or came back: its ability is asked for at once, if not too many are. */
void exchange_on_joined(struct exchange *x, struct turn *turn, uint32_t slot);
void exchange_note_seed(struct exchange *x, const struct hearsay_address *address);
/* Writes our beacon as one message, to ride with a ping: answers its size, 0 when there is none. */
size_t exchange_write_beacon(const struct exchange *x, const struct turn *turn, uint8_t *bytes, size_t capacity);
/* The rounds begin anew, with what the options say now. */
void exchange_tune(struct exchange *x, struct turn *turn);

struct parley_head exchange_head(const struct exchange *x, const struct turn *turn, enum parley_kind kind);

#endif
