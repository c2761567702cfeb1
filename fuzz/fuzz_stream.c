/* SPDX-License-Identifier: MIT
 *
 * Streams: any bytes, once in one piece and once in pieces whose sizes come from the input, end in the same way; memory stays within what
 * the bytes received allow; what is whole is sealed and read again.
 */
#include "fuzz.h"

#include "wire/stream.h"

static void check_memory(const struct stream_reader *s, size_t received)
{
    size_t plain = 65536 + 256 * received;
    FUZZ_CHECK(s->raw.capacity <= 64 + 2 * received);
    FUZZ_CHECK(s->opened[0].capacity <= 64 + 2 * received);
    FUZZ_CHECK(s->opened[1].capacity <= 64 + 2 * plain);
}

static void feed_pieces(const struct envelope *e, bool is_inbound, struct hearsay_bytes in, const struct stream_reader *whole,
                        enum stream_status wanted)
{
    struct stream_reader s;
    enum stream_status status = STREAM_MORE;
    size_t at = 0, step = 1;
    stream_reader_init(&s, e, is_inbound);
    while (at < in.size && status == STREAM_MORE) {
        size_t left = in.size - at;
        step = step < left ? step : left;
        status = stream_reader_feed(&s, bytes_of(in.data + at, step));
        at += step;
        step = in.size > 4096 ? 1 + in.data[at - 1] : 1 + in.data[at - 1] % 5;
        check_memory(&s, at);
    }
    if (wanted == STREAM_WHOLE) { /* the same message, seen no later */
        FUZZ_CHECK(status == STREAM_WHOLE && bytes_equal(s.body, whole->body));
    } else if (wanted == STREAM_MORE) {
        FUZZ_CHECK(status == STREAM_MORE);
    } else { /* limits follow the bytes received so far, so the fault may be another one, but never success */
        FUZZ_CHECK(status == STREAM_BAD);
    }
    stream_reader_deinit(&s);
}

static void seal_and_read(const struct envelope *e, bool is_inbound, struct hearsay_bytes body)
{
    struct stream_reader s;
    struct buffer out;
    buffer_init(&out, &memory_system);
    FUZZ_CHECK(stream_seal(e, is_inbound, body, &out));
    stream_reader_init(&s, e, is_inbound);
    enum stream_status status = stream_reader_feed(&s, buffer_bytes(&out));
    FUZZ_CHECK(status == STREAM_WHOLE ? bytes_equal(s.body, body) : s.fault == ENVELOPE_LZW); /* too well compressed */
    stream_reader_deinit(&s);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope e;
    struct cipher_nettle cipher;
    struct stream_reader s;
    if (size < 1) {
        return 0;
    }
    bool is_inbound = (data[0] & FUZZ_INBOUND) != 0;
    struct hearsay_bytes in = bytes_of(data + 1, size - 1);
    fuzz_envelope(&e, &cipher, data[0]);
    stream_reader_init(&s, &e, is_inbound);
    enum stream_status status = stream_reader_feed(&s, in);
    check_memory(&s, in.size);
    FUZZ_CHECK((status == STREAM_BAD) == (s.fault != ENVELOPE_OK));
    feed_pieces(&e, is_inbound, in, &s, status);
    if (status == STREAM_WHOLE && !e.skip_label_check) {
        seal_and_read(&e, is_inbound, s.body);
    }
    stream_reader_deinit(&s);
    return 0;
}
