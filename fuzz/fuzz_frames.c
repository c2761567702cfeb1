/* SPDX-License-Identifier: MIT
 *
 * Frames on a stream: the first byte chooses the envelope, the second the pieces in which the rest arrives. In pieces the same messages
 * come out as at once, and no buffer grows beyond what was fed.
 */
#include "fuzz.h"

#include "wire/frames.h"

struct heard {
    uint64_t hash;
    unsigned count;
    enum stream_status status;
    enum envelope_fault fault;
};

static struct heard hear(const struct envelope *e, struct hearsay_bytes in, size_t piece)
{
    struct heard h = {.hash = 7, .status = STREAM_MORE};
    struct hearsay_bytes message;
    struct parley_message m;
    struct frames frames;
    frames_init(&frames, e);
    for (size_t at = 0; at < in.size; at += piece) {
        FUZZ_CHECK(frames_feed(&frames, bytes_of(in.data + at, in.size - at < piece ? in.size - at : piece)));
        while ((h.status = frames_next(&frames, &message)) == STREAM_WHOLE) {
            FUZZ_CHECK(message.size > 0 && message.size <= FRAMES_MAX);
            h.hash = bytes_hash(message, h.hash);
            h.count++;
            (void)parley_decode(message, &m, NULL);
        }
        FUZZ_CHECK(frames.taken <= frames.raw.size && frames.raw.size <= in.size);
    }
    h.fault = frames.fault;
    frames_deinit(&frames);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope e;
    struct cipher_nettle cipher;
    if (size < 2) {
        return 0;
    }
    fuzz_envelope(&e, &cipher, data[0]);
    struct hearsay_bytes in = bytes_of(data + 2, size - 2);
    size_t piece = 1 + data[1] % 64u;
    struct heard whole = hear(&e, in, in.size > 0 ? in.size : 1), pieces = hear(&e, in, piece);
    FUZZ_CHECK(whole.hash == pieces.hash && whole.count == pieces.count && whole.status == pieces.status && whole.fault == pieces.fault);
    return 0;
}
