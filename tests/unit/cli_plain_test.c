/* SPDX-License-Identifier: MIT
 *
 * Names and tags that would steer a terminal or break JSON, as a hostile node tells them to `hearsay inspect`, and as the agent writes them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/text.h"
#include "cli/inspection.h"
#include "cli/plain.h"
#include "wire/message.h"
#include "wire/msgpack.h"
#include "wire/serf_message.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static const char hostile_name[] = "\x1b]0;owned\a\x1b[2J\r\nn9 \xc2\x9b" "31m \xff\x7f";
static const char hostile_value[] = "\x1b[31m\n\xc3\x28 \xc3\xa9";

static bool steers(const char *text)
{
    for (const uint8_t *p = (const uint8_t *)text; *p != '\0'; p++) {
        if ((*p < 0x20 && *p != '\n') || *p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)) {
            return true;
        }
    }
    return false;
}

static void strangers_text_is_made_harmless(void **state)
{
    (void)state;
    char *copy = plain_copy((struct hearsay_bytes){(const uint8_t *)hostile_name, sizeof hostile_name - 1});
    assert_non_null(copy);
    plain_tame(copy);
    assert_string_equal(copy, "?]0;owned??[2J??n9 ??31m \xef\xbf\xbd?");
    free(copy);
    char small[5];
    plain_into(small, sizeof small, (struct hearsay_bytes){(const uint8_t *)"abc\xc3\xa9", 5});
    assert_string_equal(small, "abc"); /* no half character */
}

/* What print writes to standard output. The caller frees. */
static char *printed(void (*print)(const struct inspection *i), const struct inspection *i)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_true(kept >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    print(i);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    char *text = calloc(1, (size_t)size + 1);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

static void look_at(struct inspection *i)
{
    static uint8_t bytes[1024], meta[300];
    struct hearsay_inspect_options options = {.label = NULL};
    struct hearsay_tag tag = {"role\x1b", hostile_value};
    struct writer tags = writer_of(meta, sizeof meta), w = writer_of(bytes, sizeof bytes);
    serf_tags_encode(&tags, &tag, 1);
    message_encode_push_pull_header(&w, &(struct message_push_pull_header){.nodes = 1, .user_state_size = 0});
    struct message_alive member = {.incarnation = 1, .node = {(const uint8_t *)hostile_name, sizeof hostile_name - 1},
                                   .address = {.bytes = {10, 0, 0, 1}, .size = 4, .port = 1}, .meta = writer_bytes(&tags),
                                   .versions = {(const uint8_t[]){1, 5, 2, 2, 5, 5}, 6}};
    message_encode_push_pull_entry(&w, &member, MESSAGE_STATE_ALIVE);
    assert_false(w.is_full);
    *i = (struct inspection){.address = "10.0.0.1:1", .has_connected = true, .look = hearsay_inspect_create(&options)};
    assert_non_null(i->look);
    i->status = hearsay_inspect_feed(i->look, bytes, w.size);
    assert_int_equal(i->status, HEARSAY_INSPECT_DONE);
}

static void a_hostile_cluster_cannot_steer_the_terminal(void **state)
{
    struct inspection i;
    (void)state;
    look_at(&i);
    char *text = printed(inspection_print_text, &i);
    assert_false(steers(text));
    assert_non_null(strstr(text, "?]0;owned??[2J??n9"));
    free(text);
    hearsay_inspect_destroy(i.look);
}

static void a_hostile_cluster_cannot_break_json(void **state)
{
    struct inspection i;
    (void)state;
    look_at(&i);
    char *text = printed(inspection_print_json, &i);
    json_t *root = json_loads(text, 0, NULL), *members = json_object_get(root, "members");
    assert_int_equal(json_array_size(members), 1);
    assert_non_null(json_string_value(json_object_get(json_array_get(members, 0), "name")));
    json_decref(root);
    free(text);
    hearsay_inspect_destroy(i.look);
}

static void the_agents_json_is_safe_to_show(void **state)
{
    struct text t = {0};
    (void)state;
    text_json_c(&t, hostile_name);
    assert_false(steers(t.data));
    json_t *value = json_loads(t.data, JSON_DECODE_ANY, NULL);
    assert_true(json_is_string(value));
    json_decref(value);
    text_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_text_is_made_harmless),
        cmocka_unit_test(a_hostile_cluster_cannot_steer_the_terminal),
        cmocka_unit_test(a_hostile_cluster_cannot_break_json),
        cmocka_unit_test(the_agents_json_is_safe_to_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
