/* SPDX-License-Identifier: MIT
 *
 * What Serf's share of a push/pull says about who came and went (serf MergeRemoteState), and which word wins when a goodbye and the
 * greeting after it have the same time: a merge tells a goodbye one later than it was.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parts.h"
#include "serf/user_state.h"
#include "wire/msgpack.h"
#include "wire/serf_message.h"

/* The other side says of m1: this time, and perhaps that it left. Answers what we show of it then. */
static unsigned hear(struct parts *p, unsigned status, uint64_t status_ltime, bool has_left, uint64_t ltime)
{
    uint8_t bytes[200];
    struct serf serf = {.presence.clock.time = 1};
    struct writer w = writer_of(bytes, sizeof bytes);
    parts_alive(p, "m1", 1);
    uint32_t slot = members_find(&p->beliefs.members, bytes_of_string("m1"));
    members_at(&p->beliefs.members, slot)->status = status & 7;
    members_at(&p->beliefs.members, slot)->status_ltime = status_ltime;
    serf_state_put_begin(&w, 1, 0);
    serf_state_put_left(&w, ltime, has_left);
    if (has_left) {
        msgpack_put_raw(&w, bytes_of_string("m1"));
    }
    serf_state_put_status(&w, 1, 1);
    msgpack_put_raw(&w, bytes_of_string("m1"));
    msgpack_put_uint(&w, ltime);
    events_init(&serf.events, &p->turn);
    assert_true(user_state_merge(&serf, &p->beliefs, &p->turn, writer_bytes(&w), false));
    events_deinit(&serf.events, &p->memory);
    return members_at(&p->beliefs.members, slot)->status;
}

static void a_later_greeting_ends_a_leaving(void **state)
{
    assert_int_equal(hear(*state, MEMBERS_STATUS_LEAVING, 9, false, 10), MEMBERS_STATUS_ALIVE);
}

static void a_greeting_of_the_same_time_ends_a_leaving_too(void **state)
{
    assert_int_equal(hear(*state, MEMBERS_STATUS_LEAVING, 9, false, 9), MEMBERS_STATUS_ALIVE);
}

static void an_earlier_greeting_does_not(void **state)
{
    assert_int_equal(hear(*state, MEMBERS_STATUS_LEAVING, 9, false, 8), MEMBERS_STATUS_LEAVING);
}

static void a_goodbye_counts_one_later_than_it_was_and_yields_to_a_greeting_of_that_time(void **state)
{
    assert_int_equal(hear(*state, MEMBERS_STATUS_ALIVE, 9, true, 9), MEMBERS_STATUS_LEAVING);
    assert_int_equal(hear(*state, MEMBERS_STATUS_ALIVE, 9, true, 8), MEMBERS_STATUS_ALIVE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_later_greeting_ends_a_leaving),
        TEST(a_greeting_of_the_same_time_ends_a_leaving_too),
        TEST(an_earlier_greeting_does_not),
        TEST(a_goodbye_counts_one_later_than_it_was_and_yields_to_a_greeting_of_that_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
