/* SPDX-License-Identifier: MIT
 *
 * Makes the seed corpora of all fuzz targets from the captured vectors: seeds VECTORS-FOLDER OUTPUT-FOLDER. Every seed is a piece of a
 * real conversation, cut out the way the target wants it.
 */
#include "seeds.h"

#include "fuzz.h"

#include "base/cursor.h"
#include "wire/message.h"
#include "wire/msgpack.h"
#include "wire/packet.h"
#include "wire/stream.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *vectors, *output;
static unsigned number;

void seed_stop(const char *what, const char *why)
{
    fprintf(stderr, "seeds: %s: %s\n", what, why);
    exit(1);
}

const char *seed_path(const char *target)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", output, target);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        seed_stop(path, strerror(errno));
    }
    snprintf(path, sizeof path, "%s/%s/%05u", output, target, number++);
    return path;
}

void seed(const char *target, int settings, struct hearsay_bytes bytes)
{
    const char *path = seed_path(target);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        seed_stop(path, strerror(errno));
    }
    if (settings >= 0) {
        fputc(settings, file);
    }
    if (fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file) != 0) {
        seed_stop(path, strerror(errno));
    }
}

/* A life of one node (fuzz_node.c) that meets these bytes in one step and then ticks for a while. */
static void seed_life(int settings, uint8_t step, struct hearsay_bytes bytes)
{
    static uint8_t memory[70000];
    static const uint8_t later[] = {4, 0, 0, 5, 0, 0, 12, 0, 0, 5, 0, 0};
    struct writer w = writer_of(memory, sizeof memory);
    writer_u8(&w, step);
    writer_u16(&w, (uint16_t)bytes.size);
    writer_put(&w, bytes.data, bytes.size);
    writer_put(&w, later, sizeof later);
    seed("node", settings, writer_bytes(&w));
}

static struct hearsay_bytes hex_of(const json_t *object, const char *key, uint8_t *memory, size_t capacity)
{
    const char *hex = json_string_value(json_object_get(object, key));
    size_t size = hex == NULL ? 0 : strlen(hex) / 2;
    if (size > capacity) {
        seed_stop(key, "too long");
    }
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            seed_stop(key, "not hexadecimal");
        }
        memory[i] = (uint8_t)byte;
    }
    return bytes_of(memory, size);
}

static int settings_of(const json_t *reading, bool has_label, bool is_compressed, bool has_crc)
{
    const json_t *version = json_object_get(reading, "encver");
    int settings = version == NULL ? 0 : json_integer_value(version) == 0 ? FUZZ_KEY | FUZZ_VERSION_0 : FUZZ_KEY;
    return settings | (has_label ? FUZZ_LABEL : 0) | (is_compressed ? FUZZ_COMPRESS : 0) | (has_crc ? FUZZ_CRC : 0);
}

static void seed_message(struct hearsay_bytes message)
{
    struct hearsay_bytes body = bytes_of(message.data + 1, message.size - 1);
    seed("message", -1, message);
    if (message.data[0] == MESSAGE_USER) {
        seed("serf_message", -1, body);
    } else {
        seed("msgpack", -1, body);
    }
}

static void from_datagram(const json_t *vector)
{
    static uint8_t memory[65536];
    struct envelope e;
    struct cipher_nettle cipher;
    struct packet packet;
    struct buffer scratch[2];
    const json_t *decoded = json_object_get(vector, "decoded");
    struct hearsay_bytes datagram = hex_of(vector, "hex", memory, sizeof memory);
    bool has_label = json_object_get(decoded, "label") != NULL;
    buffer_init(&scratch[0], &memory_system);
    buffer_init(&scratch[1], &memory_system);
    int settings = settings_of(decoded, has_label, false, json_object_get(decoded, "crc") != NULL);
    fuzz_envelope(&e, &cipher, (uint8_t)settings);
    if (packet_open(&e, datagram, scratch, &packet) != ENVELOPE_OK) {
        seed_stop(json_string_value(json_object_get(vector, "id")), "does not open");
    }
    settings |= packet.was_compressed ? FUZZ_COMPRESS : 0;
    seed("packet", settings, datagram);
    seed_life(settings, 0, datagram);
    size_t head = has_label ? 6 : 0;
    seed("envelope", settings, bytes_of(datagram.data + head, datagram.size - head));
    for (unsigned i = 0; i < packet.count; i++) {
        seed_message(packet.parts[i]);
    }
    buffer_deinit(&scratch[0]);
    buffer_deinit(&scratch[1]);
}

static void seed_stream_body(struct hearsay_bytes message)
{
    struct reader r = reader_of(bytes_of(message.data + 1, message.size - 1));
    struct message_push_pull_header header;
    struct message_alive entry;
    enum message_state state;
    if (message.data[0] != MESSAGE_PUSH_PULL) {
        seed_message(message);
        return;
    }
    seed("push_pull", -1, bytes_of(r.at, reader_left(&r)));
    if (!message_decode_push_pull_header(&r, &header)) {
        seed_stop("push/pull", "bad header");
    }
    for (uint32_t i = 0; i < header.nodes; i++) {
        (void)message_decode_push_pull_entry(&r, &entry, &state);
    }
    struct hearsay_bytes user_state = reader_take(&r, header.user_state_size);
    seed("serf_state", -1, user_state);
    seed("msgpack", -1, bytes_of(user_state.data + 1, user_state.size - 1));
}

static void from_stream(const json_t *vector, const char *side, bool is_inbound)
{
    static uint8_t memory[65536];
    char key[16];
    struct envelope e;
    struct cipher_nettle cipher;
    struct stream_reader s;
    const json_t *reading = json_object_get(vector, side);
    bool has_label = json_object_get(json_object_get(vector, "c2s"), "label") != NULL;
    snprintf(key, sizeof key, "%s_hex", side);
    struct hearsay_bytes bytes = hex_of(vector, key, memory, sizeof memory);
    if (bytes.size == 0) {
        return;
    }
    int settings = settings_of(reading, has_label, json_object_get(reading, "compress") != NULL, false);
    settings |= is_inbound ? FUZZ_INBOUND : 0;
    fuzz_envelope(&e, &cipher, (uint8_t)settings);
    stream_reader_init(&s, &e, is_inbound);
    if (stream_reader_feed(&s, bytes) != STREAM_WHOLE) {
        seed_stop(json_string_value(json_object_get(vector, "id")), "is not whole");
    }
    seed("stream", settings, bytes);
    seed_stream_body(s.body);
    if (is_inbound) {
        seed_life(settings & ~FUZZ_INBOUND, 1, bytes);
    } else {
        static uint8_t answer[65536 + 2];
        memcpy(answer + 2, bytes.data, bytes.size);
        seed("inspect", settings, bytes_of(answer, bytes.size + 2));
    }
    stream_reader_deinit(&s);
}

static void from_both_streams(const json_t *vector)
{
    from_stream(vector, "c2s", true);
    from_stream(vector, "s2c", false);
}

static void from_lzw(const json_t *vector)
{
    static uint8_t memory[65536];
    struct hearsay_bytes lzw = hex_of(vector, "lzw_hex", memory, sizeof memory);
    if (lzw.size > 0) {
        seed("lzw", -1, lzw);
        uint8_t out[65536];
        struct writer w = writer_of(out, sizeof out);
        msgpack_put_map(&w, 2);
        msgpack_put_text(&w, "Algo");
        msgpack_put_uint(&w, 0);
        msgpack_put_text(&w, "Buf");
        msgpack_put_raw(&w, lzw);
        seed("envelope", 0, writer_bytes(&w));
    }
}

static void from_codec(const json_t *vector)
{
    static uint8_t memory[65536];
    seed("msgpack", -1, hex_of(vector, "go_msgpack_0_5_5_hex", memory, sizeof memory));
    seed("msgpack", -1, hex_of(vector, "go_msgpack_2_1_5_hex", memory, sizeof memory));
}

static void from_rpc(const json_t *vector)
{
    static uint8_t memory[65536], conversation[65536];
    struct writer all = writer_of(conversation, sizeof conversation);
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(vector, "steps"), i, step) {
        struct hearsay_bytes bytes = hex_of(step, "hex", memory, sizeof memory);
        if (bytes.size > 0) {
            seed("msgpack", -1, bytes);
            seed("scan", -1, bytes);
        }
        const char *direction = json_string_value(json_object_get(step, "dir"));
        if (direction != NULL && direction[0] == '>' && all.size + bytes.size <= sizeof conversation) {
            writer_put(&all, bytes.data, bytes.size);
        }
    }
    seed("session", 0, writer_bytes(&all));
    seed("session", 8 + 64, writer_bytes(&all)); /* in small pieces */
}

static void from_reaction(const json_t *vector)
{
    static uint8_t memory[65536];
    struct hearsay_bytes sent = hex_of(vector, "send_hex", memory, sizeof memory);
    bool is_stream = strcmp(json_string_value(json_object_get(vector, "via")), "stream") == 0;
    seed(is_stream ? "stream" : "packet", is_stream ? FUZZ_INBOUND : 0, sent);
    seed("message", -1, sent);
    seed_life(0, is_stream ? 1 : 0, sent);
}

static void each(const char *file, void (*make)(const json_t *vector))
{
    char path[4096];
    json_error_t error;
    size_t i;
    json_t *vector;
    snprintf(path, sizeof path, "%s/%s", vectors, file);
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        seed_stop(path, error.text);
    }
    json_array_foreach(json_object_get(root, "vectors"), i, vector) {
        make(vector);
    }
    json_decref(root);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        seed_stop("usage", "seeds VECTORS-FOLDER OUTPUT-FOLDER");
    }
    vectors = argv[1];
    output = argv[2];
    if (mkdir(output, 0777) != 0 && errno != EEXIST) {
        seed_stop(output, strerror(errno));
    }
    each("udp-plain.json", from_datagram);
    each("udp-encrypted.json", from_datagram);
    each("tcp-streams.json", from_both_streams);
    each("lzw.json", from_lzw);
    each("codec.json", from_codec);
    each("rpc-sessions.json", from_rpc);
    each("receive-tests.json", from_reaction);
    seeds_own();
    seeds_dns();
    seeds_parley();
    printf("%u seeds in %s\n", number, output);
    return 0;
}
