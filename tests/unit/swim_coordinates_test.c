/* SPDX-License-Identifier: MIT
 *
 * Vivaldi by hand: what one ack does to a coordinate, compared with the formulas worked out; what is not taken; the latency filter; and the bytes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/root.h"
#include "parts.h"
#include "swim/coordinates.h"
#include "wire/msgpack.h"

static struct coordinates a, b;
static uint8_t room[COORDINATES_WIRE_BYTES];

static void begin(struct parts *p)
{
    p->options.personality = HEARSAY_SERF;
    p->options.coordinates = 1;
    coordinates_init(&a, &p->turn);
    p->options.seed++;
    coordinates_init(&b, &p->turn);
}

static void end(struct parts *p)
{
    coordinates_deinit(&a, &p->memory);
    coordinates_deinit(&b, &p->memory);
}

static void hear(struct parts *p, struct coordinates *c, const char *name, uint64_t rtt_us, const struct coordinates *from)
{
    coordinates_on_ack(c, &p->turn, bytes_of_string(name), rtt_us, coordinates_payload(from, room));
}

static double distance_ms(void)
{
    return 1e3 * coordinates_distance(&a.own, &b.own);
}

static void roots_are_roots(void **state)
{
    (void)state;
    for (double x = 1e-18; x < 1e18; x *= 1.7) {
        assert_true(fabs(root(x) - sqrt(x)) <= 3e-16 * sqrt(x));
    }
    assert_true(root(0) == 0 && root(-1) == 0 && root(1) == 1 && root(4) == 2 && isinf(root(INFINITY)));
}

static void the_first_ack_moves_us_by_the_formulas(void **state)
{
    struct parts *p = *state;
    begin(p);
    hear(p, &a, "b", 100000, &b);
    /* error 1.5 both: w = 1/2; dist = 2e-5; wrong = (0.1 - 2e-5) / 0.1; c.error = .25 w wrong + 1.5 (1 - .25 w) */
    double wrong = (0.1 - 2e-5) / 0.1;
    assert_true(fabs(a.own.error - (0.125 * wrong + 1.5 * 0.875)) < 1e-12);
    double far = 0, force = 0.125 * (0.1 - 2e-5);
    for (int i = 0; i < HEARSAY_DIMENSIONS; i++) {
        far += a.own.vec[i] * a.own.vec[i];
    }
    assert_true(fabs(sqrt(far) - force) < 1e-6);    /* gravity takes a breath of it */
    assert_true(fabs(a.own.height - 1e-5) < 1e-9);  /* at the same place: no height from a random direction */
    /* adjustment = (rtt - raw) / 40 */
    assert_true(fabs(a.own.adjustment - (0.1 - force - 2e-5) / 40) < 1e-9);
    assert_true(b.own.error == 1.5);
    end(p);
}

static void two_nodes_come_to_agree_on_their_distance(void **state)
{
    struct parts *p = *state;
    begin(p);
    for (int i = 0; i < 200; i++) {
        hear(p, &a, "b", 80000, &b);
        hear(p, &b, "a", 80000, &a);
    }
    assert_true(fabs(distance_ms() - 80) < 4);
    assert_true(a.own.error < 0.1);
    end(p);
}

static void one_late_answer_among_three_means_nothing(void **state)
{
    struct parts *p = *state;
    begin(p);
    for (int i = 0; i < 100; i++) {
        hear(p, &a, "b", i % 3 == 2 ? 4000000 : 20000, &b);
        hear(p, &b, "a", 20000, &a);
    }
    assert_true(distance_ms() < 40); /* the first medians are of one and of two samples */
    end(p);
}

static void what_makes_no_sense_changes_nothing(void **state)
{
    struct parts *p = *state;
    begin(p);
    struct hearsay_bytes good = coordinates_payload(&b, room);
    uint8_t bad[COORDINATES_WIRE_BYTES];
    hear(p, &a, "b", 10000001, &b);
    assert_int_equal(p->counters.drop_coordinate, 1);
    for (size_t size = 1; size < good.size; size++) {
        coordinates_on_ack(&a, &p->turn, bytes_of_string("b"), 1000, bytes_of(good.data, size));
    }
    memcpy(bad, good.data, good.size);
    bad[0] = 2; /* a later version */
    coordinates_on_ack(&a, &p->turn, bytes_of_string("b"), 1000, bytes_of(bad, good.size));
    b.own.vec[3] = NAN;
    hear(p, &a, "b", 1000, &b);
    b.own.vec[3] = 0;
    b.own.height = INFINITY;
    hear(p, &a, "b", 1000, &b);
    assert_int_equal(p->counters.drop_coordinate, good.size + 3);
    assert_true(a.own.error == 1.5 && a.own.vec[0] == 0);
    assert_int_equal(a.names.count, 0);
    coordinates_on_ack(&a, &p->turn, bytes_of_string("b"), 1000, bytes_of(NULL, 0)); /* switched off there: nothing wrong */
    assert_int_equal(p->counters.drop_coordinate, good.size + 3);
    end(p);
}

static void a_coordinate_that_runs_away_starts_anew(void **state)
{
    struct parts *p = *state;
    begin(p);
    b.own.vec[0] = 1e200; /* finite, but its square is not */
    hear(p, &a, "b", 1000, &b);
    assert_int_equal(a.resets, 1);
    assert_true(a.own.error == 1.5 && a.own.vec[0] == 0);
    end(p);
}

static void an_ack_carries_what_serf_reads(void **state)
{
    struct parts *p = *state;
    begin(p);
    struct hearsay_bytes bytes = coordinates_payload(&a, room);
    assert_int_equal(bytes.size, 130);
    static const uint8_t head[] = {1, 0x84, 0xaa, 'A', 'd', 'j', 'u', 's', 't', 'm', 'e', 'n', 't', 0xcb};
    assert_memory_equal(bytes.data, head, sizeof head);
    struct hearsay_coordinate seen;
    hear(p, &b, "a", 1000, &a);
    assert_true(coordinates_of(&b, bytes_of_string("a"), &seen));
    assert_memory_equal(&seen, &a.own, sizeof seen);
    assert_false(coordinates_of(&b, bytes_of_string("c"), &seen));
    a.is_on = false;
    assert_int_equal(coordinates_payload(&a, room).size, 0);
    end(p);
}

static void as_many_are_kept_as_there_is_room_for_and_all_are_learned_from(void **state)
{
    struct parts *p = *state;
    struct hearsay_coordinate seen, before;
    begin(p);
    p->options.coordinates_max = 1;
    hear(p, &a, "b", 100000, &b);
    before = a.own;
    hear(p, &a, "c", 100000, &b);
    assert_true(coordinates_of(&a, bytes_of_string("b"), &seen));
    assert_false(coordinates_of(&a, bytes_of_string("c"), &seen));
    assert_memory_not_equal(&before, &a.own, sizeof before);
    end(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(roots_are_roots),
                                       TEST(the_first_ack_moves_us_by_the_formulas),
                                       TEST(two_nodes_come_to_agree_on_their_distance),
                                       TEST(one_late_answer_among_three_means_nothing),
                                       TEST(what_makes_no_sense_changes_nothing),
                                       TEST(a_coordinate_that_runs_away_starts_anew),
                                       TEST(an_ack_carries_what_serf_reads),
                                       TEST(as_many_are_kept_as_there_is_room_for_and_all_are_learned_from)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
