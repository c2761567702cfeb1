/* SPDX-License-Identifier: MIT
 *
 * Names of DNS: labels added, compared and written for people. See message.h.
 */
#include "dns/message.h"

#include <stdio.h>

void dns_name_clear(struct dns_name *name)
{
    name->size = 1;
    name->bytes[0] = 0;
}

bool dns_name_add(struct dns_name *name, struct hearsay_bytes label)
{
    if (label.size == 0 || label.size > DNS_LABEL_MAX || name->size + 1 + label.size > DNS_NAME_MAX) {
        return false;
    }
    name->bytes[name->size - 1] = (uint8_t)label.size;
    memcpy(name->bytes + name->size, label.data, label.size);
    name->size = (uint8_t)(name->size + label.size + 1);
    name->bytes[name->size - 1] = 0;
    return true;
}

bool dns_name_add_all(struct dns_name *name, const struct dns_name *more)
{
    if (name->size - 1 + more->size > (int)DNS_NAME_MAX) {
        return false;
    }
    memcpy(name->bytes + name->size - 1, more->bytes, more->size);
    name->size = (uint8_t)(name->size - 1 + more->size);
    return true;
}

bool dns_name_parse(struct dns_name *name, const char *text)
{
    dns_name_clear(name);
    if (strcmp(text, ".") == 0) {
        return true;
    }
    do {
        const char *dot = strchr(text, '.');
        size_t length = dot == NULL ? strlen(text) : (size_t)(dot - text);
        if (!dns_name_add(name, bytes_of(text, length))) {
            return false;
        }
        text += length + (dot != NULL);
    } while (*text != '\0');
    return true;
}

void dns_name_text(const struct dns_name *name, char *text, size_t size)
{
    struct hearsay_bytes label;
    size_t used = 0;
    for (size_t position = 0; dns_name_next(name, &position, &label);) {
        for (size_t i = 0; i < label.size && used + 6 < size; i++) {
            uint8_t c = label.data[i];
            bool is_plain = c > ' ' && c < 0x7f && c != '.' && c != '\\';
            used += (size_t)snprintf(text + used, size - used, is_plain ? "%c" : "\\%03u", c);
        }
        if (used + 2 < size) {
            text[used++] = '.';
        }
    }
    if (used == 0 && size > 1) {
        text[used++] = '.';
    }
    text[used] = '\0';
}

bool dns_name_next(const struct dns_name *name, size_t *position, struct hearsay_bytes *label)
{
    size_t length = name->bytes[*position];
    *label = bytes_of(name->bytes + *position + 1, length);
    *position += length == 0 ? 0 : length + 1;
    return length > 0;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_same(const uint8_t *a, const uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool dns_label_equal(struct hearsay_bytes a, struct hearsay_bytes b)
{
    return a.size == b.size && is_same(a.data, b.data, a.size);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->size == b->size && is_same(a->bytes, b->bytes, a->size); /* lengths are below 'A' */
}

bool dns_name_is_below(const struct dns_name *name, const struct dns_name *zone, size_t *rest)
{
    size_t position = 0;
    struct hearsay_bytes label;
    while (name->size - position > zone->size && dns_name_next(name, &position, &label)) {
    }
    *rest = position;
    return name->size - position == zone->size && is_same(name->bytes + position, zone->bytes, zone->size);
}
