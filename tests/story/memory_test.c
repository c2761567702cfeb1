/* SPDX-License-Identifier: MIT
 *
 * Stories of memory that runs out again and again: whatever cannot be kept is dropped like a lost packet, nobody stops, and all is well soon
 * after there is memory again.
 */
#include "lib/allocator_counting.h"
#include "lib/story.h"

static struct allocator_counting memory[16];

static void each_with_its_memory(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    memory[number] = (struct allocator_counting){.fail_every = 0};
    options->allocator = allocator_counting_of(&memory[number]);
    options->push_pull_interval_ms = 5000;
}

static void fail_every(unsigned count, size_t every)
{
    for (unsigned i = 1; i <= count; i++) {
        memory[i].fail_every = every;
    }
}

static size_t failures(unsigned count)
{
    size_t sum = 0;
    for (unsigned i = 1; i <= count; i++) {
        sum += memory[i].failures;
    }
    return sum;
}

/* Every `every`-th allocation of all eight fails while they meet, tell, change and lose one. */
static void live_with(struct story *c, size_t every)
{
    static const char *const words[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    start_apart_with(c, 8, each_with_its_memory);
    for (unsigned i = 2; i <= 8; i++) {
        join(c, n(i), n(1)); /* this one call is the user's and must be free to succeed */
        memory[i].fail_every = every;
    }
    memory[1].fail_every = every;
    advance(c, seconds(10));
    for (unsigned i = 0; i < 8; i++) {
        hearsay_err err = hearsay_send_event(host_of(c, n(i + 1))->node, story_world(c)->now, words[i], NULL, 0, false);
        expect(c, err == HEARSAY_OK || err == HEARSAY_ERR_NO_MEMORY, "an event is sent or refused for want of memory");
        host_drain(host_of(c, n(i + 1)));
        advance(c, seconds(1));
    }
    switch_off(c, n3);
    advance(c, seconds(30));
    expect(c, failures(8) > 0, "memory ran out");
    fail_every(8, 0);
    for (unsigned i = 2; i <= 8; i++) {
        if (n(i) != n3) {
            join(c, n(i), n1); /* whoever could not meet anybody tries again */
        }
    }
    expect_agree_within(c, seconds(60), except(n3));
    set_tag(c, n2, "role", "new");
    expect_tag_within(c, seconds(10), except(n3), n2, "role", "new");
    send_event(c, n5, "after", "");
    expect_heard_within(c, seconds(10), except(n3), "after");
    restart(c, n3);
    join(c, n3, n1);
    expect_converged_within(c, seconds(30));
}

STORY(every_third_allocation_fails_for_a_minute)
{
    live_with(c, 3);
}

STORY(every_eleventh_allocation_fails_for_a_minute)
{
    live_with(c, 11);
}

STORY(every_hundred_and_first_allocation_fails_for_a_minute)
{
    live_with(c, 101);
}

STORY(no_memory_at_all_for_a_while_is_survived)
{
    start_with(c, 5, each_with_its_memory);
    fail_every(5, 1);
    advance(c, seconds(20));
    expect(c, failures(5) > 0, "memory ran out");
    fail_every(5, 0);
    expect_converged_within(c, seconds(60));
    send_event(c, n1, "after", "");
    expect_heard_within(c, seconds(5), everyone, "after");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
