/* SPDX-License-Identifier: MIT
 *
 * See pattern.h. glibc's matcher takes exponential time with back-references and expands repetitions in memory: the first are
 * refused, the second bounded.
 */
#include "agent/pattern.h"

#include <string.h>

#define PATTERN_BYTES 256
#define REPEAT_MAX 100

/* The number in front of , or } in a repetition. */
static unsigned largest_repeat(const char *p)
{
    unsigned largest = 0, value = 0;
    for (; *p != '\0' && *p != '}'; p++) {
        value = *p >= '0' && *p <= '9' && value < 10000 ? value * 10 + (unsigned)(*p - '0') : 0;
        largest = value > largest ? value : largest;
    }
    return largest;
}

/* How many copies of what stands before it does the repetition at p make? "+" and "{1,}" make one more than they say; behind a single
 * character that is nothing, but "a++++" and "(((a)+)+)+" double at every step. */
static unsigned copies(const char *text, const char *p)
{
    if (*p == '{') {
        return largest_repeat(p + 1) + 1;
    }
    return *p == '+' && p > text && strchr(")+*?}", p[-1]) != NULL ? 2 : 1;
}

static bool is_modest(const char *text)
{
    unsigned repeats = 1;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            if (*p >= '0' && *p <= '9') {
                return false;
            }
        } else {
            unsigned times = copies(text, p);
            repeats *= times;
            if (times > REPEAT_MAX || repeats > REPEAT_MAX) {
                return false;
            }
        }
    }
    return true;
}

/* ^text$ in POSIX words: "(?:" is a plain group and \d a digit. */
static void translate(const char *text, char *out)
{
    *out++ = '^';
    for (const char *p = text; *p != '\0'; p++) {
        if (strncmp(p, "(?:", 3) == 0) {
            *out++ = '(';
            p += 2;
        } else if (strncmp(p, "\\d", 2) == 0) {
            memcpy(out, "[0-9]", 5);
            out += 5;
            p++;
        } else {
            *out++ = *p;
            if (*p == '\\' && p[1] != '\0') {
                *out++ = *++p;
            }
        }
    }
    memcpy(out, "$", 2);
}

bool pattern_set(struct pattern *pattern, struct hearsay_bytes text, bool is_optional)
{
    char copy[PATTERN_BYTES + 1], posix[PATTERN_BYTES * 3 + 3];
    if (text.size == 0 && is_optional) {
        return true;
    }
    if (pattern->is_set || text.size > PATTERN_BYTES || (text.size > 0 && memchr(text.data, '\0', text.size) != NULL)) {
        return false;
    }
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    if (!is_modest(copy)) {
        return false;
    }
    translate(copy, posix);
    pattern->is_set = regcomp(&pattern->regex, posix, REG_EXTENDED | REG_NOSUB) == 0;
    return pattern->is_set;
}

bool pattern_matches(const struct pattern *pattern, struct hearsay_bytes subject)
{
    char copy[1024];
    if (!pattern->is_set) {
        return true;
    }
    if (subject.size >= sizeof copy) {
        return false;
    }
    if (subject.size > 0) {
        memcpy(copy, subject.data, subject.size);
    }
    copy[subject.size] = '\0';
    return regexec(&pattern->regex, copy, 0, NULL, 0) == 0;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern->is_set) {
        regfree(&pattern->regex);
        pattern->is_set = false;
    }
}
