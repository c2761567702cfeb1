/* SPDX-License-Identifier: MIT
 *
 * Sentences put together piece by piece in a room of fixed size; what does not fit is cut off at the end.
 */
#ifndef HEARSAY_CLI_LINE_H
#define HEARSAY_CLI_LINE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct line {
    char *out;
    size_t size, used;
};

static inline struct line line_of(char *out, size_t size)
{
    out[0] = '\0';
    return (struct line){out, size, 0};
}

__attribute__((format(printf, 2, 3))) static inline void line_say(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->out + line->used, line->size - line->used, format, arguments);
    va_end(arguments);
    line->used += length < 0 ? 0 : (size_t)length;
    line->used = line->used < line->size ? line->used : line->size - 1;
}

#endif
