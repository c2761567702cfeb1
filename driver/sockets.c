/* SPDX-License-Identifier: MIT
 *
 * See sockets.h.
 */
#include "sockets.h"

#include "address.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024          /* crowds join at once */
#define PORT_TRIES 32         /* for a port that is free in both protocols */
#define RECEIVE_BUFFER (2 << 20)
#define RECEIVE_BUFFER_LEAST (16 << 10)

static int open_socket(const struct hearsay_address *wanted, int type)
{
    struct sockaddr_storage system;
    int family = address_family(wanted);
    socklen_t size = address_to_system(wanted, family, &system);
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (family == AF_INET6) { /* :: also hears IPv4 */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
    }
    if (type == SOCK_STREAM) { /* else a port stays taken for a minute after a restart; with UDP it would mean sharing the port */
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    }
    if (bind(fd, (const struct sockaddr *)&system, size) != 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) != 0)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static bool read_bound(int fd, struct hearsay_address *bound)
{
    struct sockaddr_storage system;
    socklen_t size = sizeof system;
    if (getsockname(fd, (struct sockaddr *)&system, &size) != 0) {
        return false;
    }
    address_from_system((const struct sockaddr *)&system, bound);
    return true;
}

static void widen(int fd)
{
    for (int bytes = RECEIVE_BUFFER; bytes >= RECEIVE_BUFFER_LEAST; bytes /= 2) {
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0) {
            return;
        }
    }
}

static void explain(const struct hearsay_address *wanted, const char *protocol, char *error, size_t size)
{
    char text[ADDRESS_TEXT_MAX];
    hearsay_address_text(wanted, text, sizeof text);
    int why = errno;
    const char *advice = why == EADDRINUSE ? "stop the program that uses it, or bind to another port"
        : why == EADDRNOTAVAIL             ? "bind to an address of this machine"
        : why == EACCES                    ? "bind to a port above 1023"
                                           : "bind to another address";
    snprintf(error, size, "cannot listen on %s (%s): %s; %s", text, protocol, strerror(why), advice);
}

bool sockets_open(struct sockets *s, const struct hearsay_address *wanted, char *error, size_t size)
{
    const char *protocol = "TCP";
    for (int i = 0; i < (wanted->port == 0 ? PORT_TRIES : 1); i++) {
        protocol = "TCP";
        s->tcp = open_socket(wanted, SOCK_STREAM);
        if (s->tcp < 0) {
            break;
        }
        s->bound = *wanted;
        protocol = "UDP";
        s->udp = read_bound(s->tcp, &s->bound) ? open_socket(&s->bound, SOCK_DGRAM) : -1;
        if (s->udp >= 0) {
            widen(s->udp);
            return true;
        }
        int why = errno;
        close(s->tcp);
        errno = why;
        if (errno != EADDRINUSE) {
            break;
        }
    }
    explain(wanted, protocol, error, size);
    return false;
}

void sockets_close(struct sockets *s)
{
    close(s->udp);
    close(s->tcp);
}

bool sockets_interface_address(const char *interface, struct hearsay_address *address)
{
    struct ifaddrs *all, *at;
    struct hearsay_address found = {.size = 0};
    if (getifaddrs(&all) != 0) {
        return false;
    }
    for (at = all; at != NULL && found.size != 4; at = at->ifa_next) {
        if (at->ifa_addr == NULL || strcmp(at->ifa_name, interface) != 0) {
            continue;
        }
        struct hearsay_address candidate;
        address_from_system(at->ifa_addr, &candidate);
        bool is_link_local = candidate.size == 16 && candidate.bytes[0] == 0xfe && (candidate.bytes[1] & 0xc0) == 0x80;
        if (candidate.size == 4 || (candidate.size == 16 && found.size == 0 && !is_link_local)) {
            found = candidate;
        }
    }
    freeifaddrs(all);
    found.port = address->port;
    if (found.size > 0) {
        *address = found;
    }
    return found.size > 0;
}

/* How well an address serves others: 0 not at all, 1 not private, 2 private. */
static int worth(const struct hearsay_address *a)
{
    const uint8_t *b = a->bytes;
    if (a->size == 4) {
        if (b[0] == 169 && b[1] == 254) {
            return 0;
        }
        bool is_private = b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
                          (b[0] == 100 && (b[1] & 0xc0) == 64);
        return is_private ? 2 : 1;
    }
    if (a->size == 16) {
        bool is_link_local = b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
        return is_link_local ? 0 : (b[0] & 0xfe) == 0xfc ? 2 : 1;
    }
    return 0;
}

static struct hearsay_address best_of_machine(uint8_t size)
{
    struct ifaddrs *all, *at;
    struct hearsay_address best = {.size = 0};
    int best_worth = 0;
    if (getifaddrs(&all) != 0) {
        return best;
    }
    for (at = all; at != NULL; at = at->ifa_next) {
        if (at->ifa_addr == NULL || !(at->ifa_flags & IFF_UP) || (at->ifa_flags & IFF_LOOPBACK)) {
            continue;
        }
        struct hearsay_address candidate;
        address_from_system(at->ifa_addr, &candidate);
        if (candidate.size == size && worth(&candidate) > best_worth) {
            best = candidate;
            best_worth = worth(&candidate);
        }
    }
    freeifaddrs(all);
    return best;
}

void sockets_advertise(const struct hearsay_address *bound, struct hearsay_address *advertised)
{
    *advertised = *bound;
    if (!address_is_any(bound)) {
        return;
    }
    if (bound->size == 16) {
        *advertised = best_of_machine(16);
    }
    if (bound->size == 4 || advertised->size == 0) {
        *advertised = best_of_machine(4);
    }
    if (advertised->size == 0) {
        *advertised = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .size = 4};
    }
    advertised->port = bound->port;
    address_map(advertised);
}
