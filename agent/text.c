/* SPDX-License-Identifier: MIT
 *
 * See text.h.
 */
#include "agent/text.h"

#include <arpa/inet.h>
#include <stdarg.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_deinit(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

void text_shrink(struct text *t)
{
    t->size = 0;
    if (t->capacity > 4096) {
        text_deinit(t);
    }
}

static void reserve(struct text *t, size_t size)
{
    if (t->capacity - t->size > size) {
        return;
    }
    size_t capacity = t->capacity < 64 ? 64 : t->capacity;
    while (capacity - t->size <= size) {
        capacity *= 2;
    }
    t->data = must(realloc(t->data, capacity));
    t->capacity = capacity;
}

void text_put(struct text *t, const void *data, size_t size)
{
    reserve(t, size);
    if (size > 0) {
        memcpy(t->data + t->size, data, size);
    }
    t->size += size;
    t->data[t->size] = '\0';
}

void text_puts(struct text *t, const char *string)
{
    text_put(t, string, strlen(string));
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (size < 0) {
        return;
    }
    reserve(t, (size_t)size);
    va_start(list, format);
    vsnprintf(t->data + t->size, (size_t)size + 1, format, list);
    va_end(list);
    t->size += (size_t)size;
}

/* Length of the well-formed UTF-8 sequence at p, or 0. */
static size_t utf8_size(const uint8_t *p, size_t left)
{
    uint8_t c = p[0];
    size_t size = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (size == 0 || size > left) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (c == 0xe0 && p[1] < 0xa0) || (c == 0xf0 && p[1] < 0x90);
    bool is_outside = (c == 0xed && p[1] >= 0xa0) || (c == 0xf4 && p[1] >= 0x90);
    return is_overlong || is_outside ? 0 : size;
}

bool text_is_utf8(struct hearsay_bytes string)
{
    size_t size = 1;
    for (size_t i = 0; i < string.size && size > 0; i += size) {
        size = utf8_size(string.data + i, string.size - i);
    }
    return size > 0;
}

void text_json(struct text *t, struct hearsay_bytes string)
{
    text_put(t, "\"", 1);
    for (size_t i = 0; i < string.size;) {
        uint8_t c = string.data[i];
        size_t size = utf8_size(string.data + i, string.size - i);
        if (size == 0) {
            text_puts(t, "\\ufffd");
            i++;
        } else if (c == '"' || c == '\\') {
            text_printf(t, "\\%c", c);
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            text_printf(t, "\\u%04x", c);
            i++;
        } else if (c == 0xc2 && string.data[i + 1] < 0xa0) { /* U+0080 to U+009F steer terminals too */
            text_printf(t, "\\u%04x", string.data[i + 1]);
            i += 2;
        } else {
            text_put(t, string.data + i, size);
            i += size;
        }
    }
    text_put(t, "\"", 1);
}

void text_json_c(struct text *t, const char *string)
{
    text_json(t, (struct hearsay_bytes){(const uint8_t *)string, strlen(string)});
}

void text_base64(struct text *t, struct hearsay_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t v = (uint32_t)bytes.data[i] << 16;
        v |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        v |= left > 2 ? bytes.data[i + 2] : 0;
        char quad[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], left > 1 ? alphabet[v >> 6 & 63] : '=',
                        left > 2 ? alphabet[v & 63] : '='};
        text_put(t, quad, 4);
    }
    text_put(t, "", 0);
}

int text_base64_decode(const char *string, uint8_t *out, size_t capacity)
{
    size_t length = strlen(string), size = 0;
    if (length % 4 != 0) {
        return -1;
    }
    for (size_t i = 0; i < length; i += 4) {
        uint32_t v = 0;
        size_t digits = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *place = string[i + j] == '\0' ? NULL : strchr(alphabet, string[i + j]);
            if (place != NULL && digits == j) {
                digits++;
                v |= (uint32_t)(place - alphabet) << (18 - 6 * j);
            } else if (string[i + j] != '=' || i + 4 != length || j < 2) {
                return -1;
            }
        }
        size_t bytes = digits - 1;
        if (size + bytes > capacity) {
            return -1;
        }
        for (size_t j = 0; j < bytes; j++) {
            out[size++] = (uint8_t)(v >> (16 - 8 * j));
        }
    }
    return (int)size;
}

void text_ip(const struct hearsay_address *address, char out[46])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool is_mapped = address->size == 16 && memcmp(address->bytes, mapped, 12) == 0;
    out[0] = '\0';
    if (address->size == 4 || is_mapped) {
        inet_ntop(AF_INET, address->bytes + (is_mapped ? 12 : 0), out, 46);
    } else if (address->size == 16) {
        inet_ntop(AF_INET6, address->bytes, out, 46);
    }
}

void text_place(const struct hearsay_address *address, char out[56])
{
    char ip[46];
    text_ip(address, ip);
    snprintf(out, 56, strchr(ip, ':') == NULL ? "%s:%u" : "[%s]:%u", ip, (unsigned)address->port);
}

/* Levenshtein's distance; words longer than 63 are compared by their first 63 letters. */
static uint32_t distance(const char *a, const char *b)
{
    uint32_t row[64];
    size_t n = strlen(b) < 63 ? strlen(b) : 63;
    for (size_t j = 0; j <= n; j++) {
        row[j] = (uint32_t)j;
    }
    for (size_t i = 0; a[i] != '\0' && i < 63; i++) {
        uint32_t corner = row[0];
        row[0] = (uint32_t)i + 1;
        for (size_t j = 0; j < n; j++) {
            uint32_t change = corner + (a[i] != b[j]);
            corner = row[j + 1];
            uint32_t least = row[j + 1] < row[j] ? row[j + 1] + 1 : row[j] + 1;
            row[j + 1] = least < change ? least : change;
        }
    }
    return row[n];
}

bool text_is_nearer(const char *word, const char *candidate, uint32_t *best)
{
    uint32_t d = distance(word, candidate);
    if (d >= *best || d > 1 + strlen(word) / 2) {
        return false;
    }
    *best = d;
    return true;
}
