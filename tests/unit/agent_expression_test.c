/* SPDX-License-Identifier: MIT
 *
 * Regular expressions as RE2 (and Go) reads them: what matches, what is refused, and that nothing takes long.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/expression.h"

#include <string.h>
#include <time.h>

static struct hearsay_bytes bytes_of_text(const char *text)
{
    return (struct hearsay_bytes){(const uint8_t *)text, strlen(text)};
}

static void check(const char *expression, const char *text, bool is_wanted)
{
    if (expression_match(NULL, bytes_of_text(expression), bytes_of_text(text)) != is_wanted) {
        fail_msg("\"%s\" %s \"%s\"", expression, is_wanted ? "must match" : "must not match", text);
    }
}

static void what_matches(void **state)
{
    (void)state;
    static const char *const yes[][2] = {
        {"", ""}, {"", "abc"}, {"b", "abc"}, {"^abc$", "abc"}, {"^web|db$", "website"}, {"a.c", "a\xc3\xa9" "c"}, {"^(web|db)-[0-9]+$", "db-12"},
        {"d.*", "db"}, {"^a{2,3}$", "aaa"}, {"a{,2}", "a{,2}"}, {"x*", "yyy"}, {"(?i)WEB", "web"}, {"(?i)[w-z]eB", "Web"}, {"\\d+\\.\\d", "v1.2"},
        {"[[:digit:]]", "a1"}, {"[^[:alpha:]]", "a1"}, {"[]a]", "]"}, {"[^]a]", "b"}, {"\\bweb\\b", "my web!"}, {"(?P<n>a)(?:b)", "ab"},
        {"\\Qa.b*\\E+", "a.b**"}, {"(?s)a.b", "a\nb"}, {"(?m)^b$", "a\nb"}, {"\\x41\\x{e9}", "A\xc3\xa9"}, {"\\101", "A"}, {"a|", "zzz"},
        {"^$", ""}, {"(a*)*b", "aaaab"}, {"(|a)+b", "ab"}, {"[a-c-e]", "-"}, {"\\pe?", NULL}, {"^*a", "a"}, {"^\xff?$", NULL},
        {"(?i:a)b", "Ab"}, {"^(((((a)+)+)+)+)+$", "aaa"}, {"(a|b*){2,}$", ""}, {"^(ab){2,}$", "ababab"},
         {"[\\d_]+$", "_9"}, {"\\s", "\t"}, {"^\\W$", "\xc3\xa9"}, {"a{0}b", "b"}, {"^.$", "\xff"}};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (yes[i][1] != NULL) {
            check(yes[i][0], yes[i][1], true);
        }
    }
}

static void what_does_not_match(void **state)
{
    (void)state;
    static const char *const no[][2] = {
        {"a", ""}, {"^b", "ab"}, {"a$", "ab"}, {"a$", "a\n"}, {"a.b", "a\nb"}, {"[^a]", "a"}, {"^a{2,3}$", "aaaa"}, {"(?i:a)b", "AB"},
        {"\\bweb\\b", "website"},
        {"^.$", "ab"}, {"\\D", "123"}, {"\\s", "\v"}, {"[b-d]", "a"}, {"x+", "yyy"}, {"^(a|b)$", "ab"}, {"^(ab){2,}$", "ab"},
        {"\\Bb", "b"}, {"[^\\x00-\\x{10FFFF}]", "a"}};
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        check(no[i][0], no[i][1], false);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "(", ")", "a)", "[", "[a", "[z-a]", "*", "+a", "a**", "a*+", "a{2}{3}", "a{3,2}", "a{1001}", "\\1", "(a)\\1",
        "(?=a)", "(?!a)", "(?<=a)", "(?>a)",
        "(?x)a", "(?P<>a)", "(?P<a", "\\", "\\y", "\\Z", "\\pN", "\\x{110000}", "\\xg", "[[:nope:]]", "\xff", "(?i-)a", "a|*", "(*)", "[a-\\d]",
        "((a{100}){100}){100}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct expression *e = expression_create(bytes_of_text(bad[i]));
        if (e != NULL) {
            fail_msg("\"%s\" must be refused", bad[i]);
        }
    }
}

static void nothing_takes_long(void **state)
{
    (void)state;
    char text[513], deep[4000];
    memset(text, 'a', 512);
    text[512] = 0;
    memset(deep, '(', sizeof deep);
    deep[sizeof deep - 1] = 0;
    clock_t began = clock();
    check("(a*)*(a*)*(a*)*b", text, false);
    check("(x+x+)+y|((a|a)*)*c", text, false);
    check("(a{1,30}){1,30}b", text, false);
    check("((((((((((((((((((((a)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+b", text, false);
    check(deep, text, false);
    assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_matches), cmocka_unit_test(what_does_not_match), cmocka_unit_test(what_is_refused),
                                       cmocka_unit_test(nothing_takes_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
