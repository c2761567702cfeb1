/* SPDX-License-Identifier: MIT
 *
 * See door.h.
 */
#include "door.h"

uint64_t door_now(void)
{
    return uv_hrtime() / 1000;
}

void door_release(struct door *door)
{
    if (--door->holds == 0) {
        door->released(door->owner);
    }
}

void door_packet(struct door *door, const struct hearsay_address *from, const void *data, size_t size)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_PACKET, now);
        tape_address(door->tape, from);
        tape_bytes(door->tape, data, size);
    }
    hearsay_receive_packet(door->node, now, from, data, size);
    door->settle(door->owner);
}

uint32_t door_accepted(struct door *door, const struct hearsay_address *from)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_ACCEPTED, now);
        tape_address(door->tape, from);
    }
    return hearsay_stream_accepted(door->node, now, from);
}

void door_connected(struct door *door, uint32_t stream)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_CONNECTED, now);
        tape_number(door->tape, stream);
    }
    hearsay_stream_connected(door->node, now, stream);
    door->settle(door->owner);
}

void door_stream(struct door *door, uint32_t stream, const void *data, size_t size)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_STREAM, now);
        tape_number(door->tape, stream);
        tape_bytes(door->tape, data, size);
    }
    hearsay_receive_stream(door->node, now, stream, data, size);
    door->settle(door->owner);
}

void door_closed(struct door *door, uint32_t stream, enum hearsay_close how)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_CLOSED, now);
        tape_number(door->tape, stream);
        tape_number(door->tape, how);
    }
    hearsay_stream_closed(door->node, now, stream, how);
    door->settle(door->owner);
}

void door_tick(struct door *door)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_TICK, now);
        tape_save(door->tape, now);
    }
    hearsay_tick(door->node, now);
    door->settle(door->owner);
}

#define CLOCK_US 5000000u

void door_tell_clock(struct door *door)
{
    uv_timeval64_t wall;
    uint64_t now = door_now();
    if (now < door->clock_due || uv_gettimeofday(&wall) != 0) {
        return;
    }
    uint64_t unix_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_usec / 1000;
    door->clock_due = now + CLOCK_US;
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_CLOCK, now);
        tape_number(door->tape, unix_ms);
    }
    hearsay_set_wall_clock(door->node, now, unix_ms);
}

void door_persisted(struct door *door, uint64_t batch, bool ok)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_PERSISTED, now);
        tape_number(door->tape, batch);
        tape_number(door->tape, ok);
    }
    hearsay_persisted(door->node, now, batch, ok);
    door->settle(door->owner);
}

hearsay_err door_store_load(struct door *door, const struct hearsay_entry *entry)
{
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_LOAD, door_now());
        tape_bytes(door->tape, entry->key.data, entry->key.size);
        tape_bytes(door->tape, entry->value.data, entry->value.size);
        tape_number(door->tape, entry->version.hlc);
        tape_number(door->tape, entry->version.origin);
        tape_number(door->tape, entry->expires_hlc);
        tape_number(door->tape, entry->is_tombstone);
    }
    return hearsay_store_load(door->node, entry);
}

hearsay_err door_store_load_meeting(struct door *door, const struct hearsay_meeting *meeting)
{
    uint64_t now = door_now();
    door_tell_clock(door);
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_MEETING, now);
        tape_number(door->tape, meeting->member);
        tape_number(door->tape, meeting->epoch);
        tape_number(door->tape, meeting->seen_ms);
    }
    return hearsay_store_load_meeting(door->node, now, meeting);
}

hearsay_err door_put(struct door *door, struct hearsay_bytes key, struct hearsay_bytes value, uint64_t ttl_ms, uint32_t copies,
                     uint32_t *ticket)
{
    uint64_t now = door_now();
    door_tell_clock(door);
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_PUT, now);
        tape_bytes(door->tape, key.data, key.size);
        tape_bytes(door->tape, value.data, value.size);
        tape_number(door->tape, ttl_ms);
        tape_number(door->tape, copies);
    }
    return hearsay_put(door->node, now, key, value, ttl_ms, copies, ticket);
}

hearsay_err door_delete(struct door *door, struct hearsay_bytes key, uint32_t copies, uint32_t *ticket)
{
    uint64_t now = door_now();
    door_tell_clock(door);
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_DELETE, now);
        tape_bytes(door->tape, key.data, key.size);
        tape_number(door->tape, copies);
    }
    return hearsay_delete(door->node, now, key, copies, ticket);
}

static hearsay_err settled(struct door *door, hearsay_err err)
{
    door->settle(door->owner);
    return err;
}

hearsay_err door_repair(struct door *door, const char *member, uint32_t *ticket)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_REPAIR, now);
        tape_text(door->tape, member);
    }
    return hearsay_repair(door->node, now, member, ticket);
}

hearsay_err door_store_tune(struct door *door, enum hearsay_store_mode mode, uint32_t fanout, uint32_t interval_ms)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_TUNE, now);
        tape_number(door->tape, mode);
        tape_number(door->tape, fanout);
        tape_number(door->tape, interval_ms);
    }
    return settled(door, hearsay_store_tune(door->node, now, mode, fanout, interval_ms));
}

hearsay_err door_join(struct door *door, const struct hearsay_target *targets, size_t count, bool replay, uint32_t *ticket)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_JOIN, now);
        tape_number(door->tape, replay);
        tape_number(door->tape, count);
        for (size_t i = 0; i < count; i++) {
            tape_address(door->tape, &targets[i].address);
            tape_text(door->tape, targets[i].name);
        }
    }
    return hearsay_join(door->node, now, targets, count, replay, ticket);
}

hearsay_err door_leave(struct door *door)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_LEAVE, now);
    }
    return settled(door, hearsay_leave(door->node, now));
}

hearsay_err door_force_leave(struct door *door, const char *name, bool prune)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_FORCE_LEAVE, now);
        tape_text(door->tape, name);
        tape_number(door->tape, prune);
    }
    return settled(door, hearsay_force_leave(door->node, now, name, prune));
}

hearsay_err door_send_event(struct door *door, const char *name, const void *payload, size_t size, bool coalesce)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_EVENT, now);
        tape_text(door->tape, name);
        tape_bytes(door->tape, payload, size);
        tape_number(door->tape, coalesce);
    }
    return settled(door, hearsay_send_event(door->node, now, name, payload, size, coalesce));
}

hearsay_err door_broadcast(struct door *door, const void *data, size_t size)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_BROADCAST, now);
        tape_bytes(door->tape, data, size);
    }
    return settled(door, hearsay_broadcast(door->node, now, data, size));
}

hearsay_err door_set_tags(struct door *door, const struct hearsay_tag *tags, size_t count)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_TAGS, now);
        tape_tags(door->tape, tags, count);
    }
    return settled(door, hearsay_set_tags(door->node, now, tags, count));
}

hearsay_err door_set_meta(struct door *door, struct hearsay_bytes meta)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_META, now);
        tape_bytes(door->tape, meta.data, meta.size);
    }
    return settled(door, hearsay_set_meta(door->node, now, meta));
}

hearsay_err door_remember(struct door *door, const char *name, const struct hearsay_address *address)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_REMEMBER, now);
        tape_text(door->tape, name);
        tape_address(door->tape, address);
    }
    return settled(door, hearsay_remember(door->node, now, name, address));
}

hearsay_err door_query(struct door *door, const struct hearsay_question *q, uint32_t *ticket)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_QUERY, now);
        tape_text(door->tape, q->name);
        tape_bytes(door->tape, q->payload.data, q->payload.size);
        tape_number(door->tape, q->wants_acks);
        tape_number(door->tape, q->relay_factor);
        tape_number(door->tape, q->timeout_us);
        tape_tags(door->tape, q->tags, q->tag_count);
        tape_number(door->tape, q->node_count);
        for (size_t i = 0; i < q->node_count; i++) {
            tape_text(door->tape, q->nodes[i]);
        }
    }
    return settled(door, hearsay_query(door->node, now, q, ticket));
}

hearsay_err door_respond(struct door *door, uint64_t query, const void *payload, size_t size)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_RESPOND, now);
        tape_number(door->tape, query);
        tape_bytes(door->tape, payload, size);
    }
    return settled(door, hearsay_respond(door->node, now, query, payload, size));
}

hearsay_err door_query_keys(struct door *door, enum hearsay_key_wish wish, const struct hearsay_key *key, uint8_t relay_factor,
                            uint32_t *ticket)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_KEYS, now);
        tape_number(door->tape, wish);
        tape_number(door->tape, relay_factor);
        tape_key(door->tape, wish == HEARSAY_KEYS_LIST ? NULL : key);
    }
    return settled(door, hearsay_query_keys(door->node, now, wish, key, relay_factor, ticket));
}

hearsay_err door_keyring_kept(struct door *door, uint64_t query, const char *problem)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_KEPT, now);
        tape_number(door->tape, query);
        tape_text(door->tape, problem);
    }
    return settled(door, hearsay_keyring_kept(door->node, now, query, problem));
}

bool door_judge_event(struct door *door, uint64_t id, bool relay)
{
    uint64_t now = door_now();
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_JUDGE, now);
        tape_number(door->tape, id);
        tape_number(door->tape, relay);
    }
    bool is_known = hearsay_judge_event(door->node, now, id, relay);
    door->settle(door->owner);
    return is_known;
}

hearsay_err door_send_large_event(struct door *door, const char *name, const void *payload, size_t size)
{
    uint64_t now = door_now();
    door_tell_clock(door);
    if (door->tape != NULL) {
        tape_record(door->tape, TAPE_LARGE_EVENT, now);
        tape_text(door->tape, name);
        tape_bytes(door->tape, payload, size);
    }
    return settled(door, hearsay_send_large_event(door->node, now, name, payload, size));
}
