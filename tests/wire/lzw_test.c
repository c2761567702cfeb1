/* SPDX-License-Identifier: MIT
 *
 * What Go's LZW writer made of known inputs: ours makes the same bytes, and reads them back.
 */
#include "vector.h"

#include "base/memory.h"
#include "wire/lzw.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

static void expect_digest(struct hearsay_bytes bytes, const char *hex, const char *what)
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, bytes.size, bytes.data);
    sha256_digest(&context, sizeof digest, digest);
    vector_expect_bytes(bytes_of(digest, sizeof digest), vector_hex(hex), what);
}

/* The input, from its bytes or from the words that describe how it is made. */
static struct hearsay_bytes plain_of(const json_t *vector)
{
    size_t size = (size_t)json_integer_value(json_object_get(vector, "plain_len"));
    if (json_object_get(vector, "plain_hex") != NULL) {
        return vector_hex_of(vector, "plain_hex");
    }
    const char *recipe = vector_text(vector, "plain_gen");
    static uint8_t data[40000];
    uint32_t x = 1;
    vector_expect(size <= sizeof data, "size");
    if (strncmp(recipe, "lcg ", 4) == 0) {
        for (size_t i = 0; i < size; i++) {
            x = x * 1103515245u + 12345u;
            data[i] = (uint8_t)(x >> 16);
        }
    } else if (strstr(recipe, " bytes of 00") != NULL) {
        memset(data, 0, size);
    } else {
        static const char text[] = "The quick brown fox jumps over the lazy dog.";
        vector_expect(strstr(recipe, text) != NULL && strstr(recipe, "(i/997 & 7)") != NULL, "a known recipe");
        for (size_t i = 0; i < size; i++) {
            data[i] = (uint8_t)((uint8_t)text[i % (sizeof text - 1)] ^ (i / 997 & 7));
        }
    }
    return bytes_of(data, size);
}

static void compressed_and_decompressed_as_go_does(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    struct buffer out, back;
    buffer_init(&out, &memory_system);
    buffer_init(&back, &memory_system);
    json_array_foreach(vector_load("lzw.json"), i, vector) {
        vector_begin(vector);
        buffer_clear(&out);
        buffer_clear(&back);
        struct hearsay_bytes plain = plain_of(vector);
        vector_expect((json_int_t)plain.size == json_integer_value(json_object_get(vector, "plain_len")), "plain_len");
        if (json_object_get(vector, "plain_sha256") != NULL) {
            expect_digest(plain, vector_text(vector, "plain_sha256"), "the input itself");
        }
        vector_expect(lzw_compress(plain, &out), "compresses");
        vector_expect((json_int_t)out.size == json_integer_value(json_object_get(vector, "lzw_len")), "lzw_len");
        if (json_object_get(vector, "lzw_hex") != NULL) {
            vector_expect_bytes(buffer_bytes(&out), vector_hex_of(vector, "lzw_hex"), "compressed");
        } else {
            expect_digest(buffer_bytes(&out), vector_text(vector, "lzw_sha256"), "compressed");
        }
        vector_expect(lzw_decompress(buffer_bytes(&out), plain.size, &back) == LZW_OK, "decompresses");
        vector_expect_bytes(buffer_bytes(&back), plain, "decompressed");
        if (plain.size > 0) {
            vector_expect(lzw_decompress(buffer_bytes(&out), plain.size - 1, &back) == LZW_TOO_LARGE, "one byte too many");
            vector_expect(lzw_decompress(bytes_of(out.data, out.size - 2), plain.size, &back) == LZW_BROKEN, "cut off");
        }
    }
    buffer_deinit(&out);
    buffer_deinit(&back);
    vector_report("lzw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(compressed_and_decompressed_as_go_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
