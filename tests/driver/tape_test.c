/* SPDX-License-Identifier: MIT
 *
 * A recorded life, lived again from the tape, says and does exactly the same.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct hearsay_key key = {.size = 16, .bytes = "sixteen bytes ok"};
static const struct hearsay_key newer_key = {.size = 32, .bytes = "thirty-two bytes, not in clear!!"};

static void make_path(char path[64])
{
    strcpy(path, "/tmp/hearsay-tape-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

struct seen {
    unsigned events[HEARSAY_EVENT_COUNT];
    uint64_t packets, streams;
};

static void on_output(uint64_t now, const struct hearsay_output *output, void *user)
{
    struct seen *seen = user;
    assert_true(now > 0);
    seen->packets += output->type == HEARSAY_SEND_PACKET;
    seen->streams += output->type == HEARSAY_OPEN_STREAM;
    if (output->type == HEARSAY_NOTIFY) {
        seen->events[output->event.type]++;
    }
}

static bool is_everything(void *context, struct hearsay_bytes expression, struct hearsay_bytes text)
{
    (void)context;
    (void)text;
    return expression.size == 2;
}

static void refuse_to_keep(struct told *told, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_KEYRING_CHANGED) {
        assert_int_equal(hearsay_uv_keyring_kept(told->uv, event->query, "the disk is full"), HEARSAY_OK);
    }
    if (event->type == HEARSAY_KEY_RESULT && !event->is_ok) {
        assert_string_equal(event->from, "a");
        assert_string_equal(event->text, "the disk is full");
    }
}

/* a, on tape, lives through joins both ways, events, tags and a leave. */
static void record(struct world *w, const char *path, bool with_key, bool behind_its_back)
{
    struct hearsay_uv_options options;
    struct told *nodes[3];
    for (int n = 0; n < 3; n++) {
        static const char *const names[] = {"a", "b", "c"};
        world_options(w, n, &options, names[n], "127.44.2.1:0");
        options.node.keys[0] = key;
        options.node.key_count = with_key;
        options.node.keyring_durable = n == 0;
        options.tape = n == 0 ? path : NULL;
        options.node.matcher.match = is_everything;
        nodes[n] = world_start(w, n, &options);
    }
    struct told *a = nodes[0];
    struct hearsay_tag tag = {"role", "witness"};
    world_join(a, nodes[1]);
    world_until(w, a->joins == 1 && a->contacted == 1);
    world_join(nodes[2], a);
    world_until(w, nodes[2]->joins == 1 && nodes[2]->contacted == 1 && a->events[HEARSAY_MEMBER_JOIN] == 3);
    assert_int_equal(hearsay_uv_send_event(a->uv, "one", NULL, 0, true), HEARSAY_OK);
    assert_int_equal(hearsay_uv_send_event(nodes[2]->uv, "two", "2", 1, true), HEARSAY_OK);
    assert_int_equal(hearsay_uv_set_tags(a->uv, &tag, 1), HEARSAY_OK);
    uint32_t ticket;
    static const struct hearsay_tag everybody = {"role", ".*"};
    struct hearsay_question question = {.name = "ask", .payload = {(const uint8_t *)"?", 1}, .wants_acks = true, .tags = &everybody,
                                        .tag_count = 1, .relay_factor = 1, .timeout_us = 800000};
    assert_int_equal(hearsay_uv_query(a->uv, &question, &ticket), HEARSAY_OK);
    question.timeout_us = 30000000; /* on a busy machine too it arrives before it is over */
    assert_int_equal(hearsay_uv_query(nodes[2]->uv, &question, &ticket), HEARSAY_OK);
    world_until(w, a->events[HEARSAY_QUERY] >= 2);
    assert_int_equal(hearsay_uv_respond(a->uv, 1, "!", 1), HEARSAY_OK);
    world_until(w, a->events[HEARSAY_QUERY_DONE] == 1);
    if (behind_its_back) {
        assert_int_equal(hearsay_send_event(hearsay_uv_node(a->uv), hearsay_uv_now(a->uv), "three", NULL, 0, false), HEARSAY_OK);
        hearsay_uv_flush(a->uv);
    }
    world_until(w, a->events[HEARSAY_USER_EVENT] >= 2 && nodes[1]->events[HEARSAY_MEMBER_UPDATE] == 1);
    uint64_t probes = hearsay_counters(hearsay_uv_node(a->uv))->probes;
    world_until(w, hearsay_counters(hearsay_uv_node(a->uv))->probes >= probes + 2);
    if (with_key) {
        uint32_t about_keys;
        a->hook = refuse_to_keep;
        assert_int_equal(hearsay_uv_query_keys(a->uv, HEARSAY_KEYS_LIST, NULL, 0, &about_keys), HEARSAY_OK);
        assert_int_equal(hearsay_uv_query_keys(a->uv, HEARSAY_KEYS_INSTALL, &newer_key, 1, &about_keys), HEARSAY_OK);
        world_until(w, a->events[HEARSAY_KEYRING_CHANGED] == 1 && a->events[HEARSAY_QUERY_DONE] == 3);
        assert_true(a->events[HEARSAY_KEY_RESULT] >= 4);
    }
    assert_int_equal(hearsay_uv_leave(a->uv), HEARSAY_OK);
    world_until(w, a->events[HEARSAY_LEAVE_DONE] == 1);
    world_stop(a);
    world_until(w, a->uv == NULL);
}

static void assert_same_life(const char *path, const struct hearsay_options *options, struct told *told)
{
    struct hearsay_tape_result result;
    struct seen seen = {.packets = 0};
    char error[256] = "";
    if (!hearsay_tape_replay(path, options, on_output, &seen, &result, error, sizeof error)) {
        fail_msg("%s", error);
    }
    assert_int_equal(result.diverged_at, 0);
    assert_true(result.inputs > 20);
    assert_true(seen.packets > 5);
    assert_int_equal(seen.streams > 0, 1);
    for (size_t i = 0; i < HEARSAY_EVENT_COUNT; i++) {
        assert_int_equal(seen.events[i], told->events[i]);
    }
}

static bool is_in_file(const char *path, const uint8_t *bytes, size_t size)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(data, 1, sizeof data, file);
    fclose(file);
    return memmem(data, length, bytes, size) != NULL;
}

static void a_life_is_lived_again(void **state)
{
    struct world *w = *state;
    char path[64];
    make_path(path);
    record(w, path, false, false);
    assert_same_life(path, NULL, &w->nodes[0]);
    unlink(path);
}

static void an_encrypted_life_too(void **state)
{
    struct world *w = *state;
    struct hearsay_options options;
    struct hearsay_tape_result result;
    char path[64], error[256] = "";
    make_path(path);
    record(w, path, true, false);
    hearsay_options_lan(&options);
    options.keys[0] = key;
    options.key_count = 1;
    assert_same_life(path, &options, &w->nodes[0]);
    assert_false(is_in_file(path, newer_key.bytes, newer_key.size));
    options.keys[0].bytes[3] ^= 1;
    assert_false(hearsay_tape_replay(path, &options, NULL, NULL, &result, error, sizeof error) && result.diverged_at == 0);
    assert_false(hearsay_tape_replay(path, NULL, NULL, NULL, &result, error, sizeof error));
    assert_non_null(strstr(error, "1 keys"));
    unlink(path);
}

static void what_was_not_on_the_tape_is_noticed(void **state)
{
    struct world *w = *state;
    struct hearsay_tape_result result;
    char path[64], error[256] = "";
    make_path(path);
    record(w, path, false, true);
    assert_true(hearsay_tape_replay(path, NULL, NULL, NULL, &result, error, sizeof error));
    assert_true(result.diverged_at > 0);
    unlink(path);
}

static void a_tape_cut_short_is_replayed_as_far_as_it_goes(void **state)
{
    struct world *w = *state;
    struct hearsay_tape_result whole, cut;
    struct stat stat_of;
    char path[64], error[256] = "";
    make_path(path);
    record(w, path, false, false);
    assert_true(hearsay_tape_replay(path, NULL, NULL, NULL, &whole, error, sizeof error));
    assert_int_equal(stat(path, &stat_of), 0);
    for (off_t size = stat_of.st_size - 1; size > stat_of.st_size - 40; size--) {
        assert_int_equal(truncate(path, size), 0);
        assert_true(hearsay_tape_replay(path, NULL, NULL, NULL, &cut, error, sizeof error));
        assert_int_equal(cut.diverged_at, 0);
        assert_true(cut.inputs <= whole.inputs);
    }
    unlink(path);
}

static void other_files_are_no_tapes(void **state)
{
    (void)state;
    struct hearsay_tape_result result;
    char path[64], error[256] = "";
    make_path(path);
    assert_false(hearsay_tape_replay(path, NULL, NULL, NULL, &result, error, sizeof error));
    assert_non_null(strstr(error, path));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("hearsay-tape\1\2\3\4\5", file);
    fclose(file);
    assert_false(hearsay_tape_replay(path, NULL, NULL, NULL, &result, error, sizeof error));
    assert_non_null(strstr(error, path));
    unlink(path);
    assert_false(hearsay_tape_replay(path, NULL, NULL, NULL, &result, error, sizeof error));
    assert_non_null(strstr(error, path));
}

int main(void)
{
#define TAPE_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TAPE_TEST(a_life_is_lived_again),
        TAPE_TEST(an_encrypted_life_too),
        TAPE_TEST(what_was_not_on_the_tape_is_noticed),
        TAPE_TEST(a_tape_cut_short_is_replayed_as_far_as_it_goes),
        TAPE_TEST(other_files_are_no_tapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
