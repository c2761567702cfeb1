/* SPDX-License-Identifier: MIT
 *
 * Serf's push/pull user state: what decodes can be walked to its end without a surprise.
 */
#include "fuzz.h"

#include "wire/serf_message.h"

static void check_inside(struct hearsay_bytes piece, const uint8_t *data, size_t size)
{
    FUZZ_CHECK(piece.size == 0 || (piece.data >= data && piece.data + piece.size <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serf_state s;
    struct serf_state_event_walk walk = {0};
    struct serf_user_event event;
    struct hearsay_bytes name;
    uint64_t ltime;
    if (!serf_state_decode(bytes_of(data, size), &s)) {
        return 0;
    }
    while (serf_state_next_left(&s, &name)) {
        check_inside(name, data, size);
    }
    while (serf_state_next_status(&s, &name, &ltime)) {
        check_inside(name, data, size);
    }
    while (serf_state_next_event(&s, &walk, &event)) {
        check_inside(event.name, data, size);
        check_inside(event.payload, data, size);
        FUZZ_CHECK(!walk.slot.is_bad);
    }
    FUZZ_CHECK(!s.left_members.is_bad && !s.status_ltimes.is_bad && !s.events.is_bad);
    return 0;
}
