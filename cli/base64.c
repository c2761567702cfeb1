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
    base64_decode_init(&context);
    size_t done = 0;
    for (size_t at = 0, length = strlen(text); at < length; at += 256) { /* piece by piece, since nettle wants room to spare */
        uint8_t room[BASE64_DECODE_LENGTH(256)];
        size_t size = sizeof room;
        if (!base64_decode_update(&context, &size, room, length - at < 256 ? length - at : 256, text + at) || size > capacity - done) {
            return -1;
        }
        memcpy(data + done, room, size);
        done += size;
    }
    return base64_decode_final(&context) ? (int)done : -1;
}
