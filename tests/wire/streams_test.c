/* SPDX-License-Identifier: MIT
 *
 * Captured conversations on the stream port: both directions are read (at once, byte by byte, in random pieces), compared, and
 * wrapped again into the same bytes.
 */
#include "capture.h"
#include "shape.h"

#include "base/rng.h"
#include "wire/message.h"
#include "wire/stream.h"

#include <stdlib.h>
#include <string.h>

/* Feeds bytes in pieces of at most `piece` (0 = random sizes) from memory of exactly that size, so that sanitizers see overreads. */
static enum stream_status feed(struct stream_reader *s, struct hearsay_bytes bytes, size_t piece, struct rng *rng)
{
    enum stream_status status = STREAM_MORE;
    for (size_t at = 0; at < bytes.size && status == STREAM_MORE;) {
        size_t size = piece > 0 ? piece : 1 + (size_t)rng_below(rng, 97);
        size = size < bytes.size - at ? size : bytes.size - at;
        uint8_t *copy = malloc(size);
        memcpy(copy, bytes.data + at, size);
        status = stream_reader_feed(s, bytes_of(copy, size));
        free(copy);
        at += size;
        vector_expect(status != STREAM_WHOLE || at == bytes.size, "whole no sooner than at the end");
    }
    return status;
}

static void check_side(const json_t *vector, const json_t *reading, struct hearsay_bytes bytes, bool is_inbound, struct rng *rng)
{
    const char *label = json_string_value(json_object_get(json_object_get(vector, "c2s"), "label"));
    const json_t *compression = json_object_get(reading, "compress");
    struct capture c;
    struct stream_reader s, pieces;
    struct buffer out;
    capture_init(&c, vector, reading, label);
    stream_reader_init(&s, &c.envelope, is_inbound);
    buffer_init(&out, &memory_system);
    vector_expect(feed(&s, bytes, bytes.size, rng) == STREAM_WHOLE, "whole");
    vector_expect(s.was_encrypted == (json_object_get(reading, "encver") != NULL), "encrypted or not");
    vector_expect(s.was_compressed == (compression != NULL), "compressed or not");
    shape_stream(s.body, reading);
    for (size_t round = 0; round < 6; round++) {
        stream_reader_init(&pieces, &c.envelope, is_inbound);
        vector_expect(feed(&pieces, bytes, round == 0 ? 1 : 0, rng) == STREAM_WHOLE, "whole in pieces");
        vector_expect_bytes(pieces.body, s.body, "the same in pieces");
        stream_reader_deinit(&pieces);
    }
    size_t head = is_inbound && label != NULL ? 2 + strlen(label) : 0;
    if (s.was_encrypted) {
        memcpy(c.cipher.nonce, bytes.data + head + 6, 12);
    }
    c.envelope.compression = s.was_compressed;
    vector_expect(stream_seal(&c.envelope, is_inbound, s.body, &out), "seals");
    vector_expect_bytes(buffer_bytes(&out), bytes, "sealed again");
    if (compression != NULL) {
        buffer_clear(&out);
        vector_expect(envelope_compress(s.body, &out), "compresses");
        capture_compare_compression(buffer_bytes(&out), compression);
    }
    buffer_deinit(&out);
    stream_reader_deinit(&s);
}

static enum envelope_fault fault_of(const struct envelope *e, struct hearsay_bytes bytes, bool is_inbound)
{
    struct stream_reader s;
    stream_reader_init(&s, e, is_inbound);
    enum stream_status status = stream_reader_feed(&s, bytes);
    enum envelope_fault fault = s.fault;
    vector_expect((status == STREAM_BAD) == (fault != ENVELOPE_OK), "status and fault agree");
    stream_reader_deinit(&s);
    return fault;
}

/* The same bytes met by strangers: another key, another label. */
static void check_refusals(const json_t *vector, const json_t *reading, struct hearsay_bytes bytes)
{
    const char *label = json_string_value(json_object_get(reading, "label"));
    struct capture c;
    capture_init(&c, vector, reading, label == NULL ? "strange" : NULL);
    vector_expect(fault_of(&c.envelope, bytes, true) == ENVELOPE_LABEL, "another label");
    capture_init(&c, vector, reading, label);
    bool was_encrypted = c.envelope.key_count > 0;
    c.envelope.keys[0].size = 32;
    c.envelope.keys[0].bytes[0] ^= 1;
    c.envelope.key_count = 1;
    vector_expect(fault_of(&c.envelope, bytes, true) == (was_encrypted ? ENVELOPE_CIPHER : ENVELOPE_PLAINTEXT), "another key");
    c.envelope.key_count = 0;
    vector_expect(fault_of(&c.envelope, bytes, true) == (was_encrypted ? ENVELOPE_CIPHER : ENVELOPE_OK), "no key");
}

static void every_conversation(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    struct rng rng;
    rng_init(&rng, 7);
    json_array_foreach(vector_load("tcp-streams.json"), i, vector) {
        vector_begin(vector);
        const json_t *asked = json_object_get(vector, "c2s"), *answered = json_object_get(vector, "s2c");
        struct hearsay_bytes request = vector_hex_of(vector, "c2s_hex"), answer = vector_hex_of(vector, "s2c_hex");
        vector_expect(strstr(vector_text(vector, "client_sends"), vector_text(asked, "t")) != NULL, "client_sends");
        check_side(vector, asked, request, true, &rng);
        check_refusals(vector, asked, request);
        if (json_is_true(json_object_get(answered, "empty"))) {
            vector_expect(answer.size == 0 && strcmp(vector_text(vector, "server_sends"), "closed") == 0, "no answer");
        } else {
            vector_expect(strstr(vector_text(vector, "server_sends"), vector_text(answered, "t")) != NULL, "server_sends");
            check_side(vector, answered, answer, false, &rng);
        }
    }
    vector_report("tcp-streams");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_conversation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
