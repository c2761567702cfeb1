/* SPDX-License-Identifier: MIT
 *
 * The pair of sockets a node lives on: UDP and TCP on one port. And which address to tell others when nobody says.
 */
#ifndef HEARSAY_DRIVER_SOCKETS_H
#define HEARSAY_DRIVER_SOCKETS_H

#include <hearsay/hearsay_uv.h>

struct sockets {
    int udp, tcp;
    struct hearsay_address bound;
};

/* Opens both on wanted; port 0 lets the system choose. On failure error has one line. */
bool sockets_open(struct sockets *s, const struct hearsay_address *wanted, char *error, size_t size);
void sockets_close(struct sockets *s);

/* The first address of the interface, IPv4 before IPv6; its port is left alone. */
bool sockets_interface_address(const char *interface, struct hearsay_address *address);
/* What memberlist would tell about a socket bound to bound: that address, or for 0.0.0.0 the first private one (mapped into 16 bytes,
 * as memberlist writes it), or any but loopback, or loopback. */
void sockets_advertise(const struct hearsay_address *bound, struct hearsay_address *advertised);

#endif
