/* SPDX-License-Identifier: MIT
 *
 * The agent's snapshot and address book: Serf's lines, clocks, leaving, compaction, and files cut off or damaged at every byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/book.h"
#include "agent/disk.h"
#include "agent/snapshot.h"

#include <unistd.h>

static char error[512];
static char folder[] = "/tmp/agent-snapshot-XXXXXX";
static char path[64];

static const char sample[] = "alive: n1 10.0.0.1:7946\n"
                             "alive: a name with spaces [fd00::1]:7000\n"
                             "clock: 12\n"
                             "event-clock: 34\n"
                             "alive: n2 10.0.0.2:7946\n"
                             "not-alive: n2\n"
                             "# a comment\n"
                             "coordinate: {\"Vec\":[0]}\n"
                             "query-clock: 56\n";

static struct hearsay_address place(uint8_t last, uint16_t port)
{
    return (struct hearsay_address){.bytes = {10, 0, 0, last}, .port = port, .size = 4};
}

static void lines_are_replayed(void **state)
{
    struct places places = {0};
    struct snapshot_clocks clocks = {0};
    size_t complete;
    char text[56];
    (void)state;
    assert_int_equal(snapshot_replay(sample, sizeof sample - 1, false, &places, &clocks, &complete), 0);
    assert_int_equal(complete, sizeof sample - 1);
    assert_int_equal(places.alive, 2);
    assert_true(places_find(&places, "n1")->is_alive);
    assert_false(places_find(&places, "n2")->is_alive);
    text_place(&places_find(&places, "a name with spaces")->address, text);
    assert_string_equal(text, "[fd00::1]:7000");
    assert_int_equal(clocks.member, 12);
    assert_int_equal(clocks.event, 34);
    assert_int_equal(clocks.query, 56);
    places_deinit(&places);
}

static void leaving_forgets_unless_rejoining(void **state)
{
    static const char lines[] = "alive: n1 10.0.0.1:7946\nclock: 5\nleave\nclock: 7\n";
    struct places places = {0};
    struct snapshot_clocks clocks = {0};
    size_t complete;
    (void)state;
    assert_int_equal(snapshot_replay(lines, sizeof lines - 1, false, &places, &clocks, &complete), 0);
    assert_int_equal(places.alive, 0);
    assert_int_equal(clocks.member, 7);
    assert_int_equal(snapshot_replay(lines, sizeof lines - 1, true, &places, &clocks, &complete), 0);
    assert_int_equal(places.alive, 1);
    places_deinit(&places);
}

static void damaged_lines_are_skipped_and_counted(void **state)
{
    static const char lines[] = "alive: \nalive: x\nalive: x 10.0.0.1\nalive: x 10.0.0.1:0\nalive: x 10.0.0.1:70000\n"
                                "alive: x [::1:5\nclock: -1\nclock: 99999999999999999999\nclock: \nwhatever\nnot-alive: \n"
                                "alive: good 10.0.0.3:1\n";
    struct places places = {0};
    struct snapshot_clocks clocks = {0};
    size_t complete;
    (void)state;
    assert_int_equal(snapshot_replay(lines, sizeof lines - 1, false, &places, &clocks, &complete), 11);
    assert_int_equal(places.count, 1);
    assert_non_null(places_find(&places, "good"));
    assert_int_equal(clocks.member, 0);
    places_deinit(&places);
}

static void a_file_cut_off_anywhere_is_read_up_to_there(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof sample; size++) {
        struct places places = {0};
        struct snapshot_clocks clocks = {0};
        size_t complete;
        assert_int_equal(snapshot_replay(sample, size, false, &places, &clocks, &complete), 0);
        assert_true(complete <= size);
        assert_true(complete == 0 || sample[complete - 1] == '\n');
        assert_null(memchr(sample + complete, '\n', size - complete));
        const struct place *n1 = places_find(&places, "n1");
        assert_int_equal(n1 != NULL, size >= 24);
        assert_true(n1 == NULL || n1->address.port == 7946);
        places_deinit(&places);
    }
}

static void a_file_damaged_anywhere_keeps_its_other_lines(void **state)
{
    char copy[sizeof sample];
    (void)state;
    for (size_t i = 0; i < sizeof sample - 1; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct places places = {0};
            struct snapshot_clocks clocks = {0};
            size_t complete;
            memcpy(copy, sample, sizeof sample);
            copy[i] = (char)(copy[i] ^ 1 << bit);
            (void)snapshot_replay(copy, sizeof sample - 1, false, &places, &clocks, &complete);
            assert_true(places.count <= 4);
            assert_true(i < 25 || places_find(&places, "n1") != NULL);
            assert_true(i >= sizeof sample - 18 || clocks.query == 56);
            places_deinit(&places);
        }
    }
}

static void what_is_written_is_read_again(void **state)
{
    struct places places = {0};
    struct snapshot s;
    struct hearsay_address one = place(1, 7946), two = place(2, 7946);
    (void)state;
    assert_true(snapshot_open(&s, path, false, &places, error, sizeof error));
    places_set(&places, "n1", &one, true, 0);
    snapshot_alive(&s, "n1", &one);
    snapshot_alive(&s, "n2", &two);
    snapshot_gone(&s, "n2");
    snapshot_alive(&s, "bad\nname", &two);
    snapshot_clocks(&s, &(struct snapshot_clocks){3, 0, 9});
    snapshot_clocks(&s, &(struct snapshot_clocks){3, 0, 9});
    assert_true(snapshot_flush(&s, error, sizeof error));
    snapshot_close(&s);
    places_deinit(&places);

    size_t length;
    char *content = disk_read(path, 4096, &length, error, sizeof error);
    assert_string_equal(content, "alive: n1 10.0.0.1:7946\nalive: n2 10.0.0.2:7946\nnot-alive: n2\nclock: 3\nquery-clock: 9\n");
    free(content);
    assert_int_equal(truncate(path, (off_t)length - 5), 0); /* half of the last line */
    assert_true(snapshot_open(&s, path, false, &places, error, sizeof error));
    assert_int_equal(places.alive, 1);
    assert_int_equal(s.clocks.member, 3);
    assert_int_equal(s.clocks.query, 0);
    snapshot_alive(&s, "n3", &one);
    assert_true(snapshot_flush(&s, error, sizeof error));
    snapshot_close(&s);
    places_deinit(&places);
    assert_true(snapshot_open(&s, path, false, &places, error, sizeof error));
    assert_int_equal(s.skipped, 0);
    assert_non_null(places_find(&places, "n3"));
    snapshot_leave(&s);
    snapshot_alive(&s, "n4", &one);
    assert_true(snapshot_flush(&s, error, sizeof error));
    snapshot_close(&s);
    places_deinit(&places);
    assert_true(snapshot_open(&s, path, false, &places, error, sizeof error));
    assert_int_equal(places.count, 0);
    snapshot_close(&s);
    assert_int_equal(unlink(path), 0);
}

static void a_grown_file_is_compacted(void **state)
{
    struct places places = {0};
    struct snapshot s;
    struct hearsay_address one = place(1, 7946);
    (void)state;
    assert_true(snapshot_open(&s, path, false, &places, error, sizeof error));
    places_set(&places, "survivor", &one, true, 0);
    for (int i = 0; i < 6000; i++) {
        snapshot_alive(&s, "survivor", &one);
        snapshot_clocks(&s, &(struct snapshot_clocks){(uint64_t)i, 2, 3});
        if (i % 100 == 0) {
            assert_true(snapshot_flush(&s, error, sizeof error));
        }
    }
    assert_true(snapshot_flush(&s, error, sizeof error));
    assert_true(s.written < (128 << 10));
    size_t length;
    char *content = disk_read(path, 1 << 20, &length, error, sizeof error);
    assert_int_equal(length, s.written);
    assert_ptr_equal(strstr(content, "alive: survivor 10.0.0.1:7946\nclock: "), content);
    free(content);
    snapshot_close(&s);
    places_deinit(&places);
    assert_true(snapshot_open(&s, path, false, &places, error, sizeof error));
    assert_int_equal(s.clocks.member, 5999);
    assert_int_equal(places.alive, 1);
    struct snapshot second;
    struct places others = {0};
    assert_false(snapshot_open(&second, path, false, &others, error, sizeof error));
    assert_non_null(strstr(error, "in use by another agent"));
    snapshot_close(&s);
    places_deinit(&places);
    assert_int_equal(unlink(path), 0);
}

static void the_book_remembers_those_seen_lately(void **state)
{
    struct places places = {0}, again = {0};
    struct hearsay_address one = place(1, 7946), two = place(2, 7946);
    size_t skipped, length;
    (void)state;
    places_set(&places, "alive one", &one, true, 100);
    places_set(&places, "gone", &two, false, BOOK_SECONDS + 1000);
    places_set(&places, "forgotten", &two, false, 10);
    places_set(&places, "self", &one, true, 100);
    assert_true(book_write(path, 2 * BOOK_SECONDS, &places, "self", error, sizeof error));
    assert_true(book_read(path, 2 * BOOK_SECONDS + 5, &again, &skipped, error, sizeof error));
    assert_int_equal(skipped, 0);
    assert_int_equal(again.count, 2);
    assert_int_equal(again.alive, 0);
    assert_int_equal(places_find(&again, "alive one")->seen_s, 2 * BOOK_SECONDS);
    assert_int_equal(places_find(&again, "gone")->seen_s, BOOK_SECONDS + 1000);
    places_deinit(&again);
    char *content = disk_read(path, 4096, &length, error, sizeof error);
    for (size_t size = 0; size <= length; size++) { /* cut off anywhere */
        skipped = book_replay(content, size, 2 * BOOK_SECONDS, &again);
        assert_true(skipped <= 1);
        assert_true(again.count <= 2);
        places_deinit(&again);
    }
    for (size_t i = 0; i < length; i++) { /* damaged anywhere */
        char kept = content[i];
        content[i] = (char)0xff;
        (void)book_replay(content, length, 2 * BOOK_SECONDS, &again);
        assert_true(again.count >= 1 && again.count <= 2);
        places_deinit(&again);
        content[i] = kept;
    }
    free(content);
    places_deinit(&places);
    assert_int_equal(unlink(path), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/file", mkdtemp(folder) == NULL ? "?" : folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_replayed),
        cmocka_unit_test(leaving_forgets_unless_rejoining),
        cmocka_unit_test(damaged_lines_are_skipped_and_counted),
        cmocka_unit_test(a_file_cut_off_anywhere_is_read_up_to_there),
        cmocka_unit_test(a_file_damaged_anywhere_keeps_its_other_lines),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_grown_file_is_compacted),
        cmocka_unit_test(the_book_remembers_those_seen_lately),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
