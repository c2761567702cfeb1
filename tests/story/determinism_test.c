/* SPDX-License-Identifier: MIT
 *
 * One seed is one run: the same digest of everything said, twice in this process and, by --digest, in every build of it.
 */
#include "lib/story.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOSTS 30

static void join_first(struct host *host)
{
    uint32_t ticket;
    struct hearsay_target target = {.address = world_address(host->world->hosts[0]->place)};
    assert_int_equal(hearsay_join(host->node, host->world->now, &target, 1, false, &ticket), HEARSAY_OK);
    host_drain(host);
}

static void boot(struct host *host)
{
    struct hearsay_options options;
    hearsay_options_lan(&options);
    options.cipher = cipher_toy(&host->world->nonces);
    options.key_count = 1;
    options.keys[0].size = 16;
    assert_int_equal(host_start(host, &options), HEARSAY_OK);
}

static void live(struct world *world, double seconds_long)
{
    world_run(world, world->now + seconds(seconds_long));
}

/* A minute in which about everything happens. */
static uint64_t digest_of(uint64_t seed)
{
    struct world_options options = world_options_quiet(seed);
    options.link = (struct link){.latency_us = 500, .jitter_us = 2000, .has_long_tail = true, .loss = 0.02, .duplication = 0.01,
                                 .reordering = 0.02, .reorder_us = 20000, .burst_every_us = 9000000, .burst_us = 100000, .burst_loss = 0.9};
    struct world *world = world_create(&options);
    for (unsigned i = 0; i < HOSTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "h%u", i);
        boot(host_create(world, name));
        if (i > 0) {
            join_first(world->hosts[i]);
        }
    }
    live(world, 5);
    host_crash(world->hosts[3]);
    host_freeze(world->hosts[4]);
    host_starve(world->hosts[5], 20000, 500000);
    network_cut(world->hosts[6], world->hosts[7]);
    assert_int_equal(hearsay_send_event(world->hosts[8]->node, world->now, "hello", "payload", 7, false), HEARSAY_OK);
    host_drain(world->hosts[8]);
    live(world, 20);
    host_thaw(world->hosts[4]);
    boot(world->hosts[3]);
    join_first(world->hosts[3]);
    world->hosts[9]->group = 1;
    live(world, 20);
    network_mend_all(world);
    assert_int_equal(hearsay_leave(world->hosts[10]->node, world->now), HEARSAY_OK);
    host_drain(world->hosts[10]);
    live(world, 15);
    uint64_t digest = world_digest(world);
    world_destroy(world);
    return digest;
}

static void one_seed_is_one_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t digest = digest_of(seed);
        assert_true(digest == digest_of(seed));
        assert_true(digest != digest_of(seed + 1));
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--digest") == 0) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            printf("%llu %016llx\n", (unsigned long long)seed, (unsigned long long)digest_of(seed));
        }
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_seed_is_one_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
