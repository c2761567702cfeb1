/* SPDX-License-Identifier: MIT
 *
 * The wishes of hearsay_uv.h: through the door, so that they are stamped, on tape and carried out.
 */
#include "driver.h"

void hearsay_uv_join(struct hearsay_uv *uv, const char *const *peers, size_t count, bool replay, hearsay_uv_joined done, void *user)
{
    if (!uv->door.is_stopping) {
        joins_begin(&uv->joins, peers, count, replay, done, user);
    } else if (done != NULL) {
        done(uv, 0, "cannot join: the node was stopped", user);
    }
}

void hearsay_uv_retry_join(struct hearsay_uv *uv, uint32_t retry_join_ms)
{
    uv->joins.retry_ms = retry_join_ms;
}

hearsay_err hearsay_uv_leave(struct hearsay_uv *uv)
{
    return door_leave(&uv->door);
}

hearsay_err hearsay_uv_force_leave(struct hearsay_uv *uv, const char *name, bool prune)
{
    return door_force_leave(&uv->door, name, prune);
}

hearsay_err hearsay_uv_send_event(struct hearsay_uv *uv, const char *name, const void *payload, size_t size, bool coalesce)
{
    return door_send_event(&uv->door, name, payload, size, coalesce);
}

bool hearsay_uv_judge_event(struct hearsay_uv *uv, uint64_t id, bool relay)
{
    return door_judge_event(&uv->door, id, relay);
}

hearsay_err hearsay_uv_send_large_event(struct hearsay_uv *uv, const char *name, const void *payload, size_t size)
{
    return door_send_large_event(&uv->door, name, payload, size);
}

hearsay_err hearsay_uv_broadcast(struct hearsay_uv *uv, const void *data, size_t size)
{
    return door_broadcast(&uv->door, data, size);
}

hearsay_err hearsay_uv_set_tags(struct hearsay_uv *uv, const struct hearsay_tag *tags, size_t count)
{
    return door_set_tags(&uv->door, tags, count);
}

hearsay_err hearsay_uv_set_meta(struct hearsay_uv *uv, struct hearsay_bytes meta)
{
    return door_set_meta(&uv->door, meta);
}

hearsay_err hearsay_uv_remember(struct hearsay_uv *uv, const char *name, const struct hearsay_address *address)
{
    return door_remember(&uv->door, name, address);
}

hearsay_err hearsay_uv_query(struct hearsay_uv *uv, const struct hearsay_question *question, uint32_t *ticket)
{
    return door_query(&uv->door, question, ticket);
}

hearsay_err hearsay_uv_respond(struct hearsay_uv *uv, uint64_t query, const void *payload, size_t size)
{
    return door_respond(&uv->door, query, payload, size);
}

hearsay_err hearsay_uv_query_keys(struct hearsay_uv *uv, enum hearsay_key_wish wish, const struct hearsay_key *key, uint8_t relay_factor,
                                  uint32_t *ticket)
{
    return door_query_keys(&uv->door, wish, key, relay_factor, ticket);
}

hearsay_err hearsay_uv_keyring_kept(struct hearsay_uv *uv, uint64_t query, const char *problem)
{
    return door_keyring_kept(&uv->door, query, problem);
}

hearsay_err hearsay_uv_put(struct hearsay_uv *uv, struct hearsay_bytes key, struct hearsay_bytes value, uint64_t ttl_ms, uint32_t copies,
                           uint32_t *ticket)
{
    return door_put(&uv->door, key, value, ttl_ms, copies, ticket);
}

hearsay_err hearsay_uv_delete(struct hearsay_uv *uv, struct hearsay_bytes key, uint32_t copies, uint32_t *ticket)
{
    return door_delete(&uv->door, key, copies, ticket);
}

hearsay_err hearsay_uv_repair(struct hearsay_uv *uv, const char *member, uint32_t *ticket)
{
    return door_repair(&uv->door, member, ticket);
}

hearsay_err hearsay_uv_store_tune(struct hearsay_uv *uv, enum hearsay_store_mode mode, uint32_t fanout, uint32_t interval_ms)
{
    return door_store_tune(&uv->door, mode, fanout, interval_ms);
}

hearsay_err hearsay_uv_store_load(struct hearsay_uv *uv, const struct hearsay_entry *entry)
{
    return door_store_load(&uv->door, entry);
}

hearsay_err hearsay_uv_store_load_meeting(struct hearsay_uv *uv, const struct hearsay_meeting *meeting)
{
    return door_store_load_meeting(&uv->door, meeting);
}

void hearsay_uv_persisted(struct hearsay_uv *uv, uint64_t batch, bool ok)
{
    if (!uv->door.is_stopping) {
        door_persisted(&uv->door, batch, ok);
    }
}
