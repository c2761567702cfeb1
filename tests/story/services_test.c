/* SPDX-License-Identifier: MIT
 *
 * Services in the shared store, joined with the membership: who owns them writes them, who fails or leaves is unhealthy at once, whoever
 * lies about another's is refused and refuted. One story looks inside a node to make it lie: the public door would refuse.
 */
#include "../lib/story.h"

#include "node/node.h"
#include <hearsay/services.h>

#include <stdio.h>
#include <string.h>

static void with_store(struct story *c, struct hearsay_options *o, unsigned number)
{
    (void)c;
    (void)number;
    o->store = 1;
    o->store_secret[0] = 7;
}

static void start_with_store(struct story *c, unsigned count)
{
    start_with(c, count, with_store);
    advance(c, seconds(3)); /* they learn who holds the store */
}

static const char *name_of(struct story *c, nodes who)
{
    struct hearsay_member self;
    size_t first = 0;
    return hearsay_next_member(host_of(c, who)->node, &first, &self) ? self.name : "";
}

static void offer(struct story *c, nodes who, const char *id, const char *name, enum hearsay_service_state state)
{
    struct host *host = host_of(c, who);
    uint8_t key[HEARSAY_KEY_MAX], value[HEARSAY_SERVICE_VALUE_MAX];
    static const char *const tags[] = {"v1", "Blue"};
    struct hearsay_service_definition d = {.name = name, .id = id, .address.port = 80, .tags = tags, .tag_count = 2, .state = state};
    size_t key_size = hearsay_service_key(name_of(c, who), id, key), value_size = hearsay_service_value(&d, value);
    expect(c, key_size > 0 && value_size > 0, "%s can be written", id);
    hearsay_err err = hearsay_put(host->node, host_now(host), bytes_of(key, key_size), bytes_of(value, value_size), 0, 1, NULL);
    expect(c, err == HEARSAY_OK, "%s may offer %s: %s", name_of(c, who), id, hearsay_err_text(err));
    host_drain(host);
}

struct seen {
    unsigned count, healthy;
    char ids[64][160]; /* NODE/ID, as shown */
};

static bool see(void *context, const struct hearsay_service *s)
{
    struct seen *seen = context;
    snprintf(seen->ids[seen->count++ % 64], sizeof seen->ids[0], "%s/%.*s", s->node, (int)s->id.size, (const char *)s->id.data);
    seen->healthy += s->is_healthy;
    return true;
}

/* A catalog made just now must say the same as one that followed every event; stories have no place for the latter, so it is the former. */
static struct seen look(struct story *c, nodes who, const char *name, bool is_healthy_only)
{
    struct host *host = host_of(c, who);
    struct seen seen = {.count = 0};
    struct hearsay_services *services = hearsay_services_create(host->node, NULL);
    struct hearsay_services_query query = {.name = bytes_of_string(name), .is_healthy_only = is_healthy_only};
    (void)hearsay_services_find(services, host_now(host), &query, see, &seen);
    hearsay_services_destroy(services);
    return seen;
}

static void expect_count_within(struct story *c, span time, nodes who, const char *name, bool is_healthy_only, unsigned count)
{
    span began = time_of(c);
    while (look(c, who, name, is_healthy_only).count != count && time_of(c) - began < time) {
        advance(c, ms(5));
    }
    struct seen seen = look(c, who, name, is_healthy_only);
    expect(c, seen.count == count, "%u of %s are shown, not %u", count, name, seen.count);
}

STORY(a_service_is_known_everywhere_and_unhealthy_as_soon_as_its_node_is)
{
    start_with_store(c, 5);
    offer(c, n2, "web", "web", HEARSAY_SERVICE_PASSING);
    offer(c, n3, "web", "web", HEARSAY_SERVICE_WARNING); /* two nodes, one id: two instances */
    offer(c, n4, "web", "web", HEARSAY_SERVICE_CRITICAL);
    for (unsigned i = 1; i <= 5; i++) {
        expect_count_within(c, seconds(2), n(i), "web", false, 3);
        expect_count_within(c, seconds(2), n(i), "web", true, 2);
    }
    crash(c, n2);
    expect_count_within(c, seconds(60), n1, "web", true, 1);
    expect_sees(c, n1, n2, DEAD);
    expect_count_within(c, ms(0), n1, "web", false, 3); /* it is still shown, as unhealthy */
    leave(c, n3);
    expect_count_within(c, seconds(20), n1, "web", true, 0);
    restart(c, n2);
    join(c, n2, n1);
    expect_count_within(c, seconds(60), n1, "web", true, 1);
}

STORY(only_its_node_writes_a_service)
{
    start_with_store(c, 3);
    offer(c, n1, "db", "db", HEARSAY_SERVICE_PASSING);
    expect_count_within(c, seconds(2), n2, "db", true, 1);
    struct host *host = host_of(c, n2);
    uint8_t key[HEARSAY_KEY_MAX];
    size_t size = hearsay_service_key(name_of(c, n1), "db", key);
    hearsay_err err = hearsay_put(host->node, host_now(host), bytes_of(key, size), bytes_of_string("x"), 0, 1, NULL);
    expect(c, err == HEARSAY_ERR_RESERVED, "n2 may not write for n1: %s", hearsay_err_text(err));
    err = hearsay_delete(host->node, host_now(host), bytes_of(key, size), 1, NULL);
    expect(c, err == HEARSAY_ERR_RESERVED, "n2 may not delete for n1, who is there: %s", hearsay_err_text(err));
    err = hearsay_put(host->node, host_now(host), bytes_of_string("_service/"), bytes_of_string("x"), 0, 1, NULL);
    expect(c, err == HEARSAY_ERR_RESERVED, "nobody writes a key without node and id");
    crash(c, n1);
    (void)expect_sees_within(c, seconds(60), n2 | n3, n1, DEAD);
    err = hearsay_delete(host->node, host_now(host), bytes_of(key, size), 1, NULL);
    expect(c, err == HEARSAY_OK, "n2 may tidy up behind n1, who is gone: %s", hearsay_err_text(err));
    host_drain(host);
    expect_count_within(c, seconds(5), n3, "db", false, 0);
}

/* Past the public door, as a node of evil mind would. */
static void lie(struct story *c, nodes liar, nodes about, const char *id, bool is_delete)
{
    struct host *host = host_of(c, liar);
    uint8_t key[HEARSAY_KEY_MAX], value[HEARSAY_SERVICE_VALUE_MAX];
    struct hearsay_service_definition d = {.name = "db", .id = id, .state = HEARSAY_SERVICE_CRITICAL};
    struct hearsay_entry entry = {.is_tombstone = is_delete};
    entry.key = bytes_of(key, hearsay_service_key(name_of(c, about), id, key));
    entry.value = bytes_of(value, is_delete ? 0 : hearsay_service_value(&d, value));
    struct turn *turn = node_begin(host->node, host_now(host));
    hearsay_err err = sync_put(host->node->sync, turn, &entry, 0, 1, NULL);
    node_end(host->node);
    host_drain(host);
    expect(c, err == HEARSAY_OK, "the lie is told");
}

STORY(who_lies_about_anothers_service_is_refused_and_refuted)
{
    start_with_store(c, 4);
    offer(c, n1, "db", "db", HEARSAY_SERVICE_PASSING);
    for (unsigned i = 1; i <= 4; i++) {
        expect_count_within(c, seconds(2), n(i), "db", true, 1);
    }
    for (int kind = 0; kind < 2; kind++) {
        lie(c, n4, n1, "db", kind == 1);
        for (span until = time_of(c) + seconds(30); time_of(c) < until;) {
            for (unsigned i = 1; i <= 3; i++) {
                expect(c, look(c, n(i), "db", true).healthy == 1, "n%u does not believe it", i);
            }
            advance(c, ms(100));
        }
        expect_count_within(c, ms(0), n4, "db", true, 1); /* even the liar was taught better */
        expect(c, counters_of(c, n1)->drop_entry_foreign > 0, "the lie was counted");
    }
    lie(c, n4, n1, "invented", false);
    expect_count_within(c, seconds(60), n4, "db", false, 1);
    expect_count_within(c, ms(0), n2, "db", false, 1);
    uint64_t before = counters_of(c, n1)->drop_entry_foreign + counters_of(c, n2)->drop_entry_foreign;
    advance(c, seconds(30));
    expect(c, counters_of(c, n1)->drop_entry_foreign + counters_of(c, n2)->drop_entry_foreign == before, "and then there is peace");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
