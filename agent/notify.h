/* SPDX-License-Identifier: MIT
 *
 * Telling systemd how we are: datagrams to $NOTIFY_SOCKET. Nothing happens without it.
 */
#ifndef HEARSAY_AGENT_NOTIFY_H
#define HEARSAY_AGENT_NOTIFY_H

#include <stdint.h>

/* state: "READY=1", "STOPPING=1", "WATCHDOG=1", … */
void notify_send(const char *state);
/* How often WATCHDOG=1 is to be sent; 0 = never. */
uint64_t notify_watchdog_ms(void);

#endif
