/* SPDX-License-Identifier: MIT
 *
 * See facts.h.
 */
#include "cli/facts.h"

#include "cli/command.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 8
#define COLUMNS 24

static json_t *read_value(struct reader *r, unsigned depth);

static json_t *read_map(struct reader *r, unsigned depth)
{
    json_t *object = json_object();
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        char *key = plain_copy(msgpack_get_raw(r));
        json_t *value = read_value(r, depth + 1);
        if (key == NULL || value == NULL || json_object_set_new(object, key, value) != 0) {
            r->is_bad = true;
        }
        free(key);
    }
    return object;
}

static json_t *read_array(struct reader *r, unsigned depth)
{
    json_t *array = json_array();
    for (uint32_t n = msgpack_get_array(r); n > 0 && !r->is_bad; n--) {
        json_t *value = read_value(r, depth + 1);
        r->is_bad |= value == NULL || json_array_append_new(array, value) != 0;
    }
    return array;
}

static json_t *read_text(struct reader *r)
{
    char *text = plain_copy(msgpack_get_raw(r));
    json_t *value = text == NULL ? NULL : json_string(text);
    free(text);
    return value;
}

static json_t *read_value(struct reader *r, unsigned depth)
{
    if (reader_left(r) == 0 || depth > DEPTH) {
        r->is_bad = true;
        return NULL;
    }
    uint8_t kind = r->at[0];
    if ((kind & 0xf0) == 0x80 || kind == 0xde || kind == 0xdf) {
        return read_map(r, depth);
    }
    if ((kind & 0xf0) == 0x90 || kind == 0xdc || kind == 0xdd) {
        return read_array(r, depth);
    }
    if ((kind & 0xe0) == 0xa0 || (kind >= 0xd9 && kind <= 0xdb) || (kind >= 0xc4 && kind <= 0xc6)) {
        return read_text(r);
    }
    if (kind == 0xc2 || kind == 0xc3) {
        return json_boolean(msgpack_get_bool(r));
    }
    return kind == 0xca || kind == 0xcb ? json_real(msgpack_get_double(r)) : json_integer((json_int_t)msgpack_get_int(r));
}

/* The next value of r, NULL when it makes no sense. */
static json_t *facts_read(struct reader *r)
{
    json_t *value = read_value(r, 0);
    if (r->is_bad) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

/* A plain value in words. */
static void describe(const json_t *value, char *out, size_t size)
{
    if (json_is_string(value)) {
        snprintf(out, size, "%s", json_string_value(value));
        plain_tame(out);
    } else if (json_is_integer(value)) {
        snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(out, size, "%.3f", json_real_value(value));
    } else {
        snprintf(out, size, "%s", json_is_true(value) ? "true" : json_is_false(value) ? "false" : "-");
    }
}

static bool is_plain(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

json_t *facts_next(struct client *client)
{
    struct hearsay_bytes object;
    if (!client_next(client, &object, false)) {
        return NULL;
    }
    struct reader r = reader_of(object);
    json_t *answer = facts_read(&r);
    if (answer == NULL) {
        command_fail("the agent's answer makes no sense");
    }
    return answer;
}

void facts_print(const json_t *object, const char *indent)
{
    const char *key;
    json_t *value;
    char text[300];
    int width = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        width = is_plain(value) && (int)strlen(key) > width ? (int)strlen(key) : width;
    }
    json_object_foreach((json_t *)object, key, value)
    {
        if (is_plain(value)) {
            describe(value, text, sizeof text);
            printf("%s%*s = %s\n", indent, width, key, text);
        }
    }
}

void facts_print_table(const json_t *array)
{
    const char *keys[COLUMNS], *key;
    int widths[COLUMNS];
    size_t columns = 0, i;
    json_t *row, *value;
    char text[300];
    json_object_foreach(json_array_get(array, 0), key, value)
    {
        if (is_plain(value) && columns < COLUMNS) {
            keys[columns] = key;
            widths[columns++] = (int)strlen(key);
        }
    }
    json_array_foreach((json_t *)array, i, row)
    {
        for (size_t c = 0; c < columns; c++) {
            describe(json_object_get(row, keys[c]), text, sizeof text);
            widths[c] = (int)strlen(text) > widths[c] ? (int)strlen(text) : widths[c];
        }
    }
    for (size_t c = 0; c < columns; c++) {
        printf("%-*s%s", c + 1 < columns ? widths[c] : 0, keys[c], c + 1 < columns ? "  " : "\n");
    }
    json_array_foreach((json_t *)array, i, row)
    {
        for (size_t c = 0; c < columns; c++) {
            describe(json_object_get(row, keys[c]), text, sizeof text);
            printf("%-*s%s", c + 1 < columns ? widths[c] : 0, text, c + 1 < columns ? "  " : "\n");
        }
    }
}

void facts_print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
}
