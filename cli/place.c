/* SPDX-License-Identifier: MIT
 *
 * See place.h.
 */
#include "cli/place.h"

#include "cli/command.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool place_split(const char *text, const char *default_port, char host[256], char port[16])
{
    const char *start = text, *end = text + strlen(text), *colon = strrchr(text, ':');
    bool has_port = colon != NULL && strchr(text, ':') == colon;
    if (text[0] == '[') {
        const char *close = strchr(text, ']');
        if (close == NULL || (close[1] != ':' && close[1] != 0)) {
            return false;
        }
        start = text + 1;
        has_port = close[1] == ':';
        colon = close + 1;
        end = close;
    } else if (has_port) {
        end = colon;
    }
    int host_size = snprintf(host, 256, "%.*s", (int)(end - start), start);
    int port_size = snprintf(port, 16, "%s", has_port ? colon + 1 : default_port);
    return host_size > 0 && host_size < 256 && port_size > 0 && port_size < 16;
}

/* getaddrinfo takes port 99999 for 34463. */
static bool is_port(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == 0 && number > 0 && number <= UINT16_MAX;
}

bool place_resolve(const char *text, const char *default_port, struct places *places)
{
    char host[256], port[16];
    places->count = 0;
    if (!place_split(text, default_port, host, port)) {
        command_fail("%s: not an address; give HOST, HOST:PORT or [IPV6]:PORT", text);
        return false;
    }
    if (!is_port(port)) {
        command_fail("%s: '%s' is no port; give a number from 1 to 65535", text, port);
        return false;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int err = getaddrinfo(host, port, &hints, &found);
    if (err != 0) {
        command_fail("cannot resolve %s: %s", text, gai_strerror(err));
        return false;
    }
    for (struct addrinfo *i = found; i != NULL && places->count < sizeof places->at / sizeof places->at[0]; i = i->ai_next) {
        struct place *place = &places->at[places->count++];
        memcpy(&place->address, i->ai_addr, i->ai_addrlen);
        place->size = i->ai_addrlen;
    }
    freeaddrinfo(found);
    return true;
}

int place_connect(const struct place *place, int wait_ms, int *why)
{
    int fd = socket(place->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *why = fd < 0 ? errno : 0;
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&place->address, place->size) != 0) {
        *why = errno;
    }
    if (*why == EINPROGRESS) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof *why;
        *why = ETIMEDOUT;
        if (poll(&p, 1, wait_ms) > 0) {
            getsockopt(fd, SOL_SOCKET, SO_ERROR, why, &size);
        }
    }
    if (*why != 0 && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool place_of(const struct hearsay_address *address, struct place *place)
{
    *place = (struct place){.size = 0};
    if (address->size == 4) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&v4.sin_addr, address->bytes, 4);
        memcpy(&place->address, &v4, sizeof v4);
        place->size = sizeof v4;
    } else if (address->size == 16) {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        memcpy(&v6.sin6_addr, address->bytes, 16);
        memcpy(&place->address, &v6, sizeof v6);
        place->size = sizeof v6;
    }
    return place->size > 0 && address->port != 0;
}

void place_address(const struct place *place, struct hearsay_address *address)
{
    *address = (struct hearsay_address){.size = 0};
    if (place->address.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&place->address;
        *address = (struct hearsay_address){.size = 4, .port = ntohs(v4->sin_port)};
        memcpy(address->bytes, &v4->sin_addr, 4);
    } else if (place->address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&place->address;
        *address = (struct hearsay_address){.size = 16, .port = ntohs(v6->sin6_port)};
        memcpy(address->bytes, &v6->sin6_addr, 16);
    }
}
