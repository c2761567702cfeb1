/* SPDX-License-Identifier: MIT
 *
 * One pause is one pause, however much piled up in the socket meanwhile: the host drains it datagram by datagram before it ticks, and each
 * comes a little later than the last.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hearsay/hearsay.h>

static uint64_t now = 1000000;
static const struct hearsay_address place = {.bytes = {127, 0, 0, 1}, .size = 4, .port = 7946};

static struct hearsay_node *make(void)
{
    struct hearsay_options options;
    hearsay_options_lan(&options);
    options.name = "me";
    options.advertise = place;
    return hearsay_create(&options, now, NULL);
}

static void run_for(struct hearsay_node *node, uint64_t us)
{
    for (uint64_t until = now + us; hearsay_next_deadline(node) <= until;) {
        now = hearsay_next_deadline(node) > now ? hearsay_next_deadline(node) : now;
        hearsay_tick(node, now);
    }
}

static void be_away(struct hearsay_node *node, uint64_t us)
{
    now += us;
    for (int i = 0; i < 300; i++, now += 20) {
        hearsay_receive_packet(node, now, &place, "x", 1);
    }
    hearsay_tick(node, now);
}

static void a_pause_is_counted_and_recorded_once(void **state)
{
    (void)state;
    struct hearsay_node *node = make();
    const struct hearsay_counters *counters = hearsay_counters(node);
    struct hearsay_record record;
    run_for(node, 10000000);
    assert_int_equal(counters->pauses, 0);
    be_away(node, 6000000);
    assert_int_equal(counters->pauses, 1);
    assert_in_range(counters->paused_ms, 4400, 6010);
    run_for(node, 10000000);
    be_away(node, 3000000);
    assert_int_equal(counters->pauses, 2);
    assert_in_range(counters->paused_ms, 6000, 9010);
    size_t notes = 0;
    for (size_t position = 0; hearsay_next_record(node, &position, &record);) {
        notes += record.cause.reason == HEARSAY_BECAUSE_PAUSED;
    }
    assert_int_equal(notes, 2);
    hearsay_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_pause_is_counted_and_recorded_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
