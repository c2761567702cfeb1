/* SPDX-License-Identifier: MIT
 *
 * The bounds of event handlers, with real scripts on a loop of the test's own: how many run, how many events wait, whose turn it is, and
 * that whatever is dropped, forgotten or cannot be started is neither leaked nor waited for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/handlers.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static uv_loop_t loop;
static struct handlers handlers;
static char folder[64], error[600];
static struct text ran; /* scripts, as they ended */
static unsigned answers;

static void on_run(void *context, const char *script, uint64_t ms)
{
    (void)context;
    (void)ms;
    text_printf(&ran, "%c", script[strlen(script) - 1]);
}

static bool respond(void *context, uint64_t query, struct hearsay_bytes answer, char *problem, size_t size)
{
    (void)context;
    (void)problem;
    (void)size;
    assert_int_equal(query, 77);
    assert_int_equal(answer.size, 3);
    assert_memory_equal(answer.data, "yes", 3);
    answers++;
    return true;
}

static uint64_t judged_item;
static unsigned judgements, approvals;

static void judged(void *context, uint64_t item, bool is_good)
{
    (void)context;
    judged_item = item;
    judgements++;
    approvals += is_good;
}

static int start(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/hearsay-handlers-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(uv_loop_init(&loop), 0);
    handlers = (struct handlers){.loop = &loop, .name = "n1", .running_max = 2, .limit_ms = 60000, .on_run = on_run, .respond = respond,
                                 .judged = judged};
    text_clear(&ran);
    answers = 0;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    handlers_close(&handlers);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(rmdir(folder), 0);
    text_deinit(&ran);
    return 0;
}

static bool judge(const char *name, const char *payload)
{
    struct hearsay_event event = {.type = HEARSAY_LARGE_EVENT, .name = name, .change = 55, .payload = {(const uint8_t *)payload, strlen(payload)}};
    judgements = approvals = 0;
    return handlers_judge(&handlers, &event);
}

static bool set(const char *const *lines)
{
    struct words words = {0};
    for (; *lines != NULL; lines++) {
        lists_add_word(&words, *lines);
    }
    bool is_set = handlers_set(&handlers, &words, error, sizeof error);
    lists_free_words(&words);
    return is_set;
}

static void tell(const char *name, const char *payload)
{
    struct hearsay_event event = {.type = HEARSAY_USER_EVENT, .name = name, .ltime = 1, .payload = {(const uint8_t *)payload, strlen(payload)}};
    handlers_event(&handlers, &event);
}

/* Runs the loop until as many scripts have ended. */
static void until_ran(size_t count)
{
    for (int i = 0; i < 20000 && ran.size < count; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        assert_true(handlers.running <= handlers.running_max);
        usleep(1000);
    }
    assert_int_equal(ran.size, count);
}

static void a_slow_handler_keeps_a_bounded_number_of_events(void **state)
{
    (void)state;
    char pipe[100], line[200];
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    snprintf(line, sizeof line, "read x <%s # s", pipe);
    assert_true(set((const char *const[]){line, NULL}));
    for (unsigned i = 0; i < 3000; i++) {
        tell("flood", "");
    }
    assert_int_equal(handlers.running, 1); /* one handler runs one script */
    assert_int_equal(handlers.dropped, 3000 - 1 - HANDLERS_WAITING);
    static char large[100000];
    memset(large, 'x', sizeof large - 1);
    assert_true(set((const char *const[]){"user:big=true # b", line, NULL})); /* the other keeps its place and what waits */
    for (unsigned i = 0; i < 100; i++) {
        tell("big", large);
    }
    assert_true(handlers.dropped >= 3000 - 1 - HANDLERS_WAITING + 100 + 100 - 1 - HANDLERS_WAITING_BYTES / sizeof large);
    assert_int_equal(unlink(pipe), 0);
}

static void handlers_take_turns_and_few_run_at_once(void **state)
{
    (void)state;
    assert_true(set((const char *const[]){"user:go=sleep 0.02 # a", "user:go=sleep 0.02 # b", "user:go=sleep 0.02 # c",
                                          "user:go=sleep 0.02 # d", NULL}));
    for (unsigned i = 0; i < 5; i++) {
        tell("go", "");
    }
    assert_int_equal(handlers.running, 2);
    until_ran(20);
    for (const char *name = "abcd"; *name != '\0'; name++) { /* nobody is starved: each was served twice before anybody was done */
        unsigned early = 0;
        for (size_t i = 0; i < 12; i++) {
            early += ran.data[i] == *name;
        }
        assert_in_range(early, 2, 4);
    }
    assert_int_equal(handlers.running, 0);
}

static void only_a_good_end_answers_a_query(void **state)
{
    (void)state;
    assert_true(set((const char *const[]){"query:q=printf yes # 1", "query:q=printf yes; exit 1 # 2", "query:q=true # 3", "query:other=printf no # 4",
                                          "user:q=printf no # 5", NULL}));
    handlers_query(&handlers, "q", 3, (struct hearsay_bytes){NULL, 0}, 77);
    until_ran(3);
    assert_int_equal(answers, 1);
}

static void a_wrong_list_changes_nothing(void **state)
{
    (void)state;
    assert_true(set((const char *const[]){"user:x=true # x", NULL}));
    assert_false(set((const char *const[]){"user:y=true # y", "member-jion=true", NULL}));
    assert_non_null(strstr(error, "member-jion=true"));
    assert_false(set((const char *const[]){"user:y=", NULL}));
    tell("x", "");
    tell("y", "");
    until_ran(1);
    assert_string_equal(ran.data, "x");
}

static void what_waits_and_runs_is_forgotten_in_the_end(void **state)
{
    (void)state;
    assert_true(set((const char *const[]){"user=sleep 0.05 # 1", "*=sleep 0.05 # 2", NULL}));
    for (unsigned i = 0; i < 10; i++) {
        tell("x", "payload");
    }
    struct hearsay_event event = {.type = HEARSAY_MEMBER_JOIN, .member.name = "m\t\n", .member.address = {.bytes = {127, 0, 0, 1}, .size = 4}};
    handlers_event(&handlers, &event);
    assert_true(set((const char *const[]){NULL})); /* those that run are of no list any more; stop() forgets them */
    assert_int_equal(handlers.running, 2);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, start, stop)

static void judges_decide_by_their_exit_code(void **state)
{
    (void)state;
    set((const char *const[]){"*=exit 1; # other", "judge=grep -qx good; # a", "judge:release=test $SERF_EVENT = judge; # b", NULL});
    assert_true(judge("release", "good"));
    assert_int_equal(judgements, 0); /* not yet */
    until_ran(2);
    assert_int_equal(judged_item, 55);
    assert_true(judgements == 1 && approvals == 1);
    assert_true(judge("release", "bad")); /* one no is enough */
    until_ran(4);
    assert_true(judgements == 1 && approvals == 0);
    assert_true(judge("blob", "good")); /* the second has nothing to say to that */
    until_ran(5);
    assert_true(judgements == 1 && approvals == 1);
    set((const char *const[]){"judge:release=sleep 100; # c", "*=true", NULL});
    assert_false(judge("blob", "good"));
    handlers.limit_ms = 100; /* who does not answer in time does not approve */
    assert_true(judge("release", "good"));
    until_ran(6);
    assert_true(judgements == 1 && approvals == 0);
    handlers.limit_ms = 60000;
    assert_true(judge("release", "good")); /* it runs when all is closed: nobody is told */
    assert_false(set((const char *const[]){"judges=true", NULL}));
    assert_false(set((const char *const[]){"judge=", NULL}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(a_slow_handler_keeps_a_bounded_number_of_events),
        WITH_LOOP(judges_decide_by_their_exit_code),
        WITH_LOOP(handlers_take_turns_and_few_run_at_once),
        WITH_LOOP(only_a_good_end_answers_a_query),
        WITH_LOOP(a_wrong_list_changes_nothing),
        WITH_LOOP(what_waits_and_runs_is_forgotten_in_the_end),
    };
    signal(SIGPIPE, SIG_IGN); /* as the agent does: a script need not read its input */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
