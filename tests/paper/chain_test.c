/* SPDX-License-Identifier: MIT
 *
 * The exact values that the tables of `hearsay sim paper` are held against, themselves held against what can be worked out by hand.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/paper_chain.h"

#include <math.h>

static void expect_rounds(enum spread_mode mode, uint32_t nodes, uint32_t fanout, double expected)
{
    double mean, p99, sd;
    assert_true(paper_chain_rounds(mode, nodes, fanout, &mean, &p99, &sd));
    assert_true(fabs(mean - expected) < 1e-6);
}

static void whoever_is_called_by_all_hears_in_one_round(void **state)
{
    (void)state;
    expect_rounds(SPREAD_PUSH, 2, 1, 1);
    expect_rounds(SPREAD_PUSH, 5, 4, 1);
    expect_rounds(SPREAD_PULL, 9, 8, 1);
    expect_rounds(SPREAD_PUSH_PULL, 5, 4, 1);
}

/* Push: the first call finds somebody; then two callers miss the third node with 1/4. Pull: both miss with 1/4, one with 1/2, and the last
 * one cannot. Push-pull: after one round all know with 1/2, else after the next. */
static void three_nodes_with_one_partner_can_be_worked_out(void **state)
{
    (void)state;
    expect_rounds(SPREAD_PUSH, 3, 1, 1 + 4.0 / 3);
    expect_rounds(SPREAD_PULL, 3, 1, 2);
    expect_rounds(SPREAD_PUSH_PULL, 3, 1, 1.5);
}

static void spread_and_tail_are_those_of_the_distribution(void **state)
{
    double mean, p99, sd;
    (void)state;
    assert_true(paper_chain_rounds(SPREAD_PUSH, 3, 1, &mean, &p99, &sd)); /* 1 + geometric with 3/4 */
    assert_true(fabs(sd - 2.0 / 3) < 1e-6);
    assert_int_equal((int)p99, 5); /* 4^-3 is above 1 %, 4^-4 below */
}

static void the_order_of_blind_calls_does_not_matter(void **state)
{
    double residue, copies;
    (void)state;
    assert_true(paper_chain_blind_coin(2, 1, &residue, &copies));
    assert_true(fabs(residue) < 1e-12 && fabs(copies - 1) < 1e-12);
    assert_true(paper_chain_blind_coin(3, 1, &residue, &copies)); /* the second one calls back, or the third */
    assert_true(fabs(residue - 1.0 / 6) < 1e-12 && fabs(copies - 2.5 / 3) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_is_called_by_all_hears_in_one_round),
        cmocka_unit_test(three_nodes_with_one_partner_can_be_worked_out),
        cmocka_unit_test(spread_and_tail_are_those_of_the_distribution),
        cmocka_unit_test(the_order_of_blind_calls_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
