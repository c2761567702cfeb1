/* SPDX-License-Identifier: MIT
 *
 * Messages of memberlist: what decodes is encoded, and decodes and encodes to the same bytes again.
 */
#include "fuzz.h"

#include "wire/message.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message m, again;
    if (size > 65535 || !message_decode(bytes_of(data, size), &m)) {
        return 0;
    }
    size_t capacity = size + 256; /* fields that are absent are written as zeros */
    uint8_t *first = malloc(capacity), *second = malloc(capacity);
    struct writer w = writer_of(first, capacity), v = writer_of(second, capacity);
    message_encode(&w, &m);
    FUZZ_CHECK(!w.is_full);
    FUZZ_CHECK(message_decode(writer_bytes(&w), &again) && again.type == m.type);
    message_encode(&v, &again);
    FUZZ_CHECK(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
    free(first);
    free(second);
    return 0;
}
