/* SPDX-License-Identifier: MIT
 *
 * Addresses as people write them, and back.
 */
#include "world.h"

#include <string.h>

static void assert_reads(const char *text, const char *shown)
{
    struct hearsay_address address;
    char back[64];
    if (!hearsay_address_parse(text, 7946, &address)) {
        fail_msg("%s was not read", text);
    }
    hearsay_address_text(&address, back, sizeof back);
    assert_string_equal(back, shown);
}

static void numbers_are_read_and_written(void **state)
{
    (void)state;
    assert_reads("1.2.3.4", "1.2.3.4:7946");
    assert_reads("1.2.3.4:80", "1.2.3.4:80");
    assert_reads("0.0.0.0:0", "0.0.0.0:0");
    assert_reads("::1", "[::1]:7946");
    assert_reads("[::1]", "[::1]:7946");
    assert_reads("[2001:db8::7]:65535", "[2001:db8::7]:65535");
    assert_reads("2001:db8::7", "[2001:db8::7]:7946");
    assert_reads("[::ffff:1.2.3.4]:5", "1.2.3.4:5");
}

static void everything_else_is_not(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ":", "localhost", "1.2.3", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:x", "[::1",
                                      "[::1]x", "[::1]:", "::1%lo", "[1.2.3.4", "1.2.3.4 ", "1.2.3.4:7946/", "[]:1", ":::"};
    struct hearsay_address address = {.port = 4711};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (hearsay_address_parse(bad[i], 7946, &address)) {
            fail_msg("\"%s\" was read", bad[i]);
        }
        assert_int_equal(address.port, 4711);
    }
    assert_false(hearsay_address_parse(NULL, 1, &address));
}

static void short_buffers_are_not_overrun(void **state)
{
    (void)state;
    struct hearsay_address address = {.size = 4, .bytes = {255, 255, 255, 255}, .port = 65535};
    char text[8] = "xxxxxxx";
    hearsay_address_text(&address, text, 5);
    assert_string_equal(text, "255.");
    assert_int_equal(text[5], 'x');
    address.size = 0;
    hearsay_address_text(&address, text, sizeof text);
    assert_string_equal(text, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_and_written),
        cmocka_unit_test(everything_else_is_not),
        cmocka_unit_test(short_buffers_are_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
