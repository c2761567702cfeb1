/* SPDX-License-Identifier: MIT
 *
 * Gathering of events: what Serf's two coalescers promise (serf/coalesce_member.go, coalesce_user.go), and that nothing is lost
 * or kept for ever.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/coalesce.h"
#include "agent/filter.h"

#include <hearsay/hearsay.h>

static struct text told;

static void deliver(void *context, const struct hearsay_event *event)
{
    (void)context;
    text_printf(&told, "%s%s:%s", told.size == 0 ? "" : " ", hearsay_event_text(event->type),
                event->type == HEARSAY_USER_EVENT ? event->name : event->member.name);
    if (event->payload.size > 0) {
        text_printf(&told, "=%.*s", (int)event->payload.size, (const char *)event->payload.data);
    }
}

static struct coalesce fresh(void)
{
    return (struct coalesce){.period_ms = 3000, .quiet_ms = 1000, .deliver = deliver};
}

static void expect(const char *text)
{
    assert_string_equal(told.size == 0 ? "" : told.data, text);
    text_clear(&told);
}

static void member(struct coalesce *c, enum hearsay_event_type type, const char *name, uint64_t now_ms)
{
    char word[32];
    snprintf(word, sizeof word, "%s", name); /* ours is gone when it is told */
    struct hearsay_event event = {.type = type, .member.name = word};
    coalesce_event(c, &event, now_ms);
    memset(word, '?', sizeof word - 1);
}

static void user(struct coalesce *c, const char *name, uint64_t ltime, const char *payload, bool coalesce, uint64_t now_ms)
{
    struct hearsay_event event = {.type = HEARSAY_USER_EVENT, .name = name, .ltime = ltime, .coalesce = coalesce,
                                  .payload = {(const uint8_t *)payload, strlen(payload)}};
    coalesce_event(c, &event, now_ms);
}

static void members_are_told_when_it_is_quiet_or_the_period_is_over(void **state)
{
    (void)state;
    struct coalesce c = fresh();
    assert_int_equal(coalesce_due_ms(&c), 0);
    member(&c, HEARSAY_MEMBER_JOIN, "a", 100);
    assert_int_equal(coalesce_due_ms(&c), 1100);
    coalesce_run(&c, 1099, false);
    expect("");
    coalesce_run(&c, 1100, false);
    expect("member-join:a");
    assert_int_equal(coalesce_due_ms(&c), 0);
    for (uint64_t now = 2000; now <= 4800; now += 700) {
        member(&c, HEARSAY_MEMBER_UPDATE, "a", now);
    }
    assert_int_equal(coalesce_due_ms(&c), 5000);
    coalesce_run(&c, 5000, false);
    expect("member-update:a");
    coalesce_deinit(&c);
}

static void of_one_member_the_last_is_told_and_never_twice_the_same(void **state)
{
    (void)state;
    struct coalesce c = fresh();
    member(&c, HEARSAY_MEMBER_JOIN, "b", 0);
    member(&c, HEARSAY_MEMBER_JOIN, "a", 0);
    member(&c, HEARSAY_MEMBER_FAILED, "b", 10);
    coalesce_run(&c, 2000, false);
    expect("member-join:a member-failed:b");
    member(&c, HEARSAY_MEMBER_FAILED, "a", 3000); /* a flap that nobody needs to hear of */
    member(&c, HEARSAY_MEMBER_JOIN, "a", 3100);
    coalesce_run(&c, 5000, false);
    expect("");
    member(&c, HEARSAY_MEMBER_UPDATE, "a", 6000);
    coalesce_run(&c, 8000, false);
    member(&c, HEARSAY_MEMBER_UPDATE, "a", 9000);
    coalesce_run(&c, 11000, false);
    expect("member-update:a member-update:a");
    member(&c, HEARSAY_MEMBER_REAP, "b", 12000); /* passes at once, and what was told of b is forgotten */
    expect("member-reap:b");
    member(&c, HEARSAY_MEMBER_FAILED, "b", 13000);
    coalesce_run(&c, 13000, true);
    expect("member-failed:b");
    coalesce_deinit(&c);
}

static void of_user_events_the_highest_time_is_told(void **state)
{
    (void)state;
    struct coalesce c = fresh();
    user(&c, "deploy", 5, "five", true, 0);
    user(&c, "deploy", 7, "seven", true, 1);
    user(&c, "deploy", 6, "six", true, 2);
    user(&c, "deploy", 7, "too", true, 3);
    user(&c, "deploy", 4, "plain", false, 4);
    expect("user:deploy=plain");
    coalesce_run(&c, 1003, false);
    expect("user:deploy=seven user:deploy=too");
    assert_null(c.users.tree);
    coalesce_deinit(&c);
}

static void without_a_period_nothing_waits(void **state)
{
    (void)state;
    struct coalesce c = fresh();
    c.period_ms = 0;
    member(&c, HEARSAY_MEMBER_JOIN, "a", 0);
    user(&c, "x", 1, "", true, 0);
    expect("member-join:a user:x");
    assert_int_equal(coalesce_due_ms(&c), 0);
    coalesce_deinit(&c);
}

static void a_flood_is_told_early(void **state)
{
    (void)state;
    struct coalesce c = fresh();
    char name[16];
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "e%u", i);
        user(&c, name, i + 1, "x", true, 0);
        assert_true(c.users.waiting < 4096);
    }
    coalesce_run(&c, 0, true);
    size_t count = 0;
    for (const char *p = told.data; (p = strstr(p, "user:")) != NULL; p++) {
        count++;
    }
    assert_int_equal(count, 10000);
    text_deinit(&told);
    coalesce_deinit(&c);
}

static void filters_speak_serfs_words(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool is_fine;
        const char *event, *name;
        bool is_wanted;
    } cases[] = {
        {"", true, "member-reap", NULL, true},
        {"*", true, "query", "q", true},
        {"member-join,user:deploy", true, "user", "deploy", true},
        {"member-join,user:deploy", true, "user", "other", false},
        {"member-join,user:deploy", true, "member-join", NULL, true},
        {"member-join,user:deploy", true, "query", "deploy", false},
        {"user:", true, "user", "any", true},
        {"user:a:b=c", true, "user", "a:b=c", true},
        {"query:load", true, "query", "load", true},
        {"query:load", true, "user", "load", false},
        {"user", true, "user", "any", true},
        {"member-join:x", false, NULL, NULL, false},
        {"member-jion", false, NULL, NULL, false},
        {"user,", false, NULL, NULL, false},
        {",", false, NULL, NULL, false},
        {"User", false, NULL, NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct filter filter;
        assert_int_equal(filter_parse(&filter, cases[i].list, strlen(cases[i].list)), cases[i].is_fine);
        if (cases[i].is_fine) {
            assert_int_equal(filter_wants(&filter, cases[i].event, cases[i].name), cases[i].is_wanted);
        }
        filter_free(&filter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_told_when_it_is_quiet_or_the_period_is_over),
        cmocka_unit_test(of_one_member_the_last_is_told_and_never_twice_the_same),
        cmocka_unit_test(of_user_events_the_highest_time_is_told),
        cmocka_unit_test(without_a_period_nothing_waits),
        cmocka_unit_test(a_flood_is_told_early),
        cmocka_unit_test(filters_speak_serfs_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
