/* SPDX-License-Identifier: MIT
 *
 * See fuzz.h. The keys and the label are the ones the captured vectors were made with.
 */
#include "fuzz.h"

#include <string.h>

void fuzz_envelope(struct envelope *e, struct cipher_nettle *cipher, uint8_t settings)
{
    memset(e, 0, sizeof *e);
    memset(cipher, 0, sizeof *cipher);
    e->memory = &memory_system;
    e->cipher = cipher_nettle_of(cipher);
    if (settings & FUZZ_KEY) {
        e->key_count = 3;
        e->keys[0].size = 16;
        e->keys[1].size = e->keys[2].size = 32;
        for (uint8_t i = 0; i < 32; i++) {
            e->keys[0].bytes[i] = e->keys[1].bytes[i] = i;
            e->keys[2].bytes[i] = 31 - i;
        }
    }
    if (settings & FUZZ_LABEL) {
        e->label_size = 4;
        memcpy(e->label, "blue", 4);
    }
    e->encryption_version = settings & FUZZ_VERSION_0 ? 0 : 1;
    e->verify_incoming = !(settings & FUZZ_LAX);
    e->verify_outgoing = true;
    e->skip_label_check = (settings & FUZZ_SKIP_LABEL) != 0;
    e->compression = (settings & FUZZ_COMPRESS) != 0;
}
