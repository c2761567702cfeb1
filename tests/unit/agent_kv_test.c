/* SPDX-License-Identifier: MIT
 *
 * The shared store over RPC, without sockets: a real node whose disk answers when the test says so.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/kv.h"
#include "base/cursor.h"
#include "wire/msgpack.h"

static struct service service;
static struct session session;
static uint64_t now = 1000000, batch, expiry_ms;
static bool is_disk_slow, are_watchers_wanted;

static uint64_t now_us(void *context)
{
    (void)context;
    return now;
}

static uint64_t unix_ms(void *context)
{
    (void)context;
    return 1700000000000 + now / 1000;
}

static void flush(void *context)
{
    struct hearsay_output output;
    (void)context;
    while (hearsay_next_output(service.node, &output)) {
        if (output.type == HEARSAY_NOTIFY) {
            service_event(&service, &output.event);
        } else if (output.type == HEARSAY_PERSIST && is_disk_slow) {
            batch = output.persist.batch;
        } else if (output.type == HEARSAY_PERSIST) {
            hearsay_persisted(service.node, now, output.persist.batch, true);
        }
    }
}

static void disk_answers(bool ok)
{
    hearsay_persisted(service.node, now, batch, ok);
    flush(NULL);
}

static void want_watchers(void *context)
{
    (void)context;
    are_watchers_wanted = true;
}

static void want_expiry(void *context, uint64_t ms)
{
    (void)context;
    expiry_ms = ms;
}

static int start(void **state)
{
    struct hearsay_options options;
    (void)state;
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.seed = 1;
    options.store = 1;
    options.store_durable = 1;
    options.store_changes = 64;
    service = (struct service){.name = "n1", .now_us = now_us, .unix_ms = unix_ms, .flush = flush, .want_watchers = want_watchers,
                               .want_expiry = want_expiry};
    service.node = hearsay_create(&options, now, NULL);
    assert_non_null(service.node);
    hearsay_set_wall_clock(service.node, now, unix_ms(NULL));
    is_disk_slow = are_watchers_wanted = false;
    flush(NULL);
    session_init(&session, &service);
    session.is_shaken = true;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    session_deinit(&session);
    hearsay_destroy(service.node);
    service_deinit(&service);
    return 0;
}

/* ---- the client's side ------------------------------------------------------------------------------------------------------- */

static uint8_t room[4096];
static struct writer request;

static void begin(const char *command, uint64_t seq, uint32_t fields)
{
    request = writer_of(room, sizeof room);
    msgpack_put_map(&request, 2);
    msgpack_put_text(&request, "Command");
    msgpack_put_text(&request, command);
    msgpack_put_text(&request, "Seq");
    msgpack_put_uint(&request, seq);
    msgpack_put_map(&request, fields);
}

static void field(const char *name, const char *value)
{
    msgpack_put_text(&request, name);
    msgpack_put_bin(&request, bytes_of_string(value));
}

static void send_it(void)
{
    assert_false(request.is_full);
    session_feed(&session, request.data, request.size);
}

static void put(uint64_t seq, const char *key, const char *value)
{
    begin("kv-put", seq, 2);
    field("Key", key);
    field("Value", value);
    send_it();
}

static struct reader answers(void)
{
    return reader_of(bytes_of(session.output.data, session.output.size));
}

/* The next header; answers its number. */
static uint64_t header(struct reader *r, const char *error)
{
    assert_int_equal(msgpack_get_map(r), 2);
    (void)msgpack_get_raw(r);
    struct hearsay_bytes text = msgpack_get_raw(r);
    if (!msgpack_is(text, error)) {
        fail_msg("'%.*s' instead of '%s'", (int)text.size, (const char *)text.data, error);
    }
    (void)msgpack_get_raw(r);
    return msgpack_get_uint(r, UINT64_MAX);
}

/* The value of a field of the map that comes next; the reader stays before the map. */
static struct reader value_of(struct reader r, const char *name)
{
    for (uint32_t n = msgpack_get_map(&r); n > 0; n--) {
        if (msgpack_is(msgpack_get_raw(&r), name)) {
            return r;
        }
        msgpack_skip(&r);
    }
    fail_msg("no field %s", name);
    return r;
}

static bool is_text(struct reader r, const char *name, const char *text)
{
    struct reader value = value_of(r, name);
    return msgpack_is(msgpack_get_raw(&value), text);
}

static uint64_t number(struct reader r, const char *name)
{
    struct reader value = value_of(r, name);
    return msgpack_get_uint(&value, UINT64_MAX);
}

static void expect_nothing(void)
{
    assert_int_equal(session.output.size, 0);
}

static void expect_error(uint64_t seq, const char *error)
{
    struct reader r = answers();
    assert_int_equal(header(&r, error), seq);
    assert_int_equal(reader_left(&r), 0);
    text_clear(&session.output);
}

/* ---- puts ------------------------------------------------------------------------------------------------------------------------ */

static void a_put_is_answered_when_it_is_on_disk(void **state)
{
    (void)state;
    is_disk_slow = true;
    put(1, "k", "v");
    expect_nothing();
    begin("kv-get", 2, 1); /* others are served meanwhile */
    field("Key", "k");
    send_it();
    struct reader r = answers();
    assert_int_equal(header(&r, ""), 2);
    assert_int_equal(msgpack_get_map(&r), 0); /* it does not count yet */
    text_clear(&session.output);
    disk_answers(true);
    r = answers();
    assert_int_equal(header(&r, ""), 1);
    assert_int_equal(number(r, "Copies"), 1);
    text_clear(&session.output);
    send_it();
    r = answers();
    assert_int_equal(header(&r, ""), 2);
    assert_true(is_text(r, "Key", "k") && is_text(r, "Value", "v"));
    assert_int_equal(number(r, "Size"), 1);
    assert_int_equal(number(r, "Hlc") >> 16, unix_ms(NULL));
}

static void a_put_that_the_disk_refused_is_an_error(void **state)
{
    (void)state;
    is_disk_slow = true;
    put(1, "k", "v");
    disk_answers(false);
    struct reader r = answers();
    msgpack_skip(&r);
    assert_int_equal(reader_left(&r), 0); /* no body after an error */
    assert_false(is_text(answers(), "Error", ""));
}

static void many_puts_are_under_way_at_once_and_too_many_wait(void **state)
{
    (void)state;
    is_disk_slow = true;
    for (uint64_t i = 0; i < KV_PUTS + 5; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%llu", (unsigned long long)i);
        put(i, key, "v");
    }
    expect_nothing();
    assert_true(session.is_busy);
    disk_answers(true); /* the first alone */
    assert_false(session.output.size == 0);
    for (int i = 0; i < 50 && service.wishes != NULL; i++) {
        disk_answers(true); /* those that gathered behind it, and so on */
    }
    struct reader r = answers();
    for (uint64_t i = 0; i < KV_PUTS + 5; i++) {
        assert_int_equal(header(&r, ""), i);
        assert_int_equal(number(r, "Copies"), 1);
        msgpack_skip(&r);
    }
    assert_int_equal(reader_left(&r), 0);
    assert_false(session.is_busy);
    assert_null(service.wishes);
}

static void who_does_not_want_to_wait_longer_is_told(void **state)
{
    (void)state;
    is_disk_slow = true;
    begin("kv-put", 1, 2);
    field("Key", "k");
    msgpack_put_text(&request, "Timeout");
    msgpack_put_uint(&request, 50);
    send_it();
    assert_int_equal(expiry_ms, 50);
    now += 49000;
    kv_expire(&service);
    expect_nothing();
    assert_int_equal(expiry_ms, 2);
    now += 1000;
    kv_expire(&service);
    expect_error(1, "not confirmed in time; what was written stays, and spreads on");
    disk_answers(true);
    expect_nothing();
    assert_null(service.wishes);
}

static void a_client_that_went_away_is_not_answered(void **state)
{
    (void)state;
    is_disk_slow = true;
    put(1, "k", "v");
    session_deinit(&session);
    disk_answers(true);
    assert_null(service.wishes);
    session_init(&session, &service);
    session.is_shaken = true;
    is_disk_slow = false;
    put(1, "l", "v");
    struct reader r = answers();
    assert_int_equal(header(&r, ""), 1);
}

static void what_cannot_be_put_is_refused_at_once(void **state)
{
    (void)state;
    put(1, "", "v");
    expect_error(1, "a key of the store must have 1 to 512 bytes");
    begin("kv-delete", 2, 0);
    send_it();
    expect_error(2, "a key of the store must have 1 to 512 bytes");
    begin("kv-put", 3, 1);
    msgpack_put_text(&request, "Copies");
    msgpack_put_int(&request, -1);
    send_it();
    assert_true(session.is_closing);
}

/* ---- lists and watchers --------------------------------------------------------------------------------------------------------- */

static void lists_come_in_pages(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2500; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%04u", i);
        put(i, key, "v");
        text_clear(&session.output);
    }
    char after[16] = "";
    unsigned seen = 0, pages = 0;
    for (bool is_more = true; is_more; pages++) {
        begin("kv-list", 1, 2);
        field("Prefix", "k");
        field("After", after);
        send_it();
        struct reader r = answers();
        header(&r, "");
        struct reader more = value_of(r, "More"), entries = value_of(r, "Entries");
        is_more = msgpack_get_bool(&more);
        for (uint32_t n = msgpack_get_array(&entries); n > 0; n--, seen++) {
            snprintf(after, sizeof after, "k%04u", seen);
            assert_true(is_text(entries, "Key", after));
            msgpack_skip(&entries);
        }
        text_clear(&session.output);
    }
    assert_int_equal(seen, 2500);
    assert_int_equal(pages, 3);
}

static void watch(uint64_t seq, const char *prefix, uint64_t after)
{
    begin("kv-watch", seq, after == UINT64_MAX ? 1 : 2);
    field("Prefix", prefix);
    if (after != UINT64_MAX) {
        msgpack_put_text(&request, "After");
        msgpack_put_uint(&request, after);
    }
    send_it();
}

/* What watchers were told, in words. */
static const char *told(void)
{
    static char words[4096];
    struct reader r = answers();
    words[0] = '\0';
    while (reader_left(&r) > 0) {
        size_t at = strlen(words);
        uint64_t seq = header(&r, "");
        struct reader event = value_of(r, "Event");
        struct hearsay_bytes e = msgpack_get_raw(&event), key = {NULL, 0};
        if (e.size != 5 && e.size != 6) {
            struct reader k = value_of(r, "Key");
            key = msgpack_get_raw(&k);
        } else if (msgpack_is(e, "delete")) {
            struct reader k = value_of(r, "Key");
            key = msgpack_get_raw(&k);
        }
        snprintf(words + at, sizeof words - at, "%llu:%.*s%s%.*s ", (unsigned long long)seq, (int)e.size, (const char *)e.data,
                 key.size > 0 ? "=" : "", (int)key.size, (const char *)key.data);
        msgpack_skip(&r);
    }
    text_clear(&session.output);
    return words;
}

static void watchers_hear_what_they_asked_for(void **state)
{
    (void)state;
    put(1, "a/1", "v");
    text_clear(&session.output);
    watch(10, "a/", UINT64_MAX);
    expect_error(10, "");
    watch(11, "", 0);
    struct reader r = answers();
    assert_int_equal(header(&r, ""), 11);
    session.output.size -= (size_t)(r.at - (const uint8_t *)session.output.data);
    memmove(session.output.data, r.at, session.output.size);
    kv_tell_watchers(&service);
    assert_string_equal(told(), "11:reset 11:put=a/1 11:listed ");
    put(2, "a/2", "v");
    put(3, "b/1", "v");
    begin("kv-delete", 4, 1);
    field("Key", "a/1");
    send_it();
    text_clear(&session.output); /* the answers */
    assert_true(are_watchers_wanted);
    kv_tell_watchers(&service);
    assert_string_equal(told(), "11:put=a/2 11:put=b/1 11:delete=a/1 10:put=a/2 10:delete=a/1 ");
    begin("stop", 5, 1);
    msgpack_put_text(&request, "Stop");
    msgpack_put_uint(&request, 11);
    send_it();
    put(6, "a/3", "v");
    text_clear(&session.output);
    kv_tell_watchers(&service);
    assert_string_equal(told(), "10:put=a/3 ");
}

static void watchers_have_limits(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < KV_WATCHES; i++) {
        watch(i, "", UINT64_MAX);
        expect_error(i, "");
    }
    watch(99, "", UINT64_MAX);
    expect_error(99, "Too many streams on this connection");
    watch(3, "", UINT64_MAX);
    expect_error(3, "Stream with given sequence exists");
}

int main(void)
{
#define KV_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        KV_TEST(a_put_is_answered_when_it_is_on_disk),
        KV_TEST(a_put_that_the_disk_refused_is_an_error),
        KV_TEST(many_puts_are_under_way_at_once_and_too_many_wait),
        KV_TEST(who_does_not_want_to_wait_longer_is_told),
        KV_TEST(a_client_that_went_away_is_not_answered),
        KV_TEST(what_cannot_be_put_is_refused_at_once),
        KV_TEST(lists_come_in_pages),
        KV_TEST(watchers_hear_what_they_asked_for),
        KV_TEST(watchers_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
