/* SPDX-License-Identifier: MIT
 *
 * Looking at a hostile node: any bytes as its answer on the stream, in pieces, and as its ack. Members that are shown have names and
 * addresses as they must be.
 */
#include "fuzz.h"

#include <hearsay/inspect.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cipher_nettle cipher;
    struct envelope e;
    struct hearsay_inspect_options options;
    if (size < 2) {
        return 0;
    }
    fuzz_envelope(&e, &cipher, data[0]);
    memset(&options, 0, sizeof options);
    options.label = e.label_size > 0 ? "blue" : NULL;
    options.cipher = e.cipher;
    memcpy(options.keys, e.keys, sizeof options.keys);
    options.key_count = e.key_count;
    struct hearsay_inspection *inspection = hearsay_inspect_create(&options);
    FUZZ_CHECK(inspection != NULL);
    FUZZ_CHECK(hearsay_inspect_request(inspection).size > 0);
    uint32_t abilities;
    (void)hearsay_inspect_is_ack(inspection, data + 2, size - 2, 7, &abilities);
    enum hearsay_inspect_status status = HEARSAY_INSPECT_MORE;
    for (size_t at = 2, step = 1 + data[1]; at < size && status == HEARSAY_INSPECT_MORE; at += step) {
        size_t left = size - at;
        status = hearsay_inspect_feed(inspection, data + at, left < step ? left : step);
    }
    if (status == HEARSAY_INSPECT_MORE) {
        status = hearsay_inspect_feed(inspection, NULL, 0);
        FUZZ_CHECK(status != HEARSAY_INSPECT_MORE);
    }
    FUZZ_CHECK(strlen(hearsay_inspect_text(inspection)) < 65536);
    struct hearsay_inspect_facts facts;
    struct hearsay_member member;
    size_t position = 0, members = 0;
    hearsay_inspect_get_facts(inspection, &facts);
    while (hearsay_inspect_next_member(inspection, &position, &member)) {
        FUZZ_CHECK(strlen(member.name) <= HEARSAY_NAME_MAX);
        FUZZ_CHECK(member.address.size == 0 || member.address.size == 4 || member.address.size == 16);
        members++;
    }
    FUZZ_CHECK(members <= facts.members);
    hearsay_inspect_destroy(inspection);
    return 0;
}
