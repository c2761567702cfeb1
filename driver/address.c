/* SPDX-License-Identifier: MIT
 *
 * See address.h.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_mapped(const struct hearsay_address *address)
{
    return address->size == 16 && memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

static const uint8_t *v4_bytes(const struct hearsay_address *address)
{
    return address->size == 16 ? address->bytes + 12 : address->bytes;
}

int address_family(const struct hearsay_address *address)
{
    if (address->size == 4 || is_mapped(address)) {
        return AF_INET;
    }
    return address->size == 16 ? AF_INET6 : AF_UNSPEC;
}

void address_from_system(const struct sockaddr *system, struct hearsay_address *address)
{
    *address = (struct hearsay_address){.size = 0};
    if (system->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)system;
        address->size = 4;
        address->port = ntohs(v4->sin_port);
        memcpy(address->bytes, &v4->sin_addr, 4);
    } else if (system->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)system;
        address->size = 16;
        address->port = ntohs(v6->sin6_port);
        memcpy(address->bytes, &v6->sin6_addr, 16);
        if (is_mapped(address)) {
            address->size = 4;
            memmove(address->bytes, address->bytes + 12, 4);
            memset(address->bytes + 4, 0, 12);
        }
    }
}

socklen_t address_to_system(const struct hearsay_address *address, int family, struct sockaddr_storage *system)
{
    int own = address_family(address);
    if (own == AF_UNSPEC || (own == AF_INET6 && family == AF_INET)) {
        return 0;
    }
    if (family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)system;
        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&v4->sin_addr, v4_bytes(address), 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)system;
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    struct hearsay_address whole = *address;
    address_map(&whole);
    memcpy(&v6->sin6_addr, whole.bytes, 16);
    return sizeof *v6;
}

bool address_is_any(const struct hearsay_address *address)
{
    static const uint8_t zeros[16];
    if (is_mapped(address)) {
        return memcmp(address->bytes + 12, zeros, 4) == 0;
    }
    return address->size > 0 && memcmp(address->bytes, zeros, address->size) == 0;
}

void address_map(struct hearsay_address *address)
{
    if (address->size == 4) {
        memmove(address->bytes + 12, address->bytes, 4);
        memcpy(address->bytes, mapped_prefix, sizeof mapped_prefix);
        address->size = 16;
    }
}

static bool parse_port(const char *text, uint16_t *port)
{
    unsigned long value = 0;
    size_t digits = strlen(text);
    if (digits == 0 || digits > 5 || strspn(text, "0123456789") != digits) {
        return false;
    }
    for (; *text != '\0'; text++) {
        value = value * 10 + (unsigned long)(*text - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

bool address_split(const char *text, uint16_t default_port, char host[ADDRESS_HOST_MAX], uint16_t *port)
{
    const char *begin = text, *end, *rest;
    if (*text == '[') {
        begin = text + 1;
        end = strchr(begin, ']');
        if (end == NULL) {
            return false;
        }
        rest = end + 1;
    } else {
        const char *colon = strchr(text, ':');
        bool is_bare_v6 = colon != NULL && strchr(colon + 1, ':') != NULL;
        end = colon == NULL || is_bare_v6 ? text + strlen(text) : colon;
        rest = end;
    }
    size_t size = (size_t)(end - begin);
    if (size >= ADDRESS_HOST_MAX) {
        return false;
    }
    memcpy(host, begin, size);
    host[size] = '\0';
    *port = default_port;
    return *rest == '\0' || (*rest == ':' && parse_port(rest + 1, port));
}

bool hearsay_address_parse(const char *text, uint16_t default_port, struct hearsay_address *address)
{
    char host[ADDRESS_HOST_MAX];
    uint16_t port;
    struct hearsay_address parsed = {.size = 0};
    if (text == NULL || !address_split(text, default_port, host, &port)) {
        return false;
    }
    if (inet_pton(AF_INET, host, parsed.bytes) == 1) {
        parsed.size = 4;
    } else if (inet_pton(AF_INET6, host, parsed.bytes) == 1) {
        parsed.size = 16;
    } else {
        return false;
    }
    parsed.port = port;
    *address = parsed;
    return true;
}

void hearsay_address_text(const struct hearsay_address *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN];
    int family = address_family(address);
    if (family == AF_INET) {
        snprintf(text, size, "%s:%u", inet_ntop(AF_INET, v4_bytes(address), host, sizeof host), address->port);
    } else if (family == AF_INET6) {
        snprintf(text, size, "[%s]:%u", inet_ntop(AF_INET6, address->bytes, host, sizeof host), address->port);
    } else {
        snprintf(text, size, "none");
    }
}
