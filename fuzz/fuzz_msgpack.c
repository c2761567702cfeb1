/* SPDX-License-Identifier: MIT
 *
 * msgpack: every reader on any bytes; skipping and piecewise walking agree; numbers survive being written again.
 */
#include "fuzz.h"

#include "wire/msgpack.h"

#include <string.h>

/* Walks with the end of the input moving one byte at a time. */
static void walk_in_pieces(struct hearsay_bytes in, const struct reader *skipped)
{
    struct msgpack_scan scan;
    struct reader r = {in.data, in.data, false};
    enum msgpack_scanned scanned = MSGPACK_SCAN_MORE;
    msgpack_scan_init(&scan, 1);
    for (size_t end = 0; end <= in.size && scanned == MSGPACK_SCAN_MORE; end++) {
        r.end = in.data + end;
        scanned = msgpack_scan_run(&scan, &r);
    }
    FUZZ_CHECK((scanned == MSGPACK_SCAN_DONE) == !skipped->is_bad);
    FUZZ_CHECK(skipped->is_bad || skipped->at == r.at);
}

static void check_numbers(const struct reader *start)
{
    uint8_t out[9];
    struct reader r = *start, s = *start;
    int64_t v = msgpack_get_int(&r);
    if (!r.is_bad) {
        struct writer w = writer_of(out, sizeof out);
        msgpack_put_int(&w, v);
        struct reader again = reader_of(writer_bytes(&w));
        FUZZ_CHECK(msgpack_get_int(&again) == v && !again.is_bad && reader_left(&again) == 0);
    }
    uint64_t u = msgpack_get_uint(&s, UINT64_MAX);
    if (!s.is_bad) {
        struct writer w = writer_of(out, sizeof out);
        msgpack_put_uint(&w, u);
        struct reader again = reader_of(writer_bytes(&w));
        FUZZ_CHECK(msgpack_get_uint(&again, UINT64_MAX) == u && !again.is_bad && reader_left(&again) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader start = reader_of(bytes_of(data, size)), r = start;
    if (size == 0) {
        return 0;
    }
    struct hearsay_bytes some = bytes_of(data, size < 512 ? size : 512);
    struct reader skipped = reader_of(some);
    msgpack_skip(&r);
    msgpack_skip(&skipped);
    walk_in_pieces(some, &skipped);
    check_numbers(&start);
    r = start;
    (void)msgpack_get_bool(&r);
    r = start;
    (void)msgpack_get_double(&r);
    r = start;
    struct hearsay_bytes raw = msgpack_get_raw(&r);
    FUZZ_CHECK(raw.size < size);
    r = start;
    FUZZ_CHECK(msgpack_get_map(&r) <= size / 2);
    r = start;
    FUZZ_CHECK(msgpack_get_array(&r) <= size);
    return 0;
}
