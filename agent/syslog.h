/* SPDX-License-Identifier: MIT
 *
 * The log a second time, to the system's: over /dev/log, without ever waiting for it.
 */
#ifndef HEARSAY_AGENT_SYSLOG_H
#define HEARSAY_AGENT_SYSLOG_H

#include "agent/log.h"

/* facility is "LOCAL0", "DAEMON", …, as Serf takes them. False with a line in error. */
bool syslog_open(const char *facility, char *error, size_t size);
void syslog_close(void);
/* The log's level has changed. */
void syslog_set_level(enum log_level level);

#endif
