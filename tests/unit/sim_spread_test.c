/* SPDX-License-Identifier: MIT
 *
 * The spread model against cases that can be worked out by hand, its rules, and its promise that threads leave no trace.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/spread_advice.h"
#include "sim/spread_model.h"
#include "sim/spread_plot.h"
#include "sim/spread_report.h"
#include "sim/spread_theory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct spread_result run_on(struct spread_setting setting, unsigned threads)
{
    struct spread_result result;
    setting.fanout = setting.fanout > 0 ? setting.fanout : 1;
    setting.trials = setting.trials > 0 ? setting.trials : 20000;
    setting.rounds_max = setting.rounds_max > 0 ? setting.rounds_max : 10000;
    assert_null(spread_model_refuse(&setting));
    memset(&result, 0, sizeof result);
    assert_true(spread_model_run(&setting, threads, NULL, NULL, &result));
    return result;
}

#define RUN(...) run_on((struct spread_setting){__VA_ARGS__}, 2)

static void assert_mean(const struct spread_statistic *s, double expected, double trials)
{
    if (fabs(s->mean - expected) > 4 * s->sd / sqrt(trials) + 1e-9) {
        fail_msg("mean %g instead of %g", s->mean, expected);
    }
}

static void two_nodes_need_one_round(void **state)
{
    (void)state;
    for (int mode = SPREAD_PUSH; mode <= SPREAD_PUSH_PULL; mode++) {
        struct spread_result r = RUN(.nodes = 2, .mode = (enum spread_mode)mode, .trials = 100);
        static const double messages[] = {0.5, 1, 2}, payloads[] = {0.5, 0.5, 1}; /* push-pull: both call */
        assert_true(r.rounds.mean == 1 && r.rounds.max == 1 && r.complete == 1);
        assert_true(r.messages.mean == messages[mode] && r.payloads.mean == payloads[mode]);
    }
}

static void three_nodes_by_hand(void **state)
{
    (void)state;
    struct spread_result push = RUN(.nodes = 3, .mode = SPREAD_PUSH); /* the third is missed by both with 1/4 */
    assert_mean(&push.rounds, 1 + 4.0 / 3, 20000);
    struct spread_result both = RUN(.nodes = 3, .mode = SPREAD_PUSH, .fanout = 2, .trials = 1000);
    assert_true(both.rounds.mean == 1 && both.rounds.max == 1);
    struct spread_result push_pull = RUN(.nodes = 3, .mode = SPREAD_PUSH_PULL); /* the one not called asks the right one with 1/2 */
    assert_mean(&push_pull.rounds, 1.5, 20000);
    /* Pull: from one, at least one of two with 3/4; both with 1/4; the last one then asks one who knows. */
    struct spread_result pull = RUN(.nodes = 3, .mode = SPREAD_PULL);
    assert_mean(&pull.rounds, 4.0 / 3 + 2.0 / 3, 20000);
    struct spread_result limited = RUN(.nodes = 3, .mode = SPREAD_PULL, .incoming_limit = 1); /* never both at once */
    assert_mean(&limited.rounds, 4.0 / 3 + 1, 20000);
}

static void loss_is_of_every_message(void **state)
{
    (void)state;
    struct spread_result push = RUN(.nodes = 2, .mode = SPREAD_PUSH, .loss = 0.25), pull = RUN(.nodes = 2, .mode = SPREAD_PULL, .loss = 0.25);
    assert_mean(&push.rounds, 1 / 0.75, 20000);
    assert_mean(&pull.rounds, 1 / (0.75 * 0.75), 20000);
}

static void timers_use_news_at_once(void **state)
{
    (void)state;
    struct spread_result r = RUN(.nodes = 2, .mode = SPREAD_PUSH, .has_timers = true); /* the timer is somewhere in the period */
    assert_mean(&r.rounds, 0.5, 20000);
    struct spread_result three = RUN(.nodes = 3, .mode = SPREAD_PUSH_PULL, .fanout = 2, .has_timers = true);
    /* The first of three timers suffices (1/4), unless it is a stranger's who asks the other stranger first (1/3): then the second (1/2). */
    assert_mean(&three.rounds, 2 / 3.0 / 4 + 1 / 3.0 / 2, 20000);
}

static double binomial(uint32_t n, uint32_t k, double p)
{
    if (p >= 1) {
        return k == n;
    }
    return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) + (n - k) * log1p(-p));
}

static void pull_is_its_markov_chain(void **state)
{
    (void)state;
    enum { N = 40 };
    double now[N + 1] = {0, 1}, mean = 0;
    for (int round = 0; now[N] < 1 - 1e-12 && round < 1000; round++) {
        double next[N + 1] = {0};
        mean += 1 - now[N];
        for (uint32_t known = 1; known <= N; known++) {
            for (uint32_t news = 0; known + news <= N; news++) {
                next[known + news] += now[known] * binomial(N - known, news, known / (N - 1.0));
            }
        }
        memcpy(now, next, sizeof now);
    }
    struct spread_result r = RUN(.nodes = N, .mode = SPREAD_PULL);
    assert_mean(&r.rounds, mean, 20000);
}

static void stopping_rules_stop(void **state)
{
    (void)state;
    struct spread_result r = RUN(.nodes = 2, .mode = SPREAD_PUSH, .stop = SPREAD_STOP_TRANSMITS, .stop_after = 3, .trials = 50);
    assert_true(r.payloads.mean == 3 && r.complete == 1);
    r = RUN(.nodes = 2, .mode = SPREAD_PUSH, .stop = SPREAD_STOP_AGE, .stop_after = 4, .trials = 50);
    assert_true(r.payloads.mean == 4);
    r = RUN(.nodes = 2, .mode = SPREAD_PUSH, .stop = SPREAD_STOP_BLIND_COUNTER, .stop_after = 2, .trials = 50);
    assert_true(r.payloads.mean == 2);
    r = RUN(.nodes = 2, .mode = SPREAD_PUSH, .stop = SPREAD_STOP_FEEDBACK_COUNTER, .stop_after = 2, .trials = 50);
    assert_true(r.payloads.mean == 2.5); /* one useful and two useless calls by the one, two useless by the other */
    r = RUN(.nodes = 2, .mode = SPREAD_PUSH, .stop = SPREAD_STOP_BLIND_COIN, .stop_after = 5);
    assert_mean(&r.payloads, 5, 20000);
    r = RUN(.nodes = 1000, .mode = SPREAD_PUSH, .stop = SPREAD_STOP_BLIND_COUNTER, .stop_after = 1, .trials = 100);
    assert_true(r.complete == 0 && r.coverage_share[2] == 0 && r.residue.mean > 0.5);
    assert_int_equal(spread_model_transmits(4, 9), 4);
    assert_int_equal(spread_model_transmits(4, 10), 8);
    assert_int_equal(spread_model_transmits(4, 128), 12);
}

static void the_coordinator_carries_the_load(void **state)
{
    (void)state;
    struct spread_result central = RUN(.nodes = 100, .mode = SPREAD_CENTRAL, .trials = 20);
    assert_true(central.rounds.mean == 2 && central.busiest.mean == 2 * 99 && central.connections.mean == 98);
    struct spread_result broadcast = RUN(.nodes = 100, .mode = SPREAD_BROADCAST, .trials = 20);
    assert_true(broadcast.rounds.mean == 1 && broadcast.busiest.mean == 2 * 99 && broadcast.connections.mean == 99);
    struct spread_result gossip = RUN(.nodes = 100, .mode = SPREAD_PUSH, .trials = 20, .has_load = true);
    assert_true(gossip.busiest.mean < 50 && gossip.connections.mean < 15);
}

static void threads_leave_no_trace(void **state)
{
    (void)state;
    struct spread_setting setting = {.nodes = 300, .mode = SPREAD_PUSH_PULL, .fanout = 2, .trials = 200, .loss = 0.1, .seed = 7, .incoming_limit = 3,
                                     .has_load = true};
    for (int has_timers = 0; has_timers < 2; has_timers++) {
        setting.has_timers = has_timers != 0;
        struct spread_result one = run_on(setting, 1), many = run_on(setting, 7);
        assert_memory_equal(&one, &many, sizeof one);
        setting.seed++;
        struct spread_result other = run_on(setting, 1);
        assert_true(memcmp(&one, &other, sizeof one) != 0);
    }
}

static void theory_is_near(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        struct spread_setting s = {.nodes = 2000, .mode = (enum spread_mode)(i % 3), .fanout = 1 + i / 3 % 2 * 2, .trials = 300, .rounds_max = 10000,
                                   .has_timers = i >= 6, .loss = i % 2 * 0.1};
        struct spread_theory theory;
        struct spread_result r = run_on(s, 2);
        assert_true(spread_theory_of(&s, &theory));
        if (fabs(theory.rounds - r.rounds.mean) > 0.05 * r.rounds.mean + 0.2) {
            fail_msg("%s k = %u: theory %g, measured %g", spread_report_mode(s.mode), s.fanout, theory.rounds, r.rounds.mean);
        }
    }
}

static void impossible_settings_are_refused(void **state)
{
    (void)state;
    const struct spread_setting fine = {.nodes = 10, .fanout = 1, .trials = 1, .rounds_max = 1};
    struct spread_setting s = fine;
    assert_null(spread_model_refuse(&s));
    s.nodes = 1;
    assert_non_null(spread_model_refuse(&s));
    s = fine, s.fanout = 10;
    assert_non_null(spread_model_refuse(&s));
    s = fine, s.loss = 1;
    assert_non_null(spread_model_refuse(&s));
    s = fine, s.stop = SPREAD_STOP_AGE;
    assert_non_null(spread_model_refuse(&s));
    s = fine, s.nodes = SPREAD_NODES_MAX + 1;
    assert_non_null(spread_model_refuse(&s));
}

static void the_picture_is_whole(void **state)
{
    (void)state;
    struct spread_run run = {.setting = {.nodes = 50, .mode = SPREAD_PUSH, .fanout = 1, .trials = 10, .rounds_max = 100}};
    run.result = run_on(run.setting, 1);
    run.has_theory = spread_theory_of(&run.setting, &run.theory);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    spread_plot_write(out, &run, 1);
    fclose(out);
    assert_non_null(strstr(text, "class=\"curve c0\" points=\""));
    assert_non_null(strstr(text, "class=\"theory c0\" points=\""));
    assert_non_null(strstr(text, "</svg>"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "href")); /* nothing from elsewhere */
    free(text);
}

static void advice_is_in_time_and_the_cheapest_comes_first(void **state)
{
    (void)state;
    struct spread_advice advice[SPREAD_ADVICE_MAX];
    struct spread_need need = {.nodes = 200, .rumor_bytes = 100, .loss = 0.1, .within_ms = 3000, .rumors_per_s = 1000};
    assert_int_equal(spread_advice_find(&need, advice), SPREAD_ADVICE_MAX);
    for (size_t i = 0; i < SPREAD_ADVICE_MAX; i++) {
        assert_true(advice[i].is_possible && advice[i].interval_ms * advice[i].periods <= need.within_ms);
        assert_true(i == 0 || advice[i - 1].bytes_per_s <= advice[i].bytes_per_s);
    }
    need.rumors_per_s = 0.0001; /* who seldom has news pays only for asking: push asks nobody */
    assert_true(spread_advice_find(&need, advice) > 0 && advice[0].mode == SPREAD_PUSH && advice[0].idle_bytes_per_s == 0);
    need.within_ms = 15;
    assert_true(spread_advice_find(&need, advice) > 0 && !advice[0].is_possible);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_need_one_round),        cmocka_unit_test(three_nodes_by_hand),
        cmocka_unit_test(loss_is_of_every_message),        cmocka_unit_test(timers_use_news_at_once),
        cmocka_unit_test(pull_is_its_markov_chain),        cmocka_unit_test(stopping_rules_stop),
        cmocka_unit_test(the_coordinator_carries_the_load), cmocka_unit_test(threads_leave_no_trace),
        cmocka_unit_test(theory_is_near),                  cmocka_unit_test(impossible_settings_are_refused),
        cmocka_unit_test(the_picture_is_whole),            cmocka_unit_test(advice_is_in_time_and_the_cheapest_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
