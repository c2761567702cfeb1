/* SPDX-License-Identifier: MIT
 *
 * See warm.h. Everything goes through the public door, in the bytes of real exchanges: a scribe, which is a node called n1 at n1's address that is
 * never put into the world, is told by each node about that node alone (the answer to an inspection), and then its own answer to an inspection
 * is what every node hears, as from n1. A node that is alone and hears a long list tells nobody of it (see is_newcomer in src/node/answers.c);
 * what each has to tell of itself everybody knows already, so that no flood follows.
 */
#include "sim/warm.h"

#include "base/check.h"

#include <hearsay/inspect.h>

#include <stdlib.h>
#include <string.h>

#define WARM_SETTLE_US 60000000u
#define WARM_LOOK_US 100000u
#define WARM_LABEL_TYPE 244 /* who opens a stream says its label first */

struct warm {
    struct cluster *cluster;
    struct hearsay_node *scribe;
    struct hearsay_address place; /* of n1 */
    struct hearsay_bytes request;
    uint8_t *said;                /* by the node that was asked last, as an opener of a stream would have said it */
    size_t size, capacity;
};

static void say(struct warm *warm, const void *data, size_t size)
{
    if (warm->size + size > warm->capacity) {
        warm->capacity = (warm->size + size) * 2;
        warm->said = world_resize(warm->said, warm->capacity);
    }
    memcpy(warm->said + warm->size, data, size);
    warm->size += size;
}

/* What this node answers to who only asks. */
static bool ask(struct warm *warm, struct hearsay_node *node)
{
    const char *label = warm->cluster->options.node.label;
    struct hearsay_output output = {0};
    uint64_t now = warm->cluster->world->now;
    uint32_t stream = hearsay_stream_accepted(node, now, &warm->place);
    warm->size = 0;
    if (label != NULL && label[0] != 0) {
        uint8_t head[2] = {WARM_LABEL_TYPE, (uint8_t)strlen(label)};
        say(warm, head, sizeof head);
        say(warm, label, head[1]);
    }
    size_t head_size = warm->size;
    hearsay_receive_stream(node, now, stream, warm->request.data, warm->request.size);
    while (hearsay_next_output(node, &output)) {
        if (output.type == HEARSAY_SEND_STREAM && output.stream == stream) {
            say(warm, output.bytes.data, output.bytes.size);
        }
    }
    return warm->size > head_size;
}

static void tell(struct warm *warm, struct hearsay_node *node)
{
    uint64_t now = warm->cluster->world->now;
    uint32_t stream = hearsay_stream_accepted(node, now, &warm->place);
    hearsay_receive_stream(node, now, stream, warm->said, warm->size);
}

static void forget_outputs(struct hearsay_node *node)
{
    struct hearsay_output output = {0};
    while (hearsay_next_output(node, &output)) {
    }
}

static struct hearsay_node *create_scribe(const struct warm *warm)
{
    struct hearsay_options options = warm->cluster->options.node;
    const struct host *first = warm->cluster->seats[0]->host;
    options.name = first->name;
    options.advertise = warm->place;
    options.seed = 0;
    options.pool = warm->cluster->world->pool;
    options.allocator.resize = NULL;
    return hearsay_create(&options, warm->cluster->world->now, NULL);
}

static bool exchange(struct warm *warm)
{
    struct cluster *cluster = warm->cluster;
    for (uint32_t i = 1; i < cluster->count; i++) {
        if (!ask(warm, cluster->seats[i]->host->node)) {
            return false;
        }
        tell(warm, warm->scribe);
        forget_outputs(warm->scribe);
    }
    if (!ask(warm, warm->scribe)) {
        return false;
    }
    for (uint32_t i = 0; i < cluster->count; i++) {
        struct seat *seat = cluster->seats[i];
        tell(warm, seat->host->node);
        host_drain(seat->host);
        if (!cluster_is_right_at(seat, cluster->count)) {
            return false;
        }
    }
    return true;
}

static bool has_news(const struct cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->count; i++) {
        if (hearsay_rumors_waiting(cluster->seats[i]->host->node) > 0) {
            return true;
        }
    }
    return false;
}

/* Until each has told of itself, and in a small cluster of the others, as often as it has to. */
static void settle(struct cluster *cluster)
{
    uint64_t until = cluster->world->now + WARM_SETTLE_US;
    while (has_news(cluster) && cluster->world->now < until) {
        world_run(cluster->world, cluster->world->now + WARM_LOOK_US);
    }
}

bool warm_start(struct cluster *cluster, uint32_t count)
{
    struct warm warm = {.cluster = cluster};
    struct hearsay_inspect_options options = {.label = cluster->options.node.label, .key_count = cluster->options.node.key_count,
                                              .cipher = cluster->options.node.cipher};
    CHECK(count > 0 && cluster->count == 0);
    memcpy(options.keys, cluster->options.node.keys, sizeof options.keys);
    cluster_place(cluster, count);
    warm.place = world_address(cluster->seats[0]->host->place);
    struct hearsay_inspection *inspection = hearsay_inspect_create(&options);
    warm.scribe = create_scribe(&warm);
    bool is_done = false;
    if (inspection != NULL && warm.scribe != NULL) {
        warm.request = hearsay_inspect_request(inspection);
        is_done = exchange(&warm);
    }
    if (is_done) {
        settle(cluster);
    }
    hearsay_destroy(warm.scribe);
    hearsay_inspect_destroy(inspection);
    free(warm.said);
    return is_done;
}
