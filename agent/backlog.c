/* SPDX-License-Identifier: MIT
 *
 * See backlog.h.
 */
#include "agent/backlog.h"

static char **place_of(const struct backlog *backlog, uint64_t number)
{
    return &backlog->lines[number % BACKLOG_LINES];
}

static void drop_oldest(struct backlog *backlog)
{
    char **oldest = place_of(backlog, backlog->oldest++);
    backlog->bytes -= strlen(*oldest) + 1;
    free(*oldest);
    *oldest = NULL;
}

void backlog_put(struct backlog *backlog, const char *line, size_t size)
{
    if (backlog->lines == NULL) {
        backlog->lines = must(calloc(BACKLOG_LINES, sizeof *backlog->lines));
        backlog->oldest = 1;
    }
    size -= size > 0 && line[size - 1] == '\n';
    while (backlog->oldest <= backlog->newest &&
           (backlog->newest - backlog->oldest + 1 == BACKLOG_LINES || backlog->bytes + size + 1 > BACKLOG_BYTES)) {
        drop_oldest(backlog);
    }
    *place_of(backlog, ++backlog->newest) = must(strndup(line, size));
    backlog->bytes += strlen(*place_of(backlog, backlog->newest)) + 1;
}

const char *backlog_next(const struct backlog *backlog, uint64_t *cursor, uint64_t *lost)
{
    *lost = 0;
    if (*cursor >= backlog->newest) {
        return NULL;
    }
    if (*cursor + 1 < backlog->oldest) {
        *lost = backlog->oldest - *cursor - 1;
        *cursor = backlog->oldest - 1;
    }
    return *place_of(backlog, ++*cursor);
}

void backlog_deinit(struct backlog *backlog)
{
    while (backlog->lines != NULL && backlog->oldest <= backlog->newest) {
        drop_oldest(backlog);
    }
    free(backlog->lines);
    *backlog = (struct backlog){0};
}
