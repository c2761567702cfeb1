/* SPDX-License-Identifier: MIT
 *
 * What a stranger answers to `inspect`: read at once or in two halves to the same view, at a cost bounded by its bytes. Plain bytes are also
 * sealed with our key, so that fuzzing reaches behind the cipher.
 */
#include "fuzz.h"

#include "../tests/lib/allocator_counting.h"
#include "wire/stream.h"

#include <hearsay/inspect.h>
#include <string.h>

struct view {
    enum hearsay_inspect_status status;
    struct hearsay_inspect_facts facts;
    uint64_t hash;
};

/* Touches everything that is shown. */
static void on_message(void *context, const struct hearsay_dissection *message)
{
    uint64_t *hash = context;
    *hash ^= bytes_hash(bytes_of_string(message->type), 0);
    FUZZ_CHECK(message->count <= HEARSAY_FIELDS_MAX);
    for (size_t i = 0; i < message->count; i++) {
        *hash ^= bytes_hash(message->fields[i].bytes, bytes_hash(bytes_of_string(message->fields[i].name), message->fields[i].number));
        FUZZ_CHECK(message->fields[i].address.size <= 16);
    }
}

static struct view look(uint8_t settings, const struct hearsay_cipher *cipher, const struct envelope *e, struct hearsay_bytes bytes,
                        size_t cut)
{
    struct allocator_counting counting = {0};
    struct hearsay_inspect_options options = {.label = settings & FUZZ_LABEL ? "blue" : NULL, .key_count = e->key_count,
                                              .cipher = *cipher, .allocator = allocator_counting_of(&counting)};
    struct view view = {.status = HEARSAY_INSPECT_MORE};
    struct hearsay_member member;
    size_t position = 0;
    uint32_t abilities;
    memcpy(options.keys, e->keys, sizeof options.keys);
    struct hearsay_inspection *s = hearsay_inspect_create(&options);
    FUZZ_CHECK(s != NULL && hearsay_inspect_request(s).size > 0 && hearsay_inspect_ping(s, "n1", 7).size > 0);
    if (cut > 0) {
        view.status = hearsay_inspect_feed(s, bytes.data, cut);
    }
    if (view.status == HEARSAY_INSPECT_MORE && cut < bytes.size) {
        view.status = hearsay_inspect_feed(s, bytes.data + cut, bytes.size - cut);
    }
    if (view.status == HEARSAY_INSPECT_MORE) {
        view.status = hearsay_inspect_feed(s, NULL, 0);
    }
    FUZZ_CHECK(view.status != HEARSAY_INSPECT_MORE && strlen(hearsay_inspect_text(s)) < 256);
    hearsay_inspect_get_facts(s, &view.facts);
    while (hearsay_inspect_next_member(s, &position, &member)) {
        FUZZ_CHECK(member.name[0] != '\0' && member.address.size <= 16);
        view.hash = bytes_hash(member.meta, bytes_hash(bytes_of_string(member.name), view.hash));
    }
    struct hearsay_datagram_facts facts;
    hearsay_inspect_datagram(s, bytes.data, bytes.size, &facts, on_message, &view.hash);
    (void)hearsay_inspect_is_ack(s, bytes.data, bytes.size, 7, &abilities);
    hearsay_inspect_destroy(s);
    FUZZ_CHECK(counting.blocks == 0);
    if (!(settings & FUZZ_COMPRESS)) { /* a seed may hold compressed bytes, whose bound is another */
        FUZZ_CHECK(counting.bytes_most <= ((size_t)1 << 20) + bytes.size * 4096);
    }
    return view;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope e;
    struct cipher_nettle cipher;
    struct buffer sealed;
    if (size < 3) {
        return 0;
    }
    fuzz_envelope(&e, &cipher, data[0]);
    struct hearsay_bytes bytes = bytes_of(data + 3, size - 3);
    size_t cut = (size_t)(data[1] << 8 | data[2]);
    buffer_init(&sealed, &memory_system);
    if ((data[0] & FUZZ_CRC) && bytes.size > 0) { /* the bytes are a message: seal it */
        FUZZ_CHECK(stream_seal(&e, false, bytes, &sealed));
        bytes = buffer_bytes(&sealed);
    }
    struct view whole = look(data[0], &e.cipher, &e, bytes, 0);
    struct view halves = look(data[0], &e.cipher, &e, bytes, cut < bytes.size ? cut : bytes.size);
    FUZZ_CHECK(whole.status == halves.status && whole.hash == halves.hash && whole.facts.members == halves.facts.members);
    buffer_deinit(&sealed);
    return 0;
}
