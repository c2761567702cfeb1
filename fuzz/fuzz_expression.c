/* SPDX-License-Identifier: MIT
 *
 * Regular expressions that strangers send: any bytes, against any text; no step runs away, and what is said twice is the same.
 * Anchored at both ends an expression matches at most what it matches anywhere.
 */
#include "fuzz.h"

#include "agent/expression.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, 0, size);
    size_t length = end == NULL ? size : (size_t)(end - data);
    struct hearsay_bytes text = end == NULL ? bytes_of(NULL, 0) : bytes_of(end + 1, size - length - 1);
    char anchored[2048] = "^(?:";
    text.size = text.size > 512 ? 512 : text.size;
    if (length > 1000) {
        return 0;
    }
    bool matches = expression_match(NULL, bytes_of(data, length), text);
    FUZZ_CHECK(matches == expression_match(NULL, bytes_of(data, length), text));
    memcpy(anchored + 4, length == 0 ? (const uint8_t *)"" : data, length);
    memcpy(anchored + 4 + length, ")$", 2);
    struct expression *e = expression_create(bytes_of(data, length));
    FUZZ_CHECK(e == NULL || matches == expression_matches(e, text));
    bool is_plain = e != NULL && memchr(data, '(', length) == NULL && memchr(data, '\\', length) == NULL;
    FUZZ_CHECK(!is_plain || matches || !expression_match(NULL, bytes_of(anchored, length + 6), text));
    expression_destroy(e);
    return 0;
}
