/* SPDX-License-Identifier: MIT
 *
 * The agent's log: lines as Serf's agent writes them, and a ring of the last 512 for those who monitor over RPC. One log per
 * process, because everything in the agent may have something to say.
 */
#ifndef HEARSAY_AGENT_LOG_H
#define HEARSAY_AGENT_LOG_H

#include "agent/sink.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERR, LOG_LEVELS };

#define LOG_RING 512

/* A monitor: gets every line (without newline) of at least its level. It must not log. */
struct log_monitor {
    enum log_level least;
    void (*on_line)(struct log_monitor *monitor, const char *line);
    struct log_monitor *next;
};

/* Lines go to fd; indented as Serf does after its banner. */
void log_start(int fd);
void log_stop(void);
/* Case does not matter. False if there is no such level. */
bool log_parse_level(const char *name, enum log_level *level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* Writes "2026/11/24 01:02:03 [INFO] " and the text, which begins with the part that speaks: "agent: …". */
void log_put(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of the banner, outside the log. */
void log_banner(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Replays the ring to the monitor, then keeps it informed. */
void log_attach(struct log_monitor *monitor);
void log_detach(struct log_monitor *monitor);
uint64_t log_dropped(void);

#endif
