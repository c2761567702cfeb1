/* SPDX-License-Identifier: MIT
 *
 * The agent's RPC without sockets: requests fed whole and byte by byte, garbage, limits, and what closes the connection.
 * A real node of the core answers; its packets go nowhere.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/expression.h"
#include "agent/session.h"
#include "base/cursor.h"
#include "base/rng.h"
#include "wire/msgpack.h"

static uint64_t now = 1000000;
static struct service service;
static struct session session;
static service_joined joined;
static void *joined_user;
static struct taglist saved;
static bool has_asked_to_leave;

static uint64_t now_us(void *context)
{
    (void)context;
    return now;
}

static uint64_t unix_ms(void *context)
{
    (void)context;
    return 1700000000000;
}

static void flush(void *context)
{
    struct hearsay_output output;
    (void)context;
    while (hearsay_next_output(service.node, &output)) {
        if (output.type == HEARSAY_NOTIFY) {
            service_event(&service, &output.event);
        }
    }
}

static void join(void *context, const char *const *peers, size_t count, bool replay, service_joined done, void *user)
{
    (void)context;
    assert_int_equal(count, 2);
    assert_string_equal(peers[1], "b:2");
    assert_true(replay);
    joined = done;
    joined_user = user;
}

static void leave(void *context)
{
    (void)context;
    has_asked_to_leave = true;
}

static bool save_tags(void *context, const struct taglist *tags, char *error, size_t size)
{
    (void)context;
    (void)error;
    (void)size;
    lists_free_tags(&saved);
    lists_copy_tags(&saved, tags);
    return true;
}

static uint64_t lines_dropped(void *context)
{
    (void)context;
    return 0;
}

static int start(void **state)
{
    struct hearsay_options options;
    struct hearsay_tag tags[] = {{"role", "web"}};
    hearsay_err err;
    (void)state;
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.tags = tags;
    options.tag_count = 1;
    options.seed = 1;
    options.matcher.match = expression_match;
    service = (struct service){.name = "n1", .event_bytes_max = 512, .now_us = now_us, .unix_ms = unix_ms, .flush = flush,
                               .join = join, .leave = leave, .save_tags = save_tags, .lines_dropped = lines_dropped};
    service.node = hearsay_create(&options, now, &err);
    assert_non_null(service.node);
    flush(NULL);
    session_init(&session, &service);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    session_deinit(&session);
    hearsay_destroy(service.node);
    service_deinit(&service);
    lists_free_tags(&saved);
    return 0;
}

/* ---- the client's side ------------------------------------------------------------------------------------------------------- */

static struct writer request;
static uint8_t request_room[70000];

static struct writer *begin(const char *command, uint64_t seq)
{
    request = writer_of(request_room, sizeof request_room);
    msgpack_put_map(&request, 2);
    msgpack_put_text(&request, "Command");
    msgpack_put_text(&request, command);
    msgpack_put_text(&request, "Seq");
    msgpack_put_uint(&request, seq);
    return &request;
}

static void send_request(void)
{
    assert_false(request.is_full);
    session_feed(&session, request.data, request.size);
}

static void put_pair(const char *key, const char *value)
{
    msgpack_put_text(&request, key);
    msgpack_put_text(&request, value);
}

static void shake_hands(void)
{
    begin("handshake", 0);
    msgpack_put_map(&request, 1);
    msgpack_put_text(&request, "Version");
    msgpack_put_int(&request, 1);
    send_request();
}

static struct reader answers(void)
{
    return reader_of((struct hearsay_bytes){(const uint8_t *)session.output.data, session.output.size});
}

static void expect_header(struct reader *r, uint64_t seq, const char *error)
{
    assert_int_equal(msgpack_get_map(r), 2);
    assert_true(msgpack_is(msgpack_get_raw(r), "Error"));
    struct hearsay_bytes text = msgpack_get_raw(r);
    if (!msgpack_is(text, error)) {
        fail_msg("'%.*s' instead of '%s'", (int)text.size, (const char *)text.data, error);
    }
    assert_true(msgpack_is(msgpack_get_raw(r), "Seq"));
    assert_int_equal(msgpack_get_uint(r, UINT64_MAX), seq);
    assert_false(r->is_bad);
}

static void expect_only(uint64_t seq, const char *error)
{
    struct reader r = answers();
    expect_header(&r, seq, error);
    assert_int_equal(reader_left(&r), 0);
    text_clear(&session.output);
}

static void ready(void)
{
    shake_hands();
    expect_only(0, "");
}

/* The value of key in a map; the reader stands before the map. */
static struct reader field(struct reader r, const char *key)
{
    for (uint32_t n = msgpack_get_map(&r); n > 0; n--) {
        if (msgpack_is(msgpack_get_raw(&r), key)) {
            return r;
        }
        msgpack_skip(&r);
    }
    fail_msg("no field %s", key);
    return r;
}

/* ---- tests ------------------------------------------------------------------------------------------------------------------- */

static void bytes_may_come_one_by_one(void **state)
{
    (void)state;
    uint8_t all[400];
    size_t size = 0;
    begin("handshake", 1);
    msgpack_put_map(&request, 1);
    msgpack_put_text(&request, "Version");
    msgpack_put_int(&request, 1);
    memcpy(all, request.data, request.size);
    size += request.size;
    begin("members", 2);
    memcpy(all + size, request.data, request.size);
    size += request.size;
    begin("force-leave", 3);
    msgpack_put_map(&request, 2);
    put_pair("Node", "nobody");
    msgpack_put_text(&request, "Prune");
    msgpack_put_bool(&request, false);
    memcpy(all + size, request.data, request.size);
    size += request.size;
    for (size_t i = 0; i < size; i++) {
        session_feed(&session, all + i, 1);
    }
    struct reader r = answers();
    expect_header(&r, 1, "");
    expect_header(&r, 2, "");
    struct reader members = field(r, "Members");
    assert_int_equal(msgpack_get_array(&members), 1);
    struct reader name = field(members, "Name"), status = field(members, "Status"), addr = field(members, "Addr");
    assert_true(msgpack_is(msgpack_get_raw(&name), "n1"));
    assert_true(msgpack_is(msgpack_get_raw(&status), "alive"));
    assert_memory_equal(addr.at, "\xc4\x04\x7f\x00\x00\x01", 6);
    struct reader tags = field(members, "Tags");
    assert_int_equal(msgpack_get_map(&tags), 1);
    msgpack_skip(&r);
    expect_header(&r, 3, "");
    assert_int_equal(reader_left(&r), 0);
    assert_false(session.is_closing);
}

static void requests_need_a_handshake(void **state)
{
    (void)state;
    begin("members", 7);
    send_request();
    expect_only(7, "Handshake required");
    assert_true(session.is_closing);
}

static void a_handshake_has_version_one_and_comes_once(void **state)
{
    (void)state;
    begin("handshake", 1);
    msgpack_put_map(&request, 1);
    msgpack_put_text(&request, "Version");
    msgpack_put_int(&request, 2);
    send_request();
    expect_only(1, "Unsupported IPC version");
    ready();
    shake_hands();
    expect_only(0, "Handshake already performed");
    assert_false(session.is_closing);
}

static void unknown_commands_close(void **state)
{
    (void)state;
    ready();
    begin("bogus", 3);
    send_request();
    expect_only(3, "Unsupported command");
    assert_true(session.is_closing);
}

static void a_token_is_asked_for(void **state)
{
    (void)state;
    service.rpc_auth = "s3cret";
    session.is_trusted = false;
    ready();
    begin("event", 2);
    msgpack_put_map(&request, 1);
    put_pair("Name", "x");
    send_request();
    struct reader twice = answers(); /* the body was read as a header, which repeats the request, as in Serf */
    expect_header(&twice, 2, "Authentication required");
    expect_header(&twice, 2, "Authentication required");
    assert_int_equal(reader_left(&twice), 0);
    text_clear(&session.output);
    for (int i = 0; i < 3; i++) {
        static const char *const wrong[] = {"s3cre", "s3cret!", ""};
        begin("auth", 3);
        msgpack_put_map(&request, 1);
        put_pair("AuthKey", wrong[i]);
        send_request();
        expect_only(3, "Invalid authentication token");
    }
    begin("auth", 4);
    msgpack_put_map(&request, 1);
    put_pair("AuthKey", "s3cret");
    send_request();
    expect_only(4, "");
    begin("members", 5);
    send_request();
    struct reader r = answers();
    expect_header(&r, 5, "");
    assert_false(session.is_closing);
}

static void members_are_filtered_by_anchored_patterns(void **state)
{
    static const struct {
        const char *name, *status, *tag, *value;
        uint32_t found;
    } cases[] = {{"", "", NULL, NULL, 1},         {"n", "", NULL, NULL, 0},          {"n.*", "", NULL, NULL, 1},
                 {"n\\d", "", NULL, NULL, 1},     {"", "alive", NULL, NULL, 1},      {"", "failed", NULL, NULL, 0},
                 {"", "", "role", "w[a-z]b", 1},  {"", "", "role", "we", 0},         {"", "", "dc", "", 1},
                 {"", "", "dc", "east", 0},       {"(?:n1|n2)", "", NULL, NULL, 1},  {"n{1,9}1", "", NULL, NULL, 1}};
    (void)state;
    ready();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin("members-filtered", 9);
        msgpack_put_map(&request, 3);
        put_pair("Name", cases[i].name);
        put_pair("Status", cases[i].status);
        msgpack_put_text(&request, "Tags");
        msgpack_put_map(&request, cases[i].tag != NULL);
        if (cases[i].tag != NULL) {
            put_pair(cases[i].tag, cases[i].value);
        }
        send_request();
        struct reader r = answers();
        expect_header(&r, 9, "");
        struct reader members = field(r, "Members");
        assert_int_equal(msgpack_get_array(&members), cases[i].found);
        text_clear(&session.output);
    }
}

static void bad_and_costly_patterns_close_without_an_answer(void **state)
{
    static const char *const bad[] = {"(", "(a*)\\1", "a{5000}", "((a{99}){99}){99}", "[", "a|*{", "\\pL",
                                      "a++++++++++++++++++++++++++++++++++++++++",
                                      "a{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}{1,}"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ready();
        begin("members-filtered", 9);
        msgpack_put_map(&request, 1);
        put_pair("Name", bad[i]);
        send_request();
        assert_true(session.is_closing);
        assert_int_equal(session.output.size, 0);
        session_deinit(&session);
        session_init(&session, &service);
    }
}

static void user_events_are_sent_and_streamed(void **state)
{
    (void)state;
    ready();
    begin("stream", 2);
    msgpack_put_map(&request, 1);
    put_pair("Type", "user:deploy,member-join");
    send_request();
    expect_only(2, "");
    begin("stream", 2);
    msgpack_put_map(&request, 1);
    put_pair("Type", "*");
    send_request();
    expect_only(2, "Stream with given sequence exists");
    begin("stream", 3);
    msgpack_put_map(&request, 1);
    put_pair("Type", "bogus");
    send_request();
    expect_only(3, "Invalid event filter");
    for (int i = 0; i < 2; i++) {
        begin("event", 4);
        msgpack_put_map(&request, 3);
        put_pair("Name", i == 0 ? "other" : "deploy");
        msgpack_put_text(&request, "Payload");
        msgpack_put_bin(&request, (struct hearsay_bytes){(const uint8_t *)"v1", 2});
        msgpack_put_text(&request, "Coalesce");
        msgpack_put_bool(&request, true);
        send_request();
    }
    struct reader r = answers();
    expect_header(&r, 4, "");
    expect_header(&r, 4, "");
    expect_header(&r, 2, "");
    struct reader name = field(r, "Name"), payload = field(r, "Payload"), ltime = field(r, "LTime");
    assert_true(msgpack_is(msgpack_get_raw(&name), "deploy"));
    assert_memory_equal(payload.at, "\xc4\x02v1", 4);
    assert_int_equal(msgpack_get_uint(&ltime, UINT64_MAX), 2);
    msgpack_skip(&r);
    assert_int_equal(reader_left(&r), 0);
    text_clear(&session.output);
    begin("stop", 5);
    msgpack_put_map(&request, 1);
    msgpack_put_text(&request, "Stop");
    msgpack_put_uint(&request, 2);
    send_request();
    expect_only(5, "");
    assert_null(session.subscriptions);
}

static void large_user_events_are_refused_in_serfs_words(void **state)
{
    char payload[600];
    (void)state;
    memset(payload, 'x', sizeof payload);
    ready();
    begin("event", 4);
    msgpack_put_map(&request, 2);
    put_pair("Name", "deploy");
    msgpack_put_text(&request, "Payload");
    msgpack_put_bin(&request, (struct hearsay_bytes){(const uint8_t *)payload, sizeof payload});
    send_request();
    expect_only(4, "user event exceeds configured limit of 512 bytes before encoding");
}

static void members_of_one_turn_are_told_together(void **state)
{
    struct hearsay_event event = {.type = HEARSAY_MEMBER_JOIN};
    (void)state;
    ready();
    begin("stream", 2);
    msgpack_put_map(&request, 1);
    put_pair("Type", "");
    send_request();
    expect_only(2, "");
    event.member.name = "a";
    service_event(&service, &event);
    event.member.name = "b";
    service_event(&service, &event);
    event.type = HEARSAY_MEMBER_FAILED;
    service_event(&service, &event);
    event.type = HEARSAY_MEMBER_SUSPECT; /* not of Serf's words: never told */
    service_event(&service, &event);
    service_flush_events(&service);
    struct reader r = answers();
    expect_header(&r, 2, "");
    struct reader word = field(r, "Event"), members = field(r, "Members");
    assert_true(msgpack_is(msgpack_get_raw(&word), "member-join"));
    assert_int_equal(msgpack_get_array(&members), 2);
    msgpack_skip(&r);
    expect_header(&r, 2, "");
    word = field(r, "Event");
    assert_true(msgpack_is(msgpack_get_raw(&word), "member-failed"));
    msgpack_skip(&r);
    assert_int_equal(reader_left(&r), 0);
}

static void tags_are_deleted_then_set_and_kept(void **state)
{
    (void)state;
    ready();
    begin("tags", 2);
    msgpack_put_map(&request, 2);
    msgpack_put_text(&request, "Tags");
    msgpack_put_map(&request, 1);
    put_pair("build", "77");
    msgpack_put_text(&request, "DeleteTags");
    msgpack_put_array(&request, 2);
    msgpack_put_text(&request, "role");
    msgpack_put_text(&request, "absent");
    send_request();
    expect_only(2, "");
    assert_int_equal(saved.count, 1);
    assert_string_equal(saved.at[0].key, "build");
    begin("stats", 3);
    send_request();
    struct reader r = answers();
    expect_header(&r, 3, "");
    struct reader tags = field(field(r, "tags"), "build"), members = field(field(r, "serf"), "members");
    assert_true(msgpack_is(msgpack_get_raw(&tags), "77"));
    assert_true(msgpack_is(msgpack_get_raw(&members), "1"));
}

static void a_join_blocks_its_connection_until_it_is_done(void **state)
{
    (void)state;
    ready();
    begin("join", 2);
    msgpack_put_map(&request, 2);
    msgpack_put_text(&request, "Existing");
    msgpack_put_array(&request, 2);
    msgpack_put_text(&request, "a");
    msgpack_put_text(&request, "b:2");
    msgpack_put_text(&request, "Replay");
    msgpack_put_bool(&request, true);
    send_request();
    begin("members", 3);
    send_request();
    assert_true(session.is_busy);
    assert_int_equal(session.output.size, 0);
    joined(joined_user, 0, "nobody there");
    struct reader r = answers();
    expect_header(&r, 2, "nobody there");
    struct reader num = field(r, "Num");
    assert_int_equal(msgpack_get_int(&num), 0);
    msgpack_skip(&r);
    expect_header(&r, 3, "");
    assert_false(session.is_busy);
}

static void a_client_may_go_while_it_joins(void **state)
{
    (void)state;
    ready();
    begin("join", 2);
    msgpack_put_map(&request, 2);
    msgpack_put_text(&request, "Existing");
    msgpack_put_array(&request, 2);
    msgpack_put_text(&request, "a");
    msgpack_put_text(&request, "b:2");
    msgpack_put_text(&request, "Replay");
    msgpack_put_bool(&request, true);
    send_request();
    session_deinit(&session);
    joined(joined_user, 2, NULL);
    session_init(&session, &service);
}

static void a_leave_is_answered_when_it_is_done(void **state)
{
    (void)state;
    ready();
    begin("leave", 2);
    send_request();
    assert_true(has_asked_to_leave);
    assert_int_equal(session.output.size, 0);
    service_left(&service);
    expect_only(2, "");
}

static void log_lines_are_monitored(void **state)
{
    (void)state;
    log_stop(); /* forget what other tests said */
    log_put(LOG_INFO, "agent: before");
    ready();
    begin("monitor", 2);
    msgpack_put_map(&request, 1);
    put_pair("LogLevel", "nope");
    send_request();
    expect_only(2, "Unknown log level: NOPE");
    begin("monitor", 3);
    msgpack_put_map(&request, 1);
    put_pair("LogLevel", "warn");
    send_request();
    expect_only(3, "");
    log_put(LOG_INFO, "agent: not told");
    log_put(LOG_WARN, "agent: \x1b[31mtold");
    struct reader r = answers();
    expect_header(&r, 3, "");
    struct reader line = field(r, "Log");
    struct hearsay_bytes text = msgpack_get_raw(&line);
    assert_memory_equal(text.data + 19, " [WARN] agent: ?[31mtold", 24);
    msgpack_skip(&r);
    assert_int_equal(reader_left(&r), 0);
    text_clear(&session.output);
    begin("monitor", 4);
    msgpack_put_map(&request, 1);
    put_pair("LogLevel", "debug");
    send_request();
    expect_only(4, "Monitor already exists");
    log_stop();
}

static void put_question(const char *name, const char *payload)
{
    msgpack_put_map(&request, 7);
    msgpack_put_text(&request, "FilterNodes");
    msgpack_put_array(&request, 1);
    msgpack_put_text(&request, "n1");
    msgpack_put_text(&request, "FilterTags");
    msgpack_put_map(&request, 1);
    put_pair("role", "^w.b$");
    msgpack_put_text(&request, "RequestAck");
    msgpack_put_bool(&request, true);
    msgpack_put_text(&request, "RelayFactor");
    msgpack_put_uint(&request, 0);
    msgpack_put_text(&request, "Timeout");
    msgpack_put_int(&request, 2000000000);
    msgpack_put_text(&request, "Name");
    msgpack_put_text(&request, name);
    msgpack_put_text(&request, "Payload");
    msgpack_put_bin(&request, bytes_of_string(payload));
}

/* In steps: a node that is not asked for long takes it for a pause, in which no deadlines pass. */
static void pass(unsigned ms)
{
    for (unsigned i = 0; i < ms / 50; i++) {
        now += 50000;
        hearsay_tick(service.node, now);
        flush(NULL);
    }
}

static void respond(uint64_t id, const char *payload)
{
    begin("respond", 9);
    msgpack_put_map(&request, 2);
    msgpack_put_text(&request, "ID");
    msgpack_put_uint(&request, id);
    msgpack_put_text(&request, "Payload");
    msgpack_put_bin(&request, bytes_of_string(payload));
    send_request();
}

static void expect_record(struct reader *r, const char *from, const char *payload, const char *type)
{
    expect_header(r, 5, "");
    assert_int_equal(msgpack_get_map(r), 3);
    assert_true(msgpack_is(msgpack_get_raw(r), "From"));
    assert_true(msgpack_is(msgpack_get_raw(r), from));
    assert_true(msgpack_is(msgpack_get_raw(r), "Payload"));
    struct hearsay_bytes got = msgpack_get_raw(r);
    assert_true(payload == NULL ? got.data == NULL : msgpack_is(got, payload));
    assert_true(msgpack_is(msgpack_get_raw(r), "Type"));
    assert_true(msgpack_is(msgpack_get_raw(r), type));
}

static void a_query_is_asked_shown_answered_and_over(void **state)
{
    (void)state;
    ready();
    begin("stream", 4);
    msgpack_put_map(&request, 1);
    put_pair("Type", "user,query:ask");
    send_request();
    expect_only(4, "");
    begin("query", 5);
    put_question("ask", "q?");
    send_request();
    struct reader r = answers();
    struct reader shown;
    expect_header(&r, 5, "");
    expect_record(&r, "n1", NULL, "ack");
    expect_header(&r, 4, "");
    shown = r;
    assert_int_equal(msgpack_get_map(&shown), 5);
    assert_true(msgpack_is(msgpack_get_raw(&shown), "Event"));
    assert_true(msgpack_is(msgpack_get_raw(&shown), "query"));
    assert_true(msgpack_is(msgpack_get_raw(&shown), "ID"));
    assert_int_equal(msgpack_get_uint(&shown, 100), 1);
    text_clear(&session.output);

    respond(99, "x");
    expect_only(9, "No pending queries matching ID");
    respond(1, "answer!");
    r = answers();
    expect_header(&r, 9, "");
    expect_record(&r, "n1", "answer!", "response");
    text_clear(&session.output);
    respond(1, "again");
    expect_only(9, "failed to respond to key query: response already sent");
    pass(2000);
    r = answers();
    expect_record(&r, "", NULL, "done");
    text_clear(&session.output);
    respond(1, "late");
    expect_only(9, "No pending queries matching ID");
}

static void a_query_that_cannot_be_is_refused(void **state)
{
    static char large[1100];
    (void)state;
    memset(large, 'x', sizeof large - 1);
    service.query_bytes_max = 1024;
    ready();
    begin("query", 5);
    put_question("_serf_conflict", "");
    send_request();
    expect_only(5, "Queries cannot contain the '_serf_' prefix");
    begin("query", 5);
    put_question("ask", large);
    send_request();
    expect_only(5, "query exceeds limit of 1024 bytes");
    assert_null(service.asked);
}

static void keys_without_a_keyring_are_refused_in_serfs_words(void **state)
{
    (void)state;
    ready();
    begin("list-keys", 3);
    send_request();
    struct reader r = answers();
    expect_header(&r, 3, "1/1 nodes reported failure");
    struct reader keys = field(r, "Keys"), messages = field(r, "Messages"), count = field(r, "NumErr");
    assert_int_equal(keys.at[0], 0x80);
    assert_int_equal(msgpack_get_map(&messages), 1);
    assert_true(msgpack_is(msgpack_get_raw(&messages), "n1"));
    assert_true(msgpack_is(msgpack_get_raw(&messages), "Keyring is empty (encryption not enabled)"));
    assert_int_equal(msgpack_get_uint(&count, 9), 1);
    text_clear(&session.output);
    begin("install-key", 4);
    msgpack_put_map(&request, 1);
    put_pair("Key", "AAECAwQFBgcICQoLDA0ODw==");
    send_request();
    r = answers();
    expect_header(&r, 4, "1/1 nodes reported failure");
    keys = field(r, "Keys");
    assert_true(msgpack_peek_nil(&keys));
    text_clear(&session.output);
    static const char *const wrong[] = {"AAEC", "no base64!"};
    for (int i = 0; i < 2; i++) {
        begin("use-key", 5);
        msgpack_put_map(&request, 1);
        put_pair("Key", wrong[i]);
        send_request();
        assert_non_null(memmem(session.output.data, session.output.size, i == 0 ? "key size must be" : "illegal base64", 14));
        text_clear(&session.output);
    }
    assert_null(service.key_rounds);
    assert_false(session.is_busy);
}

static void coordinates_are_told_and_unknown_ones_are_not(void **state)
{
    (void)state;
    ready();
    for (int i = 0; i < 2; i++) {
        begin("get-coordinate", 8);
        msgpack_put_map(&request, 1);
        put_pair("Node", i == 0 ? "n1" : "zzz");
        send_request();
        struct reader r = answers();
        expect_header(&r, 8, "");
        struct reader coordinate = field(r, "Coord"), ok = field(r, "Ok");
        struct reader vec = field(coordinate, "Vec"), error = field(coordinate, "Error");
        assert_int_equal(msgpack_get_bool(&ok), i == 0);
        assert_true(i == 0 ? msgpack_get_array(&vec) == 8 : msgpack_peek_nil(&vec));
        assert_true(msgpack_get_double(&error) == (i == 0 ? 1.5 : 0.0));
        text_clear(&session.output);
    }
}

static void who_asked_and_went_leaves_nothing(void **state)
{
    (void)state;
    ready();
    begin("query", 5);
    put_question("ask", "q?");
    send_request();
    session_deinit(&session);
    session_init(&session, &service);
    pass(2000);
    assert_null(service.asked);
    assert_int_equal(session.output.size, 0);
}

static void why_tells_what_the_recorder_knows(void **state)
{
    (void)state;
    ready();
    begin("tags", 1);
    msgpack_put_map(&request, 1);
    msgpack_put_text(&request, "Tags");
    msgpack_put_map(&request, 1);
    put_pair("a", "b");
    send_request();
    text_clear(&session.output);
    for (int i = 0; i < 2; i++) {
        begin("why", 2);
        msgpack_put_map(&request, 1);
        put_pair("Node", i == 0 ? "" : "nobody");
        send_request();
        struct reader r = answers();
        expect_header(&r, 2, "");
        struct reader records = field(r, "Records");
        uint32_t count = msgpack_get_array(&records);
        assert_true(i == 0 ? count > 0 : count == 0);
        if (i == 0) {
            struct reader name = field(records, "Name"), at = field(records, "AtMs"), cause = field(records, "Cause");
            assert_true(msgpack_is(msgpack_get_raw(&name), "n1"));
            assert_int_equal(msgpack_get_uint(&at, UINT64_MAX), 1700000000000);
            assert_true(msgpack_get_map(&cause) > 0);
        }
        text_clear(&session.output);
    }
    begin("health", 3);
    send_request();
    struct reader r = answers();
    expect_header(&r, 3, "");
    struct reader probes = field(field(r, "Counters"), "probes"), alive = field(field(r, "Stats"), "alive");
    assert_int_equal(msgpack_get_uint(&probes, UINT64_MAX), 0);
    assert_int_equal(msgpack_get_uint(&alive, UINT64_MAX), 1);
}

static void strangers_may_not_send_much(void **state)
{
    static char filler[SESSION_STRANGER_BYTES];
    (void)state;
    const uint8_t head[] = {0x82, 0xa7, 'C', 'o', 'm', 'm', 'a', 'n', 'd', 0xdb, 0x00, 0x00, 0xff, 0xff};
    session_feed(&session, head, sizeof head); /* announces 65,535 bytes */
    assert_false(session.is_closing);
    session_feed(&session, filler, sizeof filler);
    assert_true(session.is_closing);
    session_deinit(&session);
    session_init(&session, &service);
    const uint8_t huge[] = {0x82, 0xa7, 'C', 'o', 'm', 'm', 'a', 'n', 'd', 0xdb, 0x7f, 0xff, 0xff, 0xff};
    session_feed(&session, huge, sizeof huge); /* announces two billion */
    assert_true(session.is_closing);
}

static void requests_after_the_handshake_are_bounded(void **state)
{
    static char filler[SESSION_REQUEST_BYTES / 2];
    (void)state;
    ready();
    const uint8_t head[] = {0xdd, 0x00, 0x0f, 0xff, 0xff}; /* an array of a million nils */
    memset(filler, 0xc0, sizeof filler);
    session_feed(&session, head, sizeof head);
    for (int i = 0; i < 2; i++) {
        assert_false(session.is_closing);
        session_feed(&session, filler, sizeof filler);
    }
    assert_true(session.is_closing);
    assert_int_equal(session.output.size, 0);
}

static void garbage_closes_or_waits_and_never_more(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 7);
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[64];
        size_t size = rng_below(&rng, sizeof bytes) + 1;
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)rng_next(&rng);
        }
        if (round % 2 == 0) {
            shake_hands();
        }
        session_feed(&session, bytes, size);
        assert_true(session.input.size <= 1000);
        session_deinit(&session);
        session_init(&session, &service);
    }
}

/* Every request of a valid conversation, with one byte changed. */
static void damaged_requests_do_no_harm(void **state)
{
    struct rng rng;
    uint8_t copy[400];
    (void)state;
    rng_init(&rng, 11);
    for (int round = 0; round < 4000; round++) {
        shake_hands();
        if (round % 3 == 0) {
            begin("members-filtered", 2);
            msgpack_put_map(&request, 3);
            put_pair("Name", "n.*");
            put_pair("Status", "");
            msgpack_put_text(&request, "Tags");
            msgpack_put_map(&request, 1);
            put_pair("role", "web");
        } else if (round % 3 == 1) {
            begin("tags", 2);
            msgpack_put_map(&request, 2);
            msgpack_put_text(&request, "Tags");
            msgpack_put_map(&request, 1);
            put_pair("role", "web");
            msgpack_put_text(&request, "DeleteTags");
            msgpack_put_array(&request, 1);
            msgpack_put_text(&request, "x");
        } else {
            begin("stream", 2);
            msgpack_put_map(&request, 1);
            put_pair("Type", "user:deploy,*");
        }
        memcpy(copy, request.data, request.size);
        copy[rng_below(&rng, request.size)] = (uint8_t)rng_next(&rng);
        session_feed(&session, copy, request.size);
        begin("members", 3);
        send_request();
        assert_true(session.input.size <= 1000);
        session_deinit(&session);
        session_init(&session, &service);
    }
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(bytes_may_come_one_by_one),
        WITH_NODE(requests_need_a_handshake),
        WITH_NODE(a_handshake_has_version_one_and_comes_once),
        WITH_NODE(unknown_commands_close),
        WITH_NODE(a_token_is_asked_for),
        WITH_NODE(members_are_filtered_by_anchored_patterns),
        WITH_NODE(bad_and_costly_patterns_close_without_an_answer),
        WITH_NODE(user_events_are_sent_and_streamed),
        WITH_NODE(large_user_events_are_refused_in_serfs_words),
        WITH_NODE(members_of_one_turn_are_told_together),
        WITH_NODE(tags_are_deleted_then_set_and_kept),
        WITH_NODE(a_join_blocks_its_connection_until_it_is_done),
        WITH_NODE(a_client_may_go_while_it_joins),
        WITH_NODE(a_leave_is_answered_when_it_is_done),
        WITH_NODE(log_lines_are_monitored),
        WITH_NODE(a_query_is_asked_shown_answered_and_over),
        WITH_NODE(a_query_that_cannot_be_is_refused),
        WITH_NODE(who_asked_and_went_leaves_nothing),
        WITH_NODE(keys_without_a_keyring_are_refused_in_serfs_words),
        WITH_NODE(coordinates_are_told_and_unknown_ones_are_not),
        WITH_NODE(why_tells_what_the_recorder_knows),
        WITH_NODE(strangers_may_not_send_much),
        WITH_NODE(requests_after_the_handshake_are_bounded),
        WITH_NODE(garbage_closes_or_waits_and_never_more),
        WITH_NODE(damaged_requests_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
