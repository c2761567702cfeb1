/* SPDX-License-Identifier: MIT
 *
 * Captured datagrams, plain and encrypted: unwrapped, every message compared, and wrapped again into the same bytes.
 */
#include "capture.h"
#include "shape.h"

#include "wire/message.h"
#include "wire/packet.h"

#include <string.h>

/* The innermost reading: below "compress" stands "inner". */
static const json_t *command_of(const json_t *decoded)
{
    const json_t *command = json_object_get(decoded, "cmd");
    const json_t *inner = json_object_get(command, "inner");
    return inner != NULL ? inner : command;
}

static void compare_parts(const struct packet *packet, const json_t *command)
{
    const json_t *parts = json_object_get(command, "parts");
    if (parts == NULL) {
        vector_expect(packet->count == 1, "one message");
        shape_message(packet->parts[0], command);
        return;
    }
    vector_expect(strcmp(vector_text(command, "t"), "compound") == 0, "a compound");
    vector_expect(packet->count == json_array_size(parts), "number of parts");
    vector_expect(packet->count == json_integer_value(json_object_get(command, "n")), "n");
    for (unsigned i = 0; i < packet->count; i++) {
        shape_message(packet->parts[i], json_array_get(parts, i));
    }
}

/* The 09 layer of a datagram, found by taking off the outer layers by hand. */
static void compare_compression(struct capture *c, struct hearsay_bytes datagram, const json_t *decoded)
{
    struct buffer plain;
    buffer_init(&plain, &memory_system);
    struct hearsay_bytes in = datagram;
    if (in.data[0] == MESSAGE_LABEL) {
        in = bytes_of(in.data + 2 + in.data[1], in.size - 2 - in.data[1]);
    }
    if (c->envelope.key_count > 0) {
        size_t key;
        struct hearsay_bytes label = bytes_of(c->envelope.label, c->envelope.label_size);
        vector_expect(envelope_open(&c->envelope, label, in, &plain, &key) == ENVELOPE_OK && key == 0, "decrypts");
        in = buffer_bytes(&plain);
    }
    if (in.data[0] == MESSAGE_CRC) {
        char crc[9];
        snprintf(crc, sizeof crc, "%02x%02x%02x%02x", in.data[1], in.data[2], in.data[3], in.data[4]);
        vector_expect(strcmp(crc, vector_text(decoded, "crc")) == 0, "crc");
        in = bytes_of(in.data + 5, in.size - 5);
    } else {
        vector_expect(json_object_get(decoded, "crc") == NULL, "no crc");
    }
    const json_t *command = json_object_get(decoded, "cmd");
    vector_expect((in.data[0] == MESSAGE_COMPRESS) == (json_object_get(command, "inner") != NULL), "compressed or not");
    if (in.data[0] == MESSAGE_COMPRESS) {
        vector_expect(json_integer_value(json_object_get(command, "algo")) == 0, "algo");
        capture_compare_compression(in, command);
    }
    buffer_deinit(&plain);
}

static void check(const json_t *vector)
{
    const json_t *decoded = json_object_get(vector, "decoded");
    const char *layers = vector_text(vector, "layers");
    struct hearsay_bytes datagram = vector_hex_of(vector, "hex");
    struct capture c;
    struct packet packet;
    struct buffer scratch[2], again[2], out;
    capture_init(&c, vector, decoded, json_string_value(json_object_get(decoded, "label")));
    for (int i = 0; i < 2; i++) {
        buffer_init(&scratch[i], &memory_system);
        buffer_init(&again[i], &memory_system);
    }
    buffer_init(&out, &memory_system);

    vector_expect((json_int_t)datagram.size == json_integer_value(json_object_get(vector, "len")), "len");
    vector_expect(packet_open(&c.envelope, datagram, scratch, &packet) == ENVELOPE_OK, "opens");
    vector_expect(packet.was_encrypted == (strstr(layers, "enc") != NULL), "encrypted or not");
    vector_expect(packet.had_crc == (strstr(layers, "crc(") != NULL), "crc or not");
    vector_expect(packet.was_compressed == (strstr(layers, "compress(") != NULL), "compressed or not");
    vector_expect(!packet.was_cut, "not cut");
    compare_parts(&packet, command_of(decoded));
    compare_compression(&c, datagram, decoded);

    c.envelope.compression = packet.was_compressed;
    if (packet.was_encrypted) {
        memcpy(c.cipher.nonce, datagram.data + (c.envelope.label_size > 0 ? 2 + c.envelope.label_size : 0) + 1, 12);
    }
    vector_expect(packet_seal(&c.envelope, packet.parts, packet.count, packet.had_crc, again, &out), "seals");
    vector_expect_bytes(buffer_bytes(&out), datagram, "sealed again");

    struct capture stranger = c;
    stranger.envelope.label[0] ^= 1;
    stranger.envelope.label_size = 3;
    vector_expect(packet_open(&stranger.envelope, datagram, again, &packet) == ENVELOPE_LABEL, "another label");
    stranger = c;
    stranger.envelope.keys[0].size = 16;
    stranger.envelope.keys[0].bytes[0] ^= 1;
    stranger.envelope.key_count = 1;
    vector_expect(packet_open(&stranger.envelope, datagram, again, &packet) ==
                      (c.envelope.key_count > 0 ? ENVELOPE_CIPHER : ENVELOPE_PLAINTEXT), "another key");
    for (int i = 0; i < 2; i++) {
        buffer_deinit(&scratch[i]);
        buffer_deinit(&again[i]);
    }
    buffer_deinit(&out);
}

static void walk(const char *file)
{
    size_t i;
    json_t *vector;
    json_array_foreach(vector_load(file), i, vector) {
        vector_begin(vector);
        check(vector);
    }
    vector_report(file);
}

static void plain_datagrams(void **state)
{
    (void)state;
    walk("udp-plain.json");
}

static void encrypted_datagrams(void **state)
{
    (void)state;
    walk("udp-encrypted.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_datagrams), cmocka_unit_test(encrypted_datagrams)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
