/* SPDX-License-Identifier: MIT
 *
 * See place.h.
 */
#include "cli/place.h"

#include "cli/command.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

bool place_split(const char *text, const char *default_port, char host[256], char port[16])
{
    const char *start = text, *end = text + strlen(text), *colon = strrchr(text, ':');
    bool has_port = colon != NULL && strchr(text, ':') == colon;
    if (text[0] == '[') {
        const char *close = strchr(text, ']');
        start = text + 1;
        has_port = close != NULL && close[1] == ':';
        colon = has_port ? close + 1 : NULL;
        end = close == NULL ? end : close;
    } else if (has_port) {
        end = colon;
    }
    int host_size = snprintf(host, 256, "%.*s", (int)(end - start), start);
    int port_size = snprintf(port, 16, "%s", has_port ? colon + 1 : default_port);
    return host_size < 256 && port_size < 16;
}

bool place_resolve(const char *text, const char *default_port, struct place *place)
{
    char host[256], port[16];
    if (!place_split(text, default_port, host, port)) {
        command_fail("%s: not an address", text);
        return false;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int err = getaddrinfo(host, port, &hints, &found);
    if (err != 0) {
        command_fail("cannot resolve %s: %s", text, gai_strerror(err));
        return false;
    }
    memcpy(&place->address, found->ai_addr, found->ai_addrlen);
    place->size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}
