/* SPDX-License-Identifier: MIT
 *
 * The agent's event log: every event is one line of valid JSON with the promised fields, whatever is in names and payloads; and
 * a reader that does not read costs lines, never time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/eventlog.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *line_of(const struct hearsay_event *event)
{
    struct text line = {0};
    json_error_t problem;
    assert_true(eventlog_line(&line, event, 1234567890123));
    assert_int_equal(line.data[line.size - 1], '\n');
    assert_ptr_equal(strchr(line.data, '\n'), line.data + line.size - 1);
    json_t *object = json_loads(line.data, JSON_REJECT_DUPLICATES, &problem);
    if (object == NULL) {
        fail_msg("%s: %s", problem.text, line.data);
    }
    text_deinit(&line);
    assert_int_equal(json_integer_value(json_object_get(object, "schema")), 1);
    assert_int_equal(json_integer_value(json_object_get(object, "time_ms")), 1234567890123);
    return object;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value == NULL ? "(missing)" : value;
}

static json_int_t number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* ff, then a map of two tags */
static const uint8_t meta[] = "\xff\x82\xa4role\xa3w\"b\xa2"
                              "dc\xa4"
                              "e\n\xc3\x28";

static struct hearsay_event suspect(void)
{
    struct hearsay_event event = {.type = HEARSAY_MEMBER_SUSPECT};
    event.member.name = "n\"1\\";
    event.member.address = (struct hearsay_address){.bytes = {10, 0, 0, 7}, .port = 7946, .size = 4};
    event.member.meta = (struct hearsay_bytes){meta, sizeof meta - 1};
    event.cause.reason = HEARSAY_BECAUSE_PROBE_FAILED;
    event.cause.accuser = "n2";
    event.cause.incarnation = 3;
    event.cause.probe.direct = HEARSAY_PATH_SILENT;
    event.cause.probe.stream = HEARSAY_PATH_REFUSED;
    event.cause.probe.relays_asked = 3;
    event.cause.probe.nacks = 2;
    event.cause.probe.waited_ms = 1000;
    event.cause.confirmations_wanted = 2;
    event.cause.timer_min_ms = 4000;
    event.cause.timer_max_ms = 24000;
    return event;
}

static void a_member_event_has_member_and_cause(void **state)
{
    struct hearsay_event event = suspect();
    (void)state;
    json_t *object = line_of(&event);
    const json_t *member = json_object_get(object, "member"), *cause = json_object_get(object, "cause");
    const json_t *probe = json_object_get(cause, "probe"), *tags = json_object_get(member, "tags");
    assert_string_equal(text_at(object, "event"), "member-suspect");
    assert_string_equal(text_at(member, "name"), "n\"1\\");
    assert_string_equal(text_at(member, "addr"), "10.0.0.7");
    assert_int_equal(number_at(member, "port"), 7946);
    assert_int_equal(json_object_size(tags), 2);
    assert_string_equal(text_at(tags, "role"), "w\"b");
    assert_string_equal(text_at(tags, "dc"), "e\n\xef\xbf\xbd(");
    assert_string_equal(text_at(cause, "reason"), hearsay_reason_text(HEARSAY_BECAUSE_PROBE_FAILED));
    assert_string_equal(text_at(cause, "accuser"), "n2");
    assert_int_equal(number_at(cause, "incarnation"), 3);
    assert_string_equal(text_at(probe, "direct"), hearsay_path_text(HEARSAY_PATH_SILENT));
    assert_string_equal(text_at(probe, "stream"), hearsay_path_text(HEARSAY_PATH_REFUSED));
    assert_int_equal(number_at(probe, "relays_asked"), 3);
    assert_int_equal(number_at(probe, "nacks"), 2);
    assert_int_equal(number_at(probe, "waited_ms"), 1000);
    assert_int_equal(number_at(cause, "timer_max_ms"), 24000);
    /* what does not apply is left out */
    assert_int_equal(json_object_size(probe), 5);
    assert_null(json_object_get(cause, "confirmations"));
    assert_null(json_object_get(cause, "own_health"));
    assert_null(json_object_get(object, "other"));
    json_decref(object);
}

static void a_cause_of_nothing_is_empty(void **state)
{
    struct hearsay_event event = {.type = HEARSAY_MEMBER_JOIN, .member.name = "n1"};
    (void)state;
    json_t *object = line_of(&event);
    assert_int_equal(json_object_size(json_object_get(object, "cause")), 0);
    assert_string_equal(text_at(object, "event"), "member-join");
    json_decref(object);
    event.cause.probe.acks = 1; /* a probe at the end of the cause is closed too */
    object = line_of(&event);
    assert_int_equal(number_at(json_object_get(json_object_get(object, "cause"), "probe"), "acks"), 1);
    json_decref(object);
}

static void every_event_of_members_has_its_word(void **state)
{
    static const struct {
        enum hearsay_event_type type;
        const char *word;
    } words[] = {{HEARSAY_MEMBER_JOIN, "member-join"},     {HEARSAY_MEMBER_SUSPECT, "member-suspect"},
                 {HEARSAY_MEMBER_ALIVE, "member-alive"},   {HEARSAY_MEMBER_FAILED, "member-failed"},
                 {HEARSAY_MEMBER_LEAVE, "member-leave"},   {HEARSAY_MEMBER_UPDATE, "member-update"},
                 {HEARSAY_MEMBER_REAP, "member-reap"},     {HEARSAY_CONFLICT, "conflict"},
                 {HEARSAY_FOREIGN_CLUSTER, "foreign-cluster"}};
    struct hearsay_event event = suspect();
    struct text line = {0};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        event.type = words[i].type;
        json_t *object = line_of(&event);
        assert_string_equal(text_at(object, "event"), words[i].word);
        json_decref(object);
    }
    event.type = HEARSAY_LEAVE_DONE;
    assert_false(eventlog_line(&line, &event, 1));
    event.type = HEARSAY_JOIN_RESULT;
    assert_false(eventlog_line(&line, &event, 1));
    assert_int_equal(line.size, 0);
}

static void a_user_event_has_name_ltime_and_payload(void **state)
{
    static const uint8_t payload[] = {0, 1, 0xfe, 0xff};
    struct hearsay_event event = {.type = HEARSAY_USER_EVENT, .name = "deploy\xff", .ltime = 7, .payload = {payload, 4}};
    uint8_t back[8];
    (void)state;
    json_t *object = line_of(&event);
    assert_string_equal(text_at(object, "event"), "user");
    assert_string_equal(text_at(object, "name"), "deploy\xef\xbf\xbd");
    assert_int_equal(number_at(object, "ltime"), 7);
    assert_int_equal(text_base64_decode(text_at(object, "payload"), back, sizeof back), 4);
    assert_memory_equal(back, payload, 4);
    json_decref(object);
    event.payload.size = 0;
    object = line_of(&event);
    assert_string_equal(text_at(object, "payload"), "");
    json_decref(object);
}

static void all_bytes_in_names_make_valid_json(void **state)
{
    char name[4] = {0};
    struct hearsay_event event = {.type = HEARSAY_MEMBER_JOIN, .member.name = name};
    (void)state;
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b += 7) {
            name[0] = (char)a;
            name[1] = (char)b;
            json_decref(line_of(&event));
        }
    }
}

static void the_first_line_says_ready(void **state)
{
    struct text line = {0};
    struct hearsay_address address = {.bytes = {[15] = 1}, .port = 7000, .size = 16};
    (void)state;
    eventlog_ready(&line, "n1", &address, "127.0.0.1:7373", 42);
    assert_string_equal(line.data, "{\"schema\":1,\"event\":\"ready\",\"name\":\"n1\",\"addr\":\"::1\",\"port\":7000,"
                                   "\"rpc_addr\":\"127.0.0.1:7373\",\"pid\":42}\n");
    text_deinit(&line);
}

static size_t read_lines(int fd, struct text *rest)
{
    static char chunk[65536];
    size_t lines = 0;
    ssize_t size = read(fd, chunk, sizeof chunk);
    for (ssize_t i = 0; i < size; i++) {
        if (chunk[i] == '\n') {
            assert_int_equal(rest->size, 199); /* every line arrives whole */
            text_clear(rest);
            lines++;
        } else {
            text_put(rest, chunk + i, 1);
        }
    }
    return lines;
}

static void a_full_pipe_drops_lines_and_counts_them(void **state)
{
    char folder[] = "/tmp/agent-eventlog-XXXXXX", path[64], error[200], line[200];
    struct sink sink;
    struct text rest = {0};
    size_t read = 0, put = 0;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(sink_open(&sink, path, error, sizeof error)); /* no reader yet: does not wait */
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (; put < 2000; put++) {
        (void)sink_put(&sink, line, sizeof line);
    }
    assert_true(sink.dropped > 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    for (int turn = 0; turn < 50; turn++) {
        read += read_lines(fd, &rest);
        (void)sink_retry(&sink);
    }
    assert_int_equal(rest.size, 0);
    assert_int_equal(read + sink.dropped, put);
    close(fd);
    sink_deinit(&sink);
    text_deinit(&rest);
    unlink(path);
    rmdir(folder);
}

static void a_log_file_is_appended_and_reopened(void **state)
{
    char folder[] = "/tmp/agent-eventlog-XXXXXX", path[64], moved[64], error[200];
    struct eventlog log;
    struct stat facts;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(moved, sizeof moved, "%s/log.1", folder);
    assert_true(eventlog_open(&log, path, error, sizeof error));
    text_puts(&log.line, "{}\n");
    assert_false(eventlog_write(&log));
    assert_int_equal(rename(path, moved), 0);
    text_puts(&log.line, "{}\n");
    (void)eventlog_write(&log);
    assert_int_equal(stat(moved, &facts), 0);
    assert_int_equal(facts.st_size, 6);
    assert_true(eventlog_reopen(&log, error, sizeof error));
    text_puts(&log.line, "{}\n");
    (void)eventlog_write(&log);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_size, 3);
    eventlog_close(&log);
    assert_true(eventlog_open(&log, path, error, sizeof error));
    text_puts(&log.line, "{}\n");
    (void)eventlog_write(&log);
    eventlog_close(&log);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_size, 6);
    unlink(path);
    unlink(moved);
    assert_false(eventlog_open(&log, "/nonexistent/log", error, sizeof error));
    assert_string_equal(error, "cannot open /nonexistent/log: No such file or directory");
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_event_has_member_and_cause),
        cmocka_unit_test(a_cause_of_nothing_is_empty),
        cmocka_unit_test(every_event_of_members_has_its_word),
        cmocka_unit_test(a_user_event_has_name_ltime_and_payload),
        cmocka_unit_test(all_bytes_in_names_make_valid_json),
        cmocka_unit_test(the_first_line_says_ready),
        cmocka_unit_test(a_full_pipe_drops_lines_and_counts_them),
        cmocka_unit_test(a_log_file_is_appended_and_reopened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
