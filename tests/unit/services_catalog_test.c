/* SPDX-License-Identifier: MIT
 *
 * The catalog beside a plain model of it: one node that owns many services, changes without order, a catalog that follows and one made anew
 * agree with the model; values in both directions; what is refused; memory that runs out.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../lib/allocator_counting.h"
#include "base/bytes.h"
#include "base/rng.h"
#include <hearsay/services.h>

#include <stdio.h>

#define SECOND 1000000u

static struct hearsay_node *node;
static uint64_t now;

static int setup(void **state)
{
    struct hearsay_options options;
    hearsay_err err;
    (void)state;
    now = SECOND;
    hearsay_options_local(&options);
    options.name = "a/b"; /* a name with the sign that separates */
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .size = 4, .port = 7946};
    options.store = 1;
    options.store_changes = 64;
    node = hearsay_create(&options, now, &err);
    assert_non_null(node);
    hearsay_set_wall_clock(node, now, 1700000000000u);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hearsay_destroy(node);
    return 0;
}

static void drain(struct hearsay_services *services)
{
    struct hearsay_output output;
    while (hearsay_next_output(node, &output)) {
        if (output.type == HEARSAY_NOTIFY && services != NULL) {
            hearsay_services_on_event(services, &output.event);
        }
    }
}

static void publish(const struct hearsay_service_definition *d, const char *id)
{
    uint8_t key[HEARSAY_KEY_MAX], value[HEARSAY_SERVICE_VALUE_MAX];
    size_t key_size = hearsay_service_key("a/b", id, key), size = hearsay_service_value(d, value);
    assert_true(key_size > 0 && size > 0);
    assert_int_equal(hearsay_put(node, now, bytes_of(key, key_size), bytes_of(value, size), 0, 1, NULL), HEARSAY_OK);
}

static void withdraw(const char *id)
{
    uint8_t key[HEARSAY_KEY_MAX];
    size_t key_size = hearsay_service_key("a/b", id, key);
    assert_int_equal(hearsay_delete(node, now, bytes_of(key, key_size), 1, NULL), HEARSAY_OK);
}

static bool count_one(void *context, const struct hearsay_service *service)
{
    assert_true(service->is_healthy == (service->state <= HEARSAY_SERVICE_WARNING));
    ++*(unsigned *)context;
    return true;
}

static unsigned count(struct hearsay_services *services, const char *name, const char *tag, bool is_healthy_only)
{
    unsigned seen = 0;
    struct hearsay_services_query q = {.name = bytes_of_string(name), .tag = bytes_of_string(tag), .is_healthy_only = is_healthy_only};
    size_t shown = hearsay_services_find(services, now, &q, count_one, &seen);
    assert_int_equal(shown, seen);
    return seen;
}

/* ---- values ----------------------------------------------------------------------------------------------------------------- */

static bool keep(void *context, const struct hearsay_service *service)
{
    *(struct hearsay_service *)context = *service;
    return false;
}

static void what_is_written_is_read(void **state)
{
    static const char *const tags[] = {"primary", "V2"};
    static const struct hearsay_tag meta[] = {{"rack", "7"}, {"empty", ""}};
    struct hearsay_service_definition d = {.name = "web-1",
                                           .address = {.bytes = {10, 0, 0, 9}, .size = 4, .port = 8080},
                                           .tags = tags,
                                           .tag_count = 2,
                                           .meta = meta,
                                           .meta_count = 2,
                                           .state = HEARSAY_SERVICE_WARNING,
                                           .output = bytes_of_string("slow")};
    struct hearsay_services *services = hearsay_services_create(node, NULL);
    struct hearsay_services_query q = {.name = bytes_of_string("web-1"), .tag = bytes_of_string("v2")};
    struct hearsay_service s;
    struct hearsay_bytes a, b;
    size_t position = 0;
    (void)state;
    assert_null(hearsay_service_problem(&d));
    publish(&d, "web-1:8080");
    assert_int_equal(hearsay_services_find(services, now, &q, keep, &s), 1);
    assert_true(bytes_equal(s.name, bytes_of_string("web-1")) && bytes_equal(s.id, bytes_of_string("web-1:8080")));
    assert_string_equal(s.node, "a/b");
    assert_true(s.address.port == 8080 && s.address.bytes[0] == 10 && s.node_status == HEARSAY_ALIVE && s.is_healthy && s.rtt == 0);
    assert_true(s.state == HEARSAY_SERVICE_WARNING && bytes_equal(s.output, bytes_of_string("slow")) && s.change > 0);
    assert_true(hearsay_service_next_tag(&s, &position, &a) && bytes_equal(a, bytes_of_string("primary")));
    assert_true(hearsay_service_next_tag(&s, &position, &a) && bytes_equal(a, bytes_of_string("V2")));
    assert_false(hearsay_service_next_tag(&s, &position, &a));
    position = 0;
    assert_true(hearsay_service_next_meta(&s, &position, &a, &b) && bytes_equal(b, bytes_of_string("7")));
    assert_true(hearsay_service_next_meta(&s, &position, &a, &b) && bytes_equal(a, bytes_of_string("empty")) && b.size == 0);
    assert_false(hearsay_service_next_meta(&s, &position, &a, &b));
    assert_int_equal(count(services, "web-1", "v3", false), 0);
    d.address.size = 0; /* where the node is */
    publish(&d, "web-1:8080");
    assert_int_equal(hearsay_services_find(services, now, &q, keep, &s), 1);
    assert_true(s.address.bytes[0] == 127 && s.address.port == 8080);
    hearsay_services_destroy(services);
}

static void what_cannot_be_a_service_is_refused(void **state)
{
    static const char *const names[] = {"",   "Web", "a.b", "-a",
                                        "a-", "a_b", "a b", "0123456789012345678901234567890123456789012345678901234567890123"};
    static const char *const ids[] = {"", "a/b", "a b", "\x7f", "\xc3\xa9"};
    static const char *const tags[] = {"two\nlines"};
    static char long_text[300];
    uint8_t key[HEARSAY_KEY_MAX], value[HEARSAY_SERVICE_VALUE_MAX];
    struct hearsay_service_definition d = {.name = "web"};
    struct hearsay_service s;
    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        d.name = names[i];
        assert_non_null(hearsay_service_problem(&d));
        assert_int_equal(hearsay_service_value(&d, value), 0);
    }
    d.name = "0-9";
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        d.id = ids[i];
        assert_non_null(hearsay_service_problem(&d));
        assert_int_equal(hearsay_service_key("n", ids[i], key), 0);
    }
    d.id = NULL;
    assert_null(hearsay_service_problem(&d));
    assert_int_equal(hearsay_service_key(long_text, "id", key), 0);
    d.tags = tags;
    d.tag_count = 1;
    assert_non_null(hearsay_service_problem(&d));
    d.tag_count = 0;
    struct hearsay_tag meta = {"k", long_text};
    d.meta = &meta;
    d.meta_count = 1;
    assert_non_null(hearsay_service_problem(&d));
    d.meta_count = 0;
    d.output = bytes_of(long_text, 299);
    size_t size = hearsay_service_value(&d, value);
    assert_true(size > 299 && hearsay_service_decode(bytes_of(value, size), &s) && s.output.size == 299);
    for (size_t cut = 0; cut < size; cut++) { /* no part of it is a value */
        assert_false(hearsay_service_decode(bytes_of(value, cut), &s));
    }
}

/* ---- the catalog --------------------------------------------------------------------------------------------------------------- */

static void a_catalog_that_follows_agrees_with_one_made_anew(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    static const char *const tags[] = {"t"};
    int model[40]; /* -1 = absent, else name * 4 + state */
    struct rng rng;
    struct hearsay_services *follows = hearsay_services_create(node, NULL);
    (void)state;
    rng_init(&rng, 7);
    for (int i = 0; i < 40; i++) {
        model[i] = -1;
    }
    for (int step = 0; step < 3000; step++) {
        unsigned i = (unsigned)rng_below(&rng, 40);
        char id[8];
        snprintf(id, sizeof id, "%u", i);
        if (rng_below(&rng, 4) == 0) {
            model[i] = -1;
            withdraw(id);
        } else {
            unsigned name = (unsigned)rng_below(&rng, 3), wanted = (unsigned)rng_below(&rng, 4);
            model[i] = (int)(name * 4 + wanted);
            publish(
                &(struct hearsay_service_definition){
                    .name = names[name], .tags = tags, .tag_count = i % 2, .state = (enum hearsay_service_state)wanted},
                id);
        }
        if (rng_below(&rng, step < 1500 ? 2 : 150) != 0) { /* later it falls behind what the node remembers */
            continue;
        }
        drain(follows);
        struct hearsay_services *fresh = hearsay_services_create(node, NULL);
        for (int name = 0; name < 3; name++) {
            unsigned all = 0, healthy = 0, tagged = 0;
            for (int k = 0; k < 40; k++) {
                bool is_it = model[k] >= 0 && model[k] / 4 == name;
                all += is_it;
                healthy += is_it && model[k] % 4 <= HEARSAY_SERVICE_WARNING;
                tagged += is_it && k % 2 == 1;
            }
            assert_int_equal(count(follows, names[name], "", false), all);
            assert_int_equal(count(follows, names[name], "", true), healthy);
            assert_int_equal(count(follows, names[name], "T", false), tagged);
            assert_int_equal(count(fresh, names[name], "", true), healthy);
        }
        hearsay_services_destroy(fresh);
    }
    hearsay_services_destroy(follows);
}

static void changes_have_growing_numbers_and_names_are_counted(void **state)
{
    struct hearsay_services *services = hearsay_services_create(node, NULL);
    struct hearsay_services_name name;
    struct hearsay_services_stats stats;
    size_t position = 0;
    (void)state;
    uint64_t before = hearsay_services_update(services);
    publish(&(struct hearsay_service_definition){.name = "web"}, "1");
    uint64_t first = hearsay_services_change(services, bytes_of_string("web"));
    publish(&(struct hearsay_service_definition){.name = "web"}, "1"); /* the same again */
    assert_true(first > before && hearsay_services_change(services, bytes_of_string("web")) == first);
    publish(&(struct hearsay_service_definition){.name = "web", .state = HEARSAY_SERVICE_CRITICAL}, "2");
    uint64_t second = hearsay_services_change(services, bytes_of_string("web"));
    assert_true(second > first && hearsay_services_update(services) == second);
    assert_true(hearsay_services_next_name(services, &position, &name));
    assert_true(bytes_equal(name.name, bytes_of_string("web")) && name.instances == 2 && name.healthy == 1 && name.change == second);
    assert_false(hearsay_services_next_name(services, &position, &name));
    withdraw("1");
    withdraw("2");
    assert_true(hearsay_services_change(services, bytes_of_string("web")) > second);
    assert_int_equal(hearsay_put(node, now, bytes_of_string("_service/a/b/bad"), bytes_of_string("?"), 0, 1, NULL), HEARSAY_OK);
    (void)hearsay_services_update(services);
    hearsay_services_get_stats(services, &stats);
    assert_true(stats.skipped == 1 && stats.instances == 0 && stats.names == 0 && stats.nodes == 0);
    hearsay_services_destroy(services);
}

struct shown {
    char first[8];
    unsigned count;
};

static bool show_first(void *context, const struct hearsay_service *service)
{
    struct shown *shown = context;
    if (shown->count++ == 0) {
        snprintf(shown->first, sizeof shown->first, "%.*s", (int)service->id.size, (const char *)service->id.data);
    }
    return true;
}

static void turns_begin_at_different_places_and_show_all(void **state)
{
    struct hearsay_services *services = hearsay_services_create(node, NULL);
    bool has_been_first[5] = {false};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "%u", i);
        publish(&(struct hearsay_service_definition){.name = "web"}, id);
    }
    for (uint32_t turn = 0; turn < 5; turn++) {
        struct shown shown = {.count = 0};
        struct hearsay_services_query q = {.name = bytes_of_string("web"), .turn = turn + 1000};
        assert_int_equal(hearsay_services_find(services, now, &q, show_first, &shown), 5);
        has_been_first[shown.first[0] - '0'] = true;
    }
    for (unsigned i = 0; i < 5; i++) {
        assert_true(has_been_first[i]);
    }
    hearsay_services_destroy(services);
}

/* Whatever allocation fails: nothing breaks, nothing is lost, and when there is memory again everything is there. */
static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        char id[8];
        snprintf(id, sizeof id, "%u", i);
        publish(&(struct hearsay_service_definition){.name = i % 2 == 0 ? "even" : "odd"}, id);
    }
    for (size_t fails_at = 1; fails_at < 80; fails_at++) {
        struct allocator_counting counting = {.fail_from = fails_at, .fail_once = fails_at % 2 == 0};
        struct hearsay_allocator allocator = allocator_counting_of(&counting);
        struct hearsay_services *services = hearsay_services_create(node, &allocator);
        if (services == NULL) {
            continue;
        }
        (void)hearsay_services_update(services);
        counting.fail_from = 0;
        assert_int_equal(count(services, "even", "", true), 15);
        assert_int_equal(count(services, "odd", "", true), 15);
        hearsay_services_destroy(services);
        assert_int_equal(counting.blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_a_service_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_catalog_that_follows_agrees_with_one_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_have_growing_numbers_and_names_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(turns_begin_at_different_places_and_show_all, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_may_run_out_anywhere, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
