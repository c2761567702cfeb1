/* SPDX-License-Identifier: MIT
 *
 * Which belief wins: every cell of memberlist's transition table (state.go: aliveNode, suspectNode, deadNode), with what is told on and what
 * listeners hear.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parts.h"

#include <stdlib.h>

enum { ALIVE = MESSAGE_STATE_ALIVE, SUSPECT = MESSAGE_STATE_SUSPECT, DEAD = MESSAGE_STATE_DEAD, LEFT = MESSAGE_STATE_LEFT, UNKNOWN };
enum claim { ALIVE_OLD, ALIVE_SAME, ALIVE_NEW, SUSPECT_OLD, SUSPECT_SAME, SUSPECT_NEW, DEAD_OLD, DEAD_SAME, DEAD_NEW, GOODBYE };
#define NOTHING 255

/* A member "x" in the wanted state with incarnation 5, and nothing waiting to be told. */
static void bring_to(struct parts *p, int state)
{
    if (state == UNKNOWN) {
        return;
    }
    parts_alive(p, "x", 5);
    if (state == SUSPECT) {
        parts_suspect(p, "x", 5, "a");
    } else if (state == DEAD) {
        parts_dead(p, "x", 5, "a");
    } else if (state == LEFT) {
        parts_dead(p, "x", 5, "x");
    }
    assert_int_equal(parts_member(p, "x")->state, state);
    (void)parts_take_types(p, NULL, 0);
    p->change_count = 0;
}

static void say(struct parts *p, enum claim claim)
{
    static const uint32_t incarnations[] = {4, 5, 6, 4, 5, 6, 4, 5, 6, 5};
    uint32_t incarnation = incarnations[claim];
    if (claim <= ALIVE_NEW) {
        parts_alive(p, "x", incarnation);
    } else if (claim <= SUSPECT_NEW) {
        parts_suspect(p, "x", incarnation, "b");
    } else {
        parts_dead(p, "x", incarnation, claim == GOODBYE ? "x" : "b");
    }
}

static const struct cell {
    int before;
    enum claim claim;
    int after;
    uint8_t told;  /* message type, or NOTHING */
    int change;    /* what the listener hears, or -1 */
} table[] = {
    {UNKNOWN, ALIVE_NEW, ALIVE, MESSAGE_ALIVE, MEMBERS_JOINED},
    {UNKNOWN, SUSPECT_NEW, UNKNOWN, NOTHING, -1},
    {UNKNOWN, DEAD_NEW, UNKNOWN, NOTHING, -1},
    {ALIVE, ALIVE_OLD, ALIVE, NOTHING, -1},
    {ALIVE, ALIVE_SAME, ALIVE, NOTHING, -1},
    {ALIVE, ALIVE_NEW, ALIVE, MESSAGE_ALIVE, -1},
    {ALIVE, SUSPECT_OLD, ALIVE, NOTHING, -1},
    {ALIVE, SUSPECT_SAME, SUSPECT, MESSAGE_SUSPECT, MEMBERS_SUSPECTED},
    {ALIVE, SUSPECT_NEW, SUSPECT, MESSAGE_SUSPECT, MEMBERS_SUSPECTED},
    {ALIVE, DEAD_OLD, ALIVE, NOTHING, -1},
    {ALIVE, DEAD_SAME, DEAD, MESSAGE_DEAD, MEMBERS_DIED},
    {ALIVE, DEAD_NEW, DEAD, MESSAGE_DEAD, MEMBERS_DIED},
    {ALIVE, GOODBYE, LEFT, MESSAGE_DEAD, MEMBERS_DIED},
    {SUSPECT, ALIVE_OLD, SUSPECT, NOTHING, -1},
    {SUSPECT, ALIVE_SAME, SUSPECT, NOTHING, -1},
    {SUSPECT, ALIVE_NEW, ALIVE, MESSAGE_ALIVE, MEMBERS_CLEARED},
    {SUSPECT, SUSPECT_OLD, SUSPECT, NOTHING, -1},
    {SUSPECT, SUSPECT_SAME, SUSPECT, MESSAGE_SUSPECT, -1}, /* a confirmation that counts is told on */
    {SUSPECT, DEAD_OLD, SUSPECT, NOTHING, -1},
    {SUSPECT, DEAD_SAME, DEAD, MESSAGE_DEAD, MEMBERS_DIED},
    {SUSPECT, GOODBYE, LEFT, MESSAGE_DEAD, MEMBERS_DIED},
    {DEAD, ALIVE_OLD, DEAD, NOTHING, -1},
    {DEAD, ALIVE_SAME, DEAD, NOTHING, -1},
    {DEAD, ALIVE_NEW, ALIVE, MESSAGE_ALIVE, MEMBERS_JOINED},
    {DEAD, SUSPECT_SAME, DEAD, NOTHING, -1},
    {DEAD, SUSPECT_NEW, DEAD, NOTHING, -1},
    {DEAD, DEAD_NEW, DEAD, NOTHING, -1},
    {DEAD, GOODBYE, DEAD, NOTHING, -1}, /* dead never becomes left here: Serf's intents do that */
    {LEFT, ALIVE_OLD, LEFT, NOTHING, -1},
    {LEFT, ALIVE_SAME, LEFT, NOTHING, -1},
    {LEFT, ALIVE_NEW, ALIVE, MESSAGE_ALIVE, MEMBERS_JOINED},
    {LEFT, SUSPECT_NEW, LEFT, NOTHING, -1},
    {LEFT, DEAD_NEW, LEFT, NOTHING, -1},
};

static void every_cell_of_the_transition_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct parts *p = malloc(sizeof *p);
        parts_init(p);
        parts_alive(p, "a", 1);
        parts_alive(p, "b", 1);
        parts_alive(p, "c", 1); /* with five listed, confirmations are wanted */
        bring_to(p, table[i].before);
        (void)parts_take_types(p, NULL, 0);
        p->change_count = 0;
        say(p, table[i].claim);
        const struct member *x = parts_member(p, "x");
        int after = x == NULL ? UNKNOWN : x->state;
        uint8_t told[8] = {NOTHING};
        unsigned count = parts_take_types(p, told, 8);
        if (after != table[i].after || told[0] != table[i].told || count > 1 || p->change_count != (table[i].change >= 0) ||
            (table[i].change >= 0 && (int)p->changes[0] != table[i].change)) {
            fail_msg("cell %zu: state %d and claim %d give state %d, tell %u (%u), %u changes", i, table[i].before, table[i].claim, after,
                     told[0], count, p->change_count);
        }
        assert_true(parts_deinit(p));
        free(p);
    }
}

static void incarnation_0_brings_nobody_to_life(void **state)
{
    struct parts *p = *state;
    parts_alive(p, "x", 0);
    assert_null(parts_member(p, "x"));
}

static void only_plain_names_are_taken_where_that_is_wished(void **state)
{
    static const char *const odd[] = {"a_b", "a b", "\xc3\xa4", "a/b", "", "a\n"};
    struct parts *p = *state;
    char longest[130];
    memset(longest, 'n', sizeof longest);
    longest[128] = 0;
    parts_alive(p, "a_b", 5);
    assert_true(members_find(&p->beliefs.members, bytes_of_string("a_b")) != MEMBERS_NONE); /* as ever */
    p->options.plain_names = 1;
    parts_alive(p, "Web-1.example", 5);
    parts_alive(p, longest, 5);
    assert_int_equal(p->counters.drop_name, 0);
    assert_true(members_find(&p->beliefs.members, bytes_of_string(longest)) != MEMBERS_NONE);
    for (size_t i = 1; i < sizeof odd / sizeof odd[0]; i++) {
        parts_alive(p, odd[i], 5);
        assert_int_equal(members_find(&p->beliefs.members, bytes_of_string(odd[i])), MEMBERS_NONE);
    }
    longest[128] = 'n';
    longest[129] = 0;
    parts_alive(p, longest, 5);
    assert_int_equal(members_find(&p->beliefs.members, bytes_of_string(longest)), MEMBERS_NONE);
    assert_true(p->counters.drop_name >= 5);
}

static void a_push_pull_that_calls_a_member_dead_only_accuses_it(void **state)
{
    struct parts *p = *state;
    parts_alive(p, "x", 5);
    struct message_alive entry = claims_alive_of(&p->beliefs, members_find(&p->beliefs.members, bytes_of_string("x")));
    struct claim_source source = {.reason = HEARSAY_BECAUSE_PUSH_PULL};
    claims_merge(&p->beliefs, &p->turn, &entry, MESSAGE_STATE_DEAD, &source);
    assert_int_equal(parts_member(p, "x")->state, SUSPECT);
}

static void whoever_accuses_us_is_denied_with_a_newer_incarnation(void **state)
{
    struct parts *p = *state;
    const struct member *me = parts_member(p, "me");
    uint8_t told;
    uint32_t before = me->incarnation;
    parts_suspect(p, "me", before, "a");
    assert_int_equal(me->incarnation, before + 1);
    assert_int_equal(p->beliefs.health.score, 1);
    assert_int_equal(parts_take_types(p, &told, 1), 1);
    assert_int_equal(told, MESSAGE_ALIVE);
    parts_dead(p, "me", 77, "a");
    assert_int_equal(me->incarnation, 78);
    assert_int_equal(me->state, ALIVE);
    assert_int_equal(p->beliefs.health.score, 2);
    parts_suspect(p, "me", 5, "a"); /* old news */
    assert_int_equal(me->incarnation, 78);
}

static void a_failed_probe_costs_health_and_a_success_restores_it(void **state)
{
    struct parts *p = *state;
    health_change(&p->beliefs.health, &p->turn, 1);
    assert_int_equal(p->beliefs.health.score, 1);
    health_change(&p->beliefs.health, &p->turn, 100);
    assert_int_equal(p->beliefs.health.score, p->options.awareness_max - 1);
    health_change(&p->beliefs.health, &p->turn, -100);
    assert_int_equal(p->beliefs.health.score, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_transition_table),
        TEST(incarnation_0_brings_nobody_to_life),
        TEST(only_plain_names_are_taken_where_that_is_wished),
        TEST(a_push_pull_that_calls_a_member_dead_only_accuses_it),
        TEST(whoever_accuses_us_is_denied_with_a_newer_incarnation),
        TEST(a_failed_probe_costs_health_and_a_success_restores_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
