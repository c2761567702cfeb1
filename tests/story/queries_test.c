/* SPDX-License-Identifier: MIT
 *
 * Stories of queries: everybody whom the filters mean gets them once, acknowledges and may answer once; the asker hears it all.
 */
#include "lib/story.h"

#include <stdio.h>
#include <string.h>

STORY(all_acknowledge_a_query_and_answer_it)
{
    start(c, 30);
    ask(c, n7, "answer", "abc");
    expect_told_within(c, ms(500), everyone, HEARSAY_QUERY, n7);
    expect_told_within(c, seconds(7), n7, HEARSAY_QUERY_DONE, nobody); /* 200 ms * 16 * 2 */
    struct hearsay_event end = last_end(c, n7);
    expect(c, end.members == 30 && end.acks == 30 && end.answers == 30, "30 members, acks and answers: %u, %u, %u", end.members, end.acks,
           end.answers);
    expect_answer(c, n7, n(12), "cba");
    expect(c, times_told(c, n7, HEARSAY_QUERY_ACK, nobody) == 30, "an ack each");
    expect(c, times_told(c, n7, HEARSAY_QUERY_RESPONSE, n3) == 1, "an answer each");
    expect_heard_times(c, everyone, "answer", 1);
    expect_never_told(c, except(n7), HEARSAY_QUERY_ACK, nobody);
}

static span all_have_acknowledged(struct story *c, unsigned count)
{
    span began = time_of(c);
    ask(c, n7, "round", "trip");
    while (times_told(c, n7, HEARSAY_QUERY_ACK, nobody) < count && time_of(c) - began < seconds(7)) {
        advance(c, ms(1));
    }
    return time_of(c) - began;
}

static void ticks_only(struct story *c, struct hearsay_options *options, unsigned number)
{
    (void)c;
    (void)number;
    options->eager = 0;
}

STORY(fifty_have_acknowledged_within_a_tenth_of_a_second)
{
    start(c, 50);
    span took = all_have_acknowledged(c, 49); /* a rumour may take the slow way to one of them */
    expect(c, took < ms(100), "49 of 50 acks are there within 100 ms (%.0f)", (double)took / 1e3);
}

STORY(by_ticks_alone_fifty_take_several_times_as_long)
{
    start_with(c, 50, ticks_only);
    span took = all_have_acknowledged(c, 49);
    expect(c, took > ms(200), "ticks of 200 ms are slower (%.0f ms)", (double)took / 1e3);
}

STORY(a_query_is_over_when_its_time_is_over_not_before_and_not_much_later)
{
    start(c, 5);
    span began = time_of(c);
    ask_with(c, n1, (struct hearsay_question){.name = "quiet", .timeout_us = 750000});
    expect_told_within(c, seconds(1), n1, HEARSAY_QUERY_DONE, nobody);
    span took = time_of(c) - began;
    expect(c, took >= ms(750) && took < ms(760), "it took 750 ms (%.0f)", (double)took / 1e3);
    struct hearsay_event end = last_end(c, n1);
    expect(c, end.acks == 0 && end.answers == 0, "nobody was asked for an ack, nobody answers");
    expect_heard_times(c, everyone, "quiet", 1);
}

STORY(names_filter_whom_a_query_means)
{
    static const char *const names[] = {"n2", "n5", "nobody"};
    start(c, 8);
    ask_with(c, n1, (struct hearsay_question){.name = "answer", .wants_acks = true, .nodes = names, .node_count = 3});
    expect_told_within(c, seconds(8), n1, HEARSAY_QUERY_DONE, nobody);
    expect_told_within(c, seconds(0), n2 | n5, HEARSAY_QUERY, n1);
    expect_never_told(c, except(n2 | n5), HEARSAY_QUERY, nobody);
    struct hearsay_event end = last_end(c, n1);
    expect(c, end.acks == 2 && end.answers == 2, "two are meant: %u acks, %u answers", end.acks, end.answers);
}

/* Stands in for regular expressions: "x*" is "begins with x", everything else is itself. */
static bool begins_or_is(void *context, struct hearsay_bytes expression, struct hearsay_bytes text)
{
    bool is_open = expression.size > 0 && expression.data[expression.size - 1] == '*';
    size_t size = expression.size - is_open;
    (void)context;
    return (is_open ? text.size >= size : text.size == size) && (size == 0 || memcmp(expression.data, text.data, size) == 0);
}

static void odd_ones_are_databases(struct story *c, struct hearsay_options *options, unsigned number)
{
    static const struct hearsay_tag database[] = {{"role", "db"}, {"rack", "r1"}}, web[] = {{"role", "web"}};
    (void)c;
    options->matcher.match = number == 4 ? NULL : begins_or_is;
    options->tags = number % 2 == 1 ? database : web;
    options->tag_count = number % 2 == 1 ? 2 : 1;
}

STORY(tags_filter_whom_a_query_means)
{
    static const struct hearsay_tag databases[] = {{"role", "d*"}, {"rack", "r1"}}, webs[] = {{"role", "web"}, {"rack", ""}};
    start_with(c, 7, odd_ones_are_databases);
    ask_with(c, n2, (struct hearsay_question){.name = "databases", .wants_acks = true, .tags = databases, .tag_count = 2});
    ask_with(c, n2, (struct hearsay_question){.name = "webs", .wants_acks = true, .tags = webs, .tag_count = 2});
    advance(c, seconds(8));
    expect_heard_times(c, n1 | n3 | n5 | n7, "databases", 1);
    expect_heard_times(c, n2 | n4 | n6, "databases", 0);
    expect_heard_times(c, n2 | n6, "webs", 1);
    expect_heard_times(c, n1 | n3 | n4 | n5 | n7, "webs", 0); /* n4 has no matcher: filters by tag never mean it */
}

STORY(relays_bring_answers_that_cannot_come_directly)
{
    start(c, 10);
    cut_one_way(c, n9, n1);
    ask_with(c, n1, (struct hearsay_question){.name = "answer", .wants_acks = true, .relay_factor = 3, .payload = {(const uint8_t *)"xy", 2}});
    expect_told_within(c, seconds(1), n1, HEARSAY_QUERY_ACK, n9);
    expect_told_within(c, seconds(1), n1, HEARSAY_QUERY_RESPONSE, n9);
    advance(c, seconds(8));
    struct hearsay_event end = last_end(c, n1);
    expect(c, end.acks == 10 && end.answers == 10, "each counts once, however often it came: %u, %u", end.acks, end.answers);
}

STORY(without_relays_they_do_not_come)
{
    start(c, 10);
    cut_one_way(c, n9, n1);
    ask(c, n1, "answer", "xy");
    advance(c, seconds(8));
    expect_told_within(c, seconds(0), n9, HEARSAY_QUERY, n1);
    expect(c, last_end(c, n1).acks == 9, "all but n9 are heard");
    expect_never_told(c, n1, HEARSAY_QUERY_ACK, n9);
}

STORY(with_every_fifth_packet_lost_almost_all_are_heard_and_with_relays_practically_all)
{
    start(c, 40);
    lose(c, 0.2);
    ask(c, n1, "answer", "direct");
    advance(c, seconds(7));
    unsigned direct = last_end(c, n1).acks;
    ask_with(c, n1, (struct hearsay_question){.name = "answer", .wants_acks = true, .relay_factor = 2});
    advance(c, seconds(7));
    unsigned relayed = last_end(c, n1).acks;
    expect(c, direct >= 24 && direct < 40, "of 40 about 80 %% are heard directly (%u)", direct);
    expect(c, relayed >= 37, "with two relays each nearly all (%u)", relayed);
}

STORY(a_ping_of_the_cluster_is_acknowledged_and_shown_to_nobody)
{
    start(c, 12);
    ask_with(c, n4, (struct hearsay_question){.name = "_serf_ping", .wants_acks = true});
    advance(c, seconds(8));
    expect(c, last_end(c, n4).acks == 12, "all acknowledge");
    expect_never_told(c, everyone, HEARSAY_QUERY, nobody);
}

STORY(what_cannot_be_asked_is_refused)
{
    static uint8_t large[2048];
    uint32_t ticket;
    start(c, 2);
    struct host *host = host_of(c, n1);
    struct hearsay_question question = {.name = "_serf_conflict"};
    expect(c, hearsay_query(host->node, host_now(host), &question, &ticket) == HEARSAY_ERR_RESERVED, "internal names are reserved");
    question = (struct hearsay_question){.name = "_serf_ping", .payload = {large, 1}};
    expect(c, hearsay_query(host->node, host_now(host), &question, &ticket) == HEARSAY_ERR_RESERVED, "a ping has no payload");
    question = (struct hearsay_question){.name = "big", .payload = {large, 1024}};
    expect(c, hearsay_query(host->node, host_now(host), &question, &ticket) == HEARSAY_ERR_TOO_LARGE, "1 KiB is the limit of all of it");
    expect(c, hearsay_respond(host->node, host_now(host), 7, large, 1) == HEARSAY_ERR_UNKNOWN_QUERY, "nobody asked");
    advance(c, seconds(5));
    expect_never_told(c, everyone, HEARSAY_QUERY, nobody);
    expect_never_told(c, n1, HEARSAY_QUERY_DONE, nobody);
}

STORY(who_crashes_while_asked_is_missing_and_nobody_waits_longer)
{
    start(c, 6);
    switch_off(c, n6);
    span began = time_of(c);
    ask(c, n1, "answer", "z");
    expect_told_within(c, seconds(4), n1, HEARSAY_QUERY_DONE, nobody);
    expect(c, time_of(c) - began <= ms(3210), "3.2 s for six members");
    struct hearsay_event end = last_end(c, n1);
    expect(c, end.members == 6 && end.acks == 5 && end.answers == 5, "n6 is missing");
}

int main(int argc, char **argv)
{
    return story_main(argc, argv);
}
