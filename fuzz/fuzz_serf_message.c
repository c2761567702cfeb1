/* SPDX-License-Identifier: MIT
 *
 * Serf's messages: what decodes is encoded, and decodes and encodes to the same bytes again; filters are walked.
 */
#include "fuzz.h"

#include "wire/msgpack.h"
#include "wire/serf_message.h"

static void walk_filters(struct hearsay_bytes filters)
{
    struct reader r = serf_filters_begin(filters);
    struct serf_filter filter;
    while (serf_next_filter(&r, &filter)) {
        if (filter.type == SERF_FILTER_NAMES) {
            for (uint32_t n = msgpack_get_array(&filter.names); n > 0; n--) {
                (void)msgpack_get_raw(&filter.names);
                FUZZ_CHECK(!filter.names.is_bad);
            }
        }
    }
    FUZZ_CHECK(!r.is_bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serf_message m, again;
    if (size > 65535 || !serf_message_decode(bytes_of(data, size), &m)) {
        return 0;
    }
    if (m.type == SERF_QUERY) {
        walk_filters(m.query.filters);
    }
    size_t capacity = size + 256;
    uint8_t *first = malloc(capacity), *second = malloc(capacity);
    struct writer w = writer_of(first, capacity), v = writer_of(second, capacity);
    serf_message_encode(&w, &m);
    FUZZ_CHECK(!w.is_full);
    FUZZ_CHECK(serf_message_decode(writer_bytes(&w), &again) && again.type == m.type);
    serf_message_encode(&v, &again);
    FUZZ_CHECK(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
    free(first);
    free(second);
    return 0;
}
