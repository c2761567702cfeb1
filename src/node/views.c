/* SPDX-License-Identifier: MIT
 *
 * What users may look at without changing anything: members, tags, counters, figures, the flight recorder.
 */
#include "node/node.h"

#include "wire/msgpack.h"

bool hearsay_next_member(const struct hearsay_node *node, size_t *position, struct hearsay_member *member)
{
    const struct members *m = &node->beliefs.members;
    if (*position == 0) {
        *position = 1;
        return presence_view(&node->beliefs, m->self, member);
    }
    while (*position - 1 < m->used) {
        uint32_t slot = (uint32_t)(*position)++ - 1;
        if (slot != m->self && presence_view(&node->beliefs, slot, member)) {
            return true;
        }
    }
    return false;
}

bool hearsay_find_member(const struct hearsay_node *node, const char *name, struct hearsay_member *member)
{
    uint32_t slot = members_find(&node->beliefs.members, bytes_of_string(name));
    return slot != MEMBERS_NONE && presence_view(&node->beliefs, slot, member);
}

bool hearsay_next_tag(const struct hearsay_member *member, size_t *position, struct hearsay_bytes *key, struct hearsay_bytes *value)
{
    struct reader r;
    uint32_t count;
    if (member->meta.size == 0) {
        return false;
    }
    if (!serf_tags_begin(member->meta, &r, &count)) { /* before protocol 3 the whole meta was the role */
        *key = bytes_of_string("role");
        *value = member->meta;
        return (*position)++ == 0;
    }
    if (*position >= count) {
        return false;
    }
    for (size_t i = 0; i <= *position; i++) {
        *key = msgpack_get_raw(&r);
        *value = msgpack_get_raw(&r);
    }
    ++*position;
    return !r.is_bad;
}

bool hearsay_get_coordinate(const struct hearsay_node *node, const char *name, struct hearsay_coordinate *coordinate)
{
    const struct members *m = &node->beliefs.members;
    if (!node->coordinates.is_on) {
        return false;
    }
    if (bytes_equal(bytes_of_string(name), pool_name(members_at(m, m->self)->identity))) {
        *coordinate = node->coordinates.own;
        return true;
    }
    return coordinates_of(&node->coordinates, bytes_of_string(name), coordinate);
}

double hearsay_round_trip(const struct hearsay_coordinate *a, const struct hearsay_coordinate *b)
{
    return coordinates_distance(a, b);
}

bool hearsay_key_at(const struct hearsay_node *node, size_t index, struct hearsay_key *key)
{
    bool is_there = index < node->envelope.key_count;
    if (is_there) {
        *key = node->envelope.keys[index];
    }
    return is_there;
}

const struct hearsay_counters *hearsay_counters(const struct hearsay_node *node)
{
    return &node->counters;
}

void hearsay_get_stats(const struct hearsay_node *node, struct hearsay_stats *stats)
{
    *stats = (struct hearsay_stats){.health_score = node->beliefs.health.score,
                                    .member_time = node->serf.presence.clock.time,
                                    .event_time = node->serf.events.clock.time,
                                    .query_time = node->serf.queries.clock.time,
                                    .member_queue = node->rumors.queues[RUMOR_MEMBER].count,
                                    .intent_queue = node->rumors.queues[RUMOR_INTENT].count,
                                    .event_queue = node->rumors.queues[RUMOR_EVENT].count,
                                    .query_queue = node->rumors.queues[RUMOR_QUERY].count,
                                    .streams = node->streams.open_in + node->streams.open_out,
                                    .coordinate_resets = node->coordinates.resets,
                                    .sealed = node->keyring.sealed[0],
                                    .is_encrypted = node->envelope.key_count > 0,
                                    .is_leaving = node->leave.stage != LEAVE_NOT};
    for (uint32_t slot = 0; slot < node->beliefs.members.used; slot++) {
        enum hearsay_status status = presence_status(&node->beliefs, slot);
        stats->members += status != HEARSAY_NONE;
        stats->alive += status == HEARSAY_ALIVE || status == HEARSAY_LEAVING;
        stats->suspect += status == HEARSAY_SUSPECT;
        stats->failed += status == HEARSAY_FAILED;
        stats->left += status == HEARSAY_LEFT;
    }
}

uint32_t hearsay_rumors_waiting(const struct hearsay_node *node)
{
    return rumors_count(&node->rumors);
}

bool hearsay_next_record(const struct hearsay_node *node, size_t *position, struct hearsay_record *record)
{
    return recorder_next(&node->recorder, position, record);
}
