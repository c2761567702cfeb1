/* SPDX-License-Identifier: MIT
 *
 * Captured vectors: reading the files, and comparing what we read with what the capture's own reading says. Every comparison
 * counts; a difference fails the running test and names the vector.
 */
#ifndef HEARSAY_TESTS_VECTOR_H
#define HEARSAY_TESTS_VECTOR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
/* cmocka last: it needs the four above */
#include <cmocka.h>

#include <jansson.h>

#include "base/cursor.h"

/* Opens a file of vectors and answers its array; the file stays in memory until the program ends. */
json_t *vector_load(const char *file);
/* Tells which vector is under test, for messages. */
void vector_begin(const json_t *vector);
/* Prints how many vectors and comparisons there were, and starts again from zero. */
void vector_report(const char *what);
void vector_expect(bool condition, const char *what, ...) __attribute__((format(printf, 2, 3)));
void vector_expect_bytes(struct hearsay_bytes got, struct hearsay_bytes wanted, const char *what);

const char *vector_text(const json_t *object, const char *key);
/* Decodes hexadecimal into memory that stays until the program ends. */
struct hearsay_bytes vector_hex(const char *hex);
struct hearsay_bytes vector_hex_of(const json_t *object, const char *key);
/* The bytes a JSON value stands for: null = {NULL, 0}, "hex:…", or text. */
struct hearsay_bytes vector_raw(const json_t *value);
/* Compares with such a value; readings of more than 200 bytes are cut there and end in "...". */
void vector_expect_raw(struct hearsay_bytes got, const json_t *wanted, const char *what);

/* Fields of an object one by one; vector_fields_end fails when the object has a field nobody asked for (keys with a leading
 * underscore aside). Absent fields must be zero. */
struct vector_fields {
    const json_t *object;
    size_t asked;
};
void vector_field_raw(struct vector_fields *f, const char *key, struct hearsay_bytes got);
void vector_field_number(struct vector_fields *f, const char *key, int64_t got);
void vector_field_bool(struct vector_fields *f, const char *key, bool got);
/* Marks a field as looked at, and answers it. */
const json_t *vector_field(struct vector_fields *f, const char *key);
void vector_fields_end(const struct vector_fields *f);

#endif
