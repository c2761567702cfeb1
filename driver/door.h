/* SPDX-License-Identifier: MIT
 *
 * The parts' door to the node: every input and every wish goes through here, is stamped with the time, put on tape if there is one,
 * and settled, which means that the node's outputs are carried out. Packets, streams and joins see this, never the whole driver.
 */
#ifndef HEARSAY_DRIVER_DOOR_H
#define HEARSAY_DRIVER_DOOR_H

#include "tape.h"

#define DOOR_BUFFER_SIZE 65536

struct door {
    uv_loop_t *loop;
    struct hearsay_node *node;
    struct tape *tape;       /* NULL = none */
    uint64_t clock_due;      /* when the node is told the wall clock again; UINT64_MAX = it has no store */
    bool is_stopping;        /* look at it after every input: the user may have stopped us meanwhile */
    unsigned holds;          /* handles and requests that still need our memory */
    void *owner;
    void (*settle)(void *owner);   /* carries out outputs; when it is at it already, it will come to the new ones */
    void (*released)(void *owner); /* holds went down to 0 */
    uint8_t *buffer;         /* for whoever receives; DOOR_BUFFER_SIZE bytes, of which pages are touched only as needed */
};

/* Microseconds of a monotonic clock. */
uint64_t door_now(void);
static inline void door_hold(struct door *door)
{
    door->holds++;
}
void door_release(struct door *door);

/* Inputs. */
void door_packet(struct door *door, const struct hearsay_address *from, const void *data, size_t size);
/* Does not settle, as the stream must be known before outputs about it are carried out. */
uint32_t door_accepted(struct door *door, const struct hearsay_address *from);
void door_connected(struct door *door, uint32_t stream);
void door_stream(struct door *door, uint32_t stream, const void *data, size_t size);
void door_closed(struct door *door, uint32_t stream, enum hearsay_close how);
void door_tick(struct door *door);
/* The wall clock, if it is time to tell it. Does not settle. */
void door_tell_clock(struct door *door);
void door_persisted(struct door *door, uint64_t batch, bool ok);
/* Before all other inputs; does not settle. */
hearsay_err door_store_load_meeting(struct door *door, const struct hearsay_meeting *meeting);
hearsay_err door_store_load(struct door *door, const struct hearsay_entry *entry);

/* Wishes, as in hearsay.h. door_join, door_put, door_delete and door_repair do not settle: their caller must know the ticket before the
 * results arrive. */
hearsay_err door_join(struct door *door, const struct hearsay_target *targets, size_t count, bool replay, uint32_t *ticket);
hearsay_err door_leave(struct door *door);
hearsay_err door_force_leave(struct door *door, const char *name, bool prune);
hearsay_err door_send_event(struct door *door, const char *name, const void *payload, size_t size, bool coalesce);
bool door_judge_event(struct door *door, uint64_t id, bool relay);
hearsay_err door_send_large_event(struct door *door, const char *name, const void *payload, size_t size);
hearsay_err door_broadcast(struct door *door, const void *data, size_t size);
hearsay_err door_set_tags(struct door *door, const struct hearsay_tag *tags, size_t count);
hearsay_err door_set_meta(struct door *door, struct hearsay_bytes meta);
/* Writes *ticket before it settles, so that whoever keeps it knows it when the first ack comes. */
hearsay_err door_query(struct door *door, const struct hearsay_question *question, uint32_t *ticket);
hearsay_err door_keyring_kept(struct door *door, uint64_t query, const char *problem);
hearsay_err door_respond(struct door *door, uint64_t query, const void *payload, size_t size);
/* Not on the tape, which keeps no keys. */
hearsay_err door_query_keys(struct door *door, enum hearsay_key_wish wish, const struct hearsay_key *key, uint8_t relay_factor, uint32_t *ticket);
hearsay_err door_put(struct door *door, struct hearsay_bytes key, struct hearsay_bytes value, uint64_t ttl_ms, uint32_t copies,
                     uint32_t *ticket);
hearsay_err door_delete(struct door *door, struct hearsay_bytes key, uint32_t copies, uint32_t *ticket);
hearsay_err door_repair(struct door *door, const char *member, uint32_t *ticket);
hearsay_err door_store_tune(struct door *door, enum hearsay_store_mode mode, uint32_t fanout, uint32_t interval_ms);
hearsay_err door_remember(struct door *door, const char *name, const struct hearsay_address *address);

#endif
