/* SPDX-License-Identifier: MIT
 *
 * Messages of the shared store: whatever decodes can be walked to its end within its bytes, and written again section by section means the
 * same. The first byte chooses how much room the writing gets, so that what does not fit is tried too.
 */
#include "fuzz.h"

#include "wire/parley.h"

#include <string.h>

static uint64_t sum; /* reads every byte, so that the sanitizer sees it */

static void touch(struct hearsay_bytes b)
{
    for (size_t i = 0; i < b.size; i++) {
        sum = sum * 31 + b.data[i];
    }
}

static void copy_entries(struct reader body, struct writer *w)
{
    struct parley_entry e;
    size_t begun = parley_begin(w, PARLEY_ENTRIES);
    while (parley_next_entry(&body, &e)) {
        size_t before = w->size;
        touch(e.key);
        touch(e.value);
        parley_put_entry(w, &e);
        FUZZ_CHECK(w->is_full || w->size - before == parley_entry_bytes(&e));
    }
    FUZZ_CHECK(!body.is_bad);
    parley_end(w, begun);
}

static void copy_nodes(struct reader body, struct writer *w)
{
    struct parley_nodes group = {0};
    uint8_t level = reader_u8(&body);
    uint32_t next = 0;
    size_t begun = parley_begin(w, PARLEY_NODES);
    writer_u8(w, level);
    while (parley_next_nodes(&body, level, &group)) {
        FUZZ_CHECK(((uint64_t)group.parent >> (level - 4)) == 0);
        parley_put_nodes(w, &next, &group);
    }
    FUZZ_CHECK(!body.is_bad);
    parley_end(w, begun);
}

static void copy_prints(struct reader body, enum parley_section_type type, struct writer *w)
{
    static uint32_t prints[PARLEY_MESSAGE_MAX / 4];
    struct parley_prints group = {0};
    uint8_t level = reader_u8(&body);
    uint32_t next = 0;
    size_t begun = parley_begin(w, type);
    writer_u8(w, level);
    while (parley_next_prints(&body, level, &group)) {
        size_t count = 0;
        while (reader_left(&group.prints) > 0) {
            prints[count++] = reader_u32(&group.prints);
        }
        parley_put_prints(w, &next, group.index, prints, count);
    }
    FUZZ_CHECK(!body.is_bad);
    parley_end(w, begun);
}

static void copy_section(enum parley_section_type type, struct reader body, const struct parley_message *m, struct writer *w)
{
    size_t begun;
    switch (type) {
    case PARLEY_BEACON:
        parley_put_beacon(w, &m->beacon);
        break;
    case PARLEY_SESSION:
        parley_put_session(w, &m->session);
        break;
    case PARLEY_RANGE:
        parley_put_range(w, &m->range);
        break;
    case PARLEY_STATUS:
        parley_put_status(w, m->status, m->retry_ms);
        break;
    case PARLEY_ENTRIES:
        copy_entries(body, w);
        break;
    case PARLEY_NODES:
        copy_nodes(body, w);
        break;
    case PARLEY_PRINTS:
    case PARLEY_WANTED_PRINTS:
        copy_prints(body, type, w);
        break;
    default:
        begun = parley_begin(w, type);
        touch(bytes_of(body.at, reader_left(&body)));
        writer_put(w, body.at, reader_left(&body));
        parley_end(w, begun);
    }
}

static void copy(const struct parley_message *m, struct writer *w)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    parley_put_head(w, &m->head);
    while (parley_next_section(&sections, &type, &body)) {
        copy_section(type, body, m, w);
    }
    FUZZ_CHECK(!sections.is_bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parley_message m, again;
    if (size < 1 || !parley_decode(bytes_of(data + 1, size - 1), &m, NULL)) {
        return 0;
    }
    size_t capacity = data[0] == 255 ? 2 * size + 64 : data[0];
    uint8_t *first = malloc(capacity + 1), *second = malloc(capacity + 1);
    struct writer w = writer_of(first, capacity), v = writer_of(second, capacity);
    copy(&m, &w);
    FUZZ_CHECK(w.size <= capacity);
    if (!w.is_full) {
        FUZZ_CHECK(parley_decode(writer_bytes(&w), &again, NULL));
        FUZZ_CHECK(again.head.kind == m.head.kind && again.head.hlc == m.head.hlc);
        copy(&again, &v);
        FUZZ_CHECK(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
    }
    free(first);
    free(second);
    return 0;
}
