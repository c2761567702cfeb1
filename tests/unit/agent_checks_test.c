/* SPDX-License-Identifier: MIT
 *
 * Checks on a real loop: results count only so many times in a row; what a server may answer and what it is taken for; bounds on what runs
 * at once and on what is kept; definitions and what is refused in them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/checks.h"

#include <unistd.h>

static uv_loop_t loop;
static struct checks checks;
static unsigned changes;

static int setup(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    checks_init(&checks, &loop);
    changes = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    uv_run(&loop, UV_RUN_DEFAULT); /* ends when all handles are closed */
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static void on_change(void *user, struct check *check)
{
    (void)user;
    (void)check;
    changes++;
}

static const struct words no_variables;

static struct check *begin(const struct check_definition *d)
{
    return check_start(&checks, d, &no_variables, on_change, NULL);
}

/* Turns the loop until the check was run so often, or (state given) has this state. */
static void run_until(const struct check *check, uint64_t runs, int wanted)
{
    while (checks.runs < runs || (wanted >= 0 && (int)check->state != wanted) || check->running != NULL) {
        uv_run(&loop, UV_RUN_ONCE);
    }
}

/* ---- thresholds -------------------------------------------------------------------------------------------------------------- */

static void say(struct check *check, enum hearsay_service_state state)
{
    check_report(check, state, (struct hearsay_bytes){(const uint8_t *)"x", 1});
}

static void a_flapping_check_changes_nothing(void **state)
{
    struct check_definition d = {
        .kind = CHECK_TTL, .name = (char *)"t", .interval_ms = 3600000, .successes = 2, .failures = 3, .initial = HEARSAY_SERVICE_PASSING};
    (void)state;
    struct check *check = begin(&d);
    say(check, HEARSAY_SERVICE_PASSING);
    changes = 0; /* the first result is always told */
    for (int i = 0; i < 100; i++) {
        say(check, HEARSAY_SERVICE_CRITICAL);
        say(check, i % 2 == 0 ? HEARSAY_SERVICE_WARNING : HEARSAY_SERVICE_CRITICAL);
        say(check, HEARSAY_SERVICE_PASSING);
    }
    assert_true(changes == 0 && check->state == HEARSAY_SERVICE_PASSING);
    say(check, HEARSAY_SERVICE_CRITICAL);
    say(check, HEARSAY_SERVICE_WARNING);
    say(check, HEARSAY_SERVICE_CRITICAL); /* three bad ones: the last says how bad */
    assert_true(changes == 1 && check->state == HEARSAY_SERVICE_CRITICAL);
    for (int i = 0; i < 100; i++) {
        say(check, HEARSAY_SERVICE_PASSING);
        say(check, HEARSAY_SERVICE_CRITICAL);
    }
    assert_int_equal(changes, 1);
    say(check, HEARSAY_SERVICE_PASSING);
    say(check, HEARSAY_SERVICE_PASSING);
    assert_true(changes == 2 && check->state == HEARSAY_SERVICE_PASSING);
    check_stop(check);
}

static void a_heartbeat_that_ends_is_critical(void **state)
{
    struct check_definition d = {
        .kind = CHECK_TTL, .name = (char *)"t", .interval_ms = 100, .successes = 1, .failures = 1, .initial = HEARSAY_SERVICE_PASSING};
    (void)state;
    struct check *check = begin(&d);
    run_until(check, 0, HEARSAY_SERVICE_CRITICAL);
    assert_string_equal(check->output, "no heartbeat in time");
    say(check, HEARSAY_SERVICE_PASSING);
    assert_int_equal(check->state, HEARSAY_SERVICE_PASSING);
    run_until(check, 0, HEARSAY_SERVICE_CRITICAL);
    check_stop(check);
}

/* ---- scripts ------------------------------------------------------------------------------------------------------------------------ */

static void exit_codes_are_states_and_output_is_cut(void **state)
{
    static const struct {
        const char *script;
        enum hearsay_service_state state;
    } cases[] = {{"exit 0", HEARSAY_SERVICE_PASSING},      {"exit 1", HEARSAY_SERVICE_WARNING},
                 {"exit 2", HEARSAY_SERVICE_CRITICAL},     {"exit 77", HEARSAY_SERVICE_CRITICAL},
                 {"kill -9 $$", HEARSAY_SERVICE_CRITICAL}, {"yes | head -c 100000; echo end", HEARSAY_SERVICE_PASSING}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct check_definition d = {.kind = CHECK_SCRIPT,
                                     .name = (char *)"s",
                                     .target = (char *)cases[i].script,
                                     .interval_ms = 3600000,
                                     .timeout_ms = 60000,
                                     .successes = 1,
                                     .failures = 1,
                                     .initial =
                                         cases[i].state == HEARSAY_SERVICE_PASSING ? HEARSAY_SERVICE_CRITICAL : HEARSAY_SERVICE_PASSING};
        d.interval_ms = 100;
        struct check *check = begin(&d);
        run_until(check, checks.runs + 1, (int)cases[i].state);
        assert_true(check->output_size <= CHECKS_OUTPUT_BYTES);
        if (i == 5) {
            assert_string_equal(check->output + check->output_size - 5, "y\nend");
        }
        check_stop(check);
    }
}

static void only_so_many_run_at_once_and_all_get_their_turn(void **state)
{
    struct check_definition d = {.kind = CHECK_SCRIPT,
                                 .name = (char *)"s",
                                 .target = (char *)"exit 0",
                                 .interval_ms = 100,
                                 .timeout_ms = 60000,
                                 .successes = 1,
                                 .failures = 1,
                                 .initial = HEARSAY_SERVICE_CRITICAL};
    struct check *all[60];
    (void)state;
    for (int i = 0; i < 60; i++) {
        all[i] = begin(&d);
    }
    for (int i = 0; i < 60; i++) {
        while (all[i]->state != HEARSAY_SERVICE_PASSING) {
            assert_true(checks.scripts.running <= CHECKS_SCRIPTS);
            uv_run(&loop, UV_RUN_ONCE);
        }
    }
    for (int i = 0; i < 60; i++) { /* in the midst of whatever they do */
        check_stop(all[i]);
    }
    assert_int_equal(checks.scripts.running, 0);
    assert_null(checks.scripts.oldest);
}

/* ---- the network ----------------------------------------------------------------------------------------------------------------------
 */

static const char *answer; /* of the server; NULL = silence */
static size_t answer_size;
static uv_tcp_t server;

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_sent(uv_write_t *request, int status)
{
    (void)status;
    uv_close((uv_handle_t *)request->handle, on_closed);
    free(request);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char room[4096];
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(room, sizeof room);
}

static void on_asked(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    uv_read_stop(stream);
    if (size < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
    } else if (answer != NULL) {
        uv_write_t *request = malloc(sizeof *request);
        uv_buf_t out = uv_buf_init((char *)(uintptr_t)answer, (unsigned)answer_size);
        uv_write(request, stream, &out, 1, on_sent);
    } else {
        uv_read_start(stream, give_room, on_asked); /* until the other side has had enough */
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *client = malloc(sizeof *client);
    (void)status;
    uv_tcp_init(&loop, client);
    uv_accept(listener, (uv_stream_t *)client);
    uv_read_start((uv_stream_t *)client, give_room, on_asked);
}

static int listen_somewhere(void)
{
    struct sockaddr_in address;
    int size = sizeof address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&loop, &server);
    uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server, 16, on_connection), 0);
    uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static void look(const char *target, enum check_kind kind, uint64_t timeout_ms, enum hearsay_service_state wanted, const char *output)
{
    struct check_definition d = {.kind = kind,
                                 .name = (char *)"n",
                                 .target = (char *)(uintptr_t)target,
                                 .interval_ms = 3600000,
                                 .timeout_ms = timeout_ms,
                                 .successes = 1,
                                 .failures = 1,
                                 .initial = wanted == HEARSAY_SERVICE_PASSING ? HEARSAY_SERVICE_CRITICAL : HEARSAY_SERVICE_PASSING};
    struct check *check = begin(&d);
    run_until(check, checks.runs + 1, (int)wanted);
    if (strncmp(check->output, output, strlen(output)) != 0) {
        fail_msg("'%s' instead of '%s'", check->output, output);
    }
    assert_true(check->output_size <= CHECKS_OUTPUT_BYTES);
    check_stop(check);
}

static void what_servers_answer(void **state)
{
    static char flood[1 << 20];
    static const struct {
        const char *answer;
        enum hearsay_service_state state;
        const char *output;
    } cases[] = {{"HTTP/1.1 200 OK\r\n\r\nfine", HEARSAY_SERVICE_PASSING, "HTTP/1.1 200 OK"},
                 {"HTTP/1.0 204 Nothing\r\n\r\n", HEARSAY_SERVICE_PASSING, "HTTP/1.0 204"},
                 {"HTTP/1.1 429 Slowly\r\n\r\n", HEARSAY_SERVICE_WARNING, "HTTP/1.1 429"},
                 {"HTTP/1.1 301 Elsewhere\r\n\r\n", HEARSAY_SERVICE_CRITICAL, "HTTP/1.1 301"},
                 {"HTTP/1.1 500 Broken\r\n\r\n", HEARSAY_SERVICE_CRITICAL, "HTTP/1.1 500"},
                 {"SSH-2.0-OpenSSH\r\n", HEARSAY_SERVICE_CRITICAL, "the answer is not HTTP"},
                 {"", HEARSAY_SERVICE_CRITICAL, "the answer is not HTTP"}};
    char url[64], place[64];
    int port = listen_somewhere();
    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/health?x=1", port);
    snprintf(place, sizeof place, "127.0.0.1:%d", port);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer = cases[i].answer;
        answer_size = strlen(answer);
        look(url, CHECK_HTTP, 60000, cases[i].state, cases[i].output);
    }
    memset(flood, 'x', sizeof flood);
    memcpy(flood, "HTTP/1.1 200 OK\r\n\r\n", 19);
    answer = flood;
    answer_size = sizeof flood;
    look(url, CHECK_HTTP, 60000, HEARSAY_SERVICE_PASSING, "HTTP/1.1 200 OK");
    answer = NULL;
    look(url, CHECK_HTTP, 150, HEARSAY_SERVICE_CRITICAL, "no answer within the time limit");
    look(place, CHECK_TCP, 60000, HEARSAY_SERVICE_PASSING, "connected");
    uv_close((uv_handle_t *)&server, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    look(place, CHECK_TCP, 60000, HEARSAY_SERVICE_CRITICAL, "cannot connect: connection refused");
    look("name.invalid:1", CHECK_TCP, 60000, HEARSAY_SERVICE_CRITICAL, "");
}

/* ---- definitions ------------------------------------------------------------------------------------------------------------------------
 */

static void expect(const char *json, const char *complaint_wanted)
{
    struct definition d;
    struct complaint complaint;
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    bool is_read = definition_read(&d, object, &complaint);
    if (is_read != (complaint_wanted == NULL) || (!is_read && strstr(complaint.text, complaint_wanted) == NULL)) {
        fail_msg("%s: %s", json, is_read ? "was taken" : complaint.text);
    }
    definition_free(&d);
    json_decref(object);
}

static void definitions_are_read_or_refused_with_a_reason(void **state)
{
    (void)state;
    expect("{\"name\":\"web\",\"id\":\"web-1\",\"address\":\"::1\",\"port\":80,\"tags\":[\"a\"],\"meta\":{\"k\":\"v\"},\"checks\":[{"
           "\"tcp\":\"[::1]:80\","
           "\"interval\":\"1s\",\"timeout\":\"2s\",\"success_threshold\":2,\"failure_threshold\":3,\"initial\":\"warning\",\"name\":\"c\"},"
           "{\"http\":\"http://localhost\"},{\"script\":\"true\"},{\"ttl\":\"1m\"},{\"ttl\":\"2m\"}]}",
           NULL);
    expect("[1]", "must be a JSON object");
    expect("{}", "needs a 'name'");
    expect("{\"name\":7}", "'name' must be a string");
    expect("{\"name\":\"web\",\"port\":65536}", "'port' must be a whole number from 0 to 65535");
    expect("{\"name\":\"web\",\"address\":\"1.2.3.4:5\"}", "without a port");
    expect("{\"name\":\"web\",\"tags\":\"a\"}", "'tags' must be an array of strings");
    expect("{\"name\":\"web\",\"tags\":[\"\"]}", "a tag must have 1 to 63 bytes");
    expect("{\"name\":\"web\",\"meta\":{\"k\":1}}", "'k' in 'meta' must be a string");
    expect("{\"name\":\"web\",\"checks\":{}}", "'checks' must be an array");
    expect("{\"name\":\"web\",\"checks\":[{}]}", "exactly one of script, tcp, http and ttl");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a:1\",\"ttl\":\"1s\"}]}", "exactly one of");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a\"}]}", "'tcp' must be HOST:PORT");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a:0\"}]}", "'tcp' must be HOST:PORT");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a:99999\"}]}", "'tcp' must be HOST:PORT");
    expect("{\"name\":\"web\",\"checks\":[{\"http\":\"http://a/x y\"}]}", "'http' must be http://");
    expect("{\"name\":\"web\",\"checks\":[{\"http\":\"http://a/\\r\\nHost: b\"}]}", "'http' must be http://");
    expect("{\"name\":\"web\",\"checks\":[{\"ttl\":\"1s\",\"interval\":\"1s\"}]}", "neither interval nor timeout");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a:1\",\"interval\":\"1ms\"}]}", "'interval' must be a time span from 100ms");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a:1\",\"intervall\":\"1s\"}]}", "did you mean 'interval'?");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a:1\",\"initial\":\"good\"}]}", "must be passing, warning or critical");
    expect("{\"name\":\"web\",\"checks\":[{\"tcp\":\"a:1\",\"name\":\"x\"},{\"tcp\":\"a:2\",\"name\":\"x\"}]}", "a name of its own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flapping_check_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_heartbeat_that_ends_is_critical, setup, teardown),
        cmocka_unit_test_setup_teardown(exit_codes_are_states_and_output_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(only_so_many_run_at_once_and_all_get_their_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(what_servers_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(definitions_are_read_or_refused_with_a_reason, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
