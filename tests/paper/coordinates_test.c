/* SPDX-License-Identifier: MIT
 *
 * How well network coordinates foretell round trips. F. Dabek et al., "Vivaldi" (SIGCOMM 2004): "a median relative error of 11 percent" over
 * 1,740 hosts of the internet. Ours stands on an internet made up: five continents, access lines, jitter with a long tail, and routes that are
 * longer or shorter than any geometry says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/host.h"
#include "sim/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS 64
#define MINUTES 40

struct internet {
    double x[HOSTS], y[HOSTS], access[HOSTS]; /* ms one way */
    double detour;                            /* standard deviation of the logarithm of a route's length */
};

static struct rng rng;

static double normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += rng_unit(&rng);
    }
    return sum;
}

static void make(struct internet *net, uint64_t seed, double detour)
{
    static const double continents[5][2] = {{0, 0}, {40, 10}, {75, -30}, {30, -60}, {95, -70}}; /* ms one way */
    rng_init(&rng, seed);
    net->detour = detour;
    for (int i = 0; i < HOSTS; i++) {
        uint64_t c = rng_below(&rng, 5);
        net->x[i] = continents[c][0] + 7 * normal();
        net->y[i] = continents[c][1] + 7 * normal();
        net->access[i] = 0.5 - 3 * log(1 - rng_unit(&rng));
    }
}

/* One way between two, without jitter: the same in both directions. */
static double way_ms(const struct internet *net, uint32_t a, uint32_t b)
{
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    struct rng pair;
    double z = -6;
    rng_init(&pair, (uint64_t)low << 32 | high);
    for (int i = 0; i < 12; i++) {
        z += rng_unit(&pair);
    }
    double straight = hypot(net->x[a] - net->x[b], net->y[a] - net->y[b]);
    return straight * exp(net->detour * z) + net->access[a] + net->access[b];
}

static uint64_t distance_us(void *context, const struct host *from, const struct host *to)
{
    return (uint64_t)(1000 * way_ms(context, from->number, to->number));
}

static struct world *live(struct internet *net, uint64_t seed, unsigned jitter_us)
{
    struct world_options options = world_options_quiet(seed);
    struct hearsay_options node;
    uint32_t ticket;
    options.link.latency_us = 0;
    options.link.jitter_us = jitter_us;
    options.link.has_long_tail = true;
    options.distance_us = distance_us;
    options.context = net;
    struct world *world = world_create(&options);
    hearsay_options_lan(&node);
    for (uint32_t i = 0; i < HOSTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "h%u", i);
        struct host *host = host_create(world, name);
        assert_int_equal(host_start(host, &node), HEARSAY_OK);
        struct hearsay_target first = {.address = world_address(world->hosts[0]->place)};
        if (i > 0) {
            assert_int_equal(hearsay_join(host->node, host_now(host), &first, 1, false, &ticket), HEARSAY_OK);
        }
        host_drain(host);
    }
    world_run(world, world->now + MINUTES * UINT64_C(60000000));
    return world;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct errors {
    double median, ninetieth;
};

static struct errors errors_of(const struct internet *net, struct world *world, double jitter_ms)
{
    static double errors[HOSTS * HOSTS];
    size_t count = 0;
    for (uint32_t i = 0; i < HOSTS; i++) {
        for (uint32_t k = 0; k < i; k++) {
            struct hearsay_coordinate a, b;
            assert_true(hearsay_get_coordinate(world->hosts[i]->node, world->hosts[i]->name, &a));
            assert_true(hearsay_get_coordinate(world->hosts[k]->node, world->hosts[k]->name, &b));
            double real = 2 * (way_ms(net, i, k) + jitter_ms), said = 1e3 * hearsay_round_trip(&a, &b);
            errors[count++] = fabs(said - real) / real;
        }
    }
    qsort(errors, count, sizeof errors[0], by_size);
    return (struct errors){errors[count / 2], errors[count * 9 / 10]};
}

static struct errors measure(double detour, unsigned jitter_us)
{
    struct internet net;
    double medians = 0, ninetieths = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        make(&net, seed, detour);
        struct world *world = live(&net, seed, jitter_us);
        struct errors e = errors_of(&net, world, jitter_us / 1e3);
        medians += e.median / 3;
        ninetieths += e.ninetieth / 3;
        world_destroy(world);
    }
    print_message("detours of %.0f %%, jitter of %.1f ms: median relative error %.1f %%, 90th percentile %.1f %%\n", 100 * detour, jitter_us / 1e3,
                  100 * medians, 100 * ninetieths);
    return (struct errors){medians, ninetieths};
}

static void on_a_plane_with_access_lines_the_median_error_is_a_few_percent(void **state)
{
    (void)state;
    assert_true(measure(0, 0).median < 0.06);
}

static void on_a_made_up_internet_the_median_error_is_about_11_percent(void **state)
{
    (void)state;
    struct errors e = measure(0.2, 1000);
    assert_true(e.median > 0.05 && e.median < 0.15);
    assert_true(e.ninetieth < 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(on_a_plane_with_access_lines_the_median_error_is_a_few_percent),
                                       cmocka_unit_test(on_a_made_up_internet_the_median_error_is_about_11_percent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
