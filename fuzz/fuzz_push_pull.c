/* SPDX-License-Identifier: MIT
 *
 * The body of a push/pull: header, entries, user state, each encoded and decoded again.
 */
#include "fuzz.h"

#include "wire/message.h"
#include "wire/msgpack.h"
#include "wire/serf_message.h"

static void check_header(const struct message_push_pull_header *header)
{
    struct message_push_pull_header again;
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);
    message_encode_push_pull_header(&w, header);
    struct reader r = reader_of(bytes_of(out + 1, w.size - 1));
    FUZZ_CHECK(!w.is_full && message_decode_push_pull_header(&r, &again) && reader_left(&r) == 0);
    FUZZ_CHECK(again.is_join == header->is_join && again.nodes == header->nodes &&
               again.user_state_size == header->user_state_size);
}

static void check_entry(const struct message_alive *entry, enum message_state state, size_t size)
{
    struct message_alive again;
    enum message_state state_again;
    size_t capacity = size + 256;
    uint8_t *out = malloc(capacity);
    struct writer w = writer_of(out, capacity);
    message_encode_push_pull_entry(&w, entry, state);
    struct reader r = reader_of(writer_bytes(&w));
    FUZZ_CHECK(!w.is_full && message_decode_push_pull_entry(&r, &again, &state_again) && reader_left(&r) == 0);
    FUZZ_CHECK(state == state_again && bytes_equal(again.node, entry->node) && bytes_equal(again.meta, entry->meta) &&
               bytes_equal(again.versions, entry->versions) && again.incarnation == entry->incarnation &&
               address_equal(&again.address, &entry->address));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    struct message_push_pull_header header;
    struct message_alive entry;
    enum message_state state;
    struct serf_state serf;
    if (!message_decode_push_pull_header(&r, &header)) {
        return 0;
    }
    check_header(&header);
    for (uint32_t i = 0; i < header.nodes; i++) {
        const uint8_t *start = r.at;
        if (!message_decode_push_pull_entry(&r, &entry, &state)) {
            return 0;
        }
        check_entry(&entry, state, (size_t)(r.at - start));
        struct reader tags;
        uint32_t count;
        if (serf_tags_begin(entry.meta, &tags, &count)) {
            for (uint32_t k = 0; k < count * 2; k++) {
                (void)msgpack_get_raw(&tags);
            }
            FUZZ_CHECK(count == 0 || !tags.is_bad);
        }
    }
    (void)serf_state_decode(reader_take(&r, header.user_state_size), &serf);
    return 0;
}
