/* SPDX-License-Identifier: MIT
 *
 * See log.h. Control bytes from names and tags are replaced, so that nobody in the cluster can write to our terminals.
 */
#include "agent/log.h"

#include <stdarg.h>
#include <strings.h>
#include <time.h>

#define LINE_MAX_BYTES 1024

static struct {
    struct sink sink;
    enum log_level level;
    char *lines[LOG_RING]; /* the level as a letter, then the line */
    unsigned next;
    struct log_monitor *monitors;
} journal = {.sink = {.fd = -1}, .level = LOG_INFO};

static const char *const names[LOG_LEVELS] = {"TRACE", "DEBUG", "INFO", "WARN", "ERR"};

void log_start(int fd)
{
    sink_init(&journal.sink, fd);
}

void log_stop(void)
{
    for (unsigned i = 0; i < LOG_RING; i++) {
        free(journal.lines[i]);
        journal.lines[i] = NULL;
    }
    sink_deinit(&journal.sink);
}

bool log_parse_level(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < LOG_LEVELS; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    journal.level = level;
}

enum log_level log_get_level(void)
{
    return journal.level;
}

static void put_line(const char *indent, const char *line)
{
    char out[LINE_MAX_BYTES + 8];
    int size = snprintf(out, sizeof out, "%s%s\n", indent, line);
    (void)sink_put(&journal.sink, out, (size_t)size < sizeof out ? (size_t)size : sizeof out - 1);
}

/* Names and payloads of others stand in lines; none of their bytes steers a terminal, C1 (U+0080 to U+009F) included. */
static void clean(char *line)
{
    for (uint8_t *p = (uint8_t *)line; *p != '\0'; p++) {
        bool is_c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;
        if (*p < 0x20 || *p == 0x7f || is_c1) {
            *p = '?';
            p[1] = is_c1 ? '?' : p[1];
        }
    }
}

void log_put(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    struct tm parts;
    time_t now = time(NULL);
    localtime_r(&now, &parts);
    line[0] = (char)('0' + level);
    size_t size = 1 + strftime(line + 1, sizeof line - 1, "%Y/%m/%d %H:%M:%S", &parts);
    size += (size_t)snprintf(line + size, sizeof line - size, " [%s] ", names[level]);
    va_list list;
    va_start(list, format);
    vsnprintf(line + size, sizeof line - size, format, list);
    va_end(list);
    clean(line + size);
    if (level >= journal.level) {
        put_line("    ", line + 1);
    }
    if (level >= LOG_DEBUG || journal.level == LOG_TRACE) {
        free(journal.lines[journal.next]);
        journal.lines[journal.next] = strdup(line);
        journal.next = (journal.next + 1) % LOG_RING;
    }
    for (struct log_monitor *m = journal.monitors, *next; m != NULL; m = next) {
        next = m->next; /* it may detach itself */
        if (level >= m->least) {
            m->on_line(m, line + 1);
        }
    }
}

void log_banner(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    put_line("", line);
}

void log_attach(struct log_monitor *monitor)
{
    for (unsigned i = 0; i < LOG_RING; i++) {
        const char *line = journal.lines[(journal.next + i) % LOG_RING];
        if (line != NULL && line[0] - '0' >= (int)monitor->least) {
            monitor->on_line(monitor, line + 1);
        }
    }
    monitor->next = journal.monitors;
    journal.monitors = monitor;
}

void log_detach(struct log_monitor *monitor)
{
    struct log_monitor **at = &journal.monitors;
    while (*at != NULL && *at != monitor) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = monitor->next;
    }
}

uint64_t log_dropped(void)
{
    return journal.sink.dropped;
}
