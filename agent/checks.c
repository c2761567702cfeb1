/* SPDX-License-Identifier: MIT
 *
 * See checks.h. Exit codes of scripts: 0 passing, 1 warning, everything else critical.
 */
#include "agent/checks.h"

#include "agent/check_net.h"
#include "agent/script.h"

#define FIRST_WITHIN_MS 1000 /* so that many checks do not begin together */

static void run_some(struct checks *checks, struct check_line *line);

void checks_init(struct checks *checks, uv_loop_t *loop)
{
    uint64_t seed = 0;
    (void)uv_random(NULL, NULL, &seed, sizeof seed, 0, NULL);
    *checks = (struct checks){.loop = loop, .scripts.most = CHECKS_SCRIPTS, .looks.most = CHECKS_LOOKS};
    checks->scripts.end = &checks->scripts.oldest;
    checks->looks.end = &checks->looks.oldest;
    rng_init(&checks->rng, seed ^ uv_hrtime());
}

static struct check_line *line_of(struct check *check)
{
    return check->definition->kind == CHECK_SCRIPT ? &check->checks->scripts : &check->checks->looks;
}

/* ---- results ---------------------------------------------------------------------------------------------------------------------- */

static void keep_output(struct check *check, struct hearsay_bytes output)
{
    size_t size = output.size < CHECKS_OUTPUT_BYTES ? output.size : CHECKS_OUTPUT_BYTES;
    while (size > 0 && (output.data[output.size - 1] == '\n' || output.data[output.size - 1] == '\r')) {
        output.size--;
        size = output.size < size ? output.size : size;
    }
    free(check->output);
    check->output = must(malloc(size + 1));
    if (size > 0) {
        memcpy(check->output, output.data + (output.size - size), size);
    }
    check->output[size] = '\0';
    check->output_size = size;
}

static void conclude(struct check *check, enum hearsay_service_state state, struct hearsay_bytes output)
{
    bool is_good = state == HEARSAY_SERVICE_PASSING;
    bool is_first = !check->has_result;
    keep_output(check, output);
    check->has_result = true;
    if (state == check->state) {
        check->streak = 0;
        if (is_first) { /* there is something to say about it now */
            check->on_change(check->user, check);
        }
        return;
    }
    check->streak = check->is_streak_good == is_good ? check->streak + 1 : 1;
    check->is_streak_good = is_good;
    if (check->streak >= (is_good ? check->definition->successes : check->definition->failures)) {
        check->streak = 0;
        check->state = state;
        check->since_ms = uv_now(check->checks->loop);
        check->on_change(check->user, check);
    }
}

/* ---- running --------------------------------------------------------------------------------------------------------------------------
 */

static void on_due(uv_timer_t *timer);

/* A tenth earlier or later, so that checks of many services do not march in step. */
static void wait_for_next(struct check *check)
{
    uint64_t interval = check->definition->interval_ms;
    uv_timer_start(&check->timer, on_due, interval - interval / 10 + rng_below(&check->checks->rng, interval / 5 + 1), 0);
}

static void finish(struct check *check, enum hearsay_service_state state, struct hearsay_bytes output)
{
    struct checks *checks = check->checks;
    struct check_line *line = line_of(check);
    check->running = NULL;
    line->running--;
    wait_for_next(check);
    conclude(check, state, output); /* which may stop it */
    run_some(checks, line);
}

static void on_script(void *user, const struct script_result *result)
{
    struct check *check = user;
    char line[120];
    if (result->was_stopped || result->signal != 0) {
        int length = result->was_stopped ? snprintf(line, sizeof line, "stopped after its time limit of %.1f s",
                                                    (double)check->definition->timeout_ms / 1000)
                                         : snprintf(line, sizeof line, "ended by signal %d", result->signal);
        finish(check, HEARSAY_SERVICE_CRITICAL, (struct hearsay_bytes){(const uint8_t *)line, (size_t)length});
        return;
    }
    finish(check,
           result->exit_code == 0   ? HEARSAY_SERVICE_PASSING
           : result->exit_code == 1 ? HEARSAY_SERVICE_WARNING
                                    : HEARSAY_SERVICE_CRITICAL,
           result->output);
}

static void on_look(void *user, enum hearsay_service_state state, struct hearsay_bytes output)
{
    finish(user, state, output);
}

static void run(struct check *check)
{
    const struct check_definition *d = check->definition;
    char error[200];
    line_of(check)->running++;
    check->checks->runs++;
    if (d->kind != CHECK_SCRIPT) {
        check->running = check_net_start(check->checks->loop, d, on_look, check);
        return;
    }
    struct script_order order = {
        .command = d->target, .added = check->variables, .limit_ms = d->timeout_ms, .on_end = on_script, .user = check};
    check->running = script_start(check->checks->loop, &order, error, sizeof error);
    if (check->running == NULL) {
        line_of(check)->running--;
        wait_for_next(check);
        conclude(check, HEARSAY_SERVICE_CRITICAL, (struct hearsay_bytes){(const uint8_t *)error, strlen(error)});
    }
}

static void run_some(struct checks *checks, struct check_line *line)
{
    (void)checks;
    while (line->oldest != NULL && line->running < line->most) {
        struct check *check = line->oldest;
        line->oldest = check->next_in_line;
        line->end = line->oldest == NULL ? &line->oldest : line->end;
        check->is_waiting = false;
        run(check);
    }
}

static void on_due(uv_timer_t *timer)
{
    struct check *check = timer->data;
    if (check->definition->kind == CHECK_TTL) {
        static const char text[] = "no heartbeat in time";
        conclude(check, HEARSAY_SERVICE_CRITICAL, (struct hearsay_bytes){(const uint8_t *)text, sizeof text - 1});
        return;
    }
    struct check_line *line = line_of(check);
    check->is_waiting = true;
    check->next_in_line = NULL;
    *line->end = check;
    line->end = &check->next_in_line;
    run_some(check->checks, line);
}

void check_report(struct check *check, enum hearsay_service_state state, struct hearsay_bytes output)
{
    uv_timer_start(&check->timer, on_due, check->definition->interval_ms, 0);
    conclude(check, state, output);
}

/* ---- life
 * -------------------------------------------------------------------------------------------------------------------------------- */

struct check *check_start(struct checks *checks, const struct check_definition *definition, const struct words *variables,
                          void (*on_change)(void *user, struct check *check), void *user)
{
    struct check *check = must(calloc(1, sizeof *check));
    *check = (struct check){.checks = checks,
                            .definition = definition,
                            .variables = variables,
                            .state = definition->initial,
                            .since_ms = uv_now(checks->loop),
                            .on_change = on_change,
                            .user = user};
    uint64_t most = definition->interval_ms < FIRST_WITHIN_MS ? definition->interval_ms : FIRST_WITHIN_MS;
    uv_timer_init(checks->loop, &check->timer);
    check->timer.data = check;
    uv_timer_start(&check->timer, on_due, definition->kind == CHECK_TTL ? definition->interval_ms : rng_below(&checks->rng, most), 0);
    return check;
}

static void on_closed(uv_handle_t *handle)
{
    struct check *check = handle->data;
    free(check->output);
    free(check);
}

void check_stop(struct check *check)
{
    struct check_line *line = line_of(check);
    if (check->is_waiting) {
        struct check **at = &line->oldest;
        while (*at != check) {
            at = &(*at)->next_in_line;
        }
        *at = check->next_in_line;
        line->end = *at == NULL ? at : line->end;
    }
    if (check->running != NULL) {
        line->running--;
        if (check->definition->kind == CHECK_SCRIPT) {
            script_forget(check->running);
        } else {
            check_net_forget(check->running);
        }
        check->running = NULL;
        run_some(check->checks, line);
    }
    uv_close((uv_handle_t *)&check->timer, on_closed);
}
