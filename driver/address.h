/* SPDX-License-Identifier: MIT
 *
 * Addresses between three shapes: hearsay's bytes, the system's sockaddr, and text. It opens no socket and asks no name server.
 */
#ifndef HEARSAY_DRIVER_ADDRESS_H
#define HEARSAY_DRIVER_ADDRESS_H

#include <hearsay/hearsay_uv.h>
#include <sys/socket.h>

#define ADDRESS_DEFAULT_PORT 7946
#define ADDRESS_TEXT_MAX 64
#define ADDRESS_HOST_MAX 256

/* IPv4 comes out in 4 bytes, also when the system tells it mapped into IPv6. size 0 for other families. */
void address_from_system(const struct sockaddr *system, struct hearsay_address *address);
/* family: of the socket that will use it; IPv4 is mapped for an AF_INET6 socket. Answers the length, or 0: that socket cannot
 * reach this address. */
socklen_t address_to_system(const struct hearsay_address *address, int family, struct sockaddr_storage *system);
/* AF_INET, also for IPv4 mapped into IPv6, or AF_INET6; AF_UNSPEC when size is 0. */
int address_family(const struct hearsay_address *address);
/* 0.0.0.0 or :: */
bool address_is_any(const struct hearsay_address *address);
/* IPv4 from 4 bytes to its 16 mapped ones; everything else stays. */
void address_map(struct hearsay_address *address);

/* Splits "host", "host:port", "[v6]:port", "v6", ":port" without looking at what host is. False: malformed, too long, or a port
 * outside 0..65535. */
bool address_split(const char *text, uint16_t default_port, char host[ADDRESS_HOST_MAX], uint16_t *port);

#endif
