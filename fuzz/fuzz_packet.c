/* SPDX-License-Identifier: MIT
 *
 * Datagrams: any bytes are opened; what opens is sealed and must open again to the same messages.
 */
#include "fuzz.h"

#include "wire/message.h"
#include "wire/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope e;
    struct cipher_nettle cipher;
    struct packet packet, again;
    struct buffer scratch[2], other[2], sealing[2], out;
    if (size < 1) {
        return 0;
    }
    fuzz_envelope(&e, &cipher, data[0]);
    for (int i = 0; i < 2; i++) {
        buffer_init(&scratch[i], &memory_system);
        buffer_init(&other[i], &memory_system);
        buffer_init(&sealing[i], &memory_system);
    }
    buffer_init(&out, &memory_system);
    enum envelope_fault fault = packet_open(&e, bytes_of(data + 1, size - 1), scratch, &packet);
    FUZZ_CHECK(fault == ENVELOPE_OK || packet.count == 0);
    size_t total = 2;
    for (unsigned i = 0; i < packet.count; i++) {
        struct message message;
        FUZZ_CHECK(packet.parts[i].size > 0);
        (void)message_decode(packet.parts[i], &message);
        total += 2 + packet.parts[i].size;
    }
    if (packet.count > 0 && total <= UINT16_MAX && !e.skip_label_check) {
        FUZZ_CHECK(packet_seal(&e, packet.parts, packet.count, (data[0] & FUZZ_CRC) != 0, sealing, &out));
        FUZZ_CHECK(out.size <= total + 5 + envelope_overhead(&e));
        FUZZ_CHECK(packet_open(&e, buffer_bytes(&out), other, &again) == ENVELOPE_OK && again.count == packet.count);
        for (unsigned i = 0; i < again.count; i++) {
            FUZZ_CHECK(bytes_equal(again.parts[i], packet.parts[i]));
        }
    }
    for (int i = 0; i < 2; i++) {
        buffer_deinit(&scratch[i]);
        buffer_deinit(&other[i]);
        buffer_deinit(&sealing[i]);
    }
    buffer_deinit(&out);
    return 0;
}
