/* SPDX-License-Identifier: MIT
 *
 * See vector.h.
 */
#include "vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stays until the program ends, in a list, so that leak checkers see that it is meant to. */
struct kept {
    struct kept *next;
    uint8_t data[];
};

static struct kept *all_kept;
static json_t *roots;
static const char *current = "(none)";
static size_t vectors, checks;

json_t *vector_load(const char *file)
{
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof path, "%s/%s", VECTORS, file);
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        fail_msg("%s: %s", path, error.text);
    }
    if (roots == NULL) {
        roots = json_array();
    }
    assert_int_equal(json_array_append_new(roots, root), 0);
    json_t *array = json_object_get(root, "vectors");
    assert_true(json_is_array(array) && json_array_size(array) > 0);
    return array;
}

void vector_begin(const json_t *vector)
{
    current = vector_text(vector, "id");
    vectors++;
}

void vector_report(const char *what)
{
    printf("%s: %zu vectors, %zu checks\n", what, vectors, checks);
    vectors = checks = 0;
}

void vector_expect(bool condition, const char *what, ...)
{
    checks++;
    if (!condition) {
        char text[512];
        va_list list;
        va_start(list, what);
        vsnprintf(text, sizeof text, what, list);
        va_end(list);
        fail_msg("%s: %s", current, text);
    }
}

void vector_expect_bytes(struct hearsay_bytes got, struct hearsay_bytes wanted, const char *what)
{
    size_t i = 0;
    while (i < got.size && i < wanted.size && got.data[i] == wanted.data[i]) {
        i++;
    }
    vector_expect(got.size == wanted.size && i == got.size, "%s: %zu bytes, wanted %zu; first difference at %zu", what,
                  got.size, wanted.size, i);
}

const char *vector_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL) {
        fail_msg("%s: no text \"%s\" in the vector", current, key);
    }
    return text;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct hearsay_bytes vector_hex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    struct kept *kept = malloc(sizeof *kept + size + 1);
    assert_non_null(kept);
    kept->next = all_kept;
    all_kept = kept;
    uint8_t *data = kept->data;
    for (size_t i = 0; i < size; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            fail_msg("%s: bad hexadecimal", current);
        }
        data[i] = (uint8_t)(high << 4 | low);
    }
    return bytes_of(data, size);
}

struct hearsay_bytes vector_hex_of(const json_t *object, const char *key)
{
    return vector_hex(vector_text(object, key));
}

struct hearsay_bytes vector_raw(const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL) {
        return bytes_of(NULL, 0);
    }
    return strncmp(text, "hex:", 4) == 0 ? vector_hex(text + 4) : bytes_of(text, json_string_length(value));
}

const json_t *vector_field(struct vector_fields *f, const char *key)
{
    const json_t *value = json_object_get(f->object, key);
    f->asked += value != NULL;
    return value;
}

void vector_expect_raw(struct hearsay_bytes got, const json_t *wanted, const char *what)
{
    char text[201] = "";
    bool is_cut = json_string_length(wanted) == 203 && strcmp(json_string_value(wanted) + 200, "...") == 0;
    if (!is_cut) {
        vector_expect_bytes(got, vector_raw(wanted), what);
        return;
    }
    memcpy(text, json_string_value(wanted), 200);
    struct hearsay_bytes raw = strncmp(text, "hex:", 4) == 0 ? vector_hex(text + 4) : bytes_of(text, 200);
    vector_expect(got.size > raw.size, "%s is long", what);
    vector_expect_bytes(bytes_of(got.data, raw.size), raw, what);
}

void vector_field_raw(struct vector_fields *f, const char *key, struct hearsay_bytes got)
{
    const json_t *value = vector_field(f, key);
    const char *text = json_string_value(value);
    if (text != NULL && strcmp(text, "(see _payload)") == 0) {
        vector_expect(json_object_get(f->object, "_payload") != NULL, "%s has a reading", key);
        return;
    }
    if (value != NULL) {
        vector_expect((got.data == NULL) == json_is_null(value), "%s is nil or not", key);
    }
    vector_expect_raw(got, value, key);
}

void vector_field_number(struct vector_fields *f, const char *key, int64_t got)
{
    const json_t *value = vector_field(f, key);
    vector_expect(value == NULL || json_is_integer(value), "%s is a number", key);
    vector_expect(got == json_integer_value(value), "%s is %lld, wanted %lld", key, (long long)got,
                  (long long)json_integer_value(value));
}

void vector_field_bool(struct vector_fields *f, const char *key, bool got)
{
    const json_t *value = vector_field(f, key);
    vector_expect(value == NULL || json_is_boolean(value), "%s is a bool", key);
    vector_expect(got == json_is_true(value), "%s", key);
}

void vector_fields_end(const struct vector_fields *f)
{
    size_t size = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)f->object, key, value) {
        size += key[0] != '_';
    }
    vector_expect(size == f->asked, "%zu fields, %zu looked at", size, f->asked);
}
