/* SPDX-License-Identifier: MIT
 *
 * See base64.h. nettle does the work.
 */
#include "cli/base64.h"

#include <nettle/base64.h>
#include <string.h>

void base64_encode(char *text, const uint8_t *data, size_t size)
{
    base64_encode_raw(text, size, data);
    text[BASE64_ENCODE_RAW_LENGTH(size)] = 0;
}

int base64_decode(const char *text, uint8_t *data, size_t capacity)
{
    struct base64_decode_ctx context;
    size_t length = strlen(text), size = capacity;
    if (BASE64_DECODE_LENGTH(length) > capacity + 3) {
        return -1;
    }
    uint8_t room[512];
    if (BASE64_DECODE_LENGTH(length) > sizeof room) {
        return -1;
    }
    base64_decode_init(&context);
    size = sizeof room;
    if (!base64_decode_update(&context, &size, room, length, text) || !base64_decode_final(&context) || size > capacity) {
        return -1;
    }
    memcpy(data, room, size);
    return (int)size;
}
