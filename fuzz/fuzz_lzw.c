/* SPDX-License-Identifier: MIT
 *
 * LZW: any bytes are decompressed within the limit; any bytes survive compression and decompression.
 */
#include "fuzz.h"

#include "wire/lzw.h"

#define LIMIT 262144u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hearsay_bytes in = bytes_of(data, size);
    struct buffer out, back;
    buffer_init(&out, &memory_system);
    buffer_init(&back, &memory_system);
    enum lzw_result result = lzw_decompress(in, LIMIT, &out);
    FUZZ_CHECK(out.size <= LIMIT && (result == LZW_OK || out.size == 0));
    buffer_clear(&out);
    FUZZ_CHECK(lzw_compress(in, &out));
    FUZZ_CHECK(lzw_decompress(buffer_bytes(&out), size, &back) == LZW_OK);
    FUZZ_CHECK(bytes_equal(buffer_bytes(&back), in));
    buffer_deinit(&out);
    buffer_deinit(&back);
    return 0;
}
