/* SPDX-License-Identifier: MIT
 *
 * Recorded sessions of Serf's RPC, played against our own agents in clusters of the same names, places and tags: the answers are the same, object
 * by object. Objects are compared in a canonical spelling that keeps the forms of strings and bytes but not the order of maps, members and acks
 * (Go has none), nor what depends on the day: measured coordinates, the process in `stats`, lines of the log, words of Go's network errors.
 */
#include "../wire/vector.h"
#include "small_world.h"

#include "wire/msgpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX 64

static json_t *sessions;
static struct small_world w;
static unsigned played;

static const json_t *session_of(const char *id)
{
    size_t i;
    json_t *vector;
    json_array_foreach(sessions, i, vector) {
        if (strcmp(vector_text(vector, "id"), id) == 0) {
            vector_begin(vector);
            return json_object_get(vector, "steps");
        }
    }
    fail_msg("no session %s", id);
    return NULL;
}

/* ---- a canonical spelling --------------------------------------------------------------------------------------------------------- */

struct spelling {
    char *parts[128];
    size_t count;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void spell(struct reader *r, struct text *out);

static void put_sorted(struct text *out, struct spelling *s, char open, char close)
{
    qsort(s->parts, s->count, sizeof s->parts[0], by_text);
    text_printf(out, "%c", open);
    for (size_t i = 0; i < s->count; i++) {
        text_printf(out, "%s%s", i == 0 ? "" : ",", s->parts[i]);
        free(s->parts[i]);
    }
    text_printf(out, "%c", close);
}

/* What depends on the day is a star. */
static bool is_volatile(const char *key)
{
    static const char *const words[] = {"Adjustment", "Height", "Log", "runtime", "event_handlers", "member_time", "event_time", "query_time",
                                        "intent_queue", "event_queue", "query_queue"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static void spell_map(struct reader *r, struct text *out, uint32_t count)
{
    struct spelling s = {.count = 0};
    for (uint32_t i = 0; i < count && !r->is_bad && s.count < 128; i++) {
        struct text pair = {0};
        struct hearsay_bytes key = msgpack_get_raw(r);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)key.size, (const char *)key.data);
        text_printf(&pair, "%s:", name);
        if (is_volatile(name)) {
            msgpack_skip(r);
            text_puts(&pair, "*");
        } else {
            spell(r, &pair);
        }
        s.parts[s.count++] = pair.data;
    }
    put_sorted(out, &s, '{', '}');
}

static void spell_array(struct reader *r, struct text *out, uint32_t count)
{
    struct spelling s = {.count = 0};
    for (uint32_t i = 0; i < count && !r->is_bad && s.count < 128; i++) {
        struct text part = {0};
        spell(r, &part);
        s.parts[s.count++] = part.data;
    }
    put_sorted(out, &s, '[', ']');
}

static void spell(struct reader *r, struct text *out)
{
    uint8_t form = reader_left(r) > 0 ? r->at[0] : 0xc1;
    if ((form & 0xf0) == 0x80 || form == 0xde || form == 0xdf) {
        spell_map(r, out, msgpack_get_map(r));
    } else if ((form & 0xf0) == 0x90 || form == 0xdc || form == 0xdd) {
        spell_array(r, out, msgpack_get_array(r));
    } else if (form == 0xc0) {
        msgpack_skip(r);
        text_puts(out, "nil");
    } else if (form == 0xc2 || form == 0xc3) {
        text_puts(out, msgpack_get_bool(r) ? "true" : "false");
    } else if (form == 0xca || form == 0xcb) {
        text_puts(out, msgpack_get_double(r) == 0 ? "0.0" : "(double)");
    } else if ((form & 0xe0) == 0xa0 || (form >= 0xc4 && form <= 0xc6) || (form >= 0xd9 && form <= 0xdb)) {
        bool is_bin = form >= 0xc4 && form <= 0xc6;
        struct hearsay_bytes bytes = msgpack_get_raw(r);
        text_printf(out, "%s\"%.*s\"", is_bin ? "bin" : "", (int)bytes.size, (const char *)bytes.data);
    } else {
        text_printf(out, "%lld", (long long)msgpack_get_int(r));
    }
}

/* Records of the monitor come in any number. */
static bool is_log(struct reader r)
{
    return msgpack_get_map(&r) == 1 && msgpack_is(msgpack_get_raw(&r), "Log");
}

static bool is_zero_num(struct reader r)
{
    return msgpack_get_map(&r) == 1 && msgpack_is(msgpack_get_raw(&r), "Num") && msgpack_get_uint(&r, UINT64_MAX) == 0;
}

/* The answers in these bytes: a header with its body, if one follows, is one. A body has no Seq. */
static size_t answers_of(struct hearsay_bytes bytes, char *answers[OBJECTS_MAX])
{
    struct reader r = reader_of(bytes);
    size_t count = 0;
    while (reader_left(&r) > 0 && !r.is_bad && count < OBJECTS_MAX) {
        struct text one = {0};
        spell(&r, &one);
        bool has_body = reader_left(&r) > 0;
        struct reader peek = r;
        if (has_body && msgpack_get_map(&peek) == 2 && msgpack_is(msgpack_get_raw(&peek), "Error")) {
            has_body = false;
        }
        bool is_failed_join = has_body && is_zero_num(r);
        bool is_line = has_body && is_log(r);
        if (has_body) {
            text_puts(&one, " ");
            spell(&r, &one);
        }
        if (is_failed_join) { /* in words of Go's network library */
            text_clear(&one);
            text_puts(&one, "an error {Num:0}");
        }
        if (is_line || r.is_bad) {
            text_deinit(&one);
        } else {
            answers[count++] = one.data;
        }
    }
    qsort(answers, count, sizeof answers[0], by_text);
    return count;
}

/* is_cut: what comes after was not recorded. */
static void expect_same(struct hearsay_bytes ours, struct hearsay_bytes theirs, bool is_cut)
{
    char *got[OBJECTS_MAX], *wanted[OBJECTS_MAX];
    size_t got_count = answers_of(ours, got), wanted_count = answers_of(theirs, wanted);
    for (size_t i = 0; i < wanted_count || (i < got_count && !is_cut); i++) {
        const char *a = i < got_count ? got[i] : "(nothing)", *b = i < wanted_count ? wanted[i] : "(nothing)";
        vector_expect(strcmp(a, b) == 0, "ours: %s\n      theirs: %s", a, b);
    }
    for (size_t i = 0; i < got_count; i++) {
        free(got[i]);
    }
    for (size_t i = 0; i < wanted_count; i++) {
        free(wanted[i]);
    }
}

/* ---- playing ------------------------------------------------------------------------------------------------------------------------ */

static size_t objects_in(struct hearsay_bytes bytes)
{
    struct reader r = reader_of(bytes);
    size_t count = 0;
    while (reader_left(&r) > 0 && !r.is_bad) {
        msgpack_skip(&r);
        count += !r.is_bad;
    }
    return count;
}

static struct hearsay_bytes output_of(const struct session *s)
{
    return bytes_of(s->output.data, s->output.size);
}

/* Waits until as much has come as was recorded, and compares. */
static void hear(struct session *s, const json_t *step)
{
    struct hearsay_bytes theirs = vector_hex_of(step, "hex");
    for (int i = 0; i < 100 && objects_in(output_of(s)) < objects_in(theirs); i++) {
        small_world_pass(&w, 100);
    }
    const char *note = json_string_value(json_object_get(step, "note"));
    expect_same(output_of(s), theirs, note != NULL && strncmp(note, "cut", 3) == 0);
    text_clear(&s->output);
}

static void say(struct session *s, const json_t *step)
{
    struct hearsay_bytes bytes = vector_hex_of(step, "hex");
    session_feed(s, bytes.data, bytes.size);
    small_world_settle(&w);
}

/* Steps from first to (not with) last. */
static void play_steps(struct session *s, const json_t *steps, size_t first, size_t last)
{
    for (size_t i = first; i < last && i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        const char *direction = json_string_value(json_object_get(step, "dir"));
        if (direction == NULL) { /* how the script saw the end */
            bool has_ended = strcmp(vector_text(step, "note"), "eof") == 0;
            struct hearsay_stats stats;
            hearsay_get_stats(s->service->node, &stats);
            vector_expect(s->is_closing == (has_ended && !stats.is_leaving), "the connection %s", has_ended ? "is closed" : "stays");
        } else if (direction[0] == '>') {
            say(s, step);
        } else {
            hear(s, step);
        }
    }
}

static void play(const char *id, struct small_node *asked)
{
    const json_t *steps = session_of(id);
    struct session *s = &asked->sessions[0];
    session_deinit(s);
    session_init(s, &asked->service);
    play_steps(s, steps, 0, SIZE_MAX);
    played++;
}

static void script(struct small_node *n, const char *output)
{
    n->script = output;
    n->script_size = strlen(output);
}

/* ---- the clusters --------------------------------------------------------------------------------------------------------------------- */

static void three_nodes_and_serfs_command(void **state)
{
    (void)state;
    small_world_open(&w);
    struct small_node *one = small_world_add(&w, "n1", 11, "role=web,dc=east", NULL, false);
    struct small_node *two = small_world_add(&w, "n2", 12, "role=db", NULL, false);
    struct small_node *three = small_world_add(&w, "n3", 13, "role=web", NULL, true);
    play("rpc-001", two);
    small_world_pass(&w, 30000);
    play("rpc-002", one);
    play("rpc-004", one);
    script(one, "up 42 days\n");
    script(two, "up 7 days\n");
    script(three, "hello\n");
    play("rpc-005", one);
    play("rpc-006", one);
    play("rpc-007", one);
    script(three, "relayed\n");
    play("rpc-008", one);
    play("rpc-009", one);
    play("rpc-003", one);
    play("rpc-011", one);
    play("rpc-010", two);
    play("rpc-012", one);
    play("rpc-013", three);
    small_world_close(&w);
}

static void keys_are_changed(void **state)
{
    (void)state;
    struct hearsay_key key = {.size = 32};
    for (uint8_t i = 0; i < 32; i++) {
        key.bytes[i] = i;
    }
    small_world_open(&w);
    struct small_node *one = small_world_add(&w, "n1", 11, "", &key, false);
    struct small_node *two = small_world_add(&w, "n2", 12, "", &key, true);
    small_world_pass(&w, 5000);
    script(two, "up2\n");
    play("rpc-014", one);
    play("rpc-015", one);
    play("rpc-016", one);
    play("rpc-017", one);
    small_world_close(&w);
}

static void a_mixed_cluster(void **state)
{
    (void)state;
    small_world_open(&w);
    struct small_node *two = small_world_add(&w, "v2", 22, "role=new", NULL, false);
    struct small_node *one = small_world_add(&w, "v1", 23, "role=old", NULL, false);
    struct small_node *zero = small_world_add(&w, "v0", 24, "", NULL, false);
    (void)one;
    play("rpc-018", two);
    struct hearsay_target first = {.address = two->place};
    uint32_t ticket;
    (void)!hearsay_join(zero->node, w.now, &first, 1, false, &ticket);
    small_world_pass(&w, 30000);
    play("rpc-019", two);
    script(two, "new\n");
    script(one, "old\n");
    script(zero, "old0\n");
    play("rpc-020", two);
    play("rpc-021", two);
    play("rpc-022", one);
    play("rpc-023", two);
    small_world_close(&w);
}

static void who_may_not(void **state)
{
    (void)state;
    small_world_open(&w);
    struct small_node *one = small_world_add(&w, "n1", 11, "role=web", NULL, false);
    small_world_add(&w, "n2", 12, "role=db", NULL, true);
    small_world_pass(&w, 1000);
    play("rpc-024", one);
    play("rpc-026", one);
    play("rpc-029", one);
    play("rpc-031", one);
    play("rpc-032", one);
    one->service.rpc_auth = "s3cret";
    play("rpc-025", one);
    play("rpc-033", one);
    one->service.rpc_auth = NULL;
    play("rpc-030", one);
    small_world_close(&w);
}

static void an_answer_too_late(void **state)
{
    (void)state;
    small_world_open(&w);
    play("rpc-034", small_world_add(&w, "n4", 14, "", NULL, false));
    small_world_close(&w);
}

/* Two clients of n2 at the same time: one streams and answers, the other drives. */
static void two_clients_at_once(void **state)
{
    (void)state;
    small_world_open(&w);
    small_world_add(&w, "n1", 11, "", NULL, false);
    struct small_node *two = small_world_add(&w, "n2", 12, "role=db", NULL, true);
    small_world_pass(&w, 20000);
    const json_t *streaming = session_of("rpc-027"), *driving = session_of("rpc-028");
    struct session *a = &two->sessions[0], *b = &two->sessions[1];
    play_steps(a, streaming, 0, 7);  /* handshake, stream, a bad stream, the same stream */
    play_steps(b, driving, 0, 9);    /* handshake, events, the query */
    hear(a, json_array_get(streaming, 7));
    play_steps(a, streaming, 8, 13); /* answered, an unknown one, once more */
    play_steps(b, driving, 9, 14);   /* the query is over; tags */
    hear(a, json_array_get(streaming, 13));
    play_steps(a, streaming, 14, 16);
    play_steps(b, driving, 14, 34);
    played += 2;
    small_world_close(&w);
}

static void all_were_played(void **state)
{
    (void)state;
    assert_int_equal(played, json_array_size(sessions));
    assert_int_equal(played, 34);
    vector_report("rpc-sessions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_nodes_and_serfs_command), cmocka_unit_test(keys_are_changed),   cmocka_unit_test(a_mixed_cluster),
        cmocka_unit_test(who_may_not),                   cmocka_unit_test(an_answer_too_late), cmocka_unit_test(two_clients_at_once),
        cmocka_unit_test(all_were_played),
    };
    sessions = vector_load("rpc-sessions.json");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
