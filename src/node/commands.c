/* SPDX-License-Identifier: MIT
 *
 * The user's wishes and the world's stream inputs: checks at the door, then one call to the part that does it.
 */
#include "node/node.h"

static bool is_name(const char *name)
{
    size_t size = name == NULL ? 0 : strlen(name);
    return size > 0 && size <= HEARSAY_NAME_MAX;
}

static bool is_address(const struct hearsay_address *a)
{
    return (a->size == 4 || a->size == 16) && a->port != 0;
}

/* ---- streams ------------------------------------------------------------------------------------------------------------------- */

uint32_t hearsay_stream_accepted(struct hearsay_node *node, uint64_t now, const struct hearsay_address *from)
{
    struct turn *turn = node_begin(node, now);
    uint32_t id = streams_accept(node, turn, from);
    node_end(node);
    return id;
}

void hearsay_stream_connected(struct hearsay_node *node, uint64_t now, uint32_t stream)
{
    streams_on_connected(node, node_begin(node, now), stream);
    node_end(node);
}

void hearsay_receive_stream(struct hearsay_node *node, uint64_t now, uint32_t stream, const void *data, size_t size)
{
    streams_on_bytes(node, node_begin(node, now), stream, bytes_of(data, size));
    node_end(node);
}

void hearsay_stream_closed(struct hearsay_node *node, uint64_t now, uint32_t stream, enum hearsay_close how)
{
    streams_on_closed(node, node_begin(node, now), stream, how);
    node_end(node);
}

/* ---- membership ---------------------------------------------------------------------------------------------------------------- */

hearsay_err hearsay_join(struct hearsay_node *node, uint64_t now, const struct hearsay_target *targets, size_t count, bool replay,
                         uint32_t *ticket)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_address(&targets[i].address)) {
            return HEARSAY_ERR_ADDRESS;
        }
    }
    if (node->leave.stage != LEAVE_NOT) {
        return HEARSAY_ERR_LEFT;
    }
    hearsay_err err = streams_join(node, node_begin(node, now), targets, count, replay, ticket);
    node_end(node);
    return err;
}

hearsay_err hearsay_leave(struct hearsay_node *node, uint64_t now)
{
    if (node->leave.stage != LEAVE_NOT) {
        return HEARSAY_ERR_LEFT;
    }
    leave_start(node, node_begin(node, now));
    node_end(node);
    return HEARSAY_OK;
}

hearsay_err hearsay_force_leave(struct hearsay_node *node, uint64_t now, const char *name, bool prune)
{
    if (!is_name(name)) {
        return HEARSAY_ERR_NAME;
    }
    if (node->options.personality != HEARSAY_SERF) {
        return HEARSAY_ERR_PERSONALITY;
    }
    struct turn *turn = node_begin(node, now);
    struct presence *p = &node->serf.presence;
    struct serf_intent intent = {.ltime = p->clock.time, .node = bytes_of_string(name), .prune = prune};
    struct hearsay_member view;
    bool is_known = hearsay_find_member(node, name, &view);
    presence_tell_intent(p, turn, true, intent.node, prune, 0);
    (void)presence_on_intent(p, &node->beliefs, turn, true, &intent);
    node_end(node);
    return is_known ? HEARSAY_OK : HEARSAY_ERR_UNKNOWN_MEMBER;
}

hearsay_err hearsay_remember(struct hearsay_node *node, uint64_t now, const char *name, const struct hearsay_address *address)
{
    static const uint8_t none[6];
    if (!is_name(name)) {
        return HEARSAY_ERR_NAME;
    }
    if (!is_address(address)) {
        return HEARSAY_ERR_ADDRESS;
    }
    struct turn *turn = node_begin(node, now);
    struct members *m = &node->beliefs.members;
    if (members_find(m, bytes_of_string(name)) != MEMBERS_NONE) {
        return HEARSAY_OK;
    }
    uint32_t slot = members_add(m, turn, bytes_of_string(name), address, bytes_of(NULL, 0), none);
    if (slot == MEMBERS_NONE) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    members_at(m, slot)->is_remembered = true;
    rejoin_on_failure(&node->rejoin, &node->beliefs, turn);
    node_end(node);
    return HEARSAY_OK;
}

/* ---- what we tell ------------------------------------------------------------------------------------------------------------------ */

hearsay_err hearsay_send_event(struct hearsay_node *node, uint64_t now, const char *name, const void *payload, size_t size, bool coalesce)
{
    if (node->options.personality != HEARSAY_SERF) {
        return HEARSAY_ERR_PERSONALITY;
    }
    if (name == NULL) {
        return HEARSAY_ERR_NAME;
    }
    struct hearsay_bytes bytes = size == 0 ? bytes_of(NULL, 0) : bytes_of(payload, size);
    hearsay_err err = events_send(&node->serf.events, node_begin(node, now), bytes_of_string(name), bytes, coalesce);
    node_end(node);
    return err;
}

hearsay_err hearsay_broadcast(struct hearsay_node *node, uint64_t now, const void *data, size_t size)
{
    if (node->options.personality != HEARSAY_MEMBERLIST) {
        return HEARSAY_ERR_PERSONALITY;
    }
    if (size == 0 || size + 3 + envelope_overhead(&node->envelope) + 2 > node->options.packet_bytes_max) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    receive_user(node, node_begin(node, now), bytes_of(data, size), NULL);
    node_end(node);
    return HEARSAY_OK;
}

static hearsay_err change_meta(struct hearsay_node *node, uint64_t now, struct hearsay_bytes meta)
{
    struct members *m = &node->beliefs.members;
    const struct identity *self = members_at(m, m->self)->identity;
    if (node->leave.stage != LEAVE_NOT) {
        return HEARSAY_ERR_LEFT; /* the news would bring us back to life */
    }
    uint8_t versions[6];
    memcpy(versions, self->versions, sizeof versions);
    struct hearsay_address address = self->address;
    struct turn *turn = node_begin(node, now);
    if (!members_change_identity(m, turn, m->self, &address, meta, versions)) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_SELF};
    claims_announce_self(&node->beliefs, turn);
    members_report(m, turn, m->self, MEMBERS_UPDATED, &cause);
    node_end(node);
    return HEARSAY_OK;
}

hearsay_err hearsay_set_tags(struct hearsay_node *node, uint64_t now, const struct hearsay_tag *tags, size_t count)
{
    uint8_t bytes[HEARSAY_META_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (node->options.personality != HEARSAY_SERF) {
        return HEARSAY_ERR_PERSONALITY;
    }
    serf_tags_encode(&w, tags, count);
    return w.is_full ? HEARSAY_ERR_TOO_LARGE : change_meta(node, now, writer_bytes(&w));
}

hearsay_err hearsay_set_meta(struct hearsay_node *node, uint64_t now, struct hearsay_bytes meta)
{
    if (node->options.personality != HEARSAY_MEMBERLIST) {
        return HEARSAY_ERR_PERSONALITY;
    }
    return meta.size > HEARSAY_META_MAX ? HEARSAY_ERR_TOO_LARGE : change_meta(node, now, meta);
}

/* ---- keys ---------------------------------------------------------------------------------------------------------------------------- */

hearsay_err hearsay_key_install(struct hearsay_node *node, const struct hearsay_key *key)
{
    return keyring_install(&node->keyring, key);
}

hearsay_err hearsay_key_use(struct hearsay_node *node, const struct hearsay_key *key)
{
    return keyring_use(&node->keyring, key);
}

hearsay_err hearsay_key_remove(struct hearsay_node *node, const struct hearsay_key *key)
{
    return keyring_remove(&node->keyring, key);
}
